"""Wanted and Outcome: what shooting is given, and what it gives back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from flows.errors import ShotlistError
from flows.nouns.recipe import Recipe
from flows.nouns.reference import Reference
from flows.nouns.take import Take, TakeState
from flows.providers.base import RefusalKind

T = TypeVar("T")
Stop = Literal["", "account", "budget", "interrupted"]


class StoppedError(Exception):
    """The run was told to buy nothing more before this take was sent."""


class HeldBackError(Exception):
    """Creates of the account began to fail before this take was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A recipe that may have no take yet, and the references that go with it."""

    recipe: Recipe
    references: tuple[Reference, ...]
    softer: Recipe | None = None
    """What may be bought in its place where hosts refuse its prompt."""


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
    refusal: RefusalKind | None = None
    """What the host's no meant, where it said one in this call."""
    softened_from: str = ""
    """The recipe that was wanted, where `take` is of the softer one in its place."""

    @property
    def wanted(self) -> str:
        """The recipe that was asked for."""
        return self.softened_from or self.take.recipe


def untried(take: Take, reason: str, why: Stop = "") -> Outcome:
    """A take of which the ledger need not know: it was not even intended."""
    refused = replace(take, state=TakeState.REFUSED, reason=reason, billed=False)
    return Outcome(take=refused, stopped=why)


async def held(work: Awaitable[T], take: Take) -> T | Outcome:
    """What came of one take; a fault of one stays its own."""
    try:
        return await work
    except (StoppedError, asyncio.CancelledError):
        return untried(take, "the run was stopped before it was bought", "interrupted")
    except Exception as error:  # noqa: BLE001 - around one take
        said = str(error) if isinstance(error, ShotlistError) else repr(error)
        return Outcome(take=replace(take, reason=said, billed=None))
