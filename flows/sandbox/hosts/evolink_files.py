"""EvoLink's files: references are put here to get an address.

Sources: https://docs.evolink.ai/en/api-manual/file-series/upload-base64 (and upload-stream,
upload-url beside it).
"""

from __future__ import annotations

import secrets
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from flows.sandbox import fields, pictures
from flows.sandbox.call import Call
from flows.sandbox.desk import Desk
from flows.sandbox.links import Link
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.world import World

PREFIX = "evolink-files"
BASE = f"/{PREFIX}/api/v1/files"
LIVES_S = 72 * 3600.0
MOST_BYTES = 100_000_000
MOST_FILES = 100
MEDIA = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
TOO_LARGE, WRONG_TYPE, TOO_MANY, UNREADABLE, STORAGE = "40001", "40002", "40003", "40004", "50001"
_NAMES: dict[str, fields.Check] = {
    "upload_path": fields.text(most=200),
    "file_name": fields.text(least=1, most=200),
}
BASE64 = {"base64_data": fields.text(least=1), **_NAMES}
BY_URL = {"file_url": fields.address(), **_NAMES}


def refuse(refused: Refused) -> Response:
    """The files' own error body: a number in `code`, words in `msg`."""
    code = int(refused.code) if refused.code.isdecimal() else refused.status
    body = {"success": False, "code": code, "msg": refused.message, "data": None}
    return JSONResponse(body, refused.status)


def routes(world: World, desk: Desk) -> list[BaseRoute]:
    """The paths below the files' own address."""
    files = _Files(world, desk)
    return [
        desk.route("POST", f"{BASE}/upload/base64", files.base64, at="upload"),
        desk.route("POST", f"{BASE}/upload/stream", files.stream, at="upload"),
        desk.route("POST", f"{BASE}/upload/url", files.by_url, at="upload"),
        desk.route("GET", f"{BASE}/list", files.files, at="list"),
        desk.route("GET", f"{BASE}/quota", files.quota, at="other"),
        desk.route("DELETE", f"{BASE}/{{id}}", files.delete, at="other"),
    ]


class _Files:
    def __init__(self, world: World, desk: Desk) -> None:
        self._world = world
        self._desk = desk
        self._rows: dict[str, dict[str, Any]] = {}

    async def base64(self, call: Call) -> Response:
        body = call.json()
        _check(body, BASE64, "base64_data")
        text = body["base64_data"]
        try:
            if text.startswith("data:"):
                _, data = pictures.from_data_uri(text)
            else:
                data = pictures.from_base64(text)
        except pictures.NotAPicture as error:
            raise Refused(400, f"base64_data: {error}", code=UNREADABLE) from error
        return self._keep(call, data, body)

    async def stream(self, call: Call) -> Response:
        parts = call.form()
        uploads = [part for part in parts if part.filename is not None]
        if len(uploads) != 1 or uploads[0].name != "file":
            raise Refused(400, "exactly one part named 'file' with a file name", code=UNREADABLE)
        names = {part.name: part.text for part in parts if part.filename is None}
        _check(names, _NAMES)
        return self._keep(call, uploads[0].data, {"file_name": uploads[0].filename, **names})

    async def by_url(self, call: Call) -> Response:
        body = call.json()
        _check(body, BY_URL, "file_url")
        link = self._world.reference(call, body["file_url"])
        if link is None:
            # the sandbox leaves this machine for nothing
            raise Refused(400, "the address cannot be fetched by the sandbox", code=UNREADABLE)
        return self._keep(call, await link.read(), body)

    async def files(self, call: Call) -> Response:
        rows = [self._rows[link.name] for link in self._alive(call)]
        return JSONResponse({"success": True, "code": 200, "msg": "success", "data": rows})

    async def quota(self, call: Call) -> Response:
        used = len(self._alive(call))
        data = {"total": MOST_FILES, "used": used, "remaining": MOST_FILES - used}
        return JSONResponse({"success": True, "code": 200, "msg": "success", "data": data})

    async def delete(self, call: Call) -> Response:
        for link in self._alive(call):
            if link.name == call.path("id"):
                self._world.links.delete(link)
                body = {"success": True, "code": 200, "msg": "deleted", "data": None}
                return JSONResponse(body)
        raise Refused(404, "no such file", reason="unknown")

    def _alive(self, call: Call) -> list[Link]:
        links = self._world.links.of(call.key, self._desk.host.name)
        return [link for link in links if link.name in self._rows]

    def _keep(self, call: Call, data: bytes, names: dict[str, Any]) -> Response:
        if len(data) > MOST_BYTES:
            raise Refused(400, "the file has more than 100 MB", code=TOO_LARGE)
        try:
            media_type = MEDIA[pictures.look(data).format]
        except (pictures.NotAPicture, KeyError) as error:
            raise Refused(
                400, f"only {', '.join(MEDIA)} files are taken", code=WRONG_TYPE
            ) from error
        name = PurePosixPath(names.get("file_name") or f"{secrets.token_hex(8)}.bin").name
        folder = names.get("upload_path") or "images"
        for link in self._alive(call):
            row = self._rows[link.name]
            if (row["upload_path"], row["file_name"]) == (folder, name):
                self._world.links.delete(link)  # the same name overwrites
        if len(self._alive(call)) >= MOST_FILES:
            raise Refused(400, f"an account keeps at most {MOST_FILES} files", code=TOO_MANY)
        file_id = f"file_{secrets.token_hex(6)}"
        link = self._world.links.store(
            PREFIX,
            data,
            media_type,
            host=self._desk.host.name,
            owner=call.key,
            name=file_id,
            lives_s=LIVES_S,
        )
        clock = self._world.clock
        self._rows[file_id] = {
            "file_id": file_id,
            "file_name": name,
            "original_name": name,
            "file_size": len(data),
            "mime_type": media_type,
            "upload_path": folder,
            "file_url": call.url(link.path),
            "download_url": call.url(link.path),
            "upload_time": clock.iso(),
            "expires_at": clock.iso(link.dies_at),
        }
        return JSONResponse(
            {
                "success": True,
                "code": 200,
                "msg": "File uploaded successfully",
                "data": self._rows[file_id],
            }
        )


def _check(body: dict[str, Any], checks: dict[str, fields.Check], *required: str) -> None:
    for fault in fields.faults_of(body, checks, required):
        raise Refused(400, fault.message, field=fault.field, code=UNREADABLE)
