"""Lumenfall: the OpenAI Images API in front of three routes; JSON to generate, forms to edit.

Sources: https://docs.lumenfall.ai/api-reference/images/generate and /edit,
https://docs.lumenfall.ai/api-reference/introduction (errors),
https://docs.lumenfall.ai/api-reference/cost-estimation, https://docs.lumenfall.ai/replay/modes.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.host import Host
from flows.sandbox.hosts import lumenfall_log as log
from flows.sandbox.hosts import lumenfall_request as asked
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.world import World

HOUR_S = 3600.0
AT_ONCE_S = 1e-3
_TYPES = {
    400: ("invalid_request_error", "INVALID_REQUEST"),
    401: ("authentication_error", "AUTHENTICATION_FAILED"),
    402: ("billing_error", "INSUFFICIENT_BALANCE"),
    404: ("not_found_error", "NOT_FOUND"),
    413: ("invalid_request_error", "INVALID_REQUEST"),
    429: ("rate_limit_error", "RATE_LIMITED"),
    500: ("api_error", "INTERNAL_ERROR"),
    502: ("api_error", "ALL_PROVIDERS_EXHAUSTED"),
}


def _refuse(_: Call, refused: Refused) -> Response:
    kind, code = _TYPES.get(refused.status, ("api_error", "UPSTREAM_ERROR"))
    error = {"message": refused.message, "type": kind, "code": refused.code or code}
    return JSONResponse({"error": error}, refused.status)


HOST = Host(
    name="lumenfall",
    usd=0.03,
    refuse=_refuse,
    limits=Limits(windows=(Window(300, 60.0),), running=20),
    latency_s=12.0,
    links_live_s=HOUR_S,
    dead_link_status=404,
    no_key=("No API key provided", "AUTHENTICATION_FAILED"),
    bad_key=("Invalid API key", "AUTHENTICATION_FAILED"),
    broke=(402, "Insufficient balance", "INSUFFICIENT_BALANCE"),
    too_many_requests=("Too many requests", "RATE_LIMITED"),
    too_many_running=("Too many requests at once", "RATE_LIMITED"),
    says_retry_after=False,
)


def routes(world: World) -> list[BaseRoute]:
    """Generate and edit below the OpenAI prefix; the request log and the balance beside it."""
    api = _Api(world.desk(HOST))
    prefix, account = "/lumenfall/openai/v1", "/lumenfall/v1"
    desk = api.desk
    return [
        desk.route("POST", f"{prefix}/images/generations", api.generate, at="create"),
        desk.route("POST", f"{prefix}/images/edits", api.edit, at="create"),
        desk.route("GET", f"{account}/requests", api.log.page, at="list"),
        desk.route("GET", f"{account}/requests/{{id}}", api.log.one, at="list"),
        desk.route("GET", f"{account}/balance", api.balance, at="other"),
    ]


def environment(base: str) -> dict[str, str]:
    """The two addresses and a key."""
    return {
        "LUMENFALL_BASE_URL": f"{base}/lumenfall/openai/v1",
        "LUMENFALL_ACCOUNT_URL": f"{base}/lumenfall/v1",
        "LUMENFALL_API_KEY": "sandbox-lumenfall",
    }


@dataclass(frozen=True, slots=True)
class _Made:
    """An answer that the request log has to tell of."""

    response: Response
    usd: float


class _Api:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.log = log.Log(desk.clock)

    async def generate(self, call: Call) -> Response:
        return await self._logged(call, is_edit=False)

    async def edit(self, call: Call) -> Response:
        return await self._logged(call, is_edit=True)

    async def balance(self, call: Call) -> Response:
        left = 0.0 if call.is_broke else 100.0 - sum(job.usd for job in self.desk.jobs.of(call.key))
        amount = {"amount": round(left, 4), "currency": "usd"}
        return JSONResponse({"object": "balance", "billing_type": "prepaid", "available": amount})

    async def _logged(self, call: Call, *, is_edit: bool) -> Response:
        row = self.log.open(call, f"req_{secrets.token_hex(12)}")
        try:
            wanted = asked.edit(call) if is_edit else asked.generation(call)
            row.model, row.user = wanted.model, wanted.user
            if call.query("dryRun") == "true":
                self.log.drop(row)
                return _estimate(wanted)
            made = await self._make(call, wanted, row)
        except Refused as refused:
            shown = _refuse(call, refused)
            code = refused.code or _TYPES.get(refused.status, ("", "UPSTREAM_ERROR"))[1]
            status = "upstream_failure" if refused.status >= 500 else "rejected"
            self.log.close(row, status, error=(code, refused.message), size=len(shown.body))
            raise
        self.log.close(row, "completed", usd=made.usd, size=len(made.response.body))
        return made.response

    async def _make(self, call: Call, wanted: asked.Wanted, row: log.Row) -> _Made:
        is_free = _replayed(call) or wanted.model == asked.MOCK
        order = Order(
            prompt=wanted.prompt,
            width=wanted.width,
            height=wanted.height,
            n=wanted.n,
            format=wanted.format,
            model=wanted.model,
            usd=0.0 if is_free else None,
            latency_s=AT_ONCE_S if is_free else None,
            document=wanted.document,
        )
        row.status = "processing"
        job = await self.desk.make(call, order)
        if job.fate == "moderation":
            raise Refused(
                400,
                "The prompt or an image was refused by the content policy",
                reason="injected",
                code="CONTENT_POLICY_VIOLATION",
            )
        if job.fate == "failure":
            raise Refused(502, "All providers failed", reason="injected")
        body = await self._answer(call, job, wanted, row.id)
        headers = {
            "x-lumenfall-provider": wanted.route,
            "x-lumenfall-model": f"{wanted.route}/seedream-4",
            "x-lumenfall-request-id": row.id,
        }
        return _Made(JSONResponse(body, headers=headers), job.usd)

    async def _answer(
        self, call: Call, job: Job, wanted: asked.Wanted, request: str
    ) -> dict[str, Any]:
        data: list[dict[str, str]]
        if wanted.is_inline:
            data = [
                {"b64_json": base64.b64encode(await link.read()).decode()} for link in job.links
            ]
            self.desk.deliver_inline(job)
        else:
            data = [{"url": call.url(link.path)} for link in job.links]
        body: dict[str, Any] = {"created": int(self.desk.clock.wall(job.created_at)), "data": data}
        if job.form == "present":  # the older page knows neither id nor metadata
            body |= {
                "id": request,
                "size": f"{wanted.width}x{wanted.height}",
                "output_format": wanted.format,
                "metadata": {
                    "model": "seedream-4",
                    "executed_model": f"{wanted.route}/seedream-4",
                    "provider": wanted.route,
                    "provider_name": asked.ROUTES[wanted.route],
                    "cost": round(job.usd, 6),
                    "cost_currency": "USD",
                },
            }
        return body


def _estimate(wanted: asked.Wanted) -> Response:
    micros = 0 if wanted.model == asked.MOCK else round(HOST.usd * 1_000_000) * wanted.n
    part = {
        "type": "output",
        "metric": "image",
        "quantity": wanted.n,
        "billable_quantity": wanted.n,
        "unit_price": micros / 1_000_000 / wanted.n,
        "total_cost": micros,
    }
    return JSONResponse(
        {
            "estimated": True,
            "model": "seedream-4",
            "provider": wanted.route,
            "total_cost_micros": micros,
            "currency": "USD",
            "components": [part],
        }
    )


def _replayed(call: Call) -> bool:
    """Whether the answer is made up by the replay header: at once and for nothing."""
    mode = call.request.headers.get("x-lumenfall-replay", "off")
    if mode in {"mock", "replay-or-mock"}:
        return True
    if mode == "replay-or-error":
        raise Refused(404, "No recording matches", reason="unknown", code="RECORDING_NOT_FOUND")
    if mode not in {"off", "record", "replay-or-live", "replay-or-record"}:
        raise Refused(400, f"unknown replay mode {mode}", field="X-Lumenfall-Replay")
    return False
