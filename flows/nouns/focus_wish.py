"""A focus as a person writes it, in a campaign file or in a product's row."""

from __future__ import annotations

import re
from typing import Literal

from flows.errors import Fault, did_you_mean

Wish = Literal["auto", "center"] | list[float]
"""A list is a point [x, y] or a box [left, top, right, bottom], as shares of width and height."""

ALLOWED = "auto, center, a point such as 0.5 0.4, or a box such as 0.2 0.1 0.8 0.9"

_BETWEEN = re.compile(r"[\s,;|]+")


def focus_wish(cell: str) -> Wish | Fault | None:
    """What a `focus` cell says, or what is wrong with it; None where it says nothing.

    The fault's place is `focus`: the reader knows file and line and puts them in its stead.
    """
    text = cell.strip().strip("[]()").strip()
    match text.casefold():
        case "":
            return None
        case "auto":
            return "auto"
        case "center" | "centre":
            return "center"
    try:
        shares = [float(number) for number in _BETWEEN.split(text)]
    except ValueError:
        return Fault("focus", f"'{text}'", ALLOWED, did_you_mean(text, ("auto", "center")))
    wrong = wrong_shares(shares)
    return Fault("focus", f"'{text}': {wrong}", ALLOWED) if wrong else shares


def wrong_shares(shares: list[float]) -> str:
    """What is wrong with a point or a box, or nothing."""
    if len(shares) not in {2, 4}:
        return f"{len(shares)} number{'s' * (len(shares) != 1)}"
    if not all(0 <= share <= 1 for share in shares):
        return "shares lie between 0 and 1"
    if shares[0] > shares[-2] or shares[1] > shares[-1]:
        return "the left or top of the box lies beyond its right or bottom"
    return ""
