"""AI/ML API: one call that stays open until the images are there.

Sources: https://github.com/aimlapi/api-docs (docs.aimlapi.com): seedream-v4-text-to-image.json,
seedream-v4-edit.json, errors-with-status-code-4xx.md, request-tracing-and-cost.md, usage-logs.md.
The pixels behind the size names are not published: the ones here are a guess that keeps the ratio.
"""

from __future__ import annotations

import base64
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from flows.sandbox import fields, pictures, references
from flows.sandbox.call import Call
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Gate, Limits, Window
from flows.sandbox.refused import Refused
from flows.sandbox.world import Host, World

SIZES = {
    "square_hd": (2048, 2048),
    "square": (1024, 1024),
    "portrait_4_3": (1536, 2048),
    "portrait_16_9": (1152, 2048),
    "landscape_4_3": (2048, 1536),
    "landscape_16_9": (2048, 1152),
}
TEXT, EDIT = "bytedance/seedream-v4-text-to-image", "bytedance/seedream-v4-edit"
USD = 0.0315
CREDITS_PER_USD = 2_000_000
PATH = "/v1/images/generations"
_SIDE = fields.whole(1024, 4096)
_MARK = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_judge = references.limits(formats=("JPEG", "PNG", "WEBP"))
LOG_QUERY = {"period", "start", "end", "model", "status", "limit", "offset"}


def _size(value: object) -> str | None:
    if isinstance(value, str):
        return None if value in SIZES else f"must be one of {', '.join(SIZES)} or an object"
    if not isinstance(value, dict):
        return "must be a string or an object"
    faults = fields.faults_of(value, {"width": _SIDE, "height": _SIDE}, ("width", "height"))
    return f"{faults[0].message}" if faults else None


def _reference(value: object) -> str | None:
    if isinstance(value, str) and value.startswith("data:image/"):
        return None
    return fields.address()(value)


FIELDS: dict[str, fields.Check] = {
    "model": fields.text(least=1),
    "prompt": fields.text(least=1, most=4000),
    "image_size": _size,
    "num_images": fields.whole(1, 4),
    "seed": fields.whole(1),
    "sync_mode": fields.flag(),
    "enable_safety_checker": fields.flag(),
}
EDIT_FIELDS = {**FIELDS, "image_urls": fields.array(_reference, least=1, most=10)}


def _refuse(call: Call, refused: Refused) -> Response:
    path = call.request.url.path.removeprefix("/aimlapi")
    return JSONResponse(
        {
            "message": refused.message,
            "path": path,
            "requestId": str(uuid.uuid4()),
            "statusCode": str(refused.status),
            "timestamp": datetime.now(UTC).isoformat(),
        },
        refused.status,
    )


HOST = Host(
    name="aimlapi",
    usd=USD,
    refuse=_refuse,
    limits=Limits((Window(300, 60),), running=20),
    latency_s=12.0,
    no_key=("Unauthorized: no API key was given", ""),
    bad_key=("Unauthorized: the API key is not valid", ""),
    broke=(403, "You have run out of credits", ""),
    too_many_requests=("Too many requests", ""),
    too_many_running=("Too many requests", ""),
    says_retry_after=False,
    body_most_bytes=200_000_000,
)


def environment(base: str) -> dict[str, str]:
    return {"AIMLAPI_BASE_URL": f"{base}/aimlapi", "AIMLAPI_API_KEY": "sandbox-aimlapi"}


def routes(world: World) -> list[BaseRoute]:
    host = _Aimlapi(world)
    route = world.desk(HOST).route
    return [
        route("POST", f"/aimlapi{PATH}", host.create, at="create"),
        # its own window stands in the page of the logs
        route("GET", "/aimlapi/v2/logs", host.logs, at="list", is_counted=False),
    ]


