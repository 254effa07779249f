"""Pages: lists that are read from an offset on."""

from __future__ import annotations

import re

import httpx


def after(response: httpx.Response, rows: int, *, page: object, most: int) -> dict[str, str] | None:
    """What to ask with for the page after this one, which had so many rows; None after the last.

    A total may be capped, so only a short page is the last. `page` is what the answer calls its
    full length, where it does; it is at most `most`.
    """
    try:
        asked = dict(response.request.url.params)
    except RuntimeError:  # an answer to no request that is known
        return None
    offset = asked.get("offset", "")
    is_last = rows < (page if isinstance(page, int) and 0 < page < most else most)
    if is_last or not re.fullmatch(r"[0-9]{1,9}", offset):
        return None
    return {**asked, "offset": str(int(offset) + rows)}
