"""References that come as addresses: the sandbox's own files are looked at, others believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flows.sandbox import pictures
from flows.sandbox.call import Call
from flows.sandbox.pictures import Look
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.world import World

Judge = Callable[[Look], str | None]
"""Takes a reference's look; answers what this host has against it, or None."""


async def check_address(world: World, call: Call, field: str, url: str, judge: Judge) -> None:
    """Look at the file behind one of the sandbox's own addresses, as the host would fetch it.

    Raises:
        Refused: 400, the file is not there (any more), is no image, or `judge` is against it.

    """
    link = world.reference(call, url)
    if link is not None:
        check_bytes(field, await link.read(), judge)


def check_bytes(field: str, data: bytes, judge: Judge) -> None:
    """Look at a reference that came inline.

    Raises:
        Refused: 400, it is no image, or `judge` is against it.

    """
    try:
        wrong = judge(pictures.look(data))
    except pictures.NotAPicture as error:
        raise Refused(400, f"{field}: {error}", field=field) from error
    if wrong:
        raise Refused(400, f"{field}: {wrong}", field=field)


def limits(
    *,
    formats: tuple[str, ...],
    most_bytes: int | None = None,
    least_side: int = 1,
    most_side: int | None = None,
    most_ratio: float | None = None,
) -> Judge:
    """A judge for plain limits: Pillow's format names, bytes, pixels a side, ratio of the sides."""

    def judge(look: Look) -> str | None:
        if look.format not in formats:
            return f"the format is {look.format}, not {' or '.join(formats)}"
        if most_bytes is not None and look.size > most_bytes:
            return f"the image has {look.size} bytes, more than {most_bytes}"
        if min(look.width, look.height) < least_side:
            return f"the image has {look.width}x{look.height} pixels, below {least_side} a side"
        if most_side is not None and max(look.width, look.height) > most_side:
            return f"the image has {look.width}x{look.height} pixels, above {most_side} a side"
        if most_ratio is not None and not 1 / most_ratio <= look.ratio <= most_ratio:
            return (
                f"the sides are {look.ratio:.2f} to 1, outside 1/{most_ratio:g} to {most_ratio:g}"
            )
        return None

    return judge
