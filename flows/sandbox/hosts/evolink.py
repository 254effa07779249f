"""EvoLink: one create for text and edit, tasks that are polled or told by an unsigned callback.

Sources: https://docs.evolink.ai/en/api-manual/image-series/seedream/seedream-4.0-image-generate,
https://docs.evolink.ai/en/api-manual/task-management/get-task-detail and .../error-codes. Where
copies of a page differ the narrower reading is enforced: 1000 characters, 10 references, JPEG or
PNG of at most 10 MB, sides up to 6000 pixels, 1/3 to 3.

A callback to this machine is taken, though the host takes HTTPS to public addresses alone: the
receiver of a sandbox lives beside it.
"""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from flows.sandbox import fields, references
from flows.sandbox.call import Call
from flows.sandbox.clock import Clock
from flows.sandbox.hosts import evolink_files
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window, whole_seconds
from flows.sandbox.refused import Refused
from flows.sandbox.webhooks import Delivery, is_on_this_machine
from flows.sandbox.world import Host, World

MODEL = "doubao-seedream-4.0"
TIERS = {"1K": (1024, 1024), "2K": (2048, 2048), "4K": (4096, 4096)}
CREDITS = 1.8
LEAST_PIXELS, MOST_PIXELS, MOST_RATIO = 1280 * 720, 4096 * 4096, 16
MOST_IMAGES = 15
SUGGESTED_S = 60.0
"""Sandbox seconds that a refusal for too many says to wait."""
_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")
_judge = references.limits(
    formats=("JPEG", "PNG"), most_bytes=10_000_000, most_side=6000, most_ratio=3
)
TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
WORDS = {
    "queued": "pending",
    "running": "processing",
    "done": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


def _size(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    if value in TIERS:
        return None
    match = _SIZE.fullmatch(value)
    if match is None:
        return "must be 1K, 2K, 4K or WxH"
    width, height = int(match[1]), int(match[2])
    if not LEAST_PIXELS <= width * height <= MOST_PIXELS:
        return f"must have {LEAST_PIXELS} to {MOST_PIXELS} pixels, got {width * height}"
    if max(width / height, height / width) > MOST_RATIO:
        return "must have sides of 1/16 to 16"
    return None


def _callback(value: object) -> str | None:
    if wrong := fields.address(most=2048)(value):
        return wrong
    url = str(value)
    if is_on_this_machine(url):
        return None
    parts = urlsplit(url)
    if parts.scheme != "https":
        return "must be an HTTPS address"
    try:
        private = not ipaddress.ip_address(parts.hostname or "").is_global
    except ValueError:
        private = False
    return "must not be an internal address" if private else None


FIELDS: dict[str, fields.Check] = {
    "model": fields.text(only=(MODEL,)),
    "prompt": fields.text(least=1, most=1000),
    "size": _size,
    "n": fields.whole(1, MOST_IMAGES),
    "image_urls": fields.array(fields.address(), most=10),
    "prompt_priority": fields.text(only=("standard", "fast")),
    "callback_url": _callback,
}


def _refuse(call: Call, refused: Refused) -> Response:
    if call.request.url.path.startswith("/evolink-files"):
        return evolink_files.refuse(refused)
    otherwise = "server_error" if refused.status >= 500 else "invalid_request_error"
    error: dict[str, object] = {
        "code": refused.code or refused.status,
        "message": refused.message,
        "type": TYPES.get(refused.status, otherwise),
    }
    if refused.field:
        error["param"] = refused.field
    if "fallback_suggestion" in refused.extra:
        error["fallback_suggestion"] = refused.extra["fallback_suggestion"]
    return JSONResponse({"error": error}, refused.status)


def _suggesting(clock: Clock, call: Call, refused: Refused) -> Response:
    """A refusal; one for too many says when to come back, by the client's clock."""
    if refused.status == 429:
        wait = whole_seconds(clock.real(SUGGESTED_S))
        refused.extra["fallback_suggestion"] = f"retry after {wait} seconds"
    return _refuse(call, refused)


HOST = Host(
    name="evolink",
    usd=0.02,
    refuse=_refuse,
    prefixes=("evolink", "evolink-files"),
    limits=Limits((Window(300, 60),), running=20),
    dead_link_status=404,
    no_key=("API key is missing", ""),
    bad_key=("API key is invalid", ""),
    broke=(402, "insufficient credits", ""),
    too_many_requests=("too many requests", ""),
    too_many_running=("too many running tasks", ""),
    says_retry_after=False,
    # base64 of the largest file that is taken
    uploads_most_bytes=140_000_000,
)


def environment(base: str) -> dict[str, str]:
    return {
        "EVOLINK_BASE_URL": f"{base}/evolink",
        "EVOLINK_FILES_URL": f"{base}/evolink-files",
        "EVOLINK_API_KEY": "sandbox-evolink",
    }


def routes(world: World) -> list[BaseRoute]:
    host = _Evolink(world)
    desk = world.desk(HOST)
    # its body tells the wait, in the client's seconds: only the clock knows those
    desk.host = replace(
        desk.host, refuse=lambda call, refused: _suggesting(desk.clock, call, refused)
    )
    return [
        desk.route("POST", "/evolink/v1/images/generations", host.create, at="create"),
        desk.route("GET", "/evolink/v1/tasks/{id}", host.poll, at="poll"),
        *evolink_files.routes(world, desk),
    ]


class _Evolink:
    def __init__(self, world: World) -> None:
        self._world = world
        self._desk = world.desk(HOST)

    async def create(self, call: Call) -> Response:
        body = call.json()
        for fault in fields.faults_of(body, FIELDS, ("model", "prompt")):
            raise Refused(400, fault.message, field=fault.field)
        urls, n = body.get("image_urls", []), body.get("n", 1)
        if len(urls) + n > MOST_IMAGES:
            raise Refused(
                400, f"references and results together are at most {MOST_IMAGES}", field="n"
            )
        for url in urls:
            await references.check_address(self._world, call, "image_urls", url, _judge)
        width, height = _pixels(body.get("size", "2048x2048"))
        created = int(self._world.clock.wall())
        job = self._desk.start(
            call,
            Order(
                prompt=body["prompt"],
                width=width,
                height=height,
                n=n,
                model=MODEL,
                task=f"task-unified-{created}-{secrets.token_hex(4)}",
                document=body,
                changed=self._told if "callback_url" in body else None,
            ),
        )
        job.more["base"] = call.url("")
        return JSONResponse(
            {
                "created": created,
                "id": job.id,
                "model": MODEL,
                "object": "image.generation.task",
                "progress": 0,
                "status": "pending",
                "task_info": {"can_cancel": True, "estimated_time": 45},
                "type": "image",
                "usage": {
                    "billing_rule": "per_call",
                    "credits_reserved": round(CREDITS * n, 3),
                    "user_group": "default",
                },
            }
        )

    async def poll(self, call: Call) -> Response:
        task = call.path("id")
        if not task.startswith("task-unified-"):
            message = "task_id must start with 'task-unified-'"
            raise Refused(400, message, code="invalid_task_id", field="task_id")
        job = self._desk.jobs.find(task, call.key)
        if job is None:
            raise Refused(404, "task not found", reason="unknown")
        body = self._task(job)
        if call.hit("unknown_state"):
            body["status"] = "finalizing"
        return JSONResponse(body)

    def _task(self, job: Job) -> dict[str, Any]:
        clock = self._world.clock
        body: dict[str, Any] = {
            "id": job.id,
            "created": int(clock.wall(job.created_at)),
            "model": MODEL,
            "object": "image.generation.task",
            "status": WORDS[job.state],
            "progress": 0,
            "type": "image",
            "task_info": {"can_cancel": not job.is_over},
        }
        if job.state == "running" and job.started_at is not None:
            share = (clock.now() - job.started_at) / job.latency_s
            body["progress"] = min(99, max(1, int(100 * share)))
        elif job.state == "done":
            urls = [job.more["base"] + link.path for link in job.links]
            body |= {"progress": 100, "results": urls}
            if job.form == "present":
                body["result_data"] = [{"image_url": url} for url in urls]
        elif job.state == "failed":
            body["error"] = _failure(job)
        return body

    async def _told(self, job: Job) -> None:
        if not job.is_over:
            return
        self._world.webhooks.send(
            Delivery(
                host=HOST.name,
                task=job.id,
                url=job.order.document["callback_url"],
                body=json.dumps(self._task(job)).encode(),
                waits=(1.0, 2.0, 4.0),
                timeout_s=10.0,
            )
        )


def _failure(job: Job) -> dict[str, str]:
    if job.fate == "moderation":
        return {
            "code": "content_policy_violation",
            "message": "the request was refused by the content policy",
        }
    return {"code": "service_error", "message": "the service failed"}


def _pixels(size: str) -> tuple[int, int]:
    if size in TIERS:
        return TIERS[size]
    width, _, height = size.partition("x")
    return int(width), int(height)
