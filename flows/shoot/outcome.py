"""Wanted and Outcome: what shooting is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flows.nouns.recipe import Recipe
from flows.nouns.reference import Reference
from flows.nouns.take import Take

Stop = Literal["", "account", "budget", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A recipe that may have no take yet, and the references that go with it."""

    recipe: Recipe
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a recipe: `take.state` says whether it is done. `bought`: in this call.

    `stopped` says why it was not even tried: no account can be used, the budget, a person.
    """

    take: Take
    bought: bool = False
    stopped: Stop = ""
    note: str = ""
    """What a person should know of a take that is done."""
