"""fal's management API: which requests there were, and what they cost.

Sources: https://fal.ai/docs/platform-apis/v1/models/requests/by-endpoint,
https://fal.ai/docs/platform-apis/v1/models/billing-events, https://fal.ai/docs/platform-apis/v1/meta.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.host import DAY_S
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.hosts.fal_result import Results
    from flows.sandbox.jobs import Job

PAGE = 50
PAGE_MOST = 100
ADMIN = "admin-"
_COMMON = ("limit", "cursor", "expand", "status", "request_id")


def routes(desk: Desk, results: Results) -> list[BaseRoute]:
    """The history, the bill and the addresses that webhooks come from."""
    api = _Platform(desk, results)
    models = "/fal-api/v1/models"
    return [
        desk.route("GET", f"{models}/requests/by-endpoint", api.by_endpoint, at="list"),
        desk.route("GET", f"{models}/requests/search", api.search, at="list"),
        desk.route("GET", f"{models}/billing-events", api.billing, at="list"),
        desk.route("GET", "/fal-api/v1/meta", _meta, at="other", is_open=True, is_counted=False),
    ]


async def _meta(_: Call) -> Response:
    return JSONResponse({"webhook_ip_ranges": ["127.0.0.0/8"]})


class _Platform:
    def __init__(self, desk: Desk, results: Results) -> None:
        self._desk = desk
        self._results = results

    async def by_endpoint(self, call: Call) -> Response:
        """Ended requests of the endpoints named, of the last day unless `start` says otherwise."""
        _check_names(call, ("endpoint_id", "start", "end", *_COMMON))
        endpoints = call.request.query_params.getlist("endpoint_id")
        if not 1 <= len(endpoints) <= 50:
            raise _invalid("endpoint_id", "1 to 50 are required")
        jobs = [job for job in self._between(call) if job.order.model in endpoints]
        return await self._page(call, jobs)

    async def search(self, call: Call) -> Response:
        """Ended requests of all endpoints, without dates."""
        _check_names(call, _COMMON)
        return await self._page(call, self._desk.jobs.of(call.key))

    async def billing(self, call: Call) -> Response:
        """What each request cost; for keys of the admin scope, here those that begin `admin-`."""
        if not call.key.startswith(ADMIN):
            raise Refused(403, "this key lacks the admin scope", reason="authentication")
        _check_names(call, ("start", "end", "request_id", "limit", "cursor"))
        wanted = call.query("request_id")
        items = [
            {
                "request_id": job.id,
                "endpoint_id": job.order.model,
                "output_units": job.n,
                "unit_price": self._desk.host.usd,
                "cost_total": round(job.usd, 6),
            }
            for job in self._between(call)
            if job.usd and wanted in {"", job.id}
        ]
        return _turned(call, items)

    def _between(self, call: Call) -> list[Job]:
        now = self._desk.clock.wall()
        start = _moment(call, "start", now - DAY_S)
        end = _moment(call, "end", now + 1)
        wall = self._desk.clock.wall
        return [job for job in self._desk.jobs.of(call.key) if start <= wall(job.created_at) < end]

    async def _page(self, call: Call, jobs: list[Job]) -> Response:
        status, wanted = call.query("status"), call.query("request_id")
        if status not in {"", "success", "error", "user_error"}:
            raise _invalid("status", "success, error or user_error")
        shown = [
            await self._shown(job, with_payloads=call.query("expand") == "payloads")
            for job in jobs
            # whether running jobs are listed is not documented: they are not
            if job.is_over and wanted in {"", job.id} and status in {"", self._status(job)}
        ]
        return _turned(call, shown)

    def _code(self, job: Job) -> int:
        return 200 if job.state == "done" else self._results.failure(job)[0]

    def _status(self, job: Job) -> str:
        code = self._code(job)
        return "success" if code < 400 else "user_error" if code < 500 else "error"

    async def _shown(self, job: Job, *, with_payloads: bool) -> dict[str, Any]:
        clock = self._desk.clock
        item: dict[str, Any] = {
            "request_id": job.id,
            "endpoint_id": job.order.model,
            "sent_at": clock.iso(job.created_at),
            "started_at": None if job.started_at is None else clock.iso(job.started_at),
            "ended_at": None if job.ended_at is None else clock.iso(job.ended_at),
            "status_code": self._code(job),
            "duration": job.run_s,
        }
        if with_payloads and job.more.get("keeps_io", True):
            item["json_input"] = job.order.document
            item["json_output"] = await self._output(job)
        return item

    async def _output(self, job: Job) -> dict[str, Any]:
        if job.state != "done":
            return {"detail": self._results.failure(job)[1]}
        if job.order.document.get("sync_mode") is True:
            return {"images": []}  # inline images are left out of the history
        return await self._results.output(job)


def _turned(call: Call, items: list[dict[str, Any]]) -> Response:
    limit, cursor = call.query("limit", str(PAGE)), call.query("cursor", "0")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= PAGE_MOST):
        raise _invalid("limit", f"1 to {PAGE_MOST}")
    if not (cursor.isascii() and cursor.isdigit()):
        raise _invalid("cursor", "a cursor from an answer")
    end = int(cursor) + int(limit)
    more = end < len(items)
    page = items[int(cursor) : end]
    return JSONResponse(
        {"items": page, "has_more": more, "next_cursor": str(end) if more else None}
    )


def _check_names(call: Call, allowed: tuple[str, ...]) -> None:
    for name in call.request.query_params:
        if name not in allowed:
            raise _invalid(name, f"unknown parameter; known: {', '.join(allowed)}")


def _moment(call: Call, name: str, otherwise: float) -> float:
    text = call.query(name)
    if not text:
        return otherwise
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise _invalid(name, "ISO 8601") from error


def _invalid(name: str, allowed: str) -> Refused:
    return Refused(422, f"{name}: {allowed}", field=name)
