"""EvoLink: asynchronous tasks; one create request for text and edit, told apart by `image_urls`.

https://docs.evolink.ai/en/api-manual/image-series/seedream/seedream-4.0-image-generate, its task
and error pages, and the company's own client, https://github.com/EvoLinkAI/evolink-media-mcp.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from flows.providers.base import (
    Accepted,
    Capabilities,
    Done,
    Handed,
    Handing,
    Heard,
    Image,
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
    Running,
    Treatment,
    UnverifiedError,
    Way,
    Window,
    document,
)
from flows.providers.base.addresses import address_of
from flows.providers.base.fields import job_in, link_in, moment_in, text_in
from flows.providers.base.outcomes import at_ask, at_create, at_upload, refusal
from flows.providers.base.refusals import is_moderation, shown

_BASE, _FILES = "EVOLINK_BASE_URL", "EVOLINK_FILES_URL"
_MODEL = "doubao-seedream-4.0"
_UPLOAD_LIFE = timedelta(hours=72)

_INPUT, _ACCOUNT, _AGAIN = RefusalKind.INPUT, RefusalKind.ACCOUNT, RefusalKind.AGAIN
_FAILED, _UNKNOWN, _GONE = RefusalKind.FAILED, RefusalKind.UNKNOWN, RefusalKind.GONE

_REFUSED_CODES = {
    "content_policy_violation": RefusalKind.MODERATION,
    "insufficient_quota": _ACCOUNT,
    "quota_exceeded": _ACCOUNT,
    "model_unavailable": _ACCOUNT,
}
"""`error.code` or `error.type` of a refused create, where they say more than its status."""

_FAILED_CODES = {
    "content_policy_violation": RefusalKind.MODERATION,
    "invalid_parameters": _INPUT,
    "image_processing_error": _INPUT,
    "image_dimension_mismatch": _INPUT,
    "resource_not_found": _INPUT,
}
"""`error.code` of a failed task (https://docs.evolink.ai/en/api-manual/task-management/error-codes);
any other is a failure that a new task may not meet. Whether it is billed is nowhere said.
"""

_FILE_CODES = {40001: _INPUT, 40002: _INPUT, 40003: _ACCOUNT, 40004: _INPUT, 50001: _AGAIN}
"""`code` of a refused upload: too large, type, quota, unreadable, their storage."""

_WAIT = re.compile(r"\b(?:after|in)\s+(\d{1,4})\s*s", re.IGNORECASE)


class Host(Provider):
    """One model, one create request, one poll; pictures travel as addresses of its file service."""

    name: ClassVar[str] = "evolink"
    title: ClassVar[str] = "EvoLink"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "EVOLINK_API_KEY"
    addresses: ClassVar[Mapping[str, str]] = {
        _BASE: "https://api.evolink.ai",
        _FILES: "https://files-api.evolink.ai",
    }
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments={
            "prompt": Treatment(
                Way.PASSED, "prompt", "1000 characters, the narrower reading (or 2000 tokens)"
            ),
            "references": Treatment(
                Way.CONVERTED, "image_urls", "uploaded first, kept 72 h; at most 10 (or 14)"
            ),
            "size": Treatment(
                Way.CONVERTED, "size", "WxH, 921,600 to 16,777,216 pixels, 1:16 to 16:1"
            ),
            "aspect_ratio": Treatment(Way.CONVERTED, "size", "WxH; a bare tier leaves it open"),
            "resolution": Treatment(Way.CONVERTED, "size", "WxH of that tier's area"),
            "n": Treatment(Way.EMULATED, "n", "one call a take; its own is an upper bound"),
            "seed": Treatment(Way.NONE, note="the host has none"),
            "guidance": Treatment(Way.NONE, note="the host has none"),
            "safety": Treatment(Way.NONE, note="no switch; always on"),
            "callback": Treatment(
                Way.RENAMED, "callback_url", "https, 2048 characters; at the end; not signed"
            ),
        },
        shapes=PixelShapes(least_area=921_600, most_area=4096 * 4096, most_ratio=16),
        # 10 MB by the page, but the company's client meets 413 from 4 MB on
        references=ReferenceLimits(count=10, most_bytes=4_000_000, by="upload"),
        prompt_chars=1000,
        together=15,
    )
    limits: ClassVar[Limits] = Limits(windows=(Window(amount=60, per_s=60),), running=5)
    limits_note: ClassVar[str] = "not published; 60 requests a minute and 5 running are a guess"
    usd_per_image: ClassVar[Decimal | None] = Decimal("0.0222")
    price_note: ClassVar[str] = "about $0.02; the dearer of two printed figures"
    latency_s: ClassVar[float] = 45.0  # `estimated_time` of the page's example
    is_synchronous: ClassVar[bool] = False
    requests_per_take: ClassVar[float] = 5.0

    def hand_over(self, picture: Picture) -> Handing | None:
        file = (picture.file_name, picture.data, picture.media_type)
        request = httpx.Request(
            "POST",
            f"{self._address(_FILES)}/api/v1/files/upload/stream",
            headers=self._key(),
            files={"file": file},
        )
        return self._upload(request)

    def submit(self, order: Order) -> httpx.Request:
        body: dict[str, object] = {
            "model": _MODEL,
            "prompt": order.recipe.prompt,
            "size": "{}x{}".format(*order.size.pixels),
            "n": 1,
            "prompt_priority": "standard",
        }
        if order.is_edit:
            body["image_urls"] = list(order.addresses)
        if order.callback:
            body["callback_url"] = order.callback
        address = f"{self._address(_BASE)}/v1/images/generations"
        return httpx.Request("POST", address, headers=self._key(), json=body)

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        answer = document(response) or {}
        if response.is_success:
            job = job_in(answer, "id")
            return Accepted(job=job) if job else self._refused(response, _UNKNOWN)
        kind = at_create(response.status_code)
        if response.is_client_error and kind is not _UNKNOWN:
            code, sort, words, _ = _error(answer)
            kind = _REFUSED_CODES.get(code) or _REFUSED_CODES.get(sort) or kind
            if kind is _INPUT and is_moderation(f"{sort} {words}"):
                kind = RefusalKind.MODERATION
        return self._refused(response, kind)

    def ask(self, job: Job) -> httpx.Request:
        address = f"{self._address(_BASE)}/v1/tasks/{quote(job.id, safe='')}"
        return httpx.Request("GET", address, headers=self._key())

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del job
        answer = document(response) or {}
        if response.is_success and isinstance(answer.get("status"), str):
            return self._state(answer)
        kind = at_ask(response.status_code)
        if response.is_client_error and _error(answer)[0] == "invalid_task_id":
            kind = _GONE  # it will never know this task
        return self._refused(response, kind, billed=None)

    def heard(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime, keys: bytes = b""
    ) -> Heard:
        del headers, now, keys  # nothing signs it: only the id is taken, and the task asked for
        said = document(httpx.Response(200, content=body)) or {}
        job = job_in(said, "id")
        if job is None:
            raise UnverifiedError("the callback names no task")
        return Heard(job=job, reply=None, message_id=f"{job.id}:{text_in(said.get('status'))}")

    def _address(self, variable: str) -> str:
        return address_of(self.account, variable)

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.key}"}

    def _upload(self, request: httpx.Request) -> Handing:
        response = yield request
        answer = document(response) or {}
        data = answer.get("data")
        file = data if isinstance(data, dict) else {}
        address = link_in(file.get("file_url")) or link_in(file.get("download_url"))
        # the value of `code` in success is not confirmed: only `success` tells
        if response.is_success and answer.get("success") is not False and address:
            until = moment_in(file.get("expires_at")) or datetime.now(UTC) + _UPLOAD_LIFE
            return Handed(address=address, expires_at=until)
        # nothing is paid here: what is not understood may be sent again
        kind = at_upload(response.status_code)
        code = answer.get("code")
        if isinstance(code, int) and not response.is_redirect:
            kind = _FILE_CODES.get(code, kind)
        return self._refused(response, kind, address=_FILES)

    def _state(self, answer: Mapping[str, Any]) -> Reply:
        state = text_in(answer["status"]).lower()
        if state == "completed":
            if images := tuple(Image(url=url) for url in dict.fromkeys(_links(answer))):
                return Done(images=images)
            words = "the task was completed without a picture"
            return Refused(kind=_FAILED, words=words, code=state, billed=None)
        # the callback speaks of cancelled tasks, the list of states does not know them
        if state not in ("failed", "cancelled"):
            return Running()
        code, sort, words, _ = _error(answer)
        return Refused(
            kind=_FAILED_CODES.get(code) or _FAILED_CODES.get(sort, _FAILED),
            words=self._shown(words or f"the task ended as {state}"),
            code=self._shown(code or sort or state),
            billed=None,
        )

    def _refused(
        self,
        response: httpx.Response,
        kind: RefusalKind,
        *,
        billed: bool | None = False,
        address: str = _BASE,
    ) -> Refused:
        code, sort, words, advice = _error(document(response) or {})
        hint = _WAIT.search(f"{advice} {words}")
        return refusal(
            response,
            kind,
            self.account,
            # a number as code mostly repeats the status
            code=sort if code == str(response.status_code) else code or sort,
            words=words,
            address=address,
            billed=billed,
            wait_s=float(hint[1]) if hint else None,
        )

    def _shown(self, words: str) -> str:
        return shown(words, self.account)


def _error(answer: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Code, type, words and advice of an answer's error. The code is a number in most HTTP errors
    and a word in failed tasks; the file service has `code` and `msg` at the top.
    """
    error = answer.get("error")
    if not isinstance(error, dict):
        words = error if isinstance(error, str) else answer.get("msg")
        error = {"code": answer.get("code"), "message": words}
    code = error.get("code")
    return (
        str(code) if isinstance(code, int) else text_in(code),
        text_in(error.get("type")),
        text_in(error.get("message")),
        text_in(error.get("fallback_suggestion")),
    )


def _links(answer: Mapping[str, Any]) -> Iterator[str]:
    """The addresses in `results` (text, or objects with `url`), else those in `result_data`."""
    results, data = answer.get("results"), answer.get("result_data")
    rows = results if isinstance(results, list) else []
    found = [link_in(one.get("url") if isinstance(one, dict) else one) for one in rows]
    if not any(found) and isinstance(data, list):
        found = [link_in(one.get("image_url")) for one in data if isinstance(one, dict)]
    yield from filter(None, found)
