"""Freepik, now Magnific: asynchronous tasks, one path a model, every answer with or without `data`.

Sources: https://docs.freepik.com/api-reference/text-to-image/seedream-4/post-seedream-v4,
https://docs.freepik.com/api-reference/text-to-image/seedream-4-edit/post-seedream-v4-edit,
https://docs.freepik.com/webhooks, https://docs.freepik.com/ratelimits, https://docs.magnific.com.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from flows.errors import EnvironmentFault
from flows.providers.base import (
    Accepted,
    Capabilities,
    Done,
    Heard,
    Image,
    Job,
    Limits,
    Listed,
    NamedShapes,
    Order,
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
from flows.providers.base.fields import job_in, link_in, text_in
from flows.providers.base.refusals import is_moderation, refused, shown, words_in
from flows.providers.base.signatures import standard_webhook

_BASE = "FREEPIK_BASE_URL"
_PATH = "/v1/ai/text-to-image/"
_TEXT, _EDIT = "seedream-v4", "seedream-v4-edit"
_MODEL = "model"  # the note of a job: a task is found under its own model's path alone
_KEY_HEADERS = {"freepik": "x-freepik-api-key", "magnific": "x-magnific-api-key"}

_INPUT, _ACCOUNT, _AGAIN = RefusalKind.INPUT, RefusalKind.ACCOUNT, RefusalKind.AGAIN
_AT_CREATE = {400: _INPUT, 404: _INPUT, 413: _INPUT, 422: _INPUT, 429: _AGAIN} | dict.fromkeys(
    (401, 402, 403, *range(300, 400)), _ACCOUNT
)
_AT_ASK = {404: RefusalKind.GONE} | dict.fromkeys((401, 403), _ACCOUNT)
_ENDED_BADLY = ("FAILED", "CANCELLED")  # only the company's own code names the second
_WORDS = ("message", "error", "invalid_params")
_LONGEST_RESET_S = 3_600


class Host(Provider):
    """Two model paths; references travel inside the order, one picture a task."""

    name: ClassVar[str] = "freepik"
    title: ClassVar[str] = "Freepik (Magnific)"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "FREEPIK_API_KEY"
    secret_variable: ClassVar[str | None] = "FREEPIK_WEBHOOK_SECRET"  # noqa: S105  # a name
    addresses: ClassVar[Mapping[str, str]] = {_BASE: "https://api.freepik.com"}
    auth_ways: ClassVar[tuple[str, ...]] = tuple(_KEY_HEADERS)
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments={
            "prompt": Treatment(Way.PASSED, "prompt", "4096 characters, the bound of 4.5"),
            "references": Treatment(
                Way.CONVERTED, "reference_images", "base64; at most 5; 10 MB and 256 px are 4.5's"
            ),
            "size": Treatment(Way.CONVERTED, "aspect_ratio", "7 names; pixels not published"),
            "aspect_ratio": Treatment(
                Way.CONVERTED, "aspect_ratio", "nearest of 1:1, 16:9, 9:16, 2:3, 3:4, 3:2, 4:3"
            ),
            "resolution": Treatment(
                Way.NONE, "", "the name decides the pixels; 4K, written, is refused"
            ),
            "n": Treatment(Way.EMULATED, "", "one call a take"),
            "seed": Treatment(Way.PASSED, "seed", "0 to 2147483647; effect not confirmed"),
            "guidance": Treatment(
                Way.RENAMED, "guidance_scale", "0 to 20, default 2.5; effect not confirmed"
            ),
            "safety": Treatment(Way.NONE, "", "no switch before 4.5; always on"),
            "callback": Treatment(
                Way.RENAMED, "webhook_url", "each change of state; HMAC-SHA256, dashboard's secret"
            ),
        },
        shapes=NamedShapes(
            names={
                "square_1_1": (1, 1),
                "widescreen_16_9": (16, 9),
                "social_story_9_16": (9, 16),
                "portrait_2_3": (2, 3),
                "traditional_3_4": (3, 4),
                "standard_3_2": (3, 2),
                "classic_4_3": (4, 3),
            }
        ),
        references=ReferenceLimits(count=5, most_bytes=10_000_000, by="base64", least_side=256),
        prompt_chars=4096,
        seeds=(0, 2**31 - 1),
        guidance=(0.0, 20.0),
        tiers=("1K", "2K"),
    )
    limits: ClassVar[Limits] = Limits(windows=(Window(amount=50, per_s=60),), running=5)
    limits_note: ClassVar[str] = (
        "50 requests a minute a key at second hand; published are 10 a second over 2 minutes an"
        " address, and a daily number by plan; 5 running is a careful guess"
    )
    usd_per_image: ClassVar[Decimal | None] = None
    price_note: ClassVar[str] = "credits, unpublished"
    latency_s: ClassVar[float] = 20.0
    is_synchronous: ClassVar[bool] = False
    requests_per_take: ClassVar[float] = 5.0

    def submit(self, order: Order) -> httpx.Request:
        recipe = order.recipe
        body: dict[str, object] = {"prompt": recipe.prompt}
        if order.is_edit:
            # plain base64: a `data:` prefix is in no example
            pictures = [base64.b64encode(one.data).decode() for one in order.pictures]
            body["reference_images"] = pictures
        body["aspect_ratio"] = order.size.name
        guidance = recipe.parameters.get("guidance")
        if isinstance(guidance, float | int) and 0 <= float(guidance) <= 20:
            body["guidance_scale"] = float(guidance)
        if recipe.seed is not None and 0 <= recipe.seed < 2**31:
            body["seed"] = recipe.seed
        if order.callback:
            body["webhook_url"] = order.callback
        return self._request("POST", _model_of(order), json=body)

    def job_notes(self, order: Order) -> Mapping[str, str]:
        return {_MODEL: _model_of(order)}

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        if not response.is_success:
            kind = _AT_CREATE.get(response.status_code, RefusalKind.UNKNOWN)
            return self._refused(response, kind)
        # its `generated` is no result: the pages print placeholders there
        job = _job(_unwrapped(document(response)), _model_of(order))
        return Accepted(job=job) if job else self._refused(response, RefusalKind.UNKNOWN)

    def ask(self, job: Job) -> httpx.Request:
        model = _EDIT if job.notes.get(_MODEL) == _EDIT else _TEXT
        return self._request("GET", f"{model}/{quote(job.id, safe='')}")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del job
        task = _unwrapped(document(response))
        if response.is_success and isinstance(task.get("status"), str):
            return self._state(task)
        kind = _AGAIN if response.is_success else _AT_ASK.get(response.status_code, _AGAIN)
        return self._refused(response, kind, billed=None)

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        del since  # no query is documented
        return self._request("GET", _TEXT)

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        try:
            model = response.request.url.path.rpartition("/")[2]
        except RuntimeError:  # an answer to no request that is known: whose tasks are they?
            return (), None
        answer = (document(response) or {}) if response.is_success else {}
        rows = answer.get("data")
        found = [
            # a list says states; what was made, and why not, the task itself says
            Listed(job=job, reply=None if _has_ended(row) else Running())
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict) and (job := _job(row, model))
        ]
        return found, self._request("GET", _EDIT) if model == _TEXT else None

    def heard(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime, keys: bytes = b""
    ) -> Heard:
        del keys
        message = standard_webhook(headers, body, _signing_keys(self.account.secret), now)
        task = _unwrapped(document(httpx.Response(200, content=body)))
        job = job_in(task, "task_id")
        if job is None or not isinstance(task.get("status"), str):
            raise UnverifiedError("the callback names no task or no status")
        return Heard(job=job, reply=self._state(task), message_id=message)

    def _request(
        self, method: str, path: str, *, json: Mapping[str, object] | None = None
    ) -> httpx.Request:
        base = self.account.addresses.get(_BASE)
        if base is None:
            raise EnvironmentFault(f"freepik: no address to send to; set {_BASE}")
        header = _KEY_HEADERS[self.account.auth or self.auth_ways[0]]
        headers = {header: self.account.key}
        return httpx.Request(method, base + _PATH + path, headers=headers, json=json)

    def _state(self, task: Mapping[str, Any]) -> Reply:
        state = text_in(task.get("status")).upper()
        if not _has_ended(task):
            return Running()
        if state == "COMPLETED":
            made = task.get("generated")
            links = map(link_in, made if isinstance(made, list) else [])
            if images := tuple(Image(url=link) for link in links if link):
                return Done(images=images)
        words = words_in(_WORDS, task)
        # a sister model tells with one boolean a picture that its filter saw something
        nudity = task.get("has_nsfw")
        filtered = is_moderation(words) or (isinstance(nudity, list) and True in nudity)
        without = "without a picture" if state == "COMPLETED" else "without a reason"
        return Refused(
            kind=RefusalKind.MODERATION if filtered else RefusalKind.FAILED,
            words=shown(words or f"the task ended as {state} {without}", self.account),
            code=state,
            billed=None,
        )

    def _refused(
        self, response: httpx.Response, kind: RefusalKind, *, billed: bool | None = False
    ) -> Refused:
        reset = response.headers.get("x-ratelimit-reset", "")
        # seconds, says a client that reads it; a larger number would be a time of day
        wait = float(reset) if reset.isdecimal() and len(reset) <= 5 else 0.0
        waits = [wait] if 0 < wait <= _LONGEST_RESET_S else []
        return refused(
            response, kind, self.account, names=_WORDS, address=_BASE, billed=billed, waits=waits
        )


def _model_of(order: Order) -> str:
    return _EDIT if order.is_edit else _TEXT


def _unwrapped(answer: dict[str, Any] | None) -> dict[str, Any]:
    """The task in an answer: the pages of v4 show it bare, those of 4.5 under `data`."""
    inner = (answer or {}).get("data")
    return inner if isinstance(inner, dict) else answer or {}


def _job(task: Mapping[str, Any], model: str) -> Job | None:
    job = job_in(task, "task_id")
    return job and Job(id=job.id, notes=MappingProxyType({_MODEL: model}))


def _has_ended(task: Mapping[str, Any]) -> bool:
    return text_in(task.get("status")).upper() in ("COMPLETED", *_ENDED_BADLY)


def _signing_keys(secret: str) -> list[bytes]:
    """The page's samples disagree: most take the secret's bytes, one decodes it from base64."""
    keys = [secret.encode()]
    try:
        keys.append(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        return keys  # not base64: then the samples that take its bytes are right
    return keys
