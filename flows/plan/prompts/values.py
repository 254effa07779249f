"""Values: what may be printed, counted and gone through, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jinja2 import Undefined

from flows.plan.prompts.money import number_from
from flows.plan.prompts.refused import Refused

MAX_TEXT: Final = 200_000
"""Characters of one value."""
MAX_ITEMS: Final = 2_000
"""Entries of one list, those of lists within it included."""
MAX_NUMBER: Final = 10**18


def printable(value: object) -> str:
    """A value as it is printed.

    Raises:
        Refused: nothing that a prompt could say: None, NaN, a list, a method.
        UndefinedError: an unknown name.

    """
    if isinstance(value, (str, Undefined)):
        return str(value)
    if value is None:
        raise Refused(
            "an empty value (null) cannot be printed", "give it a value or add |default('…')"
        )
    if isinstance(value, (int, float)):
        if not -MAX_NUMBER <= value <= MAX_NUMBER:  # NaN neither
            what = f"{value} (no number)" if isinstance(value, float) else "so large a number"
            raise Refused(f"{what} cannot be printed")
        return str(value)
    if isinstance(value, (list, tuple, range)):
        raise Refused("a list cannot be printed", "join it: |listing")
    if isinstance(value, Mapping):
        raise Refused("a whole set of fields cannot be printed", "name one of them, such as .title")
    if callable(value):
        name = getattr(value, "name", None) or "it"
        raise Refused(f"a method or macro cannot be printed ('{name}')", f"call it: {name}(…)")
    raise Refused(f"a {type(value).__name__} cannot be printed", "only text and numbers can")


def entries(value: object, doing: str) -> list[object]:
    """The entries of a list, or the names of a set of fields; text is not a list."""
    if isinstance(value, Undefined):
        str(value)  # raises, with its name
    if isinstance(value, str):
        raise Refused(f"{doing} needs a list, this is text", "make it one: |split")
    if not isinstance(value, (list, tuple, range, Mapping)):
        raise Refused(f"{doing} needs a list, this is {kind(value)}")
    if len(value) > MAX_ITEMS:
        raise Refused(f"a list of {len(value):,} entries is too long (at most {MAX_ITEMS:,})")
    return list(value)


def kind(value: object) -> str:
    """What a value is, in a template writer's words."""
    if value is None:
        return "an empty value (null)"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, Mapping):
        return "a set of fields"
    return "a list" if isinstance(value, (list, tuple, range)) else "a method or macro"


def whole(value: object, what: str, low: int, high: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, int) and not isinstance(value, bool):
        number: int = value
        if low <= number <= high:
            return number
    raise Refused(f"{what} needs a whole number from {low:,} to {high:,}")


def number(value: object) -> int | float:
    if isinstance(value, (int, float)):
        return value
    text = printable(value)
    found = number_from(text)
    if found is None or abs(found) > MAX_NUMBER:
        raise Refused(f"'{text[:60]}' is not a number", "a number is written such as 24.90")
    return int(found) if found == found.to_integral_value() and "." not in text else float(found)


def glued(parts: list[object], sep: str = "") -> str:
    """Values as one text, its size known before it is made."""
    texts = [printable(part) for part in parts]
    if sum(map(len, texts)) + len(sep) * len(texts) > MAX_TEXT:
        raise Refused(f"the text grows beyond {MAX_TEXT:,} characters")
    return sep.join(texts)
