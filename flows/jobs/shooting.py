"""Shooting: the takes of all batches, each batch handed on as soon as its takes are settled."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flows import providers
from flows.jobs import budget
from flows.jobs.job import Batch, Bench, Job, Progress
from flows.jobs.receiving import received
from flows.ledger import Ledger, TakeStore, open_ledger
from flows.nouns.recipe import Recipe
from flows.nouns.shot import Shot
from flows.shoot import Outcome, Wanted, shoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A batch and what became of its takes, by recipe; plain values, so that it travels.

    A shot of which a softened take was used has that one's recipe. `fresh` are the recipes that
    were bought in this run and count for this batch: a take that two products share is counted
    once.
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
            recipe.sha256: Wanted(
                recipe=recipe,
                references=work.shot.references,
                softer=job.shot_list.softer.get(recipe.sha256),
            )
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
            moderation=job.campaign.moderation,
        )
        try:
            for outcome in settled:
                recipe = outcome.wanted
                outcomes[recipe] = outcome
                if outcome.bought:
                    counted.setdefault(waiting[recipe][0], set()).add(outcome.take.recipe)
                    tell(Progress(takes=1, usd=float(outcome.take.cost_usd or 0)))
                for number in waiting[recipe]:
                    left[number].discard(recipe)
                    if not left[number]:
                        fresh = counted.get(number, set())
                        yield _batch(batches[number], job.shot_list.softer, outcomes, fresh)
        finally:
            settled.close()
            _remember(job, book, batches, outcomes)


def _remember(
    job: Job, book: Ledger, batches: Sequence[Batch], outcomes: Mapping[str, Outcome]
) -> None:
    """Write down for which shots softened takes were bought, so that a person can name them."""
    if not any(outcome.softened_from for outcome in outcomes.values()):
        return
    shots = [work.shot for batch in batches for work in batch.work]
    made = {shot.shot_id: _as_made(shot, job.shot_list.softer, outcomes) for shot in shots}
    book.plan_shots(
        job.campaign.campaign,
        job.realm,
        {
            shot.shot_id: [recipe.sha256 for recipe in made[shot.shot_id].recipes]
            for shot in shots
            if made[shot.shot_id] is not shot
        },
        (),
    )


def _batch(
    batch: Batch,
    softer: Mapping[str, Recipe],
    outcomes: Mapping[str, Outcome],
    fresh: set[str],
) -> Taken:
    work = tuple(replace(one, shot=_as_made(one.shot, softer, outcomes)) for one in batch.work)
    return Taken(
        batch=replace(batch, work=work),
        outcomes={
            made.sha256: outcomes[recipe.sha256]
            for before, after in zip(batch.work, work, strict=True)
            for recipe, made in zip(before.shot.recipes, after.shot.recipes, strict=True)
        },
        fresh=frozenset(fresh),
    )


def _as_made(shot: Shot, softer: Mapping[str, Recipe], outcomes: Mapping[str, Outcome]) -> Shot:
    """The shot with the recipes of its takes, softened where the softened one was used."""
    recipes = tuple(
        softer[recipe.sha256]
        if (outcome := outcomes.get(recipe.sha256)) is not None and outcome.softened_from
        else recipe
        for recipe in shot.recipes
    )
    if recipes == shot.recipes:
        return shot
    return replace(shot, recipes=recipes, prompt=recipes[0].prompt)
