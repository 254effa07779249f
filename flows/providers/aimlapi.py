"""AI/ML API: synchronous; one address, two models. The call stays open until the picture is there.

Sources: https://docs.aimlapi.com/api-references/image-models/bytedance/seedream-v4-text-to-image,
https://docs.aimlapi.com/api-references/image-models/bytedance/seedream-v4-edit-image-to-image,
https://docs.aimlapi.com/errors-and-messages/general-info,
https://docs.aimlapi.com/capabilities/request-tracing-and-cost,
https://docs.aimlapi.com/api-references/service-endpoints/usage-logs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import ClassVar

import httpx

from flows.errors import EnvironmentFault
from flows.providers.base import (
    Capabilities,
    Done,
    Job,
    Limits,
    Listed,
    Order,
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
)
from flows.providers.base.fields import job_in, moment_in, text_in, usd_in
from flows.providers.base.images import images_in
from flows.providers.base.lookup import MARGIN, Finding, Known, Log, Rivals, Trace, logged
from flows.providers.base.outcomes import at_create
from flows.providers.base.refusals import refused

ADDRESS = "AIMLAPI_BASE_URL"
TEXT_MODEL = "bytedance/seedream-v4-text-to-image"
EDIT_MODEL = "bytedance/seedream-v4-edit"
SEEDS = (1, 2**31 - 1)
CREDITS_PER_USD = 2_000_000
"""https://docs.aimlapi.com/faq/how-can-i-track-my-funds"""

TREATMENTS = {
    "prompt": Treatment(Way.PASSED, "prompt", "at most 4000 characters"),
    "references": Treatment(Way.CONVERTED, "image_urls", "1 to 10 data URIs, edit model"),
    "size": Treatment(Way.CONVERTED, "image_size", "width and height, 1024 to 4096 each"),
    "aspect_ratio": Treatment(Way.CONVERTED, "image_size", "as pixels, at most 4:1"),
    "resolution": Treatment(Way.CONVERTED, "image_size", "as pixels"),
    "n": Treatment(Way.EMULATED, "num_images", "one call a take; 1 is sent"),
    "seed": Treatment(Way.PASSED, "seed", "1 and up; that the model heeds it is not confirmed"),
    "guidance": Treatment(Way.NONE, note="the host has none"),
    "safety": Treatment(Way.RENAMED, "enable_safety_checker", "sent where it is written"),
    "callback": Treatment(Way.NONE, note="the answer is the picture"),
}

_MARK = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_PAGE = 100
_LOG = Log(rows="data", ids=("inference_id", "request_id"), made="succeeded")
_MOST_HOURS = 92 * 24


