"""Fields: single values out of an answer, each checked before anything is built on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from flows.network import url_of
from flows.providers.base.replies import Job

MOST_ID = 200
MOST_USD = 10_000


def job_in(answer: Mapping[str, object], *names: str) -> Job | None:
    """The job that the first usable of these fields names: plain ASCII, fit for an address."""
    for name in names:
        value = answer.get(name)
        if isinstance(value, str) and len(value) <= MOST_ID and value.strip(".") and _plain(value):
            return Job(id=value)
    return None


def text_in(value: object) -> str:
    """A text without space around it; empty where the value is none."""
    return value.strip() if isinstance(value, str) else ""


def link_in(value: object) -> str | None:
    """An http or https address that a request can be built for."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        return None
    try:
        return value if value.isprintable() and url_of(value).host else None
    except (httpx.InvalidURL, ValueError):
        return None


def moment_in(value: object) -> datetime | None:
    """A time in ISO 8601; UTC where it names no zone."""
    try:
        at = datetime.fromisoformat(text_in(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def usd_in(value: object) -> Decimal | None:
    """A cost in dollars, given as a number that can be one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST_USD:
        return None
    return Decimal(str(value))


def headers_in(value: object) -> dict[str, str]:
    """Headers that an answer wants on another request, but for those that the request sets."""
    return {
        name.lower(): text
        for name, text in (value.items() if isinstance(value, dict) else ())
        if name.isascii()
        and name.replace("-", "").isalnum()
        and name.lower() not in ("host", "content-length", "transfer-encoding", "connection")
        and isinstance(text, str)
        and _plain(text)
    }


def _plain(value: str) -> bool:
    return value.isascii() and value.isprintable()
