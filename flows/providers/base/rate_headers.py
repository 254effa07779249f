"""Rate headers: what an answer says of its account's pace.

Three spellings are about: `x-ratelimit-limit`, `-remaining` and `-reset`, as many hosts have them
with no document behind; the same names without `x-`, as Replicate sends them
(https://github.com/replicate/replicate-python/issues/380); and the fields `RateLimit` and
`RateLimit-Policy` of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ in
their earlier and present forms. `Retry-After` is read elsewhere: it is a refusal's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_S = 86_400.0
"""A pause beyond a day is no pause; it is not believed."""
_EPOCH = 1e9
"""A reset above this is a moment since 1970 (in milliseconds above a thousand times as much)."""
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PAIR = re.compile(r"(?:^|[;,\s])(limit|remaining|reset|q|r|t|w)\s*=\s*\"?([0-9]{1,15})\"?")
_BARE = re.compile(r"\s*([0-9]{1,15})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one answer says. None: it says nothing of that."""

    limit: int | None = None
    """Requests that a window of the host's holds."""
    remaining: int | None = None
    """How many of them are left."""
    reset_s: float | None = None
    """Seconds until there are more again."""
    per_s: float | None = None
    """How long that window is."""


def rate(headers: Mapping[str, str], *, now: float) -> Rate | None:
    """What an answer's headers say of its account's pace; None where they say nothing that can be
    read. `headers` are looked up in small letters (as `httpx.Headers` can be in any).

    Args:
        headers: the answer's.
        now: seconds since 1970, for hosts that name the moment of a reset.

    """
    said = _pairs(headers.get("ratelimit", ""))
    policy = headers.get("ratelimit-policy", "")
    of_policy = _pairs(policy)
    limit = _first(
        _count(headers, "limit"),
        said.get("limit"),
        said.get("q"),
        of_policy.get("q"),
        _bare(policy),
    )
    remaining = _first(_count(headers, "remaining"), said.get("remaining"), said.get("r"))
    reset_s = _first(
        _wait_s(_named(headers, "reset"), now), *map(_believed, (said.get("reset"), said.get("t")))
    )
    limit_header = _named(headers, "limit")
    per_s = _first(
        *map(_believed, (of_policy.get("w"), said.get("w"), _pairs(limit_header).get("w")))
    )
    found = Rate(
        limit=None if limit is None or limit < 1 else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_s=reset_s,
        per_s=per_s or None,
    )
    return None if found == Rate() else found


def _named(headers: Mapping[str, str], what: str) -> str:
    """With `x-` or without, and for requests where a host counts tokens beside them."""
    for name in (f"x-ratelimit-{what}", f"ratelimit-{what}"):
        for suffix in ("", "-requests"):
            if found := headers.get(name + suffix, "").strip():
                return found
    return ""


def _count(headers: Mapping[str, str], what: str) -> float | None:
    return _bare(_named(headers, what))


def _bare(text: str) -> float | None:
    """The number at the beginning: `100, 100;w=60` is 100."""
    found = _BARE.match(text)
    return float(found[1]) if found else None


def _pairs(text: str) -> dict[str, float]:
    """The first value of each name: `limit=100, remaining=0` and `"default";r=0;t=30`."""
    found: dict[str, float] = {}
    for name, value in _PAIR.findall(text):
        found.setdefault(name, float(value))
    return found


def _wait_s(text: str, now: float) -> float | None:
    """Seconds, a moment since 1970 in seconds or milliseconds, or spans such as `1m30.5s`."""
    if _NUMBER.fullmatch(text):
        value = float(text)
        if value > 1000 * _EPOCH:
            value /= 1000
        return _believed(max(0.0, value - now) if value > _EPOCH else value)
    spans = _SPAN.findall(text)
    if not spans or "".join(value + unit for value, unit in spans) != text:
        return None
    return _believed(math.fsum(float(value) * _UNITS_S[unit] for value, unit in spans))


def _believed(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds <= LONGEST_S else None


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
