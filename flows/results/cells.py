"""Cells: what a cell of a report says, as a number or for a person."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST = 10**13
"""Of one cell; a larger number is a slip."""

NOTHING = frozenset({"", "-", "--", "–", "—"})
"""What stands in a cell that says nothing."""

_WHOLE = re.compile(r"[0-9]+(?:\.0+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([,'’ \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]+)?")
_SEPARATORS = re.compile("[,'’ \u00a0\u202f]")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_POINTED = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+")
_SUM = re.compile(r"(?i)\s*(?:grand )?totals?\b(?!-\w)")
_SUM_OF = re.compile(r"(?i)\s*(?:grand )?totals?\s*:")


class NoNumber(NamedTuple):
    """Why a cell is no count."""

    found: str
    allowed: str
    remedy: str = ""


def number(text: str, *, is_whole: bool) -> float | NoNumber:
    """A count, 0 or more, thousands apart or not; where it need not be whole, with a point."""
    fits = _WHOLE if is_whole else _DECIMAL
    bare = _SEPARATORS.sub("", text) if _GROUPED.fullmatch(text) else text
    found = f"'{short(text)}'" if text else "the cell is empty"
    if fits.fullmatch(bare):
        if float(bare) <= MOST:
            return float(bare)
        return NoNumber(found, f"at most {MOST:,}")
    remedy = ""
    if _POINTED.fullmatch(text):
        remedy = f"if thousands are meant, write {text.replace('.', '')}"
    return NoNumber(found, "a whole number, 0 or more" if is_whole else "0 or more", remedy)


def is_sum(text: str) -> bool:
    """Whether it begins as a sum does: `Total`, `Total: Campaign`, `Grand total`."""
    return _SUM.match(text) is not None


def is_sum_of(text: str) -> bool:
    """Whether it is a sum that says of what: `Total: Campaign`."""
    return _SUM_OF.match(text) is not None


def short(text: str, limit: int = 60) -> str:
    """On one line, cut where it is long."""
    line = " ".join(text.split())
    return f"{line[: limit - 1]}…" if len(line) > limit else line
