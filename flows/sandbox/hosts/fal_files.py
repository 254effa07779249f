"""fal's uploads: opened and put in two steps, by token in one, or in parts.

Sources: the official client's three ways, https://github.com/fal-ai/fal (projects/fal_client),
https://fal.ai/docs/documentation/model-apis/file-access-controls.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox import fields
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.links import Link
    from flows.sandbox.world import World

TOKEN_LIVES_S = 3600.0
MOST_BYTES = 100_000_000
_PREFIX = "fal-cdn"
_STORAGES = ("fal-cdn-v3", "gcs")


def routes(world: World, desk: Desk) -> list[BaseRoute]:
    """Paths on the REST host and on the file host; the latter knows tokens, not keys."""
    files = _Files(world)
    parts = f"/{_PREFIX}/files/{{name}}/multipart/{{upload}}"
    # all but reading is an upload; the file host has limits of its own
    by_token = [
        ("POST", f"/{_PREFIX}/files/upload", files.upload),
        ("POST", f"/{_PREFIX}/files/upload/multipart", files.open_parts),
        ("POST", f"{parts}/complete", files.complete),
        ("PUT", f"{parts}/{{number}}", files.part),
    ]
    return [
        desk.route("POST", "/fal-rest/storage/upload/initiate", files.initiate, at="upload"),
        desk.route("POST", "/fal-rest/storage/auth/token", files.token, at="upload"),
        *(
            desk.route(method, path, handler, at="upload", is_open=True, is_counted=False)
            for method, path, handler in by_token
        ),
    ]


@dataclass(slots=True)
class _Parts:
    owner: str = field(repr=False)
    link: Link
    parts: dict[int, bytes] = field(default_factory=dict, repr=False)


class _Files:
    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, tuple[str, float]] = {}
        self._open: dict[str, _Parts] = {}

    async def initiate(self, call: Call) -> Response:
        _check_storage(call)
        body = call.json()
        name = fields.text(least=1)
        checks = {"file_name": name, "content_type": name}
        for fault in fields.faults_of(body, checks, ("file_name", "content_type")):
            line = {"loc": ["body", fault.field], "msg": fault.message, "type": "value_error"}
            raise Refused(422, fault.message, field=fault.field, extra={"detail": [line]})
        media = str(body["content_type"])
        link = self._stored(None, media, call.key, body["file_name"])
        awaited = self._world.links.expect(
            _PREFIX, link, media_type=media, lives_s=TOKEN_LIVES_S, most_bytes=MOST_BYTES
        )
        return JSONResponse({"upload_url": call.url(awaited.path), "file_url": call.url(link.path)})

    async def token(self, call: Call) -> Response:
        _check_storage(call)
        clock = self._world.clock
        token = secrets.token_urlsafe(24)
        dies_at = clock.now() + TOKEN_LIVES_S
        self._tokens[token] = (call.key, dies_at)
        return JSONResponse(
            {
                "token": token,
                "token_type": "Bearer",
                "base_url": call.url(f"/{_PREFIX}"),
                "expires_at": clock.iso(dies_at),
            }
        )

    async def upload(self, call: Call) -> Response:
        owner = self._owner(call)
        if not call.body:
            raise Refused(400, "the upload is empty")
        link = self._stored(call.body, _media(call), owner, _name(call))
        return JSONResponse({"access_url": call.url(link.path)})

    async def open_parts(self, call: Call) -> Response:
        owner = self._owner(call)
        link = self._stored(None, _media(call), owner, _name(call))
        upload = secrets.token_urlsafe(18)
        self._open[upload] = _Parts(owner, link)
        return JSONResponse({"access_url": call.url(link.path), "uploadId": upload})

    async def part(self, call: Call) -> Response:
        upload = self._parts(call)
        number = call.path("number")
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 10_000):
            raise Refused(400, f"no such part: {number}", field="number")
        upload.parts[int(number)] = call.body
        return Response(headers={"etag": _etag(call.body)})

    async def complete(self, call: Call) -> Response:
        upload = self._parts(call)
        told: list[Any] = call.json().get("parts", [])
        if not isinstance(told, list) or not all(isinstance(part, dict) for part in told):
            raise Refused(400, "parts must be a list of partNumber and etag", field="parts")
        numbers = {part.get("partNumber"): part.get("etag") for part in told}
        if numbers != {number: _etag(data) for number, data in upload.parts.items()}:
            raise Refused(400, "parts do not match what was uploaded", field="parts")
        upload.link.data = b"".join(upload.parts[number] for number in sorted(upload.parts))
        del self._open[call.path("upload")]
        return JSONResponse({"access_url": call.url(upload.link.path)})

    def _stored(self, data: bytes | None, media: str, owner: str, name: str) -> Link:
        return self._world.links.store(_PREFIX, data, media, host="fal", owner=owner, name=name)

    def _owner(self, call: Call) -> str:
        kind, _, token = call.request.headers.get("authorization", "").partition(" ")
        owner, dies_at = self._tokens.get(token, ("", 0.0))
        if kind.lower() != "bearer" or dies_at <= self._world.clock.now():
            raise Refused(401, "the upload token is not valid", reason="authentication")
        return owner

    def _parts(self, call: Call) -> _Parts:
        owner = self._owner(call)
        upload = self._open.get(call.path("upload"))
        path = f"/{_PREFIX}/files/{call.path('name')}"
        if upload is None or upload.owner != owner or upload.link.path != path:
            raise Refused(404, "no such upload", reason="unknown")
        return upload


def _check_storage(call: Call) -> None:
    storage = call.query("storage_type")
    if storage not in _STORAGES:
        message = f"storage_type must be {' or '.join(_STORAGES)}, got {storage or 'none'}"
        raise Refused(422, message, field="storage_type")


def _media(call: Call) -> str:
    return call.request.headers.get("content-type", "application/octet-stream")


def _name(call: Call) -> str:
    return call.request.headers.get("x-fal-file-name", "upload.bin")


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'
