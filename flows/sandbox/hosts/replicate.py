"""Replicate: predictions that are created, polled or called back, and forgotten after an hour.

Sources: https://api.replicate.com/openapi.json, https://replicate.com/docs/reference/http,
https://replicate.com/docs/topics/predictions/create-a-prediction and /lifecycle,
https://replicate.com/docs/topics/webhooks/verify-webhook.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox import fields
from flows.sandbox.host import DAY_S, Host
from flows.sandbox.hosts import replicate_files, replicate_hooks, replicate_model
from flows.sandbox.hosts.replicate_prediction import Predictions
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window, whole_seconds
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.call import Call
    from flows.sandbox.clock import Clock
    from flows.sandbox.desk import Desk
    from flows.sandbox.world import World

HOUR_S = 3600.0
REFUSED_AFTER_S = 0.5
PREFIX = "/replicate/v1"
_AFTER = re.compile(r"(?=.)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_EVENTS = ("start", "output", "logs", "completed")
_TITLES = {401: "Unauthenticated", 402: "Billing required", 422: "Input validation failed"}


def _refuse(call: Call, refused: Refused) -> Response:
    body: dict[str, Any] = {"detail": refused.message, "status": refused.status}
    if refused.status in _TITLES:
        body = {"title": _TITLES[refused.status], **body}
    if refused.status == 413:
        body = {"detail": "Files must be less than 100MB in size"}
        if call.at != "upload":
            body = {"detail": "Failed to parse request body as JSON: EOF", "status": 400}
            return JSONResponse(body, 400)
        return JSONResponse(body, 413, media_type="application/problem+json")
    return JSONResponse({**body, **refused.extra}, refused.status)


HOST = Host(
    name="replicate",
    usd=0.03,
    refuse=_refuse,
    keys=(("authorization", "Bearer "), ("authorization", "Token ")),
    limits=Limits(windows=(Window(600, 60.0, "create"), Window(3000, 60.0, "other"))),
    latency_s=20.0,
    links_live_s=HOUR_S,
    dead_link_status=404,
    uploads_most_bytes=replicate_files.MOST_BYTES + 100_000,
    no_key=("You did not pass an authentication token", ""),
    bad_key=("Invalid API token", ""),
    broke=(402, "You need to set up billing to run this model.", ""),
    too_many_requests=("Request was throttled.", ""),
)


def routes(world: World) -> list[BaseRoute]:
    """Predictions, files, the model's page and the webhook secret."""
    desk = world.desk(HOST)
    # its body tells the wait, in the client's seconds: only the clock knows those
    desk.host = replace(
        desk.host, refuse=lambda call, refused: _throttled(desk.clock, call, refused)
    )
    files = replicate_files.Files(world)
    predictions = Predictions(desk)
    api = _Api(world, desk, files, predictions)
    model = f"{PREFIX}/models/{replicate_model.MODEL}"
    one = f"{PREFIX}/predictions/{{id}}"
    return [
        desk.route("POST", f"{model}/predictions", api.create_by_model, at="create"),
        desk.route("POST", f"{PREFIX}/predictions", api.create_by_version, at="create"),
        desk.route("GET", f"{PREFIX}/predictions", predictions.page, at="list"),
        desk.route("GET", one, predictions.one, at="poll"),
        desk.route("POST", f"{one}/cancel", predictions.cancel, at="cancel"),
        desk.route("GET", model, api.model, at="other"),
        desk.route("GET", f"{PREFIX}/webhooks/default/secret", api.secret, at="other"),
        desk.route("POST", f"{PREFIX}/files", files.create, at="upload"),
        desk.route("GET", f"{PREFIX}/files", files.page, at="other"),
        desk.route("GET", f"{PREFIX}/files/{{id}}", files.one, at="other"),
        desk.route("DELETE", f"{PREFIX}/files/{{id}}", files.delete, at="other"),
    ]


def environment(base: str) -> dict[str, str]:
    """The address, a token and the webhook secret."""
    return {
        "REPLICATE_BASE_URL": f"{base}{PREFIX}",
        "REPLICATE_API_TOKEN": "sandbox-replicate",
        "REPLICATE_WEBHOOK_SECRET": replicate_hooks.SECRET,
    }


def _throttled(clock: Clock, call: Call, refused: Refused) -> Response:
    if refused.status == 429 and refused.retry_after is not None:
        wait = whole_seconds(clock.real(refused.retry_after))
        refused.message = f"Request was throttled. Your rate limit resets in ~{wait}s."
        refused.extra["retry_after"] = int(wait)
    return _refuse(call, refused)


