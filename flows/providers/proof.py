"""Proof: the free one that draws for position only, offline and always the same.

It brings its own transport in place of a network, so that a proof walks the same path as a
purchase: intent, request, answer, bytes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, cast

import httpx

from flows.errors import BadInput
from flows.providers.base import (
    PARAMETERS,
    Capabilities,
    Done,
    Image,
    Job,
    Limits,
    Order,
    PixelShapes,
    Provider,
    ReferenceLimits,
    RefusalKind,
    Refused,
    Reply,
    Treatment,
    Way,
)

_DRAWN = {
    "prompt": Treatment(Way.EMULATED, note="decides the mood of the scene"),
    "references": Treatment(Way.EMULATED, note="the product's own photo is placed on the scene"),
    "n": Treatment(Way.EMULATED, note="one drawing a take"),
    "guidance": Treatment(Way.NONE, note="a drawing has none"),
    "safety": Treatment(Way.NONE, note="a drawing has none"),
    "callback": Treatment(Way.NONE, note="drawn at once"),
}


class Host(Provider):
    """Draws the product's own photo on a scene in the brand's palette."""

    name: ClassVar[str] = "proof"
    title: ClassVar[str] = "Proof (drawn here, for position only)"
    model: ClassVar[str] = "proof"
    key_variable: ClassVar[str | None] = None
    addresses: ClassVar[Mapping[str, str]] = {}
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments={one: _DRAWN.get(one, Treatment(Way.PASSED)) for one in PARAMETERS},
        shapes=PixelShapes(),
        references=ReferenceLimits(
            count=1000,
            most_bytes=100_000_000,
            by="here",
            most_side=65_500,
            most_pixels=1 << 40,
            most_ratio=1e6,
        ),
        seeds=(0, 2**31 - 1),
        guidance=(0, 20),
        can_switch_safety_off=True,
    )
    limits: ClassVar[Limits] = Limits(running=os.cpu_count() or 2)
    limits_note: ClassVar[str] = "one drawing a core"
    usd_per_image: ClassVar[Decimal | None] = Decimal(0)
    price_note: ClassVar[str] = "drawn on this machine"
    latency_s: ClassVar[float] = 0.6
    is_synchronous: ClassVar[bool] = True
    timeout_s: ClassVar[float] = 120.0
    requests_per_take: ClassVar[float] = 0.0

    def transport(self) -> httpx.AsyncBaseTransport:
        return DrawingTransport()

    def submit(self, order: Order) -> httpx.Request:
        return httpx.Request("POST", "proof://here/draw", extensions={"order": order})

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        if response.status_code == httpx.codes.OK:
            return Done(images=(Image(data=response.content),), cost_usd=Decimal(0))
        return Refused(kind=RefusalKind.INPUT, words=response.text)

    def ask(self, job: Job) -> httpx.Request:
        msg = f"the proof answers at once; there is no job {job.id} to ask for"
        raise LookupError(msg)

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del response
        msg = f"the proof answers at once; there is no job {job.id} to ask for"
        raise LookupError(msg)


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

    photos = [one.data for one in order.pictures if one.role == "product"]
    others = [one.data for one in order.pictures if one.role != "product"]
    wished = order.recipe.parameters
    width, height = order.size.pixels
    label, palette = wished.get("label"), wished.get("palette")
    return drawing.draw(
        drawing.Sketch(
            width=width,
            height=height,
            product=photos[0] if photos else None,
            others=(*photos[1:], *others),
            palette=tuple(palette) if isinstance(palette, list) else (),
            label=tuple(label) if isinstance(label, list) else (),
            seed=order.recipe.seed or 0,
            prompt=order.recipe.prompt,
        )
    )
