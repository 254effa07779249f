"""Lumenfall: synchronous, in the shape of OpenAI's images API; it routes to BytePlus, fal or
Replicate as it likes and fails over by itself. What only one route knows is not sent.

Sources: https://docs.lumenfall.ai/api-reference/introduction,
https://docs.lumenfall.ai/api-reference/images/generate,
https://docs.lumenfall.ai/api-reference/images/edit,
https://docs.lumenfall.ai/api-reference/requests/list, https://docs.lumenfall.ai/billing,
https://docs.lumenfall.ai/replay/modes, https://lumenfall.ai/models/bytedance/seedream-4,
https://github.com/lumenfall-ai/agent-skill (errors), https://github.com/lumenfall-ai/llmspy-lumenfall.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

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
    Running,
    Treatment,
    Way,
    Window,
    document,
)
from flows.providers.base.fields import job_in, moment_in, text_in, usd_in
from flows.providers.base.images import images_in
from flows.providers.base.lookup import MARGIN, Finding, Known, Log, Rivals, Trace, logged
from flows.providers.base.outcomes import at_create, refusal
from flows.providers.base.refusals import is_moderation, shown, words_in

ADDRESS = "LUMENFALL_BASE_URL"
ACCOUNT_ADDRESS = "LUMENFALL_ACCOUNT_URL"
SEEDS = (0, 2**31 - 1)

CODES = {
    "INVALID_REQUEST": RefusalKind.INPUT,
    "CONTENT_POLICY_VIOLATION": RefusalKind.MODERATION,
    "AUTHENTICATION_FAILED": RefusalKind.ACCOUNT,
    "INSUFFICIENT_BALANCE": RefusalKind.ACCOUNT,
    "MODEL_NOT_FOUND": RefusalKind.ACCOUNT,
    "MODEL_DISABLED": RefusalKind.ACCOUNT,
    "RECORDING_NOT_FOUND": RefusalKind.INPUT,
    "RATE_LIMITED": RefusalKind.AGAIN,
}
"""The host's codes, where the status leaves nothing open. `UPSTREAM_ERROR` means what its status
means; `ALL_PROVIDERS_EXHAUSTED` (502) may hide a route's time-out, so a picture that was made."""

ENDS = {
    "upstream_failure": RefusalKind.FAILED,
    "rejected": RefusalKind.INPUT,
    "cancelled": RefusalKind.FAILED,
}
"""How a call without a picture ends in the log of requests."""

TREATMENTS = {
    "prompt": Treatment(Way.PASSED, "prompt", "at most 1000 characters, the narrower source"),
    "references": Treatment(
        Way.CONVERTED, "image[]", "file parts; how many is not confirmed, 10 at one route"
    ),
    "size": Treatment(Way.CONVERTED, "size", "WxH, 921,600 pixels and up, at most 4096 a side"),
    "aspect_ratio": Treatment(Way.CONVERTED, "size", "as pixels, at most 16:1"),
    "resolution": Treatment(Way.CONVERTED, "size", "as pixels; above 1K not confirmed"),
    "n": Treatment(Way.EMULATED, "n", "one call a take; 1 is sent"),
    "seed": Treatment(Way.PASSED, "seed", "range not published; not every route heeds it"),
    "guidance": Treatment(Way.NONE, note="the host has none"),
    "safety": Treatment(Way.NONE, note="a switch of one route only; always on"),
    "callback": Treatment(Way.NONE, note="the answer is the picture"),
}

_PAGE = "100"
_LOG = Log(rows="data", ids=("id",), made="completed")
_PAGING = {"limit", "starting_after", "created_after"}
_TRACE = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def trace_of(mark: str) -> str:
    """The trace id under which the host logs a call with this mark: 32 hexadecimal digits."""
    return hashlib.sha256(mark.encode()).hexdigest()[:32]


