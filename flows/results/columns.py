"""Columns: which column of a report is which, by the names that ad platforms give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.errors import Fault, nearest

# Ours first, then as Meta Ads Manager, Google Ads, Google Analytics, Pinterest and TikTok export
# them (developers.google.com/adwords/api/docs/appendix/reports, "Display Name";
# help.pinterest.com/en/business/article/reporting-dashboard-overview;
# ads.tiktok.com/help/article/basic-data; Meta's and Analytics' as they are commonly told).
# How a name is spelled does not matter: `Link clicks`, `link_clicks` and `linkClicks` are one.
NAMES: Mapping[str, tuple[str, ...]] = {
    "variant": (
        "variant", "variant id", "utm content", "session manual ad content", "manual ad content",
        "first user manual ad content", "ad content", "ad name", "ad", "creative name", "creative",
        "creative id", "pin name", "url parameters", "final url", "landing page",
    ),
    "impressions": (
        "impressions", "impr", "ad impressions", "ads impressions", "paid impressions",
        "impression",
    ),
    "clicks": (
        "clicks", "link clicks", "clicks destination", "clicks all", "outbound clicks",
        "pin clicks", "ad clicks", "ads clicks", "click",
    ),
    "conversions": (
        "conversions", "conv", "all conv", "all conversions", "total conversions", "results",
        "purchases", "website purchases", "checkouts", "total checkouts", "orders", "transactions",
        "ecommerce purchases", "leads", "website leads", "key events", "conversion",
    ),
    "date": ("date", "day", "reporting starts"),
    "product": ("product", "product id", "sku", "item id"),
    "channel": ("channel", "platform", "publisher platform", "placement", "network"),
}  # fmt: skip
REQUIRED = ("variant", "impressions", "clicks")
COUNTED = ("impressions", "clicks", "conversions")
"""Two columns of one of these say different things: a person says which is meant."""

_HEADER_WITHIN = 20
_LINE_END = re.compile("(\r\n|\r|\n)")

_OF_ANALYTICS = frozenset(
    ("sessions", "engagedsessions", "activeusers", "totalusers", "users", "newusers", "views")
)
"""What Google Analytics counts of a site: it knows of an ad only who came."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Position of each column that is known; `spelled` is what the file calls it."""

    at: Mapping[str, int]
    spelled: Mapping[str, str]
    unused: tuple[str, ...] = ()
    """Columns that nothing is read from, as the file calls them."""


def plain(name: str) -> str:
    """`Clicks (all)`, `clicks_all` and `clicksAll` are one name."""
    return re.sub(r"[\W_]+", "", name.casefold())


_KNOWN = {ours: [plain(name) for name in names] for ours, names in NAMES.items()}


def columns_of(header: Sequence[str], place: str) -> tuple[Columns, list[Fault]]:
    """The known columns of a header, and a fault for each that is needed and not there, that is
    there twice, or of which nobody can say which of two is meant.
    """
    named: dict[str, list[int]] = {}
    for position, name in enumerate(header):
        named.setdefault(plain(name), []).append(position)
    at: dict[str, int] = {}
    faults: list[Fault] = []
    for ours, spellings in _KNOWN.items():
        met = [name for name in spellings if name in named]
        if not met:
            continue
        at[ours] = named[met[0]][0]
        if len(named[met[0]]) > 1:
            faults.append(
                Fault(place, f"column '{header[at[ours]]}' is there twice", remedy="rename one")
            )
        elif len(met) > 1 and ours in COUNTED and met[0] != plain(ours):
            found = ", ".join(f"'{header[named[name][0]]}'" for name in met)
            faults.append(
                Fault(
                    place,
                    f"{len(met)} columns could be the {ours}: {found}",
                    remedy=f"rename the one that is meant to '{ours}', or remove the others",
                )
            )
    faults += [_missing(ours, header, place) for ours in REQUIRED if ours not in at]
    used = set(at.values())
    unused = tuple(
        name for number, name in enumerate(header) if number not in used and name.strip()
    )
    return Columns(at, {ours: header[position] for ours, position in at.items()}, unused), faults


def _missing(ours: str, header: Sequence[str], place: str) -> Fault:
    hint = ""
    if ours != "variant" and any(plain(name) in _OF_ANALYTICS for name in header):
        hint = (
            f"an analytics report counts visits, not {ours}: add a column of the {ours} that the ad"
            " platform counted"
        )
    known = {plain(one) for names in NAMES.values() for one in names} | _OF_ANALYTICS
    for name in header:
        bare = plain(name)
        if not hint and bare and bare not in known and nearest(bare, _KNOWN[ours]):
            hint = f"if '{name}' is it, rename it to '{ours}'"
    return Fault(
        place,
        f"there is no column of {_WHAT[ours]}; the header has {_listed(header)}",
        ", ".join(NAMES[ours]),
        hint or f"rename the column that holds it to '{ours}'",
    )


def without_preamble(text: str) -> str:
    """The lines above the header made into comments: Google Ads writes a title and dates there.

    Line numbers stay. Unchanged where no header is found among the first lines.
    """
    pieces = _LINE_END.split(text)
    lines = pieces[::2]
    for number, line in enumerate(lines[:_HEADER_WITHIN]):
        names = {plain(cell) for cell in re.split("[\t,;|]", line)}
        counted = sum(bool(names & set(_KNOWN[ours])) for ours in COUNTED)
        if counted and names & set(_KNOWN["variant"]) and len(names) > counted:
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