class Host(Provider):
    """Sends pictures inside the order, gets addresses back, and finds calls again by our mark."""

    name: ClassVar[str] = "aimlapi"
    title: ClassVar[str] = "AI/ML API"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "AIMLAPI_API_KEY"
    addresses: ClassVar[Mapping[str, str]] = {ADDRESS: "https://api.aimlapi.com"}
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments=TREATMENTS,
        shapes=PixelShapes(least_side=1024, most_side=4096, most_ratio=4),
        references=ReferenceLimits(count=10, most_bytes=4_000_000, by="data-uri"),
        prompt_chars=4000,
        seeds=SEEDS,
        can_switch_safety_off=True,
    )
    limits: ClassVar[Limits] = Limits(windows=(Window(amount=60, per_s=60),), running=5)
    limits_note: ClassVar[str] = "unpublished: a careful guess"
    usd_per_image: ClassVar[Decimal | None] = Decimal("0.0315")
    price_note: ClassVar[str] = "63,000 credits a call in the examples, 2,000,000 credits a dollar"
    latency_s: ClassVar[float] = 20.0
    is_synchronous: ClassVar[bool] = True
    timeout_s: ClassVar[float] = 300.0
    requests_per_take: ClassVar[float] = 1.0
    # ten minutes: above the longest call, and a charge is booked after the answer has left
    listed_within: ClassVar[float] = 30.0

    def submit(self, order: Order) -> httpx.Request:
        width, height = order.size.pixels
        seed, safety = order.recipe.seed, order.recipe.parameters.get("safety")
        body: dict[str, object] = {
            "model": EDIT_MODEL if order.is_edit else TEXT_MODEL,
            "prompt": order.recipe.prompt,
            "image_size": {"width": width, "height": height},
            "num_images": 1,
            # true would put the picture into the answer; where, no source says
            "sync_mode": False,
        }
        if order.is_edit:
            body["image_urls"] = [
                f"data:{one.media_type};base64,{base64.b64encode(one.data).decode()}"
                for one in order.pictures
            ]
        if seed is not None and SEEDS[0] <= seed <= SEEDS[1]:
            body["seed"] = seed
        if isinstance(safety, bool):
            body["enable_safety_checker"] = safety
        # a mark outside the host's alphabet is dropped there without a word
        marked = _MARK.fullmatch(order.mark) is not None
        return httpx.Request(
            "POST",
            f"{self._base()}/v1/images/generations",
            headers=self._headers() | ({"X-Client-Request-Id": order.mark} if marked else {}),
            json=body,
        )

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        body = document(response) or {}
        # `images` is not in the schema, repeats `data` and stands in where that is null
        images = images_in(body.get("data")) or images_in(body.get("images"))
        if not response.is_success or not images:
            return self._refused(response)
        seed = body.get("seed")
        job = job_in(response.headers, "x-inference-id")
        return Done(
            images=images,
            seed=seed if type(seed) is int and 0 <= seed < 2**63 else None,
            cost_usd=_cost_usd(response.headers, body),
            id=job.id if job else None,
        )

    def ask(self, job: Job) -> httpx.Request:
        raise LookupError(f"aimlapi answers at once; there is no job {job.id} to ask for")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del response, job
        return Refused(kind=RefusalKind.GONE, words="aimlapi keeps no jobs", billed=None)

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        """The log of calls: their fate and cost, never their pictures.

        A window back from the host's own now, at most 92 days, so that a clock that goes wrong here
        hides nothing.
        """
        hours = ceil((datetime.now(UTC) - since).total_seconds() / 3600) + 1
        return self._log({"period": f"{min(max(hours, 1), _MOST_HOURS)}h", "limit": str(_PAGE)})

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        body = document(response) or {}
        rows, page = body.get("data"), body.get("pagination")
        if not response.is_success or not isinstance(rows, list):
            return (), None
        found = [one for one in map(_listed, rows) if one is not None]
        has_more = page.get("has_more") if isinstance(page, dict) else len(rows) >= _PAGE
        try:
            asked = dict(response.request.url.params)
        except RuntimeError:  # an answer without its request: where it stands is not known
            return found, None
        if has_more is not True or not rows:
            return found, None
        before = asked.get("offset", "0")
        offset = len(rows) + (int(before) if before.isdecimal() else 0)
        return found, self._log({**asked, "offset": str(offset)})

    def find(self, trace: Trace, known: Known, rivals: Rivals | None = None) -> Finding | None:
        first = self.list_jobs(trace.sent_at - MARGIN)
        if first is None or not _MARK.fullmatch(trace.mark):
            return None
        return logged(self, _LOG, self.quest(trace, known, rivals), first, trace.mark)

    def _refused(self, response: httpx.Response) -> Refused:
        # 403 is also out of credit. A call that failed is logged at no cost, yet a 5xx may come
        # from something on the way that lost a picture: open until the log has it
        return refused(
            response,
            at_create(response.status_code),
            self.account,
            names=("message",),
            address=ADDRESS,
        )

    def _log(self, parameters: Mapping[str, str]) -> httpx.Request:
        address = f"{self._base()}/v2/logs"
        return httpx.Request("GET", address, params=parameters, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.key}"}

    def _base(self) -> str:
        base = self.account.addresses.get(ADDRESS)
        if base is None:
            raise EnvironmentFault(f"aimlapi: no address to send to; set {ADDRESS}")
        return base


def _cost_usd(headers: httpx.Headers, body: Mapping[str, object]) -> Decimal | None:
    """What this call cost: the header's dollars, the body's, or credits under either name."""
    meta = body.get("meta")
    usage = meta.get("usage") if isinstance(meta, dict) else None
    usage = usage if isinstance(usage, dict) else {}
    said = (
        _usd(headers.get("x-aimlapi-usd-spent")),
        _usd(usage.get("usd_spent")),
        _usd(headers.get("x-aimlapi-credits-used"), CREDITS_PER_USD),
        _usd(usage.get("credits_used"), CREDITS_PER_USD),
        # the older name of the same count: 63000 for the same picture
        _usd(usage.get("tokens_used"), CREDITS_PER_USD),
    )
    return next((one for one in said if one is not None), None)


def _usd(value: object, per: int = 1) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return usd_in(float(value) / per)
    except (ValueError, OverflowError):
        return None


def _listed(row: object) -> Listed | None:
    job = job_in(row, "inference_id", "request_id") if isinstance(row, dict) else None
    if job is None or not isinstance(row, dict):
        return None
    cost = row.get("cost")
    cost = cost if isinstance(cost, dict) else {}
    usd = _usd(cost.get("usd"))
    usd = usd if usd is not None else _usd(cost.get("credits"), CREDITS_PER_USD)
    has_failed = row.get("status") == "failed"
    words = "the host's log says: failed"
    return Listed(
        job=job,
        reply=Refused(kind=RefusalKind.FAILED, words=words, billed=bool(usd))
        if has_failed
        else None,
        created_at=moment_in(row.get("created")),
        mark=text_in(row.get("client_request_id")),
        cost_usd=usd,
    )
