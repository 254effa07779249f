"""The files of a host: result links and uploads are fetched, presigned addresses take bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from flows.sandbox.call import Call
from flows.sandbox.desk import HTML, Desk
from flows.sandbox.links import Link
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.world import World

CHUNK = 256 * 1024


def routes(world: World, desk: Desk) -> list[BaseRoute]:
    """The file paths of one host, below each of its prefixes; none asks for a key."""
    files = _Files(world, desk)
    return [
        route
        for prefix in dict.fromkeys([desk.host.files_prefix, *desk.host.all_prefixes])
        for route in (
            desk.route(
                "GET",
                f"/{prefix}/files/{{name}}",
                files.fetch,
                at="link",
                is_open=True,
                is_counted=False,
            ),
            desk.route(
                "PUT",
                f"/{prefix}/put/{{token}}",
                files.put,
                at="upload",
                is_open=True,
                is_counted=False,
            ),
        )
    ]


class _Files:
    def __init__(self, world: World, desk: Desk) -> None:
        self._world = world
        self._desk = desk

    async def fetch(self, call: Call) -> Response:
        link = self._world.links.find(call.request.url.path)
        if call.hit("expired"):
            raise Refused(self._desk.host.dead_link_status, "link expired", reason="injected")
        if link is None or (link.data is None and link.picture is None):
            raise Refused(404, "no such file", reason="unknown")
        if not self._world.links.is_alive(link):
            status = self._desk.host.dead_link_status
            raise Refused(status, "the link has expired", reason="unknown")
        if call.hit("html"):
            return HTMLResponse(HTML, call.hits["html"].status or 200)
        if call.hit("wrong_bytes"):
            return Response(f"{link.path}\n".encode() * 64, media_type=link.media_type)
        data = await link.read()
        if call.hit("short"):
            return Response(data[: len(data) // 2], media_type=link.media_type)
        headers = {"content-length": str(len(data)), "cache-control": "private"}
        sent = self._send(call, link, data)
        return StreamingResponse(sent, media_type=link.media_type, headers=headers)

    async def _send(self, call: Call, link: Link, data: bytes) -> AsyncIterator[bytes]:
        ends = len(data) // 2 if call.hit("truncated") else len(data)
        for start in range(0, ends, CHUNK):
            yield data[start : min(start + CHUNK, ends)]
        if ends < len(data):
            self._world.connections.close(call.request)
        elif link.task and call.request.method == "GET":
            self._world.bill.delivered(link.host, link.task, link.image)

    async def put(self, call: Call) -> Response:
        awaited = self._world.links.awaited(call.request.url.path)
        if awaited is None:
            raise Refused(403, "no such upload, or its time is over", reason="unknown")
        given = call.request.headers.get("content-type", "")
        if awaited.media_type is not None and given != awaited.media_type:
            raise Refused(
                403,
                f"Content-Type is {given or 'missing'}; the upload was opened for"
                f" {awaited.media_type}",
            )
        if len(call.body) > awaited.most_bytes:
            raise Refused(413, f"at most {awaited.most_bytes} bytes are taken")
        if not call.body:
            raise Refused(400, "the upload is empty")
        awaited.link.data = call.body
        return PlainTextResponse("")
