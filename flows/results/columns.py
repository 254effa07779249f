"""Columns: which column of a report is which, by the names that ad platforms give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.errors import Fault, did_you_mean

# Ours first, then as Google Ads, Meta Ads Manager and Google Analytics export them. First found
# wins. Meta's `Results` is not among them: what it counts depends on the ad set's goal.
NAMES: Mapping[str, tuple[str, ...]] = {
    "variant": (
        "variant", "variant id", "utm content", "session manual ad content", "manual ad content",
        "ad content", "ad name", "ad", "creative name", "creative", "creative id",
    ),
    "impressions": ("impressions", "impr", "ad impressions", "impression"),
    "clicks": ("clicks", "link clicks", "ad clicks", "outbound clicks", "clicks all", "click"),
    "conversions": (
        "conversions", "conv", "key events", "purchases", "website purchases", "orders",
        "conversion",
    ),
    "date": ("date", "day", "reporting starts"),
    "product": ("product", "product id", "sku", "item id"),
    "channel": ("channel", "platform", "publisher platform", "placement", "network"),
}  # fmt: skip
REQUIRED = ("variant", "impressions", "clicks")
_HEADER_WITHIN = 20
_LINE_END = re.compile("(\r\n|\r|\n)")


@dataclass(frozen=True, slots=True)
class Columns:
    """Position of each column that is known; `spelled` is what the file calls it."""

    at: Mapping[str, int]
    spelled: Mapping[str, str]
    left_aside: tuple[str, ...] = ()
    """Columns that could have been meant as well."""


def plain(name: str) -> str:
    """`Clicks (all)` and `clicks_all` are one name."""
    return " ".join(re.sub(r"[^\w]|_", " ", name.casefold()).split())


def columns_of(header: Sequence[str], place: str) -> tuple[Columns, list[Fault]]:
    """The known columns of a header, and a fault for each that is needed and not there."""
    named: dict[str, list[int]] = {}
    for position, name in enumerate(header):
        named.setdefault(plain(name), []).append(position)
    at: dict[str, int] = {}
    aside: list[str] = []
    faults: list[Fault] = []
    for ours, spellings in NAMES.items():
        met = [name for name in spellings if name in named]
        if not met:
            continue
        at[ours] = named[met[0]][0]
        aside += [header[named[name][0]] for name in met[1:]]
        if len(named[met[0]]) > 1:
            faults.append(
                Fault(place, f"column '{header[at[ours]]}' is there twice", remedy="rename one")
            )
    for ours in REQUIRED:
        if ours not in at:
            near = (did_you_mean(name, NAMES[ours]) for name in header if plain(name))
            hint = next(filter(None, near), "")
            faults.append(
                Fault(
                    place,
                    f"there is no column of {_WHAT[ours]}; the header has {_listed(header)}",
                    ", ".join(NAMES[ours]),
                    hint or "rename the column that holds it",
                )
            )
    return Columns(
        at, {ours: header[position] for ours, position in at.items()}, tuple(aside)
    ), faults


def without_preamble(text: str) -> str:
    """The lines above the header made into comments: Google Ads writes a title and dates there.

    Line numbers stay. Unchanged where no header is found among the first lines.
    """
    pieces = _LINE_END.split(text)
    lines = pieces[::2]
    for number, line in enumerate(lines[:_HEADER_WITHIN]):
        names = {plain(cell) for cell in re.split("[\t,;|]", line)}
        if all(names & set(NAMES[ours]) for ours in ("variant", "impressions")):
            for above in range(number):
                if not lines[above].lower().startswith("sep="):
                    pieces[2 * above] = f"#{lines[above]}"
            return "".join(pieces)
    return text


_WHAT = {"variant": "variants", "impressions": "impressions", "clicks": "clicks"}
_MOST_LISTED = 12


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in header[:_MOST_LISTED])
    return shown + (", …" if len(header) > _MOST_LISTED else "")
