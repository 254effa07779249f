"""Strict checks of a request's fields: a table of checks in, a list of faults out.

Each host words the faults in its own error body.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Check = Callable[[object], str | None]
"""Takes a value; answers what is wrong with it, or None."""

Problem = Literal["unknown", "missing", "wrong"]


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that is wrong; `message` begins with its name."""

    field: str
    problem: Problem
    message: str


def faults_of(
    body: Mapping[str, object], checks: Mapping[str, Check], required: tuple[str, ...] = ()
) -> list[FieldFault]:
    """Every field of `body` that is not in `checks` or does not pass, every one that is missing."""
    found = [
        FieldFault(name, "missing", f"{name} is required") for name in required if name not in body
    ]
    for name, value in body.items():
        if name not in checks:
            found.append(FieldFault(name, "unknown", f"{name} is not a known field"))
        elif (wrong := checks[name](value)) is not None:
            found.append(FieldFault(name, "wrong", f"{name} {wrong}"))
    return found


def text(most: int | None = None, least: int = 0, only: tuple[str, ...] = ()) -> Check:
    """A string of `least` to `most` characters, or one of `only`."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"must be a string, got {_kind(value)}"
        if only and value not in only:
            return f"must be one of {', '.join(only)}"
        if len(value) < least:
            return f"must have at least {least} characters" if least > 1 else "must not be empty"
        if most is not None and len(value) > most:
            return f"must have at most {most} characters, got {len(value)}"
        return None

    return check


def whole(least: int | None = None, most: int | None = None) -> Check:
    """A whole number in a range; true and 1.0 are none."""

    def check(value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return f"must be an integer, got {_kind(value)}"
        return _range(value, least, most)

    return check


def number(least: float | None = None, most: float | None = None) -> Check:
    """A number in a range."""

    def check(value: object) -> str | None:
        if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
            return f"must be a number, got {_kind(value)}"
        return _range(value, least, most)

    return check


def flag() -> Check:
    """True or false."""

    def check(value: object) -> str | None:
        return None if isinstance(value, bool) else f"must be a boolean, got {_kind(value)}"

    return check


def array(of: Check, least: int = 0, most: int | None = None) -> Check:
    """A list of `least` to `most` values that each pass `of`."""

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return f"must be an array, got {_kind(value)}"
        if len(value) < least:
            return f"must have at least {least} item{'s' if least > 1 else ''}"
        if most is not None and len(value) > most:
            return f"must have at most {most} items, got {len(value)}"
        for place, item in enumerate(value):
            if (wrong := of(item)) is not None:
                return f"at {place} {wrong}"
        return None

    return check


def address(schemes: tuple[str, ...] = ("http", "https"), most: int | None = None) -> Check:
    """An absolute address of one of the schemes."""

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return f"must be a string, got {_kind(value)}"
        if most is not None and len(value) > most:
            return f"must have at most {most} characters"
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and bool(parts.hostname)
        except ValueError:
            usable = False
        return None if usable else f"must be an address that begins with {'://, '.join(schemes)}://"

    return check


def anything() -> Check:
    """A known field that the handler looks at itself."""
    return lambda _: None


def _range(value: float, least: float | None, most: float | None) -> str | None:
    if least is not None and value < least:
        return f"must be at least {least}, got {value}"
    if most is not None and value > most:
        return f"must be at most {most}, got {value}"
    return None


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")
