"""Counts: the rows of a report joined to the arms, every fault told at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flows.errors import BadInput, Fault, did_you_mean
from flows.results.arms import Arm
from flows.results.cells import NOTHING, NoNumber, is_sum, is_sum_of, number, short
from flows.results.columns import Columns, columns_of, plain
from flows.results.names import Known

_MOST_SHOWN = 8


class Line(NamedTuple):
    """A row of the file; `number` is its line."""

    number: int
    cells: Sequence[str]


class Count(NamedTuple):
    """What one row of the report says of one variant."""

    variant: str
    impressions: int
    clicks: int
    conversions: float
    strata: tuple[str, str, str]
    """Date, product, channel; empty where the file has no such column."""


STRATA = ("date", "product", "channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A report that can be judged. `unknown` are names in it that no variant of the campaign has,
    with their impressions; `missing` are variants of which it says nothing; `strangers` are
    products that the campaign does not have, with the impressions that count all the same.
    """

    arms: tuple[Arm, ...]
    rows: tuple[Count, ...]
    has_conversions: bool
    columns: Mapping[str, str]
    unknown: Mapping[str, int]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    strangers: Mapping[str, int] = field(default_factory=dict)


def counted(
    arms: Sequence[Arm],
    *,
    name: str,
    header: Sequence[str],
    lines: Sequence[Line],
    header_place: str = "",
    bad: Sequence[Fault] = (),
    products: Collection[str] = (),
) -> Counts:
    """The report called `name` as counts of the arms; `bad` are faults of lines found before,
    `products` the campaign's, empty where nobody knows them.

    Raises:
        BadInput: columns are missing, cells are no counts, clicks exceed impressions, rows are
            there twice, an ad's name holds two variants, or nothing names a variant at all.

    """
    columns, faults = columns_of(header, header_place or name)
    reader = _Reader(arms, name, columns, products)
    for line in lines:
        reader.read(line)
    faults += [*bad, *reader.faults]
    strange = reader.unknown and "variant" in columns.at
    if strange and not reader.known:
        faults.append(_no_match(reader, arms, name, columns))
    elif strange and faults:
        faults += [_stranger(one, at, arms, name, columns) for one, at in reader.first.items()]
    if faults:
        raise BadInput(f"{name} cannot be used", faults)
    if not reader.rows:
        raise BadInput(f"{name} cannot be used", [_no_match(reader, arms, name, columns)])
    seen = {row.variant for row in reader.rows}
    return Counts(
        arms=tuple(arms),
        rows=tuple(reader.rows),
        has_conversions="conversions" in columns.at,
        columns=columns.spelled,
        unknown=reader.unknown,
        missing=tuple(arm.id for arm in arms if arm.weight and arm.id not in seen),
        notes=tuple(reader.notes(columns)),
        strangers=reader.strangers,
    )


