"""Replicate's prediction as it is shown, listed and cancelled.

Sources: https://api.replicate.com/openapi.json,
https://replicate.com/docs/topics/predictions/data-retention.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.hosts.replicate_model import MODEL
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.jobs import Job

KEPT_S = 3600.0
PAGE = 100
_STATES = {"queued": "starting", "running": "processing", "done": "succeeded", "failed": "failed"}


class Predictions:
    """The predictions of all accounts; each sees its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def one(self, call: Call) -> Response:
        """`GET /predictions/{id}`."""
        body = self.shown(self._find(call))
        if call.hit("unknown_state"):
            body |= {"status": "booting", "output": None}
        return JSONResponse(body)

    async def cancel(self, call: Call) -> Response:
        """`POST /predictions/{id}/cancel`: what is over stays as it ended."""
        job = self._find(call)
        await self._desk.jobs.cancel(job)
        return JSONResponse(self.shown(job))

    async def page(self, call: Call) -> Response:
        """`GET /predictions`, newest first, 100 a page."""
        allowed = ("created_after", "created_before", "source", "cursor")
        for name in call.request.query_params:
            if name not in allowed:
                raise Refused(400, f"unknown parameter {name}", field=name)
        after, before = _moment(call, "created_after"), _moment(call, "created_before")
        jobs = [
            job
            for job in self._desk.jobs.of(call.key)
            if (after is None or self._desk.clock.wall(job.created_at) >= after)
            and (before is None or self._desk.clock.wall(job.created_at) < before)
            and call.query("source") != "web"
        ]
        cursor = call.query("cursor", "0")
        if not (cursor.isascii() and cursor.isdigit()):
            raise Refused(400, f"no such cursor: {cursor}", field="cursor")
        start = int(cursor)
        following = start + PAGE if start + PAGE < len(jobs) else None
        return JSONResponse(
            {
                "next": self._turned(call, following),
                "previous": self._turned(call, max(0, start - PAGE) if start else None),
                "results": [self.shown(job) for job in jobs[start : start + PAGE]],
            }
        )

    def shown(self, job: Job) -> dict[str, Any]:
        """The prediction object; without its data an hour after its end."""
        clock, base = self._desk.clock, str(job.more["base"])
        is_gone = job.ended_at is not None and clock.now() >= job.ended_at + KEPT_S
        status = _STATES.get(job.state) or ("aborted" if job.more.get("aborted") else "canceled")
        output = [f"{base}{link.path}" for link in job.links] if job.state == "done" else None
        address = f"{base}/replicate/v1/predictions/{job.id}"
        body: dict[str, Any] = {
            "id": job.id,
            "model": MODEL,
            "version": "hidden",
            "status": status,
            "input": {} if is_gone else job.order.document,
            "output": None if is_gone else output,
            "error": self._error(job),
            "logs": "",
            "data_removed": is_gone,
            "source": "api",
            "created_at": clock.iso(job.created_at),
            "started_at": None if job.started_at is None else clock.iso(job.started_at),
            "completed_at": None if job.ended_at is None else clock.iso(job.ended_at),
            "metrics": {},
            "urls": {
                "web": f"https://replicate.com/p/{job.id}",
                "get": address,
                "cancel": f"{address}/cancel",
            },
        }
        if job.ended_at is not None:
            total = round(job.ended_at - job.created_at, 3)
            body["metrics"] = {"predict_time": job.run_s, "total_time": total}
        if "deadline" in job.more:
            body["deadline"] = clock.iso(job.more["deadline"])
        return body

    def _error(self, job: Job) -> str | None:
        if job.state != "failed":
            return None
        if job.fate == "moderation" and job.form == "seed":
            return "The input or output was flagged as sensitive. Please try again. (E005)"
        code, message = "InternalServiceError", "The service encountered an internal error"
        if job.fate == "moderation":
            code = "OutputImageSensitiveContentDetected"
            message = "The output image may contain sensitive information"
        elif "wrong" in job.more:
            code, message = "InvalidParameter", str(job.more["wrong"])
        nested = {
            "model": "seedream-4-0-250828",
            "created": int(self._desk.clock.wall(job.created_at)),
            "error": {"code": code, "message": message},
        }
        return f"Failed to generate image: {json.dumps(nested)}"

    def _find(self, call: Call) -> Job:
        job = self._desk.jobs.find(call.path("id"), call.key)
        if job is None:
            raise Refused(404, "The requested resource could not be found.", reason="unknown")
        return job

    def _turned(self, call: Call, start: int | None) -> str | None:
        if start is None:
            return None
        asked = call.request.url.include_query_params(cursor=start)
        return call.url(f"{asked.path}?{asked.query}")


def _moment(call: Call, name: str) -> float | None:
    text = call.query(name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise Refused(400, f"{name} must be ISO 8601, got {text}", field=name) from error