class Host(Provider):
    """Sends edits as forms, text as JSON; an answer names its route's cost."""

    name: ClassVar[str] = "lumenfall"
    title: ClassVar[str] = "Lumenfall"
    model: ClassVar[str] = "seedream-4"
    key_variable: ClassVar[str | None] = "LUMENFALL_API_KEY"
    addresses: ClassVar[Mapping[str, str]] = {
        ADDRESS: "https://api.lumenfall.ai/openai/v1",
        ACCOUNT_ADDRESS: "https://api.lumenfall.ai/v1",
    }
    capabilities: ClassVar[Capabilities] = Capabilities(
        treatments=TREATMENTS,
        # the bounds of the routes: BytePlus wants the area and the ratio, the others the side
        shapes=PixelShapes(least_area=921_600, most_side=4096, most_ratio=16),
        references=ReferenceLimits(count=10, most_bytes=5_000_000, by="multipart"),
        prompt_chars=1000,
        seeds=SEEDS,
    )
    limits: ClassVar[Limits] = Limits(windows=(Window(amount=60, per_s=60),), running=5)
    limits_note: ClassVar[str] = "no strict limit is published: a careful guess"
    usd_per_image: ClassVar[Decimal | None] = Decimal("0.03")
    price_note: ClassVar[str] = (
        "from $0.03 on every route; https://lumenfall.ai/models/bytedance/seedream-4"
    )
    latency_s: ClassVar[float] = 20.0
    is_synchronous: ClassVar[bool] = True
    # one route after the other may run into its own limit before the host gives up
    timeout_s: ClassVar[float] = 600.0
    requests_per_take: ClassVar[float] = 1.0
    listed_within: ClassVar[float] = 30.0  # ten minutes, the longest call: when it logs is unsaid

    def submit(self, order: Order) -> httpx.Request:
        width, height = order.size.pixels
        seed = order.recipe.seed
        fields: dict[str, str | int] = {
            "model": self.model,
            "prompt": order.recipe.prompt,
            "size": f"{width}x{height}",
            "n": 1,
            "response_format": "url",
        }
        if seed is not None and SEEDS[0] <= seed <= SEEDS[1]:
            fields["seed"] = seed
        # a key may have made-up pictures as its default: never in place of bought ones
        headers = {**self._headers(), "X-Lumenfall-Replay": "off"}
        if order.mark:
            # W3C trace context: version, trace, caller, sampled
            caller = hashlib.sha256(order.mark.encode()).hexdigest()[32:48]
            headers["traceparent"] = f"00-{trace_of(order.mark)}-{caller}-01"
        address = f"{self._base(ADDRESS)}/images"
        if not order.is_edit:
            return httpx.Request("POST", f"{address}/generations", headers=headers, json=fields)
        return httpx.Request(
            "POST",
            f"{address}/edits",
            headers=headers,
            data={name: str(value) for name, value in fields.items()},
            # the brackets for one picture too, as the company's own plug-in sends them
            files=[
                ("image[]", (one.file_name, one.data, one.media_type)) for one in order.pictures
            ],
        )

    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        del order
        answer = document(response) or {}
        images = images_in(answer.get("data"))
        if not response.is_success or not images:
            return self._refused(response, answer)
        # newer answers only
        metadata = answer.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        job = job_in(answer, "id") or job_in(response.headers, "x-lumenfall-request-id")
        return Done(
            images=images,
            cost_usd=_cost_usd(metadata, "cost_currency"),
            id=job.id if job else None,
        )

    def ask(self, job: Job) -> httpx.Request:
        raise LookupError(f"lumenfall answers at once; there is no job {job.id} to ask for")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        del response, job
        return Refused(kind=RefusalKind.GONE, words="lumenfall keeps no jobs", billed=None)

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        """The log of requests: their fate and cost, never their pictures. A row's mark is the
        `trace_of` ours.
        """
        after = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._log({"limit": _PAGE, "created_after": after})

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        answer = document(response) or {}
        rows, following = answer.get("data"), answer.get("next_page_url")
        if not response.is_success or not isinstance(rows, list):
            return (), None
        found = [one for one in map(self._listed, rows) if one is not None]
        if not found or not isinstance(following, str) or not following:
            return found, None
        # the host gives a path from its own root, which a base set by hand may not have: only what
        # it asks for is taken, so that the key goes nowhere else whatever the answer says
        wanted = _query(following)
        cursor = {"limit": _PAGE, "starting_after": found[-1].job.id}
        return found, self._log(cursor | {name: wanted[name] for name in _PAGING & wanted.keys()})

    def find(self, trace: Trace, known: Known, rivals: Rivals | None = None) -> Finding | None:
        if ACCOUNT_ADDRESS not in self.account.addresses or not trace.mark:
            return None
        first = self.list_jobs(trace.sent_at - MARGIN)
        quest = self.quest(trace, known, rivals)
        return logged(self, _LOG, quest, first, trace_of(trace.mark)) if first else None

    def _listed(self, row: object) -> Listed | None:
        job = job_in(row, "id") if isinstance(row, dict) else None
        if job is None or not isinstance(row, dict):
            return None
        status, code = text_in(row.get("status")), text_in(row.get("error_code"))
        cost = _cost_usd(row, "currency")
        reply: Reply | None = Running() if status in ("pending", "processing") else None
        if status in ENDS:
            words = words_in(("error_message",), row) or f"the host's log says: {status}"
            reply = Refused(
                kind=CODES.get(code, ENDS[status]),
                words=shown(words, self.account),
                code=shown(code or status, self.account),
                # a call that failed may have cost something on its way
                billed=None if cost is None else cost > 0,
            )
        traced = text_in(row.get("trace_id"))
        trace = _TRACE.search(traced)
        return Listed(
            job=job,
            reply=reply,
            created_at=moment_in(row.get("created_at")),
            mark=trace[0] if trace else "",
            cost_usd=cost,
        )

    def _refused(self, response: httpx.Response, answer: Mapping[str, object]) -> Refused:
        status, error = response.status_code, answer.get("error")
        error = error if isinstance(error, dict) else {"message": error}
        code, words = text_in(error.get("code")), words_in(("message",), error)
        kind = at_create(status)
        if kind is RefusalKind.INPUT and is_moderation(words):
            kind = RefusalKind.MODERATION
        if 400 <= status < 500 and kind is not RefusalKind.UNKNOWN:
            kind = CODES.get(code, kind)
        return refusal(
            response,
            kind,
            self.account,
            code=code,
            words=words,
            address=ADDRESS,
            # a filter may turn down what is already made, and no source says what that costs
            billed=None if kind is RefusalKind.MODERATION else False,
        )

    def _log(self, parameters: Mapping[str, str]) -> httpx.Request:
        address = f"{self._base(ACCOUNT_ADDRESS)}/requests"
        return httpx.Request("GET", address, params=parameters, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.key}"}

    def _base(self, variable: str) -> str:
        base = self.account.addresses.get(variable)
        if base is None:
            raise EnvironmentFault(f"lumenfall: no address to send to; set {variable}")
        return base


def _cost_usd(part: Mapping[str, object], currency: str) -> Decimal | None:
    is_usd = (text_in(part.get(currency)) or "USD").upper() == "USD"
    return usd_in(part.get("cost")) if is_usd else None


def _query(address: str) -> dict[str, str]:
    """What an address asks for, each name once; nothing where it is none."""
    try:
        asked = parse_qs(urlsplit(address.encode(errors="replace").decode()).query)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in asked.items()}
