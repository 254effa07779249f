"""Publishing again: the files of takes that are there, without buying or drawing any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from flows.errors import BadInput, Fault
from flows.jobs.close import Summary, close, nothing_to_do
from flows.jobs.job import Batch, Job, Request
from flows.jobs.leaving import refuse_emptying
from flows.jobs.make import Made, make
from flows.jobs.prepare import prepare
from flows.jobs.running import WORKERS, begun, desk, ready
from flows.jobs.shooting import Taken
from flows.ledger import open_ledger
from flows.nouns.recipe import Recipe
from flows.nouns.take import Realm, Take, TakeState
from flows.shoot import Outcome

MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """How publishing ended, and the shots that no take is there for."""

    summary: Summary
    without_take: tuple[str, ...]


def publish(request: Request, allow: Callable[[Job], object] = refuse_emptying) -> Published:
    """Cut the files that are missing at the destination from takes that the ledger has.

    A shot without a take stays there as it was, as a run with `--only` would leave it. `allow`
    raises where the job may not be done: here, where the catalogue takes away too much.

    Raises:
        BadInput: spec, catalogue, templates, references or options cannot be used.
        EnvironmentFault: ledger or destination cannot be used.

    """
    job = prepare(request)
    allow(job)
    takes = _takes(job)
    wanted = [work for work in job.work if any(one.sha256 in takes for one in work.shot.recipes)]
    chosen = {work.shot.shot_id for work in wanted}
    without = tuple(work.shot.shot_id for work in job.work if work.shot.shot_id not in chosen)
    # what is left out is not planned either: the ledger keeps what it knew of it
    part = replace(job, work=wanted, request=replace(request, only=request.only or ("*",)))
    if not wanted and (job.is_done or job.former is None):
        return Published(summary=_nothing(job), without_take=without)
    ready(part)
    with begun(part) as bench, ThreadPoolExecutor(WORKERS) as pool:
        watch = desk(bench.run)

        def cut(batch: Batch) -> Made:
            return make(_taken(batch, takes), bench, tell=watch.tell, is_stopped=watch.is_stopped)

        made = list(pool.map(cut, part.batches()))
        return Published(summary=close(part, bench, made), without_take=without)


def told(without: Sequence[str]) -> str:
    """The shots that no take is there for, in a line."""
    named = ", ".join(without[:MOST_NAMED])
    more = f" and {len(without) - MOST_NAMED:,} more" if len(without) > MOST_NAMED else ""
    return f"no take is there for {named}{more}; `shotlist run` makes them"


def _takes(job: Job) -> Mapping[str, Take]:
    """Takes of the shots that are left to do, by recipe, whose bytes are in the store."""
    recipes = [recipe.sha256 for work in job.work for recipe in work.shot.recipes]
    if not recipes or not job.settings.ledger_is_there():
        return {}
    with open_ledger(job.settings.ledger_url) as book:
        found = book.takes(job.realm, recipes)
    return {recipe: take for recipe, take in found.items() if take.state is TakeState.DONE}


def _taken(batch: Batch, takes: Mapping[str, Take]) -> Taken:
    recipes = [recipe for work in batch.work for recipe in work.shot.recipes]
    return Taken(
        batch=batch,
        outcomes={one.sha256: Outcome(take=takes.get(one.sha256) or _none(one)) for one in recipes},
    )


def _none(recipe: Recipe) -> Take:
    """One of several candidates that is not there: the others go out."""
    return Take(
        recipe=recipe.sha256,
        realm=Realm.PROOF,
        state=TakeState.CANCELLED,
        provider="",
        model=recipe.model,
    )


def _nothing(job: Job) -> Summary:
    if job.is_done:
        return nothing_to_do(job)
    raise BadInput(
        f"{job.request.spec} has nothing to publish",
        [
            Fault(
                str(job.place.shown),
                f"the ledger has no take of its shots in the realm {job.realm}",
                remedy="make them with `shotlist run`",
            )
        ],
    )
