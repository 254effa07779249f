"""Redirects, one at a time: the next request is made here and judged like the first one."""

from __future__ import annotations

import httpx

_KEPT = ("accept", "accept-encoding", "user-agent")
"""Headers that go on to wherever a redirect leads; a key is never among them."""
_SECURE = "shotlist_was_secure"


def onward(response: httpx.Response) -> httpx.Request:
    """The GET that an answer with `Location` asks for, without body, key or cookie.

    Raises:
        httpx.InvalidURL: `Location` holds no address.

    """
    request = response.request
    extensions = {_SECURE: request.url.scheme == "https"}
    if "timeout" in request.extensions:
        extensions["timeout"] = request.extensions["timeout"]
    return httpx.Request(
        "GET",
        request.url.join(response.headers["location"]),
        headers={name: request.headers[name] for name in _KEPT if name in request.headers},
        extensions=extensions,
    )


def was_secure(request: httpx.Request) -> bool:
    """Whether it was a redirect over https that led to this request."""
    return bool(request.extensions.get(_SECURE))
