"""Replicate's files: references uploaded as forms, for the account that sent them, for a day.

Source: https://api.replicate.com/openapi.json
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from flows.sandbox.host import DAY_S
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.world import World

MOST_BYTES = 100_000_000
_PATH = "/replicate/v1/files/"


@dataclass(frozen=True, slots=True)
class _File:
    id: str
    owner: str = field(repr=False)
    name: str
    media_type: str
    data: bytes = field(repr=False)
    metadata: dict[str, Any]
    created_at: float

    @property
    def dies_at(self) -> float:
        return self.created_at + DAY_S


class Files:
    """The files of all accounts; each sees its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._files: dict[str, _File] = {}

    async def create(self, call: Call) -> Response:
        """`POST /files`: the part `content`, and `metadata` as JSON."""
        parts = call.form()
        for part in parts:
            if part.name not in {"content", "metadata"}:
                raise Refused(400, f"unknown part {part.name}", field=part.name)
        contents = [part for part in parts if part.name == "content"]
        if len(contents) != 1 or not contents[0].filename:
            raise Refused(400, "one part content with a file name is required", field="content")
        content = contents[0]
        if len(str(content.filename).encode()) > 255:
            raise Refused(400, "a file name has at most 255 bytes", field="content")
        if len(content.data) > MOST_BYTES:
            raise Refused(413, "Files must be less than 100MB in size", field="content")
        file = _File(
            id=secrets.token_hex(20),
            owner=call.key,
            name=str(content.filename),
            media_type=content.media_type,
            data=content.data,
            metadata=_metadata([part.text for part in parts if part.name == "metadata"]),
            created_at=self._world.clock.now(),
        )
        self._files[file.id] = file
        return JSONResponse(self._shown(call, file), 201)

    async def page(self, call: Call) -> Response:
        """`GET /files`, newest first."""
        own = [
            self._shown(call, file)
            for file in reversed(self._files.values())
            if file.owner == call.key and self._lives(file)
        ]
        return JSONResponse({"next": None, "previous": None, "results": own})

    async def one(self, call: Call) -> Response:
        """`GET /files/{id}`."""
        return JSONResponse(self._shown(call, self._find(call)))

    async def delete(self, call: Call) -> Response:
        """`DELETE /files/{id}`."""
        del self._files[self._find(call).id]
        return Response(status_code=204)

    def behind(self, call: Call, address: str) -> bytes | None:
        """The bytes behind a file's address; None: it is no address of a file here.

        Raises:
            Refused: the file is not there any more, or belongs to another account.

        """
        parts = urlsplit(address)
        if parts.netloc != urlsplit(call.url("")).netloc or not parts.path.startswith(_PATH):
            return None
        file = self._files.get(parts.path.removeprefix(_PATH))
        if file is None or file.owner != call.key or not self._lives(file):
            raise Refused(400, f"the file at {address} cannot be read", reason="unknown")
        return file.data

    def _find(self, call: Call) -> _File:
        file = self._files.get(call.path("id"))
        if file is None or file.owner != call.key or not self._lives(file):
            raise Refused(404, "File not found", reason="unknown")
        return file

    def _lives(self, file: _File) -> bool:
        return file.dies_at > self._world.clock.now()

    def _shown(self, call: Call, file: _File) -> dict[str, Any]:
        clock = self._world.clock
        digest = hashlib.sha256(file.data).hexdigest()
        # the official client wants `name` and `etag` too
        return {
            "id": file.id,
            "name": file.name,
            "content_type": file.media_type,
            "size": len(file.data),
            "etag": digest[:32],
            "checksums": {"sha256": digest},
            "metadata": file.metadata,
            "created_at": clock.iso(file.created_at),
            "expires_at": clock.iso(file.dies_at),
            "urls": {"get": call.url(f"{_PATH}{file.id}")},
        }


def _metadata(texts: list[str]) -> dict[str, Any]:
    if not texts:
        return {}
    try:
        document = json.loads(texts[0])
    except ValueError as error:
        raise Refused(400, "metadata must be JSON", field="metadata") from error
    if not isinstance(document, dict):
        raise Refused(400, "metadata must be a JSON object", field="metadata")
    return document
