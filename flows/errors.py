"""Everything that can go wrong and that a person can mend, with its exit code.

    ShotlistError
      BadInput            2   spec, catalogue, template or option; nothing was bought or written
      StoppedAtBudget     3   the next take would pass the budget
      EnvironmentFault    4   no key, storage not writable, ledger not ours, server not reachable

A fault is one thing that is wrong; an error carries all of them, so that a person mends a file
once. Anything that is not a ShotlistError is a defect of the program and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in the words of the person who mends it.

    `place` is `file:line:column`, `product MUG-01, column image` or an option's name.
    """

    place: str
    found: str
    allowed: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.found}" if self.place else self.found
        if self.allowed:
            text += f" (allowed: {self.allowed})"
        if self.remedy:
            text += f"; {self.remedy}"
        return text


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The allowed word that `word` was most likely meant to be, or an empty string."""
    by_folded = {one.casefold(): one for one in allowed}
    letters = sorted(word.casefold())
    for folded, one in by_folded.items():
        # two letters that changed places are the commonest slip, and difflib ranks it low
        if sorted(folded) == letters:
            return one
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else ""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """`did you mean 'x'?`, or an empty string: ready to be a fault's remedy."""
    match = nearest(word, allowed)
    return f"did you mean '{match}'?" if match else ""


class ShotlistError(Exception):
    """A person can mend this; it is printed without a traceback."""

    exit_code = 1


class BadInput(ShotlistError):
    """A file or an option cannot be used. Nothing was bought or written."""

    exit_code = 2

    def __init__(self, what: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.faults = tuple(faults)

    def __str__(self) -> str:
        if not self.faults:
            return self.what
        shown = [f"  - {fault}" for fault in self.faults[:MAX_SHOWN]]
        if len(self.faults) > MAX_SHOWN:
            shown.append(f"  - … and {len(self.faults) - MAX_SHOWN} more of the same file")
        return "\n".join([self.what, *shown])

    def __reduce__(self) -> tuple[type[BadInput], tuple[str, tuple[Fault, ...]]]:
        return type(self), (self.what, self.faults)


class StoppedAtBudget(ShotlistError):
    """The next take would pass the budget; what was bought is published."""

    exit_code = 3


class EnvironmentFault(ShotlistError):
    """The machine, an account or a store is not as the run needs it."""

    exit_code = 4
