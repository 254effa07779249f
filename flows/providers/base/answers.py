"""Answers: reading what came, whatever came. Hosts and what stands before them send HTML, broken
JSON and nothing at all; none of it may stop a run.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

MOST_WORDS = 400
MOST_BYTES = 8_000
"""Of an answer that are looked through for words."""
A_DAY_S = 86_400.0
_TAGS = re.compile(r"<(script|style)\b.*?(?:</\1>|$)|<[^>]*>", re.DOTALL | re.IGNORECASE)


def document(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object of an answer; None where it is none."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def text_of(response: httpx.Response) -> str:
    """An answer for a person's eyes: one line, no markup, not too long."""
    # whatever charset the answer claims: an honest one loses a few letters, an odd one raises
    text = response.content[:MOST_BYTES].decode("utf-8", "replace")
    plain = " ".join(_TAGS.sub(" ", text).split())
    return f"{plain[:MOST_WORDS]}…" if len(plain) > MOST_WORDS else plain or "an empty answer"


def retry_after_s(response: httpx.Response, *others: object) -> float | None:
    """The longest wait that header `Retry-After` (seconds or a date, RFC 9110 section 10.2.3) and
    the other values (numbers in an answer's body) ask for, a day at most.
    """
    waits = [float(one) for one in others if isinstance(one, int | float) and 0 <= one <= A_DAY_S]
    header = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", header):
        waits.append(min(float(header), A_DAY_S))
    elif header:
        try:
            at = parsedate_to_datetime(header)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            wait = (at - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return max(waits, default=None)
        waits.append(min(max(0.0, wait), A_DAY_S))
    return max(waits, default=None)
