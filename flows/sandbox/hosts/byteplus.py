"""BytePlus ModelArk: one synchronous call, JSON in, links or base64 out, groups and streams.

Sources: https://docs.byteplus.com/en/docs/ModelArk/1541523 (fields, answers),
https://docs.byteplus.com/en/docs/ModelArk/1824137 (stream),
https://docs.byteplus.com/en/docs/ModelArk/1299023 (error codes).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.host import DAY_S, Host
from flows.sandbox.hosts import byteplus_request as asked
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.links import Link
    from flows.sandbox.world import World


def _refuse(call: Call, refused: Refused) -> Response:
    code = refused.code or {
        401: "AuthenticationError",
        403: "AccessDenied",
        404: "InvalidEndpointOrModel.NotFound",
        413: "InvalidParameter",
        429: "ServerOverloaded",
    }.get(refused.status, "InternalServiceError" if refused.status >= 500 else "InvalidParameter")
    kind = {401: "Unauthorized"}.get(refused.status, "")
    mark = _mark()
    error = {
        "code": code,
        "message": f"{refused.message}. Request id: {mark}",
        "param": refused.field,
        "type": kind,
    }
    return JSONResponse({"error": error}, refused.status, headers=_headers(call, mark))


HOST = Host(
    name="byteplus",
    usd=0.03,
    refuse=_refuse,
    limits=Limits(windows=(Window(500, 60.0, "image"),)),
    latency_s=12.0,
    links_live_s=DAY_S,
    says_retry_after=False,
    dead_link_status=403,
    no_key=("The API key in the request is missing or invalid", "AuthenticationError"),
    bad_key=("The API key doesn't exist", "AuthenticationError"),
    broke=(
        403,
        "The request failed because your account has an overdue balance",
        "AccountOverdueError",
    ),
    too_many_requests=(
        "The request has exceeded the images per minute limit of this account and model",
        "ModelAccountIpmRateLimitExceeded",
    ),
)


def routes(world: World) -> list[BaseRoute]:
    """The one path there is."""
    desk = world.desk(HOST)

    async def create(call: Call) -> Response:
        return await _create(desk, call)

    return [desk.route("POST", "/byteplus/api/v3/images/generations", create, at="create")]


def environment(base: str) -> dict[str, str]:
    """The address and a key."""
    return {"BYTEPLUS_BASE_URL": f"{base}/byteplus/api/v3", "ARK_API_KEY": "sandbox-byteplus"}


async def _create(desk: Desk, call: Call) -> Response:
    sent = call.json()
    known = {*asked.CHECKS, *asked.OTHER_MODELS}
    body = {name: value for name, value in sent.items() if value is not None or name not in known}
    asked.check_fields(body)
    if body["model"] != asked.MODEL and not re.fullmatch(r"ep-[\w-]+", body["model"]):
        raise Refused(
            404,
            f"The model or endpoint {body['model']} does not exist or you do not have access to it",
            reason="unknown",
            code="InvalidEndpointOrModel.NotFound",
            field="model",
        )
    looks = asked.references(desk.world, call, body.get("image"))
    n = asked.count(body, len(looks))
    width, height = asked.size(body, looks)
    desk.admit_images(call, n)
    order = Order(prompt=body["prompt"], width=width, height=height, n=n, document=sent)
    job = await desk.make(call, order)
    inline = body.get("response_format") == "b64_json"
    images = [await _image(call, job, link, inline=inline) for link in job.links]
    if inline and images:
        desk.deliver_inline(job)
    created = int(desk.clock.wall(job.created_at))
    head = {"model": body["model"], "created": created}
    headers = _headers(call, _mark())
    if body.get("stream"):
        return Response(_events(head, images, job), media_type="text/event-stream", headers=headers)
    if job.fate != "good":
        return _nothing(head, job, headers)
    images += [{"error": _moderated()} for _ in range(n - job.n) if job.n]
    return JSONResponse({**head, "data": images, "usage": _usage(job)}, headers=headers)


async def _image(call: Call, job: Job, link: Link, *, inline: bool) -> dict[str, Any]:
    size = f"{job.order.width}x{job.order.height}"
    if inline:
        return {"b64_json": base64.b64encode(await link.read()).decode(), "size": size}
    lives = int(HOST.links_live_s)
    return {"url": f"{call.url(link.path)}?X-Tos-Expires={lives}&X-Tos-Signature=0", "size": size}


def _usage(job: Job) -> dict[str, int]:
    tokens = round(job.order.width * job.order.height / 256) * job.n
    return {"generated_images": job.n, "output_tokens": tokens, "total_tokens": tokens}


def _moderated() -> dict[str, str]:
    message = "The request failed because the output image may contain sensitive information"
    return {
        "code": "OutputImageSensitiveContentDetected",
        "message": f"{message}. Request id: {_mark()}",
    }


def _broken() -> dict[str, str]:
    message = "The service encountered an unexpected internal error"
    return {"code": "InternalServiceError", "message": f"{message}. Request id: {_mark()}"}


def _nothing(head: dict[str, Any], job: Job, headers: dict[str, str]) -> Response:
    """Nothing was made. Which status carries the words is not documented, so both are used."""
    error = _moderated() if job.fate == "moderation" else _broken()
    if job.form == "present":
        return JSONResponse({**head, "error": error}, headers=headers)
    status = 400 if job.fate == "moderation" else 500
    return JSONResponse({"error": {**error, "param": "", "type": ""}}, status, headers=headers)


def _events(head: dict[str, Any], images: list[dict[str, Any]], job: Job) -> str:
    kind = "image_generation."
    if job.fate != "good":
        error = _moderated() if job.fate == "moderation" else _broken()
        return _lines([{"type": "error", "error": error}])
    events: list[dict[str, Any]] = [
        {"type": f"{kind}partial_succeeded", **head, "image_index": number, **image}
        for number, image in enumerate(images)
    ]
    events += [
        {"type": f"{kind}partial_failed", **head, "image_index": number, "error": _moderated()}
        for number in range(job.n, job.order.n)
    ]
    events.append({"type": f"{kind}completed", **head, "usage": _usage(job)})
    return _lines(events)


def _lines(events: list[dict[str, Any]]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def _mark() -> str:
    return f"0217{secrets.token_hex(14)}"


def _headers(call: Call, mark: str) -> dict[str, str]:
    own = call.request.headers.get("x-client-request-id", mark)
    return {"x-request-id": mark, "x-client-request-id": own}