class _Api:
    def __init__(
        self, world: World, desk: Desk, files: replicate_files.Files, predictions: Predictions
    ) -> None:
        self._world = world
        self._desk = desk
        self._files = files
        self._predictions = predictions
        self._hooks = replicate_hooks.Hooks(world, predictions)

    async def model(self, _: Call) -> Response:
        return JSONResponse(replicate_model.page())

    async def secret(self, _: Call) -> Response:
        return JSONResponse({"key": replicate_hooks.SECRET})

    async def create_by_model(self, call: Call) -> Response:
        return await self._create(call, call.json())

    async def create_by_version(self, call: Call) -> Response:
        body = call.json()
        version = body.pop("version", None)
        name = replicate_model.MODEL
        known = (name, replicate_model.VERSION, f"{name}:{replicate_model.VERSION}")
        if version is None:
            raise _invalid(
                [{"type": "required", "field": "", "description": "version is required"}]
            )
        if version not in known:
            message = "The specified version does not exist"
            raise Refused(422, message, reason="unknown", field="version")
        return await self._create(call, body)

    async def _create(self, call: Call, body: dict[str, Any]) -> Response:
        checks: dict[str, fields.Check] = {
            "input": fields.anything(),
            "webhook": replicate_hooks.address_fault,
            "webhook_events_filter": fields.array(fields.text(only=_EVENTS)),
        }
        _check(fields.faults_of(body, checks, ("input",)), "")
        given = body["input"]
        if not isinstance(given, dict):
            raise _invalid([_line("input", "input must be an object")])
        _check(fields.faults_of(given, replicate_model.CHECKS, ("prompt",)), "input.")
        wait_s = _wait_s(call)
        deadline_s = _deadline_s(call)
        wrong, looks = await replicate_model.references(self._files, self._world, call, given)
        width, height = replicate_model.size(given, looks)
        order = Order(
            prompt=given["prompt"],
            width=width,
            height=height,
            n=replicate_model.count(given),
            document=given,
            latency_s=REFUSED_AFTER_S if wrong else None,
            changed=self._hooks.told if "webhook" in body else None,
        )
        job = self._desk.start(call, order)
        job.more |= {"base": call.url(""), "hook": f"msg_{secrets.token_hex(12)}", **body}
        if wrong:
            # the model's maker looks at pictures when it runs, not when the order is taken
            job.fate, job.more["wrong"] = "failure", wrong
            refused = Refused(201, wrong, field="image_input")
            path = call.request.url.path
            self._desk.bill.refused(HOST.name, "POST", path, refused, self._desk.clock.iso())
        if deadline_s is not None:
            job.more["deadline"] = job.created_at + deadline_s
            self._world.spawn(self._end(job, deadline_s))
        return await self._created(job, wait_s)

    async def _created(self, job: Job, wait_s: float | None) -> Response:
        status = 201
        if wait_s is not None:
            try:
                await asyncio.wait_for(job.ended.wait(), self._desk.clock.real(wait_s))
            except TimeoutError:
                status = 202
        body = self._predictions.shown(job)
        if status == 202:
            # what comes back when the wait ran out, even if it runs
            body["status"] = "starting"
        elif wait_s is not None and job.state == "done" and job.form == "present":
            # how a finished run looks to one who waited for it
            body |= {"status": "processing", "completed_at": None, "metrics": {}}
        return JSONResponse(body, status, headers={"location": body["urls"]["get"]})

    async def _end(self, job: Job, after_s: float) -> None:
        await self._desk.clock.sleep(after_s)
        if not job.is_over:
            job.more["aborted"] = job.state == "queued"
            await self._desk.jobs.cancel(job)


def _line(field: str, description: str, kind: str = "invalid_type") -> dict[str, str]:
    return {"type": kind, "field": field, "description": description}


def _invalid(lines: list[dict[str, str]]) -> Refused:
    detail = "".join(f"- {line['description']}\n" for line in lines)
    return Refused(422, detail, field=lines[0]["field"], extra={"invalid_fields": lines})


def _check(faults: list[fields.FieldFault], below: str) -> None:
    kinds = {
        "missing": "required",
        "unknown": "additional_property_not_allowed",
        "wrong": "invalid_type",
    }
    if faults:
        raise _invalid(
            [
                _line(
                    "" if fault.problem == "missing" and not below else f"{below}{fault.field}",
                    f"{below}{fault.message}",
                    kinds[fault.problem],
                )
                for fault in faults
            ]
        )


def _wait_s(call: Call) -> float | None:
    """Seconds of `Prefer: wait=n`; None: do not wait."""
    said = call.request.headers.get("prefer")
    if said is None:
        return None
    found = re.fullmatch(r"wait(?:=(\d+))?", said.strip())
    if found is None or not 1 <= int(found[1] or 60) <= 60:
        raise _invalid([_line("Prefer", f"Prefer must be wait or wait=1 to 60, got {said}")])
    return float(found[1] or 60)


def _deadline_s(call: Call) -> float | None:
    said = call.request.headers.get("cancel-after")
    if said is None:
        return None
    found = _AFTER.fullmatch(said.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    after = hours * 3600 + minutes * 60 + seconds
    if not 5 <= after <= DAY_S:
        message = f"Cancel-After must be a duration of 5s to 24h, got {said}"
        raise _invalid([_line("Cancel-After", message)])
    return float(after)
