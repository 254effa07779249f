"""Faults: everything that is wrong with a plan, said once however many products it meets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flows.errors import BadInput, Fault
from flows.nouns.outline import Outline
from flows.nouns.product import Product
from flows.nouns.shot import Reading

MOST_FAULTS = 200
MOST_COLUMNS = 2
"""Columns of one row that say the same and are named; more would be a guess."""
MOST_PLACES = 4
_QUOTED = re.compile(r"'(.*?)' (?:is|names) ", re.DOTALL)
"""How a filter names the value that it cannot use."""


@dataclass(slots=True)
class _Met:
    """Which products met one fault."""

    first: str
    last: str
    count: int
    cell: str
    """Where in the catalogue the first of them says what cannot be used; empty where it is not
    the catalogue's."""


class Faults:
    """Collects faults; the same fault of many products becomes one line that counts them."""

    def __init__(self, reading: Reading | Outline) -> None:
        self._spec = reading.spec_path
        self._places: Mapping[str, str] = reading.places
        self._met: dict[Fault, _Met] = {}

    def __bool__(self) -> bool:
        return bool(self._met)

    @property
    def is_full(self) -> bool:
        """So many different faults that more would help nobody."""
        return len(self._met) >= MOST_FAULTS

    def place(self, key: str) -> str:
        """`file:line:column` of a dotted key of the spec, or the key itself where it is unknown.

        The place of the nearest written parent serves a key that has none of its own.
        """
        parts = key.split(".")
        while parts:
            if found := self._places.get(".".join(parts)):
                return found
            parts.pop()
        return f"{self._spec}, {key}"

    def add(self, fault: Fault, *, product: str = "", cell: str = "") -> None:
        met = self._met.get(fault)
        if met is None:
            self._met[fault] = _Met(product, product, 1, cell)
        elif product and met.last != product:
            met.last = product
            met.count += 1

    def gather(
        self, error: BadInput, *, product: str = "", place: str = "", said_by: Product | None = None
    ) -> None:
        """Take over the faults of an error that was raised below.

        `said_by` is the product whose words were rendered: what one of its cells says and no
        template can use is a fault of the catalogue, and told at that cell.
        """
        for fault in error.faults or (Fault(place, error.what),):
            self.add(
                fault if fault.place else replace(fault, place=place),
                product=product,
                cell=_cell(fault.found, said_by) if said_by is not None else "",
            )

    def all(self) -> tuple[Fault, ...]:
        """Every fault once, in the order of meeting, with its product and how many more; a cell
        that several places of the campaign stumble over once, with those places.
        """
        by_cell: dict[tuple[str, int], list[str]] = {}
        for fault, met in self._met.items():
            if met.cell:
                by_cell.setdefault((met.cell, met.count), []).append(fault.place)
        told = []
        for fault, met in self._met.items():
            if not met.cell:
                told.append(_told(fault, met))
            elif places := by_cell.pop((met.cell, met.count), None):
                one = _told(fault, met)
                found = f"{one.found} (used at {_listed(dict.fromkeys(places))})"
                told.append(replace(one, place=met.cell, found=found))
        return tuple(told)

    def raise_any(self) -> None:
        """Raise BadInput with all that was collected, if anything was."""
        if self._met:
            raise BadInput(f"{self._spec} cannot be planned", self.all())


def _cell(found: str, product: Product) -> str:
    """The place of the cell whose value a fault quotes; empty where no cell says it."""
    quoted = _QUOTED.match(found)
    if quoted is None or not (product.source and product.row_number):
        return ""
    value = quoted[1]
    names = [name for name, text in product.row.items() if text.strip() == value]
    names = names or [name for name, text in product.fields.items() if text == value]
    if not names:
        return ""
    row = f"{product.source}, row {product.row_number}"
    if len(names) > MOST_COLUMNS:
        return row
    return f"{row}, column {' or '.join(repr(name) for name in names)}"


def _listed(places: Iterable[str]) -> str:
    named = list(places)
    if len(named) > MOST_PLACES:
        return f"{named[0]} and {len(named) - 1} other places"
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _told(fault: Fault, met: _Met) -> Fault:
    if not met.first:
        return fault
    name = f"product {met.first}"
    found = fault.found if name in fault.place else f"{name}: {fault.found}"
    if met.count > 1:
        others = met.count - 1
        found += f" … and the same for {others:,} other product{'s' if others > 1 else ''}"
    return replace(fault, found=found)
