"""Eachlabs: predictions that are polled, or told by a webhook.

Sources: https://docs.eachlabs.ai (create-prediction, get-prediction, webhooks, errors, storage) and
https://github.com/eachlabs/mintlify-docs; the fields of the models from the model page and
https://github.com/eachlabs/skills. The pixels behind the size names are not published: the ones
here are a guess that keeps the ratio.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from flows.sandbox import fields, pictures, references
from flows.sandbox.call import Call
from flows.sandbox.hosts import eachlabs_failures, eachlabs_files, eachlabs_query
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window
from flows.sandbox.refused import Refused
from flows.sandbox.webhooks import Delivery
from flows.sandbox.world import Host, World

SIZES = {
    "square_hd": (2048, 2048),
    "square": (1024, 1024),
    "portrait_4_3": (1536, 2048),
    "portrait_16_9": (1152, 2048),
    "landscape_4_3": (2048, 1536),
    "landscape_16_9": (2048, 1152),
}
TEXT, EDIT = "seedream-v4-text-to-image", "seedream-v4-edit"
ENVELOPE: dict[str, fields.Check] = {
    "model": fields.text(least=1),
    "version": fields.text(),
    "input": fields.anything(),
    "webhook_url": fields.text(),
    "webhook_secret": fields.text(),
}
INPUT: dict[str, fields.Check] = {
    "prompt": fields.text(least=1),
    "image_size": fields.text(only=tuple(SIZES)),
    "num_images": fields.whole(1, 6),
    "seed": fields.whole(0, 2_147_483_647),
    "sync_mode": fields.flag(),
    "enable_safety_checker": fields.flag(),
}
EDIT_INPUT: dict[str, fields.Check] = {
    **INPUT,
    # only addresses are documented; ten is what the sister model and the upstream take
    "image_urls": fields.array(fields.address(), least=1, most=10),
}
WORDS = {**eachlabs_query.LISTED, "running": "processing"}
_judge = references.limits(formats=("JPEG", "PNG", "WEBP"), most_bytes=100_000_000)


def _refuse(_: Call, refused: Refused) -> Response:
    body: dict[str, object] = {"error": refused.message}
    if refused.status in {402, 429}:
        body |= {"status": refused.status, "details": refused.code or refused.message}
    return JSONResponse(body, refused.status)


def _headers(call: Call) -> dict[str, str]:
    sent = call.request.headers.get("x-request-id", "")
    return {"x-request-id": sent if sent.isprintable() and sent else str(uuid.uuid4())}


HOST = Host(
    name="eachlabs",
    usd=0.03,
    refuse=_refuse,
    keys=(("authorization", "Bearer "), ("x-api-key", "")),
    limits=Limits((Window(100, 60),), running=10),
    no_key=("Invalid or missing API key", ""),
    bad_key=("Invalid or missing API key", ""),
    broke=(402, "insufficient balance", "the balance does not cover the running predictions"),
    too_many_requests=("too many requests", "at most 100 requests per minute"),
    too_many_running=("too many requests", "at most 10 concurrent executions"),
    headers=_headers,
)


def environment(base: str) -> dict[str, str]:
    return {
        "EACHLABS_BASE_URL": f"{base}/eachlabs/v1",
        "EACHLABS_API_KEY": "sandbox-eachlabs",
        "EACHLABS_WEBHOOK_SECRET": "sandbox-eachlabs-webhook",
    }


def routes(world: World) -> list[BaseRoute]:
    host = _Eachlabs(world)
    route, base = world.desk(HOST).route, "/eachlabs/v1"
    return [
        route("POST", f"{base}/prediction", host.create, at="create"),
        route("POST", f"{base}/prediction/", host.create, at="create"),
        route("POST", f"{base}/prediction/run", host.run, at="other"),
        route("GET", f"{base}/prediction/{{id}}", host.poll, at="poll"),
        route("POST", f"{base}/prediction/{{id}}/cancel", host.cancel, at="cancel"),
        route("GET", f"{base}/executions", host.executions, at="list"),
        route("GET", f"{base}/webhooks/{{id}}", host.history, at="other"),
        *eachlabs_files.routes(world, world.desk(HOST)),
    ]


class _Eachlabs:
    def __init__(self, world: World) -> None:
        self._world = world
        self._desk = world.desk(HOST)

    async def create(self, call: Call) -> Response:
        body = call.json()
        eachlabs_files.check(body, ENVELOPE, ("model", "version", "input"))
        wanted = body["input"]
        if body["model"] not in {TEXT, EDIT}:
            raise Refused(404, f"model {body['model']!r} not found", field="model")
        if not isinstance(wanted, dict):
            raise Refused(400, "input must be an object", field="input")
        edits = body["model"] == EDIT
        eachlabs_files.check(
            wanted,
            EDIT_INPUT if edits else INPUT,
            ("prompt", "image_urls") if edits else ("prompt",),
        )
        for url in wanted.get("image_urls", []):
            await references.check_address(self._world, call, "image_urls", url, _judge)
        webhook = body.get("webhook_url", "")
        if webhook and (wrong := fields.address()(webhook)):
            raise Refused(400, f"webhook_url {wrong}", field="webhook_url")
        width, height = SIZES[wanted.get("image_size", "square_hd")]
        job = self._desk.start(
            call,
            Order(
                prompt=wanted["prompt"],
                width=width,
                height=height,
                n=wanted.get("num_images", 1),
                model=body["model"],
                task=str(uuid.uuid4()),
                document=body,
                changed=self._told if webhook else None,
            ),
        )
        job.more["base"] = call.url("")
        return JSONResponse(
            {
                "status": "success",
                "message": "Prediction created successfully",
                "predictionID": job.id,
            }
        )

    async def run(self, call: Call) -> Response:
        call.json()
        raise Refused(400, "this model cannot be run synchronously")

    async def poll(self, call: Call) -> Response:
        job = self._find(call)
        word = "reticulating" if call.hit("unknown_state") else WORDS[job.state]
        if job.form == "seed":
            return JSONResponse(await self._seed_form(job, word))
        return JSONResponse(
            {
                "id": job.id,
                "input": job.order.document["input"],
                "status": word,
                "output": await self._output(job) if job.is_over else None,
                "logs": None,
                "metrics": {"predict_time": job.run_s, "cost": job.usd} if job.is_over else {},
                "urls": {
                    "get": call.url(f"/eachlabs/v1/prediction/{job.id}"),
                    "cancel": call.url(f"/eachlabs/v1/prediction/{job.id}/cancel"),
                },
            }
        )

    async def cancel(self, call: Call) -> Response:
        job = self._find(call)
        if not await self._desk.jobs.cancel(job):
            raise Refused(404, "no running prediction with this id", reason="unknown")
        return JSONResponse(
            {
                "status": "success" if job.form == "seed" else "cancelled",
                "message": "Prediction canceled successfully",
                "predictionID": job.id,
            }
        )

    async def executions(self, call: Call) -> Response:
        wanted = eachlabs_query.Query.of(call)
        rows = [job for job in self._desk.jobs.of(call.key) if wanted.takes(job, self._world)]
        shown = rows[wanted.offset : wanted.offset + wanted.limit]
        return JSONResponse(
            {
                "executions": [await self._row(job) for job in shown],
                "total_count": len(rows),
                "total_capped": False,
                "offset": wanted.offset,
                "limit": wanted.limit,
            }
        )

    async def history(self, call: Call) -> Response:
        job = self._find(call)
        attempts = [
            {
                "status": "SUCCESS" if attempt.outcome == "delivered" else "FAILED",
                "status_code": attempt.status,
                "response": "",
                "error_message": "" if attempt.outcome == "delivered" else attempt.outcome,
                "created_at": self._world.clock.iso(attempt.at),
            }
            for history in self._world.webhooks.histories
            if history.delivery.host == HOST.name and history.delivery.task == job.id
            for attempt in history.attempts
        ]
        return JSONResponse({"attempts": attempts})

    def _find(self, call: Call) -> Job:
        job = self._desk.jobs.find(call.path("id"), call.key)
        if job is None:
            raise Refused(404, "prediction not found", reason="unknown")
        return job

    async def _output(self, job: Job) -> Any:
        if job.state == "failed":
            return eachlabs_failures.failure(job)
        urls = [job.more["base"] + link.path for link in job.links]
        if job.order.document["input"].get("sync_mode"):
            # the picture itself stands where its address would be
            self._desk.deliver_inline(job)
            urls = [pictures.data_uri(link.picture) for link in job.links if link.picture]
        return urls

    async def _seed_form(self, job: Job, word: str) -> dict[str, Any]:
        if job.state == "failed":
            failure = eachlabs_failures.failure(job)
            return {
                "status": word,
                "predictionID": job.id,
                "message": failure["error"],
                "details": failure["error_message"],
                "output": failure,
            }
        body: dict[str, Any] = {"status": word, "predictionID": job.id}
        if job.state != "done":
            return {**body, "message": f"prediction is {word}"}
        output = await self._output(job)
        return {
            **body,
            "output": output[0] if len(output) == 1 else output,
            "metrics": {"predict_time": job.run_s},
        }

    async def _row(self, job: Job) -> dict[str, Any]:
        clock = self._world.clock
        return {
            "id": job.id,
            "model": job.order.model,
            "status": eachlabs_query.LISTED[job.state],
            "execution_cost": job.usd,
            "run_time": job.run_s,
            "created_at": clock.iso(job.created_at),
            "started_at": None if job.started_at is None else clock.iso(job.started_at),
            "completed_at": None if job.ended_at is None else clock.iso(job.ended_at),
            "output": await self._output(job) if job.is_over else None,
        }

    async def _told(self, job: Job) -> None:
        if job.state not in {"done", "failed"}:
            return
        body: dict[str, Any] = {"exec_id": job.id, "flow_id": None, "error": ""}
        if job.state == "done":
            body |= {"status": "succeeded", "output": await self._output(job)}
        elif job.form == "seed":
            reason = eachlabs_failures.failure(job)["error_message"]
            body |= {"flow_id": "", "status": "failed", "output": "", "error": reason}
        else:
            reason = eachlabs_failures.failure(job)["error_message"]
            empty = {"id": "", "status": "", "output": "", "error": reason}
            body |= {"status": "failed", "output": [empty]}
        document = job.order.document
        secret = document.get("webhook_secret", "")
        self._world.webhooks.send(
            Delivery(
                host=HOST.name,
                task=job.id,
                url=document["webhook_url"],
                body=json.dumps(body).encode(),
                sign=lambda _: {"x-webhook-secret": secret} if secret else {},
                waits=(10.0, 10.0),
                timeout_s=30.0,
            )
        )
