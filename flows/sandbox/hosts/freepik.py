"""Freepik, now Magnific: one image a task, polled on the model's own path, told by signed webhooks.

Sources: https://docs.freepik.com/api-reference/text-to-image/seedream-4/post-seedream-v4,
https://docs.freepik.com/api-reference/text-to-image/seedream-4-edit/post-seedream-v4-edit,
https://docs.freepik.com/webhooks, https://docs.freepik.com/authentication. Pixels and limits of
references are those that the page of 4.5 names; retries of webhooks are not documented (three
attempts here).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from flows.sandbox import fields, pictures, references
from flows.sandbox.call import Call
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window
from flows.sandbox.refused import Refused
from flows.sandbox.webhooks import Delivery
from flows.sandbox.world import Host, World

RATIOS = {
    "square_1_1": (2048, 2048),
    "widescreen_16_9": (2730, 1536),
    "social_story_9_16": (1536, 2730),
    "portrait_2_3": (1672, 2508),
    "traditional_3_4": (1774, 2364),
    "standard_3_2": (2508, 1672),
    "classic_4_3": (2364, 1774),
}
MODELS = ("seedream-v4", "seedream-v4-edit")
SECRET = base64.b64encode(b"sandbox-freepik-webhook").decode()
FIELDS: dict[str, fields.Check] = {
    "prompt": fields.text(least=1),
    "aspect_ratio": fields.text(only=tuple(RATIOS)),
    "guidance_scale": fields.number(0, 20),
    "seed": fields.whole(0, 2_147_483_647),
    "webhook_url": fields.address(),
}
EDIT_FIELDS: dict[str, fields.Check] = {
    **FIELDS,
    "reference_images": fields.array(fields.text(least=1), most=5),
}
WORDS = {
    "queued": "CREATED",
    "running": "IN_PROGRESS",
    "done": "COMPLETED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
_judge = references.limits(formats=("JPEG", "PNG"), most_bytes=10_000_000, least_side=256)


def _refuse(_: Call, refused: Refused) -> Response:
    return JSONResponse({"message": refused.message}, refused.status)


HOST = Host(
    name="freepik",
    usd=0.02,
    refuse=_refuse,
    keys=(("x-freepik-api-key", ""), ("x-magnific-api-key", "")),
    limits=Limits((Window(50, 60),)),
    no_key=("Missing API key: create one in the dashboard and send x-freepik-api-key", ""),
    bad_key=("Invalid API key", ""),
    broke=(402, "Not enough credits", ""),
    too_many_requests=("Too many requests", ""),
    says_retry_after=False,
)


def environment(base: str) -> dict[str, str]:
    return {
        "FREEPIK_BASE_URL": f"{base}/freepik",
        "FREEPIK_API_KEY": "sandbox-freepik",
        "FREEPIK_WEBHOOK_SECRET": SECRET,
    }


def routes(world: World) -> list[BaseRoute]:
    host = _Freepik(world)
    route, base = world.desk(HOST).route, "/freepik/v1/ai/text-to-image"
    return [
        one
        for model in MODELS
        for one in (
            route("POST", f"{base}/{model}", host.create(model), at="create"),
            route("GET", f"{base}/{model}", host.tasks(model), at="list"),
            route("GET", f"{base}/{model}/{{id}}", host.poll(model), at="poll"),
        )
    ]


Handler = Callable[[Call], Awaitable[Response]]


class _Freepik:
    def __init__(self, world: World) -> None:
        self._world = world
        self._desk = world.desk(HOST)

    def create(self, model: str) -> Handler:
        async def create(call: Call) -> Response:
            body = call.json()
            checks = FIELDS if model == MODELS[0] else EDIT_FIELDS
            for fault in fields.faults_of(body, checks, ("prompt",)):
                raise Refused(400, fault.message, field=fault.field)
            for reference in body.get("reference_images", []):
                await self._check_reference(call, reference)
            width, height = RATIOS[body.get("aspect_ratio", "square_1_1")]
            job = self._desk.start(
                call,
                Order(
                    prompt=body["prompt"],
                    width=width,
                    height=height,
                    model=model,
                    task=str(uuid.uuid4()),
                    document=body,
                    changed=self._told if "webhook_url" in body else None,
                ),
            )
            job.more["base"] = call.url("")
            first = "CREATED" if job.form == "seed" else "IN_PROGRESS"
            return JSONResponse(_shaped(job, self._task(job, first)))

        return create

    def poll(self, model: str) -> Handler:
        async def poll(call: Call) -> Response:
            job = self._desk.jobs.find(call.path("id"), call.key)
            if job is None or job.order.model != model:
                raise Refused(404, "Task not found", reason="unknown")
            word = "ON_HOLD" if call.hit("unknown_state") else WORDS[job.state]
            return JSONResponse(_shaped(job, self._task(job, word)))

        return poll

    def tasks(self, model: str) -> Handler:
        async def tasks(call: Call) -> Response:
            return JSONResponse(
                {
                    "data": [
                        {"task_id": job.id, "status": WORDS[job.state]}
                        for job in self._desk.jobs.of(call.key)
                        if job.order.model == model
                    ]
                }
            )

        return tasks

    async def _check_reference(self, call: Call, reference: str) -> None:
        if reference.startswith(("http://", "https://")):
            await references.check_address(self._world, call, "reference_images", reference, _judge)
            return
        if reference.startswith("data:"):
            raise Refused(
                400,
                "reference_images: plain base64 or an address, no data: prefix",
                field="reference_images",
            )
        try:
            data = pictures.from_base64(reference)
        except pictures.NotAPicture as error:
            raise Refused(400, f"reference_images: {error}", field="reference_images") from error
        references.check_bytes("reference_images", data, _judge)

    def _task(self, job: Job, word: str) -> dict[str, Any]:
        urls = [job.more["base"] + link.path for link in job.links]
        return {"task_id": job.id, "status": word, "generated": urls}

    async def _told(self, job: Job) -> None:
        body = json.dumps(self._task(job, WORDS[job.state])).encode()
        message_id = f"msg_{secrets.token_hex(12)}"
        self._world.webhooks.send(
            Delivery(
                host=HOST.name,
                task=job.id,
                url=job.order.document["webhook_url"],
                body=body,
                sign=lambda raw: _signed(message_id, int(self._world.clock.wall()), raw, job.form),
                waits=(5.0, 30.0),
            )
        )


def _shaped(job: Job, task: dict[str, Any]) -> dict[str, Any]:
    # the pages of v4 show the task bare, those of 4.5 and the host's own code below `data`
    return task if job.form == "seed" else {"data": task}


def _signed(message_id: str, at: int, raw: bytes, form: str) -> dict[str, str]:
    """The signature's headers; the page's samples disagree on how the secret becomes a key."""
    key = SECRET.encode() if form == "seed" else _decoded(SECRET)
    text = f"{message_id}.{at}.".encode() + raw
    digest = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{digest}",
    }


def _decoded(secret: str) -> bytes:
    try:
        return base64.b64decode(secret, validate=True)
    except binascii.Error:
        return secret.encode()
