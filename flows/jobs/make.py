"""Make one batch: take what is missing, cut the files, lay them ready for publishing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flows import __version__, finish, shoot
from flows.errors import ShotlistError
from flows.jobs import lineage
from flows.jobs.job import Batch, Bench, Work
from flows.ledger import Ledger, TakeStore, open_ledger
from flows.nouns.rendition import FailureRow, RenditionRow, TakeRow
from flows.nouns.shot import Shot
from flows.nouns.take import Realm, Take, TakeState
from flows.providers import Provider, provider
from flows.shoot import Outcome, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of a batch. `rows` lie in staging under their sha256 until they are published."""

    rows: list[RenditionRow] = field(default_factory=list)
    takes: list[TakeRow] = field(default_factory=list)
    failures: list[FailureRow] = field(default_factory=list)
    made_ids: list[str] = field(default_factory=list)
    fresh_ids: list[str] = field(default_factory=list)
    """Shots for which a take was bought or drawn in this run."""
    bought: int = 0
    spent_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step that a person may watch: so many takes, files, shots, products more."""

    products: int = 0
    takes: int = 0
    files: int = 0
    shots: int = 0
    usd: float = 0.0


_one_recipe_at_a_time: dict[str, threading.Lock] = {}
_guard = threading.Lock()


def make(
    batch: Batch,
    bench: Bench,
    *,
    tell: Callable[[Progress], None],
    is_stopped: Callable[[], bool],
) -> Made:
    """Take, check, finish: all shots of a batch until it is stopped. A fault stays its shot's."""
    made = Made()
    bought = spent = 0.0
    host = provider(bench.provider)
    with open_ledger(bench.ledger_url) as book:
        store = TakeStore(bench.takes_url)
        for index, work in enumerate(batch.work):
            if is_stopped():
                break
            failures: list[FailureRow] = []
            stage = "shoot"
            try:
                outcomes = _takes(work, bench, host, book, store)
                for outcome in outcomes:
                    if outcome.bought:
                        cost = float(outcome.take.cost_usd or 0)
                        bought, spent = bought + 1, spent + cost
                        tell(Progress(takes=1, usd=cost))
                if any(outcome.bought for outcome in outcomes):
                    made.fresh_ids.append(work.shot.shot_id)
                failures += [
                    _failure(work.shot, outcome.take)
                    for outcome in outcomes
                    if outcome.take.state != TakeState.DONE
                ]
                stage = "finish"
                takes = {outcome.take.recipe: outcome.take for outcome in outcomes}
                rows, used = _files(work, bench, takes, store)
            except Exception as error:  # noqa: BLE001 - around one shot: its fault stays its own
                said = str(error) if isinstance(error, ShotlistError) else repr(error)
                made.failures.append(
                    FailureRow(
                        shot_id=work.shot.shot_id,
                        stage=stage,
                        reason=said,
                        provider=None,
                        billed=None,
                    )
                )
            else:
                made.rows.extend(rows)
                made.takes.extend(used)
                if rows:
                    made.made_ids.append(work.shot.shot_id)
                else:
                    made.failures.extend(failures[:1])
                tell(Progress(files=len(rows)))
            rest = batch.work[index + 1 :]
            is_last = not rest or rest[0].shot.product.key != work.shot.product.key
            tell(Progress(shots=1, products=int(is_last)))
    return Made(
        rows=made.rows,
        takes=made.takes,
        failures=made.failures,
        made_ids=made.made_ids,
        fresh_ids=made.fresh_ids,
        bought=int(bought),
        spent_usd=spent,
    )


def _takes(
    work: Work, bench: Bench, host: Provider, book: Ledger, store: TakeStore
) -> Sequence[Outcome]:
    wanted = [
        Wanted(recipe=recipe, references=work.shot.references) for recipe in work.shot.recipes
    ]
    # two products may share a recipe: the second waits for the first instead of missing its take
    locks = [_lock_of(one.recipe.sha256) for one in sorted(wanted, key=lambda w: w.recipe.sha256)]
    for lock in locks:
        lock.acquire()
    try:
        outcomes = shoot.shoot(wanted, provider=host, book=book, store=store, run=bench.run)
        if bench.realm is Realm.PROOF and book.forget_proofs(_broken(outcomes, store)):
            # what costs nothing is drawn again; a bought take is never given up so lightly
            return shoot.shoot(wanted, provider=host, book=book, store=store, run=bench.run)
        return outcomes
    finally:
        for lock in reversed(locks):
            lock.release()


