"""Images: where a host's answer has pictures, in the forms that hosts have for that."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from flows.providers.base.fields import link_in, text_in
from flows.providers.base.replies import Image


def images_in(entries: object) -> tuple[Image, ...]:
    """The pictures of a list whose entries have `url` or `b64_json`, as in OpenAI's images API; an
    entry that has neither in a usable form is passed over.
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


def links_in(output: object) -> Iterator[str]:
    """The addresses in an output: one, a list, or objects with `url` or `images`."""
    if isinstance(output, list):
        for one in output:
            if found := link_in(one.get("url") if isinstance(one, dict) else one):
                yield found
    elif isinstance(output, dict):
        yield from links_in([output.get("url")])
        images = output.get("images")
        yield from links_in(images if isinstance(images, list) else [])
    else:
        yield from links_in([output])


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return b""
