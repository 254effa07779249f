"""Moderating: what a run does about prompts that a host refuses, as the campaign says.

At each host that is asked, the prompt as it was written is tried, and again as often as `retries`
says, then the softened one once. Another host is asked only where not one of these tries may have
been paid for. What was tried already is remembered, so a take that goes back to the queue in
between goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from flows.nouns.campaign import Moderation
from flows.nouns.take import OnUnknown
from flows.providers.base import RefusalKind
from flows.shoot.books import Books
from flows.shoot.outcome import Outcome, StoppedError, Wanted
from flows.shoot.taking import Taking

SOFTENED = "softened: "
"""Begins what was said of the softened prompt."""


class Moderating:
    """What is remembered of refused prompts in one run. On one event loop.

    `wish` None: the first refusal is reported, and nothing is tried instead.
    """

    def __init__(
        self,
        wish: Moderation | None,
        wanted: Iterable[Wanted],
        books: Books,
        on_unknown: OnUnknown = "park",
    ) -> None:
        self._wish = wish
        self._books = books
        self._on_unknown = on_unknown
        self._softer = {one.softer.sha256 for one in wanted if one.softer} if wish else set()
        self._refusals: Counter[tuple[str, str]] = Counter()
        """By recipe and host."""
        self._said: dict[str, dict[str, Outcome]] = {}
        """Wanted recipe to the last refusal of each recipe that was tried for it."""
        self._maybe_paid: set[str] = set()
        self._running: dict[str, asyncio.Future[Outcome]] = {}

    async def bought(self, taking: Taking, wanted: Wanted) -> Outcome:
        """Buy it with one account, its prompt softened where that is what remains.

        Raises:
            StoppedError: the run was stopped before it was sent.

        """
        host = taking.dispatcher.host
        while (step := self._next(wanted, host)) is not None:
            outcome = await self._once(taking, step)
            if not self._is_refused(outcome):
                return _of_wanted(outcome, wanted)
            self._remember(wanted, outcome)
        return self._told(wanted)

    async def gone_on(self, taking: Taking, wanted: Wanted, outcome: Outcome) -> Outcome:
        """The same, after what came of a take that an earlier run had sent.

        Raises:
            StoppedError: the run was stopped before it was sent.

        """
        if not self._is_refused(outcome):
            return outcome
        self._remember(wanted, outcome)
        return await self.bought(taking, wanted)

    def may_go_to(self, wanted: Wanted, host: str) -> bool:
        """Whether a take that was refused may be tried at this host (again)."""
        if self._wish is None or self._next(wanted, host) is None:
            return False
        if any(self._refusals[recipe, host] for recipe in self._said[wanted.recipe.sha256]):
            return True  # it was interrupted here, and something is left to try
        return self._wish.then == "other-host" and wanted.recipe.sha256 not in self._maybe_paid

    def refusal_of(self, wanted: Wanted) -> Outcome | None:
        """What came of it so far; None where no host refused it in this run."""
        return self._told(wanted) if wanted.recipe.sha256 in self._said else None

    def _is_refused(self, outcome: Outcome) -> bool:
        return self._wish is not None and outcome.refusal is RefusalKind.MODERATION

    def _next(self, wanted: Wanted, host: str) -> Wanted | None:
        """What is tried next at a host; None where everything was."""
        retries = self._wish.retries if self._wish is not None else 0
        if self._refusals[wanted.recipe.sha256, host] <= retries:
            return wanted
        if wanted.softer is None or self._refusals[wanted.softer.sha256, host]:
            return None
        return Wanted(recipe=wanted.softer, references=wanted.references)

    def _remember(self, wanted: Wanted, outcome: Outcome) -> None:
        # of a recipe that several takes share it may be another account that was asked
        self._refusals[outcome.take.recipe, outcome.take.provider] += 1
        self._said.setdefault(wanted.recipe.sha256, {})[outcome.take.recipe] = outcome
        if outcome.take.billed is not False:
            self._maybe_paid.add(wanted.recipe.sha256)

    def _told(self, wanted: Wanted) -> Outcome:
        """The refusal of a take for which everything was tried."""
        said = self._said[wanted.recipe.sha256]
        first = said.get(wanted.recipe.sha256) or next(iter(said.values()))
        take = replace(first.take, recipe=wanted.recipe.sha256)
        softened = said.get(wanted.softer.sha256) if wanted.softer is not None else None
        if softened is not None and softened is not first:
            take = replace(take, reason=f"{take.reason}; {SOFTENED}{softened.take.reason}")
            if take.billed is False:
                take = replace(take, billed=softened.take.billed)
        return Outcome(take=take, refusal=RefusalKind.MODERATION)

    async def _once(self, taking: Taking, step: Wanted) -> Outcome:
        """One recipe once. What several takes are softened to is bought by the first of them,
        and the others wait for it.
        """
        recipe = step.recipe.sha256
        if recipe not in self._softer:
            return await taking.bought(step)
        if (running := self._running.get(recipe)) is not None:
            return replace(await asyncio.shield(running), bought=False)
        running = self._running[recipe] = asyncio.get_running_loop().create_future()
        try:
            known = await self._books.take(recipe)
            if known is not None and not known.may_be_bought(self._on_unknown):
                outcome = Outcome(take=known)
            else:
                outcome = await taking.bought(step)
        except BaseException:
            running.set_exception(StoppedError())
            running.exception()  # nobody may wait for it
            raise
        else:
            running.set_result(outcome)
        finally:
            del self._running[recipe]
        return outcome


def _of_wanted(outcome: Outcome, wanted: Wanted) -> Outcome:
    """An outcome as one of what was wanted. Something that was bought, or may have been, stays a
    take of its own recipe.
    """
    if outcome.take.recipe == wanted.recipe.sha256:
        return outcome
    if not outcome.take.may_be_bought("park"):
        return replace(outcome, softened_from=wanted.recipe.sha256)
    reason = f"{SOFTENED}{outcome.take.reason}"
    return replace(outcome, take=replace(outcome.take, recipe=wanted.recipe.sha256, reason=reason))
