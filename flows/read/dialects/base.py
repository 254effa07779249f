"""What a dialect says about a catalogue: its key, its names, which rows are one product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from flows.read.dialects import images
from flows.read.dialects.names import KEYS
from flows.read.tables.table import BadRow, shown

Options = Mapping[str, Sequence[str]]
"""What variants differ in: `{"color": ["Black", "Silver"]}`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row under our names for its columns. `position` is its index in the table's rows."""

    number: int
    cells: dict[str, str]
    position: int

    def first(self, columns: Sequence[str]) -> str:
        """The first of these columns that is there and not blank."""
        for column in columns:
            if value := self.cells.get(column, ""):
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one product: the row that names it, and those that continue it."""

    key: str
    main: Line
    more: list[Line] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        return [self.main, *self.more]

    def values(self, columns: Sequence[str]) -> list[str]:
        """What these columns say in all rows, without repetitions."""
        return list(
            dict.fromkeys(
                value
                for line in self.lines
                for column in columns
                if (value := line.cells.get(column, ""))
            )
        )


@dataclass(slots=True)
class Folded:
    """Rows put together. What could not be is in `bad`."""

    groups: list[Group] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides which rows are one product: the key's columns and whether a blank continues."""

    keys: tuple[str, ...]
    continuation: bool
    key_label: str

    def key(self, line: Line) -> str:
        return line.first(self.keys)

    def blank(self, line: Line) -> BadRow:
        return BadRow(
            number=line.number,
            column=self.key_label,
            found="the key is blank, so the row names no product",
            remedy="fill it, or set `continuation: true` if the row belongs to the one above",
        )


def one_row_each(lines: Sequence[Line], rule: Rule) -> Folded:
    """A product a row; with `continuation` a row with a blank key belongs to the one above."""
    folded = Folded()
    for line in lines:
        key = rule.key(line)
        if key:
            folded.groups.append(Group(key, line))
        elif rule.continuation and folded.groups:
            folded.groups[-1].more.append(line)
        elif rule.continuation:
            folded.bad.append(
                BadRow(
                    number=line.number,
                    column=rule.key_label,
                    found="the key is blank and there is no product above that it could continue",
                    remedy="fill the key",
                )
            )
        else:
            folded.bad.append(rule.blank(line))
    return folded


def folded_by(columns: tuple[str, ...], titles: tuple[str, ...]) -> Callable[..., Folded]:
    """Rows with the same text in one of `columns` are one product, wherever they stand."""

    def fold(lines: Sequence[Line], rule: Rule) -> Folded:
        folded = Folded()
        by_name: dict[str, Group] = {}
        last: Group | None = None
        for line in lines:
            name = line.first(columns)
            if not name:
                if rule.continuation and last is not None:
                    last.more.append(line)
                else:
                    folded.bad.append(rule.blank(line))
                continue
            last = by_name.get(name)
            if last is None:
                last = by_name[name] = Group(rule.key(line), line)
                folded.groups.append(last)
                continue
            before, now = last.main.first(titles), line.first(titles)
            if now and before != now:
                folded.bad.append(
                    BadRow(
                        number=line.number,
                        column=rule.key_label,
                        found=f"{shown(name)} is {shown(now)} here and"
                        f" {shown(before)} on line {last.main.number}",
                        remedy="give each product a name of its own in this column, or blank the"
                        " title of a row that continues the product",
                        product=name,
                    )
                )
            else:
                last.more.append(line)
        return folded

    return fold


def no_options(group: Group) -> Options:
    del group
    return {}


def listed_images(group: Group, columns: Sequence[str]) -> list[str]:
    """The pictures of all rows, column by column, several in a cell."""
    return [
        image
        for line in group.lines
        for column in columns
        if (cell := line.cells.get(column, ""))
        for image in images.several(cell)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way to write catalogues. `signature`: of each set, a header must be there."""

    name: str
    label: str
    signature: tuple[frozenset[str], ...] = ()
    key: tuple[str, ...] = KEYS
    key_by_row: bool = False
    """Whether each row looks for its key in all columns of `key`, or the file picks one."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    continuation: bool = False
    fold: Callable[[Sequence[Line], Rule], Folded] = one_row_each
    image_columns: tuple[str, ...] = ()
    """Where the pictures are; empty: in the columns that usually hold them."""
    images: Callable[[Group, Sequence[str]], list[str]] = listed_images
    options: Callable[[Group], Options] = no_options

    def missing(self, columns: frozenset[str]) -> list[frozenset[str]]:
        return [names for names in self.signature if not names & columns]


def any_of(*names: str) -> frozenset[str]:
    """One set of a signature: one of these headers is enough."""
    return frozenset(names)