def _broken(outcomes: Sequence[Outcome], store: TakeStore) -> list[str]:
    """The recipes of takes that are done and whose bytes are gone or damaged."""
    return [
        outcome.take.recipe
        for outcome in outcomes
        if outcome.take.sha256 and not outcome.bought and not store.holds(outcome.take.sha256)
    ]


def _lock_of(recipe: str) -> threading.Lock:
    with _guard:
        return _one_recipe_at_a_time.setdefault(recipe, threading.Lock())


def _files(
    work: Work, bench: Bench, takes: dict[str, Take], store: TakeStore
) -> tuple[list[RenditionRow], list[TakeRow]]:
    shot, campaign = work.shot, bench.campaign
    said = lineage.words(shot, campaign, bench.realm)
    source = lineage.source_type(shot, bench.realm)
    rows: list[RenditionRow] = []
    used: list[TakeRow] = []
    bench.staging.mkdir(parents=True, exist_ok=True)
    for out in lineage.published(
        shot, work.paths, takes, every_take=campaign.publish.takes == "all"
    ):
        digest = out.take.sha256 or ""
        renditions = finish.renditions(
            store.get(digest),
            shot.outputs,
            finish=campaign.finish,
            words=said,
            source_type=source,
            lineage=finish.Lineage(
                document_id=digest,
                software=f"Shotlist {__version__}",
                system=None if bench.realm is Realm.PROOF else "Seedream",
                system_version=None if bench.realm is Realm.PROOF else out.recipe.model,
                created="",
            ),
        )
        for (output, form, path), file in zip(out.files, renditions, strict=True):
            sha256 = hashlib.sha256(file.data).hexdigest()
            (bench.staging / sha256).write_bytes(file.data)
            rows.append(
                RenditionRow(
                    path=path,
                    url=None,
                    sha256=sha256,
                    bytes=len(file.data),
                    width=file.width,
                    height=file.height,
                    format=form,
                    name=output.name,
                    channel=output.channel,
                    shot_id=shot.shot_id,
                    product=shot.product.key,
                    variant=shot.variant,
                    locale=shot.locale,
                    aspect_ratio=output.aspect_ratio,
                    take=out.recipe.take,
                    recipe=out.recipe.sha256,
                    prompt=shot.prompt,
                    alt=shot.alt,
                    tags=list(shot.tags),
                    digital_source_type=source,
                    stale=False,
                    made_from=lineage.made_from(
                        out.take, output, form, path, said, campaign=campaign, source=source
                    ),
                    notes=list(file.notes),
                )
            )
        used.append(_take_row(shot, out.take))
    return rows, used


def _take_row(shot: Shot, take: Take) -> TakeRow:
    return TakeRow(
        recipe=take.recipe,
        shot_ids=[shot.shot_id],
        provider=take.provider,
        model=take.model,
        host_task_id=take.host_task_id,
        seed=take.seed,
        cost_usd=None if take.cost_usd is None else float(take.cost_usd),
        cost_from=take.cost_from,
        sha256=take.sha256 or "",
        width=take.width or 0,
        height=take.height or 0,
        references=[
            {"role": one.role, "from": one.shown, "sha256": one.sha256} for one in shot.references
        ],
        created_at=take.created_at,
    )


def _failure(shot: Shot, take: Take) -> FailureRow:
    parked = take.state in {TakeState.SENT, TakeState.ACCEPTED, TakeState.UNKNOWN}
    return FailureRow(
        shot_id=shot.shot_id,
        stage="parked" if parked else "shoot",
        reason=take.reason or f"the take is {take.state}",
        provider=take.provider,
        billed=take.billed,
    )