class _Reader:
    """Reads line by line and remembers what was there."""

    def __init__(
        self, arms: Sequence[Arm], name: str, columns: Columns, products: Collection[str]
    ) -> None:
        self.rows: list[Count] = []
        self.faults: list[Fault] = []
        self.unknown: dict[str, int] = {}
        self.first: dict[str, int] = {}
        """The line that each of them is on first."""
        self.known = 0
        """Rows that name a variant."""
        self.strangers: dict[str, int] = {}
        self._products = {one.casefold() for one in products}
        self._name = name
        self._columns = columns
        self._known = Known(arms)
        self._found: dict[str, tuple[str, ...]] = {}
        self._seen: dict[tuple[str, ...], int] = {}
        self._blank = 0
        self._totals: list[int] = []
        counts = {"impressions", "clicks", "conversions"}
        self._numbers = {at for ours, at in columns.at.items() if ours in counts}

    def read(self, line: Line) -> None:
        text = self._cell(line, "variant")
        if text not in self._found:
            self._found[text] = self._known.found_in(text)
        variants = self._found[text]
        if self._is_sum(line, text, variants):
            self._totals.append(line.number)  # Google Ads ends its reports with sums
            return
        self._name_variant(line, text, variants)
        impressions = self._number(line, "impressions")
        clicks = self._number(line, "clicks")
        conversions = self._number(line, "conversions")
        if impressions is None or clicks is None or conversions is None:
            return
        self._compare(line, "clicks", clicks, impressions)
        self._compare(line, "conversions", conversions, impressions)
        if "variant" not in self._columns.at or self._is_repeated(line):
            return
        if len(variants) > 1 or text in NOTHING:
            return
        if not variants:
            self.unknown[text] += int(impressions)
            return
        date, product, channel = (self._cell(line, one) for one in STRATA)
        if self._products and product and product.casefold() not in self._products:
            self.strangers[product] = self.strangers.get(product, 0) + int(impressions)
        self.rows.append(
            Count(
                variants[0],
                int(impressions),
                int(clicks),
                conversions,
                (date, product, channel),
            )
        )

    def _is_sum(self, line: Line, text: str, variants: Sequence[str]) -> bool:
        """`total-look` may be a variant, and `total-sale | calm` an ad of one: only what names none
        is a sum, or what says of which it is one.
        """
        if variants:
            return is_sum_of(text) and text.casefold() not in map(str.casefold, variants)
        return is_sum(text) or (text in NOTHING and any(map(is_sum, line.cells)))

    def _name_variant(self, line: Line, text: str, variants: Sequence[str]) -> None:
        """Say what is wrong with the name, and remember it where nobody knows it."""
        if len(variants) > 1:
            self._fault(
                line,
                "variant",
                f"'{short(text)}' names {len(variants)} variants: {', '.join(variants)}",
                remedy="let the ad's name hold one of them, or give a column 'variant'",
            )
        elif text in NOTHING:
            if "variant" in self._columns.at:
                self._fault(line, "variant", "no variant is named", remedy="fill or remove the row")
        elif not variants:
            self.unknown.setdefault(text, 0)
            self.first.setdefault(text, line.number)
        else:
            self.known += 1

    def notes(self, columns: Columns) -> list[str]:
        notes = []
        if columns.unused:
            unused = ", ".join(f"'{one}'" for one in columns.unused)
            used = ", ".join(f"{ours} from '{one}'" for ours, one in columns.spelled.items())
            notes.append(f"{self._name}: read {used}; not used: {unused}")
        if plain(columns.spelled.get("conversions", "")) == "results":
            notes.append(
                f"{self._name}: '{columns.spelled['conversions']}' counts what the ad set was"
                " optimised for; if these are no conversions, judge with --goal clicks"
            )
        if self._totals:
            lines = ", ".join(map(str, self._totals[:_MOST_SHOWN]))
            notes.append(f"{self._name}: sums are not counted again (line {lines})")
        if self._blank:
            cells = "1 blank cell" if self._blank == 1 else f"{self._blank:,} blank cells"
            notes.append(f"{self._name}: {cells} of clicks or conversions counted as 0")
        return notes

    def _cell(self, line: Line, ours: str) -> str:
        position = self._columns.at.get(ours)
        return "" if position is None else line.cells[position].strip()

    def _number(self, line: Line, ours: str) -> float | None:
        if ours not in self._columns.at:
            return 0 if ours == "conversions" else None  # told of the header
        text = self._cell(line, ours)
        if text in NOTHING and ours != "impressions":
            self._blank += 1
            return 0
        # attribution splits conversions
        found = number(text, is_whole=ours != "conversions")
        if isinstance(found, NoNumber):
            self._fault(line, ours, *found)
            return None
        return found

    def _compare(self, line: Line, ours: str, count: float, impressions: float) -> None:
        if count > impressions:
            self._fault(
                line,
                ours,
                f"{count:,.10g} {ours} of {impressions:,.10g} impressions",
                "not more than the impressions",
                "check that the columns are what their names say",
            )

    def _is_repeated(self, line: Line) -> bool:
        """Whether an earlier row says the same of everything but the counts."""
        key = tuple(cell.strip() for at, cell in enumerate(line.cells) if at not in self._numbers)
        first = self._seen.setdefault(key, line.number)
        if first != line.number:
            self._fault(
                line,
                "variant",
                f"'{short(self._cell(line, 'variant'))}' is there already, on line {first},"
                " and nothing but the counts may tell them apart",
                remedy="remove one, or keep the column that tells them apart (a date, a channel)",
            )
        return first != line.number

    def _fault(
        self, line: Line, ours: str, found: str, allowed: str = "", remedy: str = ""
    ) -> None:
        column = self._columns.spelled[ours]
        place = f"{self._name}: line {line.number}, column '{column}'"
        self.faults.append(Fault(place, found, allowed, remedy))


def _no_match(reader: _Reader, arms: Sequence[Arm], name: str, columns: Columns) -> Fault:
    ids = _ids(arms)
    first = [f"'{short(one)}'" for one in list(reader.unknown)[:3]]
    hint = next(filter(None, (did_you_mean(one, ids) for one in reader.unknown)), "")
    return Fault(
        f"{name}: column '{columns.spelled['variant']}'",
        f"no row names a variant of this campaign; there are {', '.join(first) or 'no rows'}",
        _few(ids),
        hint or "use the ids or utm_content of assignments.csv",
    )


def _stranger(text: str, line: int, arms: Sequence[Arm], name: str, columns: Columns) -> Fault:
    ids = _ids(arms)
    return Fault(
        f"{name}: line {line}, column '{columns.spelled['variant']}'",
        f"the campaign has no variant for '{short(text)}'; it would be left out",
        _few(ids),
        did_you_mean(text, ids),
    )


def _ids(arms: Sequence[Arm]) -> list[str]:
    return [arm.id for arm in arms]


def _few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_MOST_SHOWN]) + (", …" if len(ids) > _MOST_SHOWN else "")
