"""Multipart bodies (RFC 7578), read as bytes: no file is written, nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message

from flows.sandbox.refused import Refused


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form. `filename` None: a plain field."""

    name: str
    filename: str | None
    media_type: str
    data: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def parts(content_type: str, body: bytes) -> list[Part]:
    """The parts in the order of the body.

    Raises:
        Refused: 400, the body is not multipart/form-data or is cut off.

    """
    header = _header("content-type", content_type)
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise Refused(400, "the body must be multipart/form-data with a boundary")
    fence = b"--" + boundary.encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + fence)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Refused(400, "the multipart body is cut off")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, separator, data = piece.partition(b"\r\n\r\n")
    if not separator:
        raise Refused(400, "a part of the multipart body has no end of its headers")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip():
            headers[name.strip().lower()] = value.strip()
    disposition = _header("content-disposition", headers.get("content-disposition", ""))
    field_name = disposition.get_param("name", header="content-disposition")
    if not isinstance(field_name, str):
        raise Refused(400, "a part of the multipart body has no name")
    filename = disposition.get_param("filename", header="content-disposition")
    return Part(
        name=field_name,
        filename=filename if isinstance(filename, str) else None,
        media_type=headers.get("content-type", "text/plain").partition(";")[0].strip().lower(),
        data=data,
    )


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.replace("\r", " ").replace("\n", " ")
    return message
