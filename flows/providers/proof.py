"""Proof: the free one that draws for position only, offline and always the same.

It brings its own transport in place of a network, so that a proof walks the same path as a
purchase: intent, request, answer, bytes.
"""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from typing import ClassVar, cast

import httpx

from flows.errors import BadInput
from flows.nouns.take import Realm
from flows.providers.base import Done, Image, Limits, Order, Provider, RefusalKind, Refused, Reply


class Host(Provider):
    """Draws the product's own photo on a scene in the brand's palette."""

    name: ClassVar[str] = "proof"
    title: ClassVar[str] = "Proof (drawn here, for position only)"
    model: ClassVar[str] = "proof"
    key_variable: ClassVar[str | None] = None
    limits: ClassVar[Limits] = Limits(running=os.cpu_count() or 2)
    usd_per_image: ClassVar[Decimal | None] = Decimal(0)
    price_note: ClassVar[str] = "drawn on this machine"
    latency_s: ClassVar[float] = 0.6
    requests_per_take: ClassVar[float] = 0.0

    def realm(self) -> Realm:
        return Realm.PROOF

    def transport(self) -> httpx.AsyncBaseTransport:
        return DrawingTransport()

    def submit(self, order: Order) -> httpx.Request:
        return httpx.Request("POST", "proof://here/draw", extensions={"order": order})

    def submitted(self, response: httpx.Response) -> Reply:
        if response.status_code == httpx.codes.OK:
            return Done(images=(Image(data=response.content),), cost_usd=Decimal(0))
        return Refused(kind=RefusalKind.INPUT, words=response.text)

    def ask(self, job: str) -> httpx.Request:
        msg = f"the proof answers at once; there is no job {job} to ask for"
        raise LookupError(msg)

    def asked(self, response: httpx.Response) -> Reply:
        return self.submitted(response)


class DrawingTransport(httpx.AsyncBaseTransport):
    """Answers a request with a drawing instead of sending it anywhere."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        order = cast("Order", request.extensions["order"])
        try:
            # pixels are the processor's work: the loop stays free for others
            data = await asyncio.to_thread(_draw, order)
        except BadInput as error:
            return httpx.Response(422, text=str(error), request=request)
        return httpx.Response(
            200, content=data, headers={"content-type": "image/jpeg"}, request=request
        )


def _draw(order: Order) -> bytes:
    from flows import drawing

    photos = [data for reference, data in order.references if reference.role == "product"]
    others = [data for reference, data in order.references if reference.role != "product"]
    wished = order.recipe.parameters
    label, palette = wished.get("label"), wished.get("palette")
    return drawing.draw(
        drawing.Sketch(
            width=order.width,
            height=order.height,
            product=photos[0] if photos else None,
            others=(*photos[1:], *others),
            palette=tuple(palette) if isinstance(palette, list) else (),
            label=tuple(label) if isinstance(label, list) else (),
            seed=order.recipe.seed or 0,
            prompt=order.recipe.prompt,
        )
    )
