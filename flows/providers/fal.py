"""fal: a durable queue, where `COMPLETED` is not success: the result's own status tells.

https://fal.ai/docs/api-reference/inference-api (queue),
https://fal.ai/docs/documentation/model-apis/errors and the model's schema,
https://fal.ai/models/fal-ai/bytedance/seedream/v4/edit/llms.txt.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from flows.providers.base import (
    Accepted,
    Capabilities,
    Handing,
    Heard,
    Job,
    Limits,
    Listed,
    Order,
    Picture,
    PixelShapes,
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
from flows.providers.base.addresses import address_of, is_at
from flows.providers.base.details import detail_in, failure, outcome
from flows.providers.base.echo import Echo
from flows.providers.base.fields import job_in, moment_in, text_in
from flows.providers.base.handing import inline, presigned
from flows.providers.base.outcomes import at_ask, at_create, refusal
from flows.providers.base.published_keys import verify
from flows.providers.base.refusals import is_moderation

_QUEUE, _REST, _API = "FAL_QUEUE_URL", "FAL_REST_URL", "FAL_API_URL"
_APP = "fal-ai/bytedance"
_TEXT, _EDIT = f"{_APP}/seedream/v4/text-to-image", f"{_APP}/seedream/v4/edit"
_LINKS = ("status_url", "response_url", "cancel_url")
_ONE = {"num_images": 1, "max_images": 1, "sync_mode": False}
_SAFETY, _SEEDS = "enable_safety_checker", (0, 2**31 - 1)
_PAGE = {"expand": "payloads", "limit": "100"}
_UPLOAD_LIFE = timedelta(days=7)  # "at least", https://fal.ai/docs/faq
_SIGNED = ("request-id", "user-id", "timestamp")

_TAKEN_BACK = ("client_disconnected", "client_cancelled")
_PLATFORM = (
    "request_timeout", "startup_timeout", "runner_scheduling_failure", "runner_connection_timeout",
    "runner_disconnected", "runner_connection_refused", "runner_connection_error",
    "runner_incomplete_response",
)  # fmt: skip
_SERVER = ("internal_server_error", "generation_timeout", "downstream_service_unavailable")
_TYPES = {"content_policy_violation": RefusalKind.MODERATION} | dict.fromkeys(
    ("no_media_generated", "downstream_service_error", *_TAKEN_BACK, *_PLATFORM, *_SERVER),
    RefusalKind.FAILED,
)
"""`type` of a job's error to kind; any other, known or not, is of the input: no second try
(https://fal.ai/docs/documentation/model-apis/request-errors). A failure by 5xx is free; of a 422
the pages differ.
"""

_ECHO = Echo(
    rows="items",
    id="request_id",
    model="endpoint_id",
    inputs="json_input",
    defaults={**_ONE, "image_size": None, "image_urls": [], "seed": None, _SAFETY: True},
)


class Host(Provider):
    """Two models behind one queue: submit, ask, collect; pictures travel as addresses."""

    name: ClassVar[str] = "fal"
    title: ClassVar[str] = "fal"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "FAL_KEY"
    addresses: ClassVar[Mapping[str, str]] = {
        _QUEUE: "https://queue.fal.run",
        "FAL_RUN_URL": "https://fal.run",
        _REST: "https://rest.fal.ai",
        "FAL_CDN_URL": "https://v3.fal.media",
        _API: "https://api.fal.ai/v1",
    }
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments={
            "prompt": Treatment(Way.PASSED, "prompt", "length not published"),
            "references": Treatment(Way.CONVERTED, "image_urls", "uploaded first; at most 10"),
            "size": Treatment(Way.CONVERTED, "image_size", "921,600 to 16,777,216 pixels"),
            "aspect_ratio": Treatment(Way.CONVERTED, "image_size", "as pixels"),
            "resolution": Treatment(Way.CONVERTED, "image_size", "as pixels"),
            "n": Treatment(Way.EMULATED, "num_images", "one call a take; 1 is sent"),
            "seed": Treatment(Way.PASSED, "seed", "range not published; 0 to 2147483647 is sent"),
            "guidance": Treatment(Way.NONE, note="the host has none"),
            "safety": Treatment(Way.RENAMED, _SAFETY, "sent where written; off if it may be"),
            "callback": Treatment(Way.RENAMED, "fal_webhook", "in the query; ED25519"),
        },
        shapes=PixelShapes(most_side=14_142, least_area=921_600, most_area=4096 * 4096),
        # bytes: not published; data URIs, the second way, were seen to fail above 3 to 10 MB
        references=ReferenceLimits(count=10, most_bytes=4_000_000, by="upload"),
        seeds=_SEEDS,
        can_switch_safety_off=True,
        together=15,
    )
    limits: ClassVar[Limits] = Limits(windows=(Window(amount=10, per_s=1),), running=2)
    limits_note: ClassVar[str] = "2 running: a new account's; 10 requests a second: the old FAQ's"
    usd_per_image: ClassVar[Decimal | None] = Decimal("0.03")
    price_note: ClassVar[str] = "the model page, an output image"
    latency_s: ClassVar[float] = 12.0
    is_synchronous: ClassVar[bool] = False
    requests_per_take: ClassVar[float] = 6.0
    extra_requests: ClassVar[float] = 1.0
    echo: ClassVar[Echo | None] = _ECHO
    listed_within: ClassVar[float] = 50.0  # ten minutes: jobs may not be listed before their end

    def hand_over(self, picture: Picture) -> Handing | None:
        if _REST not in self.account.addresses:
            # a trial without this address: nothing goes to the published one
            return inline(picture)
        wish = {"file_name": picture.file_name, "content_type": picture.media_type}
        initiate = f"{self._address(_REST)}/storage/upload/initiate?storage_type=fal-cdn-v3"
        return presigned(
            self._request("POST", initiate, json=wish),
            picture,
            lambda response, kind: self._refused(response, kind, address=_REST),
            target="upload_url",
            address="file_url",
            expires_at=datetime.now(UTC) + _UPLOAD_LIFE,
        )

    def submit(self, order: Order) -> httpx.Request:
        recipe = order.recipe
        width, height = order.size.pixels
        body: dict[str, object] = {
            "prompt": recipe.prompt,
            "image_size": {"width": width, "height": height},
            **_ONE,
        }
        if order.is_edit:
            body["image_urls"] = list(order.addresses)
        if recipe.seed is not None and _SEEDS[0] <= recipe.seed <= _SEEDS[1]:
            body["seed"] = recipe.seed
        if isinstance(recipe.parameters.get("safety"), bool):
            body[_SAFETY] = recipe.parameters["safety"]
        params = {"fal_webhook": order.callback} if order.callback else None
        path = _EDIT if order.is_edit else _TEXT
        return self._request("POST", f"{self._address(_QUEUE)}/{path}", json=body, params=params)

    def signature(self, order: Order) -> str:
        wished = json.loads(self.submit(order).content)
        return _ECHO.signature(_EDIT if order.is_edit else _TEXT, wished)

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        answer = document(response) or {}
        if response.is_success:
            job = job_in(answer, "request_id")
            if job is None:
                return self._refused(response, RefusalKind.UNKNOWN)
            # the key goes with these: others' addresses are not even kept
            queue = self._address(_QUEUE)
            notes = {name: answer[name] for name in _LINKS if is_at(answer.get(name), queue)}
            return Accepted(job=Job(id=job.id, notes=notes))
        kind = at_create(response.status_code)
        if kind is RefusalKind.INPUT:
            code, words = detail_in(answer)
            if _TYPES.get(code) is RefusalKind.MODERATION or (not code and is_moderation(words)):
                kind = RefusalKind.MODERATION
        return self._refused(response, kind)

    def ask(self, job: Job) -> httpx.Request:
        return self._of_job("GET", job, "status_url", "/status")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del job
        answer = document(response) or {}
        state = text_in(answer.get("status"))
        if not response.is_success or not state:
            return self._refused(response, at_ask(response.status_code), billed=None)
        if state == "COMPLETED":
            # the queue itself gave up: there is no worker's answer to collect
            if text_in(answer.get("error_type")) in (*_PLATFORM, *_TAKEN_BACK):
                return failure(answer, _TYPES, self.account, billed=False)
            return Ready()
        ahead = answer.get("queue_position")
        return Running(ahead=ahead if isinstance(ahead, int) and ahead >= 0 else None)

    def collect(self, job: Job) -> httpx.Request:
        return self._of_job("GET", job, "response_url", "")

    def collected(self, response: httpx.Response, job: Job) -> Reply:
        del job
        answer = document(response) or {}
        reply = self._outcome(response.status_code, answer)
        if reply is not None:
            return reply
        if response.is_success and text_in(answer.get("status")) in ("IN_QUEUE", "IN_PROGRESS"):
            return Running()
        return self._refused(response, at_ask(response.status_code), billed=None)

    def cancel(self, job: Job) -> httpx.Request | None:
        return self._of_job("PUT", job, "cancel_url", "/cancel")

    def cancelled(self, response: httpx.Response) -> bool:
        # CANCELLATION_REQUESTED is a signal to a worker that may go on
        return response.is_success and (document(response) or {}).get("status") == "OK"

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        if _API not in self.account.addresses:
            return None  # a trial without this address: nothing goes to the published one
        start = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return self._listing({"endpoint_id": _TEXT, "start": start, **_PAGE})

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        answer = (document(response) or {}) if response.is_success else {}
        rows = answer.get("items")
        if not isinstance(rows, list):
            return (), None
        jobs = [(row, job_in(row, "request_id")) for row in rows if isinstance(row, dict)]
        found = [self._listed(row, job) for row, job in jobs if job]
        return found, self._next_page(response, answer)

    def callback_keys(self) -> httpx.Request | None:
        return httpx.Request("GET", f"{self._address(_REST)}/.well-known/jwks.json")

    def heard(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime, keys: bytes = b""
    ) -> Heard:
        about = [headers.get(f"x-fal-webhook-{part}", "") for part in _SIGNED]
        message = "\n".join([*about, hashlib.sha256(body).hexdigest()])
        signature = headers.get("x-fal-webhook-signature", "")
        verify(keys, signature, message, stamp=about[-1], now=now)
        said = document(httpx.Response(200, content=body)) or {}
        job = job_in(said, "request_id")
        if job is None:
            raise UnverifiedError("the callback names no request")
        status, payload = text_in(said.get("status")), said.get("payload")
        found = re.search(r"\b[1-5][0-9]{2}\b", text_in(said.get("error")))
        code = 200 if status == "OK" else int(found[0]) if found else 0
        # a payload of null is a result to fetch
        reply = self._outcome(code, payload) if isinstance(payload, dict) else None
        return Heard(job=job, reply=reply, message_id=f"{job.id}:{status}")

    def _address(self, variable: str) -> str:
        return address_of(self.account, variable)

    def _request(self, method: str, address: str, **rest: Any) -> httpx.Request:
        headers = {"Authorization": f"Key {self.account.key}"}
        return httpx.Request(method, address, headers=headers, **rest)

    def _of_job(self, method: str, job: Job, note: str, path: str) -> httpx.Request:
        """A request for a job: by the address that fal gave, else by owner and app alone."""
        given, queue = job.notes.get(note, ""), self._address(_QUEUE)
        built = f"{queue}/{_APP}/requests/{quote(job.id, safe='')}{path}"
        return self._request(method, given if is_at(given, queue) else built)

    def _listing(self, asked: Mapping[str, str]) -> httpx.Request:
        address = f"{self._address(_API)}/models/requests/by-endpoint"
        return self._request("GET", address, params=asked)

    def _listed(self, row: Mapping[str, Any], job: Job) -> Listed:
        wish, code, made = row.get("json_input"), row.get("status_code"), row.get("json_output")
        answer = made if isinstance(made, dict) else {}
        prompt = wish.get("prompt") if isinstance(wish, dict) else None
        return Listed(
            job=job,
            reply=self._outcome(code, answer) if isinstance(code, int) else None,
            created_at=moment_in(row.get("sent_at")),
            prompt=prompt if isinstance(prompt, str) else None,
        )

    def _next_page(self, response: httpx.Response, said: Mapping[str, Any]) -> httpx.Request | None:
        """The page after this one; after the last of one model the first of the other."""
        try:
            asked = dict(response.request.url.params)
        except RuntimeError:  # an answer to no request that is known
            return None
        former, cursor = asked.pop("cursor", ""), text_in(said.get("next_cursor"))
        if cursor and cursor != former and said.get("has_more") is not False:
            return self._listing({**asked, "cursor": cursor})
        is_first = asked.get("endpoint_id") == _TEXT
        return self._listing({**asked, "endpoint_id": _EDIT}) if is_first else None

    def _outcome(self, status: int, answer: Mapping[str, Any]) -> Reply | None:
        return outcome(status, answer, _TYPES, self.account)

    def _refused(
        self,
        response: httpx.Response,
        kind: RefusalKind,
        *,
        billed: bool | None = False,
        address: str = _QUEUE,
    ) -> Refused:
        code, words = detail_in(document(response) or {})
        return refusal(
            response, kind, self.account, code=code, words=words, address=address, billed=billed
        )
