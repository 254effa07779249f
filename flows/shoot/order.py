"""Order: a recipe and its references made ready for one host."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

from flows.errors import EnvironmentFault
from flows.nouns.output import ratio_of
from flows.nouns.recipe import master_size
from flows.nouns.reference import Reference
from flows.providers.base import Order, Picture, Refused
from flows.shoot.dispatcher import Dispatcher
from flows.shoot.outcome import Wanted
from flows.shoot.references import Prepared, UnfitReferenceError
from flows.storage import read_bytes


class UnusableReferenceError(Exception):
    """A reference is no longer what the plan saw, or cannot be made ready for the host."""


async def order_for(
    wanted: Wanted, dispatcher: Dispatcher, prepared: Prepared, callback: str | None
) -> Order | Refused:
    """The order that this account's host gets. References are read, made ready and brought there
    before any intent: one that has gone since the plan must not cost anything.

    Raises:
        UnusableReferenceError: with the reference's name and the reason.

    """
    can = dispatcher.provider.capabilities
    recipe = wanted.recipe
    width, height = master_size(ratio_of(recipe.ratio), recipe.tier)
    pictures = [
        await asyncio.to_thread(_picture, one, dispatcher, prepared) for one in wanted.references
    ]
    addresses: list[str] = []
    for picture in pictures:
        address = await dispatcher.handed(picture)
        if isinstance(address, Refused):
            return address
        if address is not None:
            addresses.append(address)
    mark = f"{recipe.sha256[:16]}{secrets.token_hex(8)}"
    return Order(
        recipe=recipe,
        size=can.shapes.nearest(width, height),
        pictures=tuple(pictures),
        addresses=tuple(addresses),
        callback=_callback(callback, dispatcher, mark),
        mark=mark,
    )


def _callback(base: str | None, dispatcher: Dispatcher, mark: str) -> str | None:
    if base is None or not dispatcher.is_called_back:
        return None
    return f"{base}/{dispatcher.host}?take={mark}"


def _picture(reference: Reference, dispatcher: Dispatcher, prepared: Prepared) -> Picture:
    limits = dispatcher.provider.capabilities.references
    if limits.by == "here":
        return Picture(
            role=reference.role,
            data=_read(reference),
            media_type=f"image/{reference.format}",
            width=reference.width,
            height=reference.height,
            sha256=reference.sha256,
        )
    try:
        return prepared.picture(
            reference.sha256, lambda: _read(reference), role=reference.role, limits=limits
        )
    except UnfitReferenceError as error:
        raise UnusableReferenceError(f"{reference.shown}: {error}") from error


def _read(reference: Reference) -> bytes:
    try:
        data = read_bytes(reference.location)
    except EnvironmentFault as error:
        raise UnusableReferenceError(str(error)) from error
    if hashlib.sha256(data).hexdigest() != reference.sha256:
        raise UnusableReferenceError(
            f"{reference.shown}: changed while the run went on; run again to plan anew"
        )
    return data
