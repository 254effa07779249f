"""Eachlabs' uploads: an address to put a reference at, and the public one that shows it.

Source: https://github.com/eachlabs/mintlify-docs, storage/overview.mdx, upload-file.mdx and
delete-file.mdx.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from flows.sandbox import fields
from flows.sandbox.call import Call
from flows.sandbox.desk import Desk
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.world import World

PUT_WITHIN_S = 900
PRESIGN: dict[str, fields.Check] = {
    "content_type": fields.text(least=3),
    "file_type": fields.text(least=1),
    "expires_in_seconds": fields.whole(60, 31_536_000),
}


def routes(world: World, desk: Desk) -> list[BaseRoute]:
    """The paths of the storage."""
    files = _Files(world, desk)
    return [
        desk.route("POST", "/eachlabs/v1/upload/presign", files.presign, at="upload"),
        desk.route("DELETE", "/eachlabs/v1/files/{id}", files.delete, at="other"),
    ]


def check(body: dict[str, Any], checks: dict[str, fields.Check], required: tuple[str, ...]) -> None:
    """Refuse the first field that is wrong.

    Raises:
        Refused: 400.

    """
    for fault in fields.faults_of(body, checks, required):
        raise Refused(400, fault.message, field=fault.field)


class _Files:
    def __init__(self, world: World, desk: Desk) -> None:
        self._world = world
        self._desk = desk
        self._files: dict[str, str] = {}

    async def presign(self, call: Call) -> Response:
        body = call.json()
        check(body, PRESIGN, ("content_type",))
        lives_s = body.get("expires_in_seconds", 15_552_000)
        link = self._world.links.store(
            "eachlabs",
            None,
            body["content_type"],
            host=self._desk.host.name,
            owner=call.key,
            lives_s=lives_s,
        )
        awaited = self._world.links.expect(
            "eachlabs",
            link,
            media_type=body["content_type"],
            lives_s=PUT_WITHIN_S,
            most_bytes=self._desk.host.uploads_most_bytes,
        )
        file_id = f"file-{secrets.token_hex(8)}"
        self._files[file_id] = link.path
        return JSONResponse(
            {
                "id": file_id,
                "presigned_url": call.url(awaited.path),
                "public_url": call.url(link.path),
                "expires_at": self._world.clock.iso(link.dies_at),
                "required_headers": {"Content-Type": body["content_type"]},
            }
        )

    async def delete(self, call: Call) -> Response:
        link = self._world.links.find(self._files.get(call.path("id"), ""))
        if link is None or link.owner != call.key:
            raise Refused(404, "file not found", reason="unknown")
        self._world.links.delete(link)
        return Response(status_code=204)