class _Aimlapi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._desk = world.desk(HOST)
        self._logged = Gate(HOST.name, Limits((Window(200, 60),)), world.clock, world.bill)

    async def create(self, call: Call) -> Response:
        body = call.json()
        model = body.get("model")
        edits = model == EDIT
        checks = EDIT_FIELDS if edits else FIELDS
        required = ("model", "prompt", "image_urls") if edits else ("model", "prompt")
        for fault in fields.faults_of(body, checks, required):
            raise Refused(400, fault.message, field=fault.field)
        if model not in {TEXT, EDIT}:
            raise Refused(404, f"model {model!r} not found", reason="validation", field="model")
        for url in body.get("image_urls", []):
            await self._check_reference(call, url)
        size = body.get("image_size", "square_hd")
        width, height = SIZES[size] if isinstance(size, str) else (size["width"], size["height"])
        job = await self._desk.make(
            call,
            Order(
                prompt=body["prompt"],
                width=width,
                height=height,
                n=body.get("num_images", 1),
                format="png",
                model=model,
                task=str(uuid.uuid4()),
                document={**body, "mark": _mark(call)},
            ),
        )
        if job.fate == "moderation":
            raise Refused(400, "the prompt or an image was refused", reason="injected")
        if job.fate == "failure":
            raise Refused(500, "the upstream failed", reason="injected")
        return await self._answer(call, job)

    async def logs(self, call: Call) -> Response:
        if wait := self._logged.admit(call.key, "other"):
            raise Refused(429, "Too many requests", reason="limit", retry_after=wait)
        query = call.request.query_params
        for name in query:
            if name not in LOG_QUERY:
                raise Refused(400, f"unknown query parameter {name}", field=name)
        limit, offset = query.get("limit", "50"), query.get("offset", "0")
        if not (limit.isdecimal() and 1 <= int(limit[:9]) <= 100 and offset.isdecimal()):
            raise Refused(400, "limit must be 1 to 100, offset 0 or more", field="limit")
        words = query.getlist("status")
        if any(word not in {"succeeded", "failed"} for word in words):
            raise Refused(400, "status must be succeeded or failed", field="status")
        rows = [
            _row(job, self._world.clock.iso(job.created_at))
            for job in self._desk.jobs.of(call.key)
            if job.is_over and query.get("model", job.order.model) == job.order.model
        ]
        kept = [row for row in rows if not words or row["status"] in words]
        start = int(offset[:9])
        return JSONResponse({"data": kept[start : start + int(limit)]})

    async def _check_reference(self, call: Call, url: str) -> None:
        if not url.startswith("data:"):
            await references.check_address(self._world, call, "image_urls", url, _judge)
            return
        try:
            _, data = pictures.from_data_uri(url)
        except pictures.NotAPicture as error:
            raise Refused(400, f"image_urls: {error}", field="image_urls") from error
        references.check_bytes("image_urls", data, _judge)

    async def _answer(self, call: Call, job: Job) -> Response:
        credits_used = round(job.usd * CREDITS_PER_USD)
        images = [await self._image(call, job, place) for place in range(job.n)]
        seed = job.order.document.get("seed", job.seed)
        if job.form == "seed":
            body: dict[str, Any] = {
                "images": images,
                "seed": seed,
                "data": images,
                "meta": {"usage": {"tokens_used": credits_used}},
            }
        else:
            usage = {"credits_used": credits_used, "usd_spent": job.usd}
            body = {"data": images, "meta": {"usage": usage}}
        headers = {
            "x-inference-id": job.id,
            "x-aimlapi-credits-used": str(credits_used),
            "x-aimlapi-usd-spent": f"{job.usd:.6f}",
        }
        if mark := job.order.document["mark"]:
            headers["x-client-request-id"] = mark
        # older editions of the specification say 201
        return JSONResponse(body, 201 if job.form == "seed" else 200, headers=headers)

    async def _image(self, call: Call, job: Job, place: int) -> dict[str, Any]:
        link = job.links[place]
        data = await link.read()
        image: dict[str, Any] = {
            "url": call.url(link.path),
            "content_type": link.media_type,
            "file_name": link.path.rpartition("/")[2],
            "file_size": len(data),
            "width": None,
            "height": None,
        }
        if job.order.document.get("sync_mode"):
            # whether the inline picture comes as `url` or `b64_json` no page says
            inline = base64.b64encode(data).decode()
            if job.form == "seed":
                image["url"] = f"data:{link.media_type};base64,{inline}"
            else:
                image |= {"url": None, "b64_json": inline}
            self._world.bill.delivered(HOST.name, job.id, place)
        return image


def _mark(call: Call) -> str:
    """The client's own mark; a bad one is dropped without an error."""
    mark = call.request.headers.get("x-client-request-id", "")
    return mark if _MARK.fullmatch(mark) else ""


def _row(job: Job, created: str) -> dict[str, Any]:
    return {
        "created": created,
        "status": "succeeded" if job.state == "done" else "failed",
        "model": job.order.model,
        "cost": {"usd": job.usd, "credits": round(job.usd * CREDITS_PER_USD)},
        "request_id": job.id,
        "inference_id": job.id,
        "client_request_id": job.order.document["mark"] or None,
    }
