"""Which column of a table is which field: headers, the campaign's `columns` and `key`."""

from __future__ import annotations

from dataclasses import dataclass

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import Products
from flows.read.dialects import Dialect, find, named
from flows.read.dialects.base import Line, Rule
from flows.read.dialects.names import KEYS, image_columns, snake
from flows.read.plain import cell
from flows.read.tables import Table


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's columns under our names. `mapped` are those that the campaign named itself."""

    table: Table
    fields: tuple[str, ...]
    mapped: dict[str, int]
    dialect: Dialect
    rule: Rule

    def lines(self) -> list[Line]:
        """Every row as cells by field; what the campaign mapped is over what the header says."""
        return [
            Line(row.number, self._cells(list(map(cell, row.cells))), position)
            for position, row in enumerate(self.table.rows)
        ]

    def _cells(self, texts: list[str]) -> dict[str, str]:
        cells = dict(zip(self.fields, texts, strict=True))
        for ours, index in self.mapped.items():
            cells[ours] = texts[index]
        return cells

    def images(self) -> tuple[str, ...]:
        """The fields that hold pictures."""
        if chosen := [name for name in ("image", "images") if name in self.mapped]:
            return tuple(chosen)
        return self.dialect.image_columns or image_columns(self.fields)

    def sources(self, names: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Our name: the fields it is read from, without those that the table does not have."""
        there = {*self.fields, *self.mapped}
        wanted = {**names, **self.dialect.names}
        found = {
            ours: (ours,) if ours in self.mapped else tuple(one for one in theirs if one in there)
            for ours, theirs in wanted.items()
        }
        return {ours: theirs for ours, theirs in found.items() if theirs}


def columns_of(table: Table, wish: Products) -> tuple[Columns | None, list[Fault]]:
    """The table's columns, or everything that is wrong with its header and with the wish for it."""
    fields = tuple(snake(column) or f"column_{at}" for at, column in enumerate(table.columns, 1))
    faults = _twice(table, fields)
    mapped: dict[str, int] = {}
    for ours, theirs in wish.columns.items():
        index = _index(table, fields, theirs)
        if index is None:
            faults.append(_unknown(f"products.columns.{ours}", theirs, table))
        else:
            mapped[snake(ours) or ours] = index
    there = frozenset((*fields, *mapped))
    if wish.format == "auto":
        dialect = find(there, kind=table.kind, delimiter=table.delimiter)
    else:
        dialect, missing = named(wish.format, there, table.name)
        faults += missing
    keys, label = _keys(table, fields, mapped, wish, dialect)
    if not keys:
        faults.append(_no_key(table, wish))
    if faults:
        return None, faults
    continuation = dialect.continuation if wish.continuation is None else wish.continuation
    rule = Rule(keys, continuation, label)
    return Columns(table, fields, mapped, dialect, rule), []


def _twice(table: Table, fields: tuple[str, ...]) -> list[Fault]:
    seen: dict[str, int] = {}
    faults = []
    for index, name in enumerate(fields):
        if name in seen:
            first = table.columns[seen[name]]
            faults.append(
                Fault(
                    f"{table.name}: header, column {index + 1}",
                    f"'{table.columns[index]}' and '{first}' (column {seen[name] + 1}) are the"
                    f" same name: {name}",
                    remedy="rename or remove one of them",
                )
            )
        seen.setdefault(name, index)
    return faults


def _index(table: Table, fields: tuple[str, ...], theirs: str) -> int | None:
    """Where the column is: as it is spelled, else by what it means."""
    stripped = theirs.strip()
    if stripped in table.columns:
        return table.columns.index(stripped)
    name = snake(stripped)
    return fields.index(name) if name in fields else None


def _unknown(place: str, theirs: str, table: Table) -> Fault:
    return Fault(
        place,
        f"no column '{theirs}' in {table.name}",
        allowed=_listed(table),
        remedy=did_you_mean(theirs, table.columns),
    )


def _listed(table: Table) -> str:
    names = [column for column in table.columns if column]
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _keys(
    table: Table, fields: tuple[str, ...], mapped: dict[str, int], wish: Products, dialect: Dialect
) -> tuple[tuple[str, ...], str]:
    """The fields that name a product, and how the file spells the first of them."""

    def label(name: str) -> str:
        return table.columns[mapped[name] if name in mapped else fields.index(name)]

    if wish.key is not None:
        ours = snake(wish.key)
        if ours in mapped:
            return (ours,), label(ours)
        index = _index(table, fields, wish.key)
        return ((fields[index],), table.columns[index]) if index is not None else ((), "")
    if "key" in mapped:
        return ("key",), label("key")
    # A column that the campaign itself calls sku, id, handle or slug comes before a dialect's.
    chosen = [name for name in KEYS if name in mapped]
    there = chosen or [name for name in dialect.key if name in fields]
    if not there:
        return (), ""
    return (tuple(there) if dialect.key_by_row else (there[0],)), label(there[0])


def _no_key(table: Table, wish: Products) -> Fault:
    if wish.key is not None:
        return _unknown("products.key", wish.key, table)
    return Fault(
        table.name,
        f"no column {', '.join(KEYS[:-1])} or {KEYS[-1]} that would name a product",
        allowed=_listed(table),
        remedy="say which column does: `key: …` under products",
    )
