"""Eachlabs: asynchronous predictions, whose `output` is a string, a list or an object.

Where its model page and its present documentation differ, a request follows the page and both
forms of an answer are read: https://github.com/eachlabs/mintlify-docs (the documentation's source).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from flows.providers.base import (
    Accepted,
    Account,
    Capabilities,
    Done,
    Handed,
    Handing,
    Heard,
    Image,
    Job,
    Limits,
    Listed,
    NamedShapes,
    Order,
    Picture,
    Provider,
    Ready,
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
from flows.providers.base.echo import Echo
from flows.providers.base.fields import headers_in, job_in, link_in, moment_in, text_in, usd_in
from flows.providers.base.images import links_in
from flows.providers.base.pages import after
from flows.providers.base.refusals import is_moderation, refused, shown, words_in

_BASE = "EACHLABS_BASE_URL"
_TEXT, _EDIT = "seedream-v4-text-to-image", "seedream-v4-edit"
_VERSION = "0.0.1"  # the page sends it; the specification calls it ignored
_UPLOAD_LIFE_S, _PAGE = 86_400, 100

_INPUT, _ACCOUNT, _AGAIN = RefusalKind.INPUT, RefusalKind.ACCOUNT, RefusalKind.AGAIN
_AT_CREATE = {400: _INPUT, 404: _INPUT, 413: _INPUT, 422: _INPUT, 429: _AGAIN} | dict.fromkeys(
    (401, 402, 403, *range(300, 400)), _ACCOUNT
)
"""A refusal by 429 creates nothing and bills nothing (`errors.mdx` of the documentation)."""
_AT_ASK = {404: RefusalKind.GONE} | dict.fromkeys((401, 403), _ACCOUNT)

_FAILURES = dict.fromkeys(
    ("input_validation_error", "input_download_error", "provider_bad_request", "provider_rejected",
     "validation", "invalid_user_input"),
    _INPUT,
) | {"content_moderation": RefusalKind.MODERATION}  # fmt: skip
"""What failed predictions say of themselves (`video/billing-limits.mdx`, `models.json`)."""
_ENDED_WELL = ("success", "succeeded")
_ENDED_BADLY = ("error", "failed", "cancelled", "canceled")
_WORDS = ("error_message", "message", "error", "details")

_SAFETY = "enable_safety_checker"
_ECHO = Echo(
    rows="executions",
    id="id",
    model="model",
    inputs="input",
    is_asked=True,  # and not every form of the answer has them
    defaults={"image_urls": [], "image_size": "square_hd", "num_images": 1, "seed": None}
    | {_SAFETY: True},
)


class Host(Provider):
    """Two models, one create request, one poll; pictures travel as addresses."""

    name: ClassVar[str] = "eachlabs"
    title: ClassVar[str] = "Eachlabs"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "EACHLABS_API_KEY"
    secret_variable: ClassVar[str | None] = "EACHLABS_WEBHOOK_SECRET"  # noqa: S105  # a name
    addresses: ClassVar[Mapping[str, str]] = {_BASE: "https://api.eachlabs.ai/v1"}
    auth_ways: ClassVar[tuple[str, ...]] = ("x-api-key", "bearer")
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments={
            "prompt": Treatment(Way.PASSED, "prompt", "length not published"),
            "references": Treatment(
                Way.CONVERTED, "image_urls", "uploaded first; 10 is 4.5's bound"
            ),
            "size": Treatment(Way.CONVERTED, "image_size", "6 names; pixels not published"),
            "aspect_ratio": Treatment(Way.CONVERTED, "image_size", "1:1, 4:3, 3:4, 16:9, 9:16"),
            "resolution": Treatment(
                Way.NONE, "", "the name decides the pixels; 4K, written, is refused"
            ),
            "n": Treatment(Way.EMULATED, "num_images", "one call a take; 1 is sent"),
            "seed": Treatment(Way.PASSED, "seed", "range not published; 0 to 2147483647 is sent"),
            "guidance": Treatment(Way.NONE, note="the host has none"),
            "safety": Treatment(Way.RENAMED, _SAFETY, "sent where written; may be ignored"),
            "callback": Treatment(Way.RENAMED, "webhook_url", "and webhook_secret; not signed"),
        },
        shapes=NamedShapes(
            names={
                "square_hd": (1, 1),
                "portrait_4_3": (3, 4),
                "portrait_16_9": (9, 16),
                "landscape_4_3": (4, 3),
                "landscape_16_9": (16, 9),
            }
        ),
        # bytes: below the upload's 100 MB, since the model's own bound is not published
        references=ReferenceLimits(count=10, most_bytes=10_000_000, by="upload"),
        seeds=(0, 2**31 - 1),
        can_switch_safety_off=True,
        tiers=("1K", "2K"),
    )
    limits: ClassVar[Limits] = Limits(windows=(Window(amount=100, per_s=60),), running=10)
    limits_note: ClassVar[str] = (
        "the model page's; the present documentation: 10 running up to a balance of $10, else none"
    )
    usd_per_image: ClassVar[Decimal | None] = None
    price_note: ClassVar[str] = "not published for v4; the answer's metrics.cost counts"
    latency_s: ClassVar[float] = 20.0
    is_synchronous: ClassVar[bool] = False
    requests_per_take: ClassVar[float] = 5.0
    lists_results: ClassVar[bool] = True
    creates_alone: ClassVar[bool] = True
    echo: ClassVar[Echo | None] = _ECHO

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._unlisted: set[str] = set()  # predictions that the list did not show with a cost

    def hand_over(self, picture: Picture) -> Handing:
        file = {"content_type": picture.media_type, "file_type": "image"}
        wish = {**file, "expires_in_seconds": _UPLOAD_LIFE_S}
        response = yield self._request("POST", "/upload/presign", json=wish)
        if not response.is_success:
            kind = _AT_CREATE.get(response.status_code, _AGAIN)  # nothing is paid here
            return self._refused(response, kind)
        answer = document(response) or {}
        target, address = link_in(answer.get("presigned_url")), link_in(answer.get("public_url"))
        if target is None or address is None:
            return self._refused(response, _AGAIN)
        # the target may be another host's: its own headers, and never the key
        headers = {"content-type": picture.media_type}
        headers |= headers_in(answer.get("required_headers"))
        put = yield httpx.Request("PUT", target, headers=headers, content=picture.data)
        if put.is_success:
            return Handed(address=address, expires_at=moment_in(answer.get("expires_at")))
        # any other refusal is the signature's, which dies within minutes: a new one may pass
        return self._refused(put, _INPUT if put.status_code in (400, 413, 415) else _AGAIN)

    def submit(self, order: Order) -> httpx.Request:
        recipe = order.recipe
        wished: dict[str, object] = {"prompt": recipe.prompt}
        if order.is_edit:
            wished["image_urls"] = list(order.addresses)
        # said, since the page's examples send true, which brings the picture inside the answer
        wished |= {"image_size": order.size.name, "num_images": 1, "sync_mode": False}
        if recipe.seed is not None and 0 <= recipe.seed < 2**31:
            wished["seed"] = recipe.seed
        if isinstance(recipe.parameters.get("safety"), bool):
            wished[_SAFETY] = recipe.parameters["safety"]
        model = _EDIT if order.is_edit else _TEXT
        body: dict[str, object] = {"model": model, "version": _VERSION, "input": wished}
        if order.callback:
            body["webhook_url"] = order.callback
            if self.account.secret:
                body["webhook_secret"] = self.account.secret
        marks = {"X-Request-Id": order.mark} if order.mark else {}
        return self._request("POST", "/prediction/", marks, json=body)

    def signature(self, order: Order) -> str:
        sent = json.loads(self.submit(order).content)
        return _ECHO.signature(sent["model"], sent["input"])

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        if not response.is_success:
            kind = _AT_CREATE.get(response.status_code, RefusalKind.UNKNOWN)
            return self._refused(response, kind)
        job = job_in(document(response) or {}, "predictionID", "id")
        return Accepted(job=job) if job else self._refused(response, RefusalKind.UNKNOWN)

    def ask(self, job: Job) -> httpx.Request:
        return self._request("GET", f"/prediction/{quote(job.id, safe='')}")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        answer = document(response)
        if response.is_success and answer and isinstance(answer.get("status"), str):
            metrics = answer.get("metrics")
            cost = metrics.get("cost") if isinstance(metrics, dict) else None
            reply = self._state(answer, cost)
            is_without = isinstance(reply, Done) and reply.cost_usd is None
            may_list = self.lists_results and job.id not in self._unlisted
            return Ready() if is_without and may_list else reply
        kind = _AGAIN if response.is_success else _AT_ASK.get(response.status_code, _AGAIN)
        return self._refused(response, kind, billed=None)

    def collect(self, job: Job) -> httpx.Request:
        """One form of the answer names no cost; the list does, whichever way an end was heard."""
        del job
        newest = {"limit": str(_PAGE), "offset": "0", "status": _ENDED_WELL[0]}
        return self._request("GET", "/executions", params=newest)

    def collected(self, response: httpx.Response, job: Job) -> Reply:
        for one in self.listed(response)[0]:
            if one.job.id == job.id and isinstance(one.reply, Done) and one.cost_usd is not None:
                return one.reply
        self._unlisted.add(job.id)  # the next time its own answer must do
        return self._refused(response, _AGAIN, billed=None)

    def cancel(self, job: Job) -> httpx.Request | None:
        return self._request("POST", f"/prediction/{quote(job.id, safe='')}/cancel")

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        first = {"limit": str(_PAGE), "offset": "0", "from": start}
        return self._request("GET", "/executions", params=first)

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        answer = (document(response) or {}) if response.is_success else {}
        rows = answer.get("executions")
        if not isinstance(rows, list) or not rows:
            return (), None
        found = [
            Listed(
                job=job,
                reply=self._state(row, row.get("execution_cost")),
                created_at=moment_in(row.get("created_at")),
                cost_usd=usd_in(row.get("execution_cost")),
            )
            for row in rows
            # the list is the organisation's: other models are in it
            if isinstance(row, dict)
            and row.get("model") in (_TEXT, _EDIT)
            and (job := job_in(row, "id"))
        ]
        return found, self._next_page(response, answer, len(rows))

    def heard(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime, keys: bytes = b""
    ) -> Heard:
        del now, keys  # no time and no signature: the header repeats what `webhook_secret` said
        given = headers.get("x-webhook-secret", "").encode(errors="replace")
        secret = self.account.secret.encode()
        if not secret or not hmac.compare_digest(given, secret):
            raise UnverifiedError("the callback does not carry the secret of this account")
        said = document(httpx.Response(200, content=body)) or {}
        job = job_in(said, "exec_id")
        if job is None:
            raise UnverifiedError("the callback names no prediction")
        return Heard(job=job, reply=None, message_id=f"{job.id}:{text_in(said.get('status'))}")

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Request:
        base, key = address_of(self.account, _BASE), self.account.key
        bearer = (self.account.auth or self.auth_ways[0]) == "bearer"
        sent = {"Authorization": f"Bearer {key}"} if bearer else {"X-API-Key": key}
        sent |= headers or {}
        return httpx.Request(method, base + path, headers=sent, json=json, params=params)

    def _state(self, answer: Mapping[str, Any], cost: object) -> Reply:
        state, usd = text_in(answer.get("status")).lower(), usd_in(cost)
        output = answer.get("output")
        if state in _ENDED_WELL:
            if images := tuple(Image(url=url) for url in dict.fromkeys(links_in(output))):
                return Done(images=images, cost_usd=usd)
            words, failed = "the prediction ended in success without a picture", RefusalKind.FAILED
            return Refused(kind=failed, words=words, code=state, billed=_billed(usd))
        if state not in _ENDED_BADLY:
            return Running()
        inner = output[0] if isinstance(output, list) and output else output
        envelope = inner if isinstance(inner, dict) else {"error": inner}
        words = words_in(_WORDS, envelope, answer) or f"the prediction ended in {state}"
        sorts = envelope.get("classification")
        category = text_in(sorts.get("category")) if isinstance(sorts, dict) else ""
        code = text_in(envelope.get("error_code")) or category or state
        kind = _FAILURES.get(code.lower()) or _FAILURES.get(category.lower(), RefusalKind.FAILED)
        if is_moderation(words):
            kind = RefusalKind.MODERATION
        words, code = shown(words, self.account), shown(code, self.account)
        return Refused(kind=kind, words=words, code=code, billed=_billed(usd))

    def _refused(
        self, response: httpx.Response, kind: RefusalKind, *, billed: bool | None = False
    ) -> Refused:
        return refused(response, kind, self.account, names=_WORDS, address=_BASE, billed=billed)

    def _next_page(
        self, response: httpx.Response, answer: Mapping[str, Any], rows: int
    ) -> httpx.Request | None:
        more = after(response, rows, page=answer.get("limit"), most=_PAGE)
        return self._request("GET", "/executions", params=more) if more else None


def _billed(usd: Decimal | None) -> bool | None:
    """Whether a failure was billed; its cost is the only word on that."""
    return None if usd is None else usd > 0
