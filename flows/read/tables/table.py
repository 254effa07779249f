"""Table: what every file becomes first. Rows of text cells, each with its place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flows.errors import BadInput, Fault


class Row(NamedTuple):
    """One record. `number` is what `Table.unit` counts; `cells` are in the order of the columns."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A record that cannot be used, and why."""

    number: int
    found: str
    column: str = ""
    remedy: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`columns` are spelled as in the file. `unit` says how rows are counted: line, item or row."""

    name: str
    kind: str
    columns: tuple[str, ...]
    rows: list[Row]
    bad: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unit: str = "line"
    delimiter: str = ""

    def place(self, number: int, column: str = "") -> str:
        """Where a person finds the row: `products.csv: line 12, column 'title'`."""
        return place(self.name, number, column, self.unit)


def place(name: str, number: int = 0, column: str = "", unit: str = "line") -> str:
    """`name: line 12, column 'title'`, with as much of it as is known."""
    where = [f"{unit} {number}"] if number else []
    if column:
        where.append(f"column '{column}'")
    return f"{name}: {', '.join(where)}" if where else name


def unusable(
    name: str, found: str, *, at: str = "", allowed: str = "", remedy: str = ""
) -> BadInput:
    """The error for a file of which nothing can be read."""
    return BadInput(
        f"{name} cannot be read", [Fault(at or name, found, allowed=allowed, remedy=remedy)]
    )


def shown(text: str, limit: int = 40) -> str:
    """A cell in a message: one line, quoted, not too long."""
    line = " ".join(text.split())
    return f"'{line[: limit - 1]}…'" if len(line) > limit else f"'{line}'"
