"""What pydantic refuses, in the words of the person who wrote the file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from flows.errors import Fault
from flows.nouns.campaign import DOMAIN_PATTERN, ID_PATTERN, RATIO_PATTERN, SIZE_PATTERN

_COLOUR_PATTERN = r"^#[0-9A-Fa-f]{6}$"
_PATTERN_WORDS: Mapping[str, str] = {
    ID_PATTERN: "a-z, 0-9 and single dashes between them, for example spring-mugs",
    RATIO_PATTERN: "width:height, for example 4:5 or 1.91:1",
    SIZE_PATTERN: "WIDTHxHEIGHT in pixels, for example 2400x1000",
    DOMAIN_PATTERN: "a domain, lower case and without https://, for example acme.example",
    _COLOUR_PATTERN: "#RRGGBB, for example #0F4C81",
}
_BOUNDS: Mapping[str, tuple[str, str, str]] = {
    "greater_than": ("gt", "too small", "more than {}"),
    "greater_than_equal": ("ge", "too small", "{} or more"),
    "less_than": ("lt", "too large", "less than {}"),
    "less_than_equal": ("le", "too large", "at most {}"),
}


def refusal(place: str, label: str, error: Mapping[str, Any]) -> Fault:
    """One error of pydantic as a fault. `error["value"]` is what was found there."""
    kind, value, context = error["type"], error["value"], error.get("ctx", {})
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return Fault(
            place,
            f"{label}: '{shown(str(value))}' does not have the right form",
            _PATTERN_WORDS.get(pattern, pattern),
            _suggested(pattern, str(value)),
        )
    if kind in _BOUNDS:
        name, words, allowed = _BOUNDS[kind]
        return Fault(
            place, f"{label}: {_number(value)} is {words}", allowed.format(_number(context[name]))
        )
    if kind == "too_short":
        return Fault(place, f"{label}: the list is empty", remedy="name one, or remove the key")
    said = str(context.get("error") or error["msg"])
    if isinstance(value, dict | list):
        return Fault(place, said)
    return Fault(place, f"{label}: '{shown(str(value))}' cannot be used", said)


def shown(text: str, limit: int = 60) -> str:
    """What was written, on one line and not too long."""
    line = " ".join(text.split())
    return f"{line[: limit - 1]}…" if len(line) > limit else line


def slug(text: str) -> str:
    """`Blaue Tasse, groß` to `blaue-tasse-gross`; empty where no Latin letter or digit is left."""
    folded = text.casefold()
    for sign, letters in _LETTERS.items():
        folded = folded.replace(sign, letters)
    ascii_only = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")


_LETTERS: Mapping[str, str] = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ı": "i",
}
"""Letters that do not fall apart into a base and an accent."""


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _suggested(pattern: str, value: str) -> str:
    guess = ""
    if pattern == ID_PATTERN:
        guess = slug(value)
    elif pattern == RATIO_PATTERN and (match := re.findall(r"[0-9.]+", value)):
        guess = ":".join(match) if len(match) == 2 else ""
    elif pattern == SIZE_PATTERN and (match := re.findall(r"[0-9]+", value)):
        guess = "x".join(match) if len(match) == 2 else ""
    elif pattern == _COLOUR_PATTERN and re.fullmatch(r"#?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", value):
        digits = value.lstrip("#")
        guess = f"#{digits if len(digits) == 6 else ''.join(sign * 2 for sign in digits)}"
    elif pattern == DOMAIN_PATTERN:
        guess = re.sub(r"^[a-z]+://|^@|[/?#:].*$", "", value.strip().lower())
    matches = guess and re.fullmatch(pattern.strip("^$"), guess) and guess != value
    return f"did you mean '{guess}'?" if matches else ""
