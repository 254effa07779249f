"""Images: pictures in the form that several hosts have from OpenAI's images API."""

from __future__ import annotations

import base64

from flows.providers.base.fields import link_in, text_in
from flows.providers.base.replies import Image


def images_in(entries: object) -> tuple[Image, ...]:
    """The pictures of a list whose entries have `url` or `b64_json`; an entry that has neither in
    a usable form is passed over.
    """
    found: list[Image] = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        if url := link_in(entry.get("url")):
            found.append(Image(url=url))
        elif data := _decoded(text_in(entry.get("b64_json"))):
            found.append(Image(data=data))
    return tuple(found)


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""
