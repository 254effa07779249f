"""Faults: everything that is wrong with a plan, said once however many products it meets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flows.errors import BadInput, Fault
from flows.nouns.shot import Reading

MOST_FAULTS = 200


@dataclass(slots=True)
class _Met:
    """Which products met one fault."""

    first: str
    last: str
    count: int


class Faults:
    """Collects faults; the same fault of many products becomes one line that counts them."""

    def __init__(self, reading: Reading) -> None:
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

    def add(self, fault: Fault, *, product: str = "") -> None:
        met = self._met.get(fault)
        if met is None:
            self._met[fault] = _Met(product, product, 1)
        elif product and met.last != product:
            met.last = product
            met.count += 1

    def gather(self, error: BadInput, *, product: str = "", place: str = "") -> None:
        """Take over the faults of an error that was raised below."""
        for fault in error.faults or (Fault(place, error.what),):
            self.add(fault if fault.place else replace(fault, place=place), product=product)

    def all(self) -> tuple[Fault, ...]:
        """Every fault once, in the order of meeting, with its product and how many more."""
        return tuple(_told(fault, met) for fault, met in self._met.items())

    def raise_any(self) -> None:
        """Raise BadInput with all that was collected, if anything was."""
        if self._met:
            raise BadInput(f"{self._spec} cannot be planned", self.all())


def _told(fault: Fault, met: _Met) -> Fault:
    if not met.first:
        return fault
    name = f"product {met.first}"
    found = fault.found if name in fault.place else f"{name}: {fault.found}"
    if met.count > 1:
        others = met.count - 1
        found += f" … and the same for {others:,} other product{'s' if others > 1 else ''}"
    return replace(fault, found=found)
