"""Addresses as all platforms read them: ASCII, and no character that separates addresses."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# `&`, `,`, `;`, `'` and `|` separate or quote in one feed or another; encoded they mean the same
# (support.google.com/merchants/answer/6324350)
_IN_PATH = "/%!$()*+=:@"
_IN_QUERY = "/%!$()*+=:@?&"

_PLAIN = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/!$()*+=:@-]*")
"""An address that stays as it is, seen at a glance: nearly every one."""


def encoded(address: str) -> str:
    """The address with all that RFC 3986 or a feed's list would trip over percent-encoded.

    What is encoded already stays; `&` stays in a query, where it parts the arguments.
    """
    if _PLAIN.fullmatch(address):
        return address
    try:
        parts = urlsplit(address.strip())
    except ValueError:  # a bracket where a host would be
        return quote(address.strip(), safe=":/%", errors="replace")
    return urlunsplit(
        (
            parts.scheme,
            _ascii(parts.netloc),
            _quoted(parts.path, _IN_PATH),
            _quoted(parts.query, _IN_QUERY),
            "",
        )
    )


def is_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def _quoted(text: str, safe: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", text), safe=safe, errors="replace")


def _ascii(netloc: str) -> str:
    if netloc.isascii():
        return netloc
    try:
        return netloc.encode("idna").decode("ascii")
    except UnicodeError:
        return quote(netloc, safe=":@", errors="replace")
