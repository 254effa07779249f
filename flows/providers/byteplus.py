"""BytePlus ModelArk: one call makes the picture; nothing can be asked for afterwards.

No job, no list, no callback: a lost answer is a lost picture, and it is paid
(https://docs.byteplus.com/en/docs/ModelArk/1541523).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

import httpx

from flows.providers.base import (
    Capabilities,
    Done,
    Job,
    Limits,
    Order,
    Picture,
    PixelShapes,
    Provider,
    ReferenceLimits,
    RefusalKind,
    Refused,
    Reply,
    Treatment,
    Way,
    Window,
    document,
    retry_after_s,
)
from flows.providers.base.addresses import address_of
from flows.providers.base.ark_codes import ark_kind
from flows.providers.base.fields import job_in, text_in
from flows.providers.base.images import images_in
from flows.providers.base.refusals import shown, words_in

ADDRESS = "BYTEPLUS_BASE_URL"
MODEL_ID = "seedream-4-0-250828"
"""With its date: the name without it answers 404."""

CAPABILITIES = Capabilities(
    treatments={
        "prompt": Treatment(
            Way.PASSED, "prompt", "advised: at most 600 English words; no hard bound"
        ),
        "references": Treatment(Way.CONVERTED, "image", "data URIs, at most 10"),
        "size": Treatment(
            Way.CONVERTED, "size", "WxH; 921,600 to 16,777,216 pixels, ratio 1/16 to 16"
        ),
        "aspect_ratio": Treatment(Way.CONVERTED, "size", "as pixels"),
        "resolution": Treatment(Way.CONVERTED, "size", "as pixels"),
        "n": Treatment(Way.EMULATED, "", "one call a take; its groups promise no count"),
        "seed": Treatment(Way.NONE, "", "documented for the 3.0 models only"),
        "guidance": Treatment(Way.NONE, "", "not for 4.0"),
        "safety": Treatment(Way.NONE, "", "no switch; always on"),
        "callback": Treatment(Way.NONE, "", "the answer is the picture"),
    },
    shapes=PixelShapes(least_area=921_600, most_area=16_777_216, most_ratio=16),
    # the older, narrower bounds of the documentation; ten of these stay below 64 MB a request
    references=ReferenceLimits(count=10, most_bytes=4_000_000, by="data-uri", least_side=15),
    together=15,
)

STATUSES = {429: RefusalKind.AGAIN}
STATUSES |= dict.fromkeys((400, 404, 413, 422), RefusalKind.INPUT)
STATUSES |= dict.fromkeys((401, 402, 403), RefusalKind.ACCOUNT)
"""HTTP status of a refused create, where its code is not known; any other leaves it open."""


class Host(Provider):
    """Answers a create with the picture's address."""

    name: ClassVar[str] = "byteplus"
    title: ClassVar[str] = "BytePlus ModelArk"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "ARK_API_KEY"
    addresses: ClassVar[Mapping[str, str]] = {
        ADDRESS: "https://ark.ap-southeast.bytepluses.com/api/v3"
    }
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    limits: ClassVar[Limits] = Limits(
        windows=(Window(amount=500, per_s=60, counts="images"),), running=40
    )
    limits_note: ClassVar[str] = (
        "500 images a minute are published, as a ceiling and not a promise; 40 at once is a"
        " careful guess"
    )
    usd_per_image: ClassVar[Decimal | None] = Decimal("0.03")
    price_note: ClassVar[str] = (
        "an image made, any size; https://docs.byteplus.com/en/docs/ModelArk/1544106"
    )
    latency_s: ClassVar[float] = 20.0
    is_synchronous: ClassVar[bool] = True
    # the vendor's own client waits as long; giving up early loses a picture that is paid
    timeout_s: ClassVar[float] = 600.0
    requests_per_take: ClassVar[float] = 1.0

    def submit(self, order: Order) -> httpx.Request:
        width, height = order.size.pixels
        body: dict[str, object] = {
            "model": MODEL_ID,
            "prompt": order.recipe.prompt,
            "size": f"{width}x{height}",
            "sequential_image_generation": "disabled",
            "response_format": "url",
            "watermark": False,  # true unless said
        }
        if order.is_edit:
            body["image"] = [_data_uri(picture) for picture in order.pictures]
        headers = {"Authorization": f"Bearer {self.account.key}"}
        if order.mark:
            headers["X-Client-Request-Id"] = order.mark
        address = address_of(self.account, ADDRESS) + "/images/generations"
        return httpx.Request("POST", address, headers=headers, json=body)

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        if response.is_success:
            return self._made(response)
        status, error = response.status_code, _error(document(response) or {})
        if 300 <= status < 400:
            words = f"byteplus redirects; check {ADDRESS}"
            return Refused(kind=RefusalKind.ACCOUNT, words=words, code=str(status))
        kind = STATUSES.get(status, RefusalKind.UNKNOWN)
        known = _kind(error)
        # the code says more than the status, but cannot close what the status leaves open; and a
        # 429 is a wait, unless its code says that waiting is in vain
        in_vain = kind is RefusalKind.AGAIN and known is RefusalKind.ACCOUNT
        if known and (in_vain or kind in (RefusalKind.INPUT, RefusalKind.ACCOUNT)):
            kind = known
        return self._refused(kind, response, error, billed=False)

    def ask(self, job: Job) -> httpx.Request:
        raise LookupError(f"byteplus answers at once; there is no job {job.id} to ask for")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del response, job
        return Refused(kind=RefusalKind.GONE, words="byteplus keeps no jobs", billed=None)

    def _made(self, response: httpx.Response) -> Reply:
        """A 2xx may hold a picture, an error or both, on top or in the entry of the picture."""
        answer = document(response) or {}
        data, usage = answer.get("data"), answer.get("usage")
        entries = [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
        if images := images_in(data):
            call = job_in(response.headers, "x-request-id")
            return Done(images=images, id=call.id if call else None)
        of_entry = next(filter(None, map(_error, entries)), {})
        error = _error(answer) or of_entry
        counted = usage.get("generated_images") if isinstance(usage, dict) else None
        # failed entries are free, and the host charges by its own count where it gives one
        billed = bool(counted) if isinstance(counted, int) else None
        if billed is None and (of_entry or _kind(error)):
            billed = False
        kind = _kind(error) or RefusalKind.FAILED
        if billed and kind is not RefusalKind.MODERATION:
            kind = RefusalKind.FAILED  # the other kinds say that nothing was bought
        elif not error and billed is None:
            kind = RefusalKind.UNKNOWN
        return self._refused(kind, response, error, billed=billed)

    def _refused(
        self,
        kind: RefusalKind,
        response: httpx.Response,
        error: Mapping[str, object],
        *,
        billed: bool | None,
    ) -> Refused:
        words = words_in(("message",), error) or response.content.decode(errors="replace")
        if response.is_success and not error:
            words = f"an answer without a picture: {words}"
        return Refused(
            kind=kind,
            words=shown(words, self.account),
            code=shown(text_in(error.get("code")) or str(response.status_code), self.account),
            billed=None if kind is RefusalKind.UNKNOWN else billed,
            retry_after_s=retry_after_s(response) if kind is RefusalKind.AGAIN else None,
        )


def _error(part: Mapping[str, object]) -> Mapping[str, object]:
    """The error that an answer or one of its entries holds; empty where it holds none."""
    error = part.get("error")
    if isinstance(error, str) and error.strip():
        return {"message": error}
    return error if isinstance(error, dict) else {}


def _kind(error: Mapping[str, object]) -> RefusalKind | None:
    return ark_kind(text_in(error.get("code")))


def _data_uri(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
