"""Shooting: the takes of all batches, each batch handed on as soon as its takes are settled."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

from flows import providers
from flows.jobs import budget
from flows.jobs.job import Batch, Bench, Job, Progress
from flows.jobs.receiving import received
from flows.ledger import TakeStore, open_ledger
from flows.shoot import Outcome, Wanted, shoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A batch and what became of its takes, by recipe; plain values, so that it travels.

    `fresh` are the recipes that were bought in this run and count for this batch: a take that two
    products share is counted once.
    """

    batch: Batch
    outcomes: Mapping[str, Outcome]
    fresh: frozenset[str] = field(default_factory=frozenset)


def taken(job: Job, bench: Bench, tell: Callable[[Progress], None]) -> Generator[Taken]:
    """Buy or draw what is missing. Closing the iterator stops buying; what was sent is settled."""
    batches = job.batches()
    wanted: dict[str, Wanted] = {}
    waiting: dict[str, list[int]] = {}
    left: list[set[str]] = []
    for number, batch in enumerate(batches):
        recipes = {
            recipe.sha256: Wanted(recipe=recipe, references=work.shot.references)
            for work in batch.work
            for recipe in work.shot.recipes
        }
        left.append(set(recipes))
        for sha256, one in recipes.items():
            wanted.setdefault(sha256, one)
            waiting.setdefault(sha256, []).append(number)
    outcomes: dict[str, Outcome] = {}
    counted: dict[int, set[str]] = {}
    hosts = [providers.opened(account) for account in job.accounts]
    with (
        open_ledger(bench.ledger_url) as book,
        received(job.settings.callback_url, hosts, book) as (callback, bell),
    ):
        settled = shoot(
            list(wanted.values()),
            hosts=hosts,
            callback=callback,
            bell=bell,
            policy=job.campaign.providers.policy,
            on_unknown=job.campaign.on_unknown,
            book=book,
            store=TakeStore(bench.takes_url),
            run=bench.run,
            cap_usd=budget.cap(job),
            spent_usd=budget.spent(job, book),
        )
        try:
            for outcome in settled:
                recipe = outcome.take.recipe
                outcomes[recipe] = outcome
                if outcome.bought:
                    counted.setdefault(waiting[recipe][0], set()).add(recipe)
                    tell(Progress(takes=1, usd=float(outcome.take.cost_usd or 0)))
                for number in waiting[recipe]:
                    left[number].discard(recipe)
                    if not left[number]:
                        yield _batch(batches[number], outcomes, counted.get(number, set()))
        finally:
            settled.close()


def _batch(batch: Batch, outcomes: Mapping[str, Outcome], fresh: set[str]) -> Taken:
    return Taken(
        batch=batch,
        outcomes={
            recipe.sha256: outcomes[recipe.sha256]
            for work in batch.work
            for recipe in work.shot.recipes
        },
        fresh=frozenset(fresh),
    )
