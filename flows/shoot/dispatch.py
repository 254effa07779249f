"""Choose, write the intent, send, write the answer: each take in that order and never another.

This first form sends the takes of one call at once and waits for all of them. Nothing is sent a
second time: a take whose answer did not come stays `unknown` in the ledger and is reported.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from flows.errors import EnvironmentFault
from flows.ledger import IllegalStepError, Ledger, TakeStore
from flows.nouns.output import ratio_of
from flows.nouns.recipe import Recipe, master_size
from flows.nouns.reference import Reference
from flows.nouns.take import Realm, Take, TakeState
from flows.providers.base import Accepted, Done, Order, Provider, Refused, Reply, Running
from flows.shoot.fetch import whole_image
from flows.storage import read_bytes

TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A recipe that has no take yet, and the references that go with it."""

    recipe: Recipe
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a recipe: `take.state` says whether it is done. `bought`: in this call."""

    take: Take
    bought: bool


def shoot(
    wanted: Sequence[Wanted],
    *,
    provider: Provider,
    book: Ledger,
    store: TakeStore,
    run: str,
) -> list[Outcome]:
    """Make the takes that are missing; those that are there come back as they are."""
    return asyncio.run(_Dispatch(provider, book, store, run).all(wanted))


class _Dispatch:
    def __init__(self, provider: Provider, book: Ledger, store: TakeStore, run: str) -> None:
        self._provider = provider
        self._book = book
        self._store = store
        self._run = run
        self._realm = provider.realm()

    async def all(self, wanted: Sequence[Wanted]) -> list[Outcome]:
        known = self._book.takes(self._realm, [one.recipe.sha256 for one in wanted])
        outcomes = []
        async with httpx.AsyncClient(
            transport=self._provider.transport(), timeout=TIMEOUT_S, follow_redirects=False
        ) as client:
            for one in wanted:
                take = known.get(one.recipe.sha256)
                if take is not None and take.state == TakeState.DONE:
                    outcomes.append(Outcome(take=take, bought=False))
                else:
                    outcomes.append(await self._one(one, client))
        return outcomes

    async def _one(self, wanted: Wanted, client: httpx.AsyncClient) -> Outcome:
        take = _fresh(wanted.recipe, self._realm, self._provider)
        try:
            # read before the intent: a photo that has gone since the plan must not cost anything
            order = _order(wanted)
        except ChangedReferenceError as error:
            return Outcome(
                take=replace(take, state=TakeState.REFUSED, reason=str(error), billed=False),
                bought=False,
            )
        price = self._provider.usd_per_image
        if not self._book.intend(take, run=self._run, price_usd=price):
            return self._outcome(take)
        request = self._provider.submit(order)
        self._book.step(take, TakeState.SENT, run=self._run)
        try:
            reply = self._provider.submitted(await client.send(request))
        except httpx.HTTPError as error:
            reason = f"no answer: {type(error).__name__}"
            self._book.step(take, TakeState.UNKNOWN, run=self._run, reason=reason)
            return self._outcome(take)
        try:
            return self._keep(take, reply)
        except IllegalStepError:
            # another run drew the same proof meanwhile and was first: theirs is as good
            outcome = self._outcome(take)
            if outcome.take.state is not TakeState.DONE:
                raise
            return outcome

    def _keep(self, take: Take, reply: Reply) -> Outcome:
        """Write down what the answer means, the bytes first."""
        match reply:
            case Done(images=images, seed=seed, cost_usd=cost):
                data = images[0].data or b""
                found = whole_image(data)
                if isinstance(found, str):
                    self._step(take, TakeState.FAILED, reason=found, billed=True)
                    return self._outcome(take)
                self._step(
                    take,
                    TakeState.DONE,
                    sha256=self._store.put(data),
                    bytes=len(data),
                    width=found.width,
                    height=found.height,
                    format=found.format,
                    seed=take.seed if seed is None else seed,
                    cost_usd=self._provider.usd_per_image if cost is None else cost,
                    cost_from="price" if cost is None else "answer",
                )
                return self._outcome(take, bought=True)
            case Refused(kind=kind, words=words, billed=billed):
                state = TakeState.FAILED if billed else TakeState.REFUSED
                self._step(take, state, reason=f"{kind}: {words}", billed=billed)
            case Accepted(job=job):
                self._step(take, TakeState.ACCEPTED, host_task_id=job)
            case Running():
                self._step(take, TakeState.UNKNOWN, reason="the host named no task")
        return self._outcome(take)

    def _step(self, take: Take, state: TakeState, **facts: Any) -> None:
        self._book.step(take, state, run=self._run, **facts)

    def _outcome(self, take: Take, *, bought: bool = False) -> Outcome:
        return Outcome(
            take=self._book.takes(self._realm, [take.recipe])[take.recipe], bought=bought
        )


class ChangedReferenceError(Exception):
    """A reference is no longer what the plan saw."""


def _order(wanted: Wanted) -> Order:
    references = []
    for reference in wanted.references:
        try:
            data = read_bytes(reference.location)
        except EnvironmentFault as error:
            raise ChangedReferenceError(str(error)) from error
        if hashlib.sha256(data).hexdigest() != reference.sha256:
            raise ChangedReferenceError(
                f"{reference.shown}: changed while the run went on; run again to plan anew"
            )
        references.append((reference, data))
    width, height = master_size(ratio_of(wanted.recipe.ratio), wanted.recipe.tier)
    return Order(recipe=wanted.recipe, width=width, height=height, references=tuple(references))


def _fresh(recipe: Recipe, realm: Realm, provider: Provider) -> Take:
    return Take(
        recipe=recipe.sha256,
        realm=realm,
        state=TakeState.INTENDED,
        provider=provider.name,
        model=provider.model,
        seed=recipe.seed,
    )
