"""Lumenfall's request log: every request with its end and its cost, never with its images.

Source: https://docs.lumenfall.ai/api-reference/requests/list and /get
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.clock import Clock

PAGE = 20
PAGE_MOST = 100
_QUERIES = ("limit", "starting_after", "ending_before", "created_after", "created_before", "key_id")


@dataclass(slots=True)
class Row:
    """One request. Moments in sandbox time."""

    id: str
    key: str
    endpoint: str
    began_at: float
    request_size: int
    trace: str | None
    status: str = "pending"
    model: str | None = None
    user: str | None = None
    usd: float = 0.0
    ended_at: float | None = None
    error: tuple[str, str] | None = None
    response_size: int = 0


class Log:
    """The rows of all accounts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[str, list[Row]] = defaultdict(list)

    def open(self, call: Call, request: str) -> Row:
        """Write a request down when it comes."""
        trace = call.request.headers.get("traceparent", "").split("-")
        row = Row(
            id=request,
            key=call.key,
            endpoint=call.request.url.path.removeprefix("/lumenfall"),
            began_at=self._clock.now(),
            request_size=len(call.body),
            trace=trace[1] if len(trace) == 4 else None,
        )
        self._rows[call.key].append(row)
        return row

    def drop(self, row: Row) -> None:
        """Forget a row: estimates are no requests."""
        self._rows[row.key].remove(row)

    def close(
        self,
        row: Row,
        status: str,
        *,
        usd: float = 0.0,
        error: tuple[str, str] | None = None,
        size: int,
    ) -> None:
        """Write down how it ended."""
        row.status, row.usd, row.error, row.response_size = status, usd, error, size
        row.ended_at = self._clock.now()

    async def one(self, call: Call) -> Response:
        """`GET /v1/requests/{id}`."""
        for row in self._rows[call.key]:
            if row.id == call.path("id"):
                return JSONResponse(self._shown(row))
        raise Refused(404, "Request not found", reason="unknown")

    async def page(self, call: Call) -> Response:
        """`GET /v1/requests`, newest first."""
        query = call.request.query_params
        for name in query:
            if name not in _QUERIES:
                raise Refused(400, f"unknown parameter {name}", field=name)
        limit = query.get("limit", str(PAGE))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= PAGE_MOST:
            raise Refused(400, f"limit must be 1 to {PAGE_MOST}, got {limit}", field="limit")
        if "starting_after" in query and "ending_before" in query:
            raise Refused(400, "starting_after and ending_before exclude each other")
        rows = [row for row in reversed(self._rows[call.key]) if self._is_between(row, call)]
        start = 0
        if "starting_after" in query:
            start = self._place(rows, query["starting_after"]) + 1
        if "ending_before" in query:
            start = max(0, self._place(rows, query["ending_before"]) - int(limit))
        shown = rows[start : start + int(limit)]
        more = start + int(limit) < len(rows)
        following = self._link(call, "starting_after", shown[-1].id) if more and shown else None
        previous = self._link(call, "ending_before", shown[0].id) if start and shown else None
        return JSONResponse(
            {
                "object": "list",
                "data": [self._shown(row) for row in shown],
                "next_page_url": following,
                "previous_page_url": previous,
            }
        )

    def _is_between(self, row: Row, call: Call) -> bool:
        at = self._clock.wall(row.began_at)
        after, before = call.query("created_after"), call.query("created_before")
        return (not after or at > _moment("created_after", after)) and (
            not before or at < _moment("created_before", before)
        )

    def _place(self, rows: list[Row], request: str) -> int:
        for place, row in enumerate(rows):
            if row.id == request:
                return place
        raise Refused(400, f"no request {request}", reason="unknown")

    def _link(self, call: Call, name: str, request: str) -> str:
        kept = call.request.url.remove_query_params(["starting_after", "ending_before"])
        asked = kept.include_query_params(**{name: request})
        return call.url(f"{asked.path}?{asked.query}")

    def _shown(self, row: Row) -> dict[str, Any]:
        ended = row.ended_at
        took = None if ended is None else round((ended - row.began_at) * 1000)
        return {
            "id": row.id,
            "object": "request",
            "created_at": self._clock.iso(row.began_at),
            "model": row.model,
            "modality": "image",
            "endpoint": row.endpoint,
            "status": row.status,
            "cost": round(row.usd, 6),
            "currency": "usd",
            "duration_ms": took,
            "key_id": "k1",
            "error_code": row.error[0] if row.error else None,
            "error_message": row.error[1] if row.error else None,
            "trace_id": row.trace,
            "user": row.user,
            "request_size_bytes": row.request_size,
            "response_size_bytes": row.response_size,
        }


def _moment(name: str, text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise Refused(400, f"{name} must be ISO 8601, got {text}", field=name) from error
