"""Make one batch: take what is missing, cut the files, lay them ready for publishing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from flows import __version__, finish
from flows.errors import ShotlistError
from flows.jobs import lineage
from flows.jobs.job import Bench, Progress, Work
from flows.jobs.looks import Looks
from flows.jobs.rows import rendition_row, take_row
from flows.jobs.shooting import Taken
from flows.ledger import TakeStore
from flows.nouns.hashed_path import filled, shown
from flows.nouns.rendition import FailureRow, RenditionRow, TakeRow
from flows.nouns.shot import Shot
from flows.nouns.take import Realm, Take, TakeState
from flows.shoot import Outcome
from flows.storage import read_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of a batch. `rows` lie in staging under their sha256 until they are published."""

    rows: list[RenditionRow] = field(default_factory=list)
    takes: list[TakeRow] = field(default_factory=list)
    failures: list[FailureRow] = field(default_factory=list)
    made_ids: list[str] = field(default_factory=list)
    fresh_ids: list[str] = field(default_factory=list)
    """Shots for which a take was bought or drawn in this run."""
    stops: list[str] = field(default_factory=list)
    """Why shots were not even tried: `account`, `budget`."""
    remarks: list[str] = field(default_factory=list)
    """What a person should know of takes that are done."""
    bought: int = 0


def make(
    taken: Taken,
    bench: Bench,
    *,
    tell: Callable[[Progress], None],
    is_stopped: Callable[[], bool],
) -> Made:
    """Cut the files of a batch until it is stopped. A fault stays its shot's."""
    made = Made(bought=len(taken.fresh))
    store = TakeStore(bench.takes_url)
    looks = Looks(
        bench.campaign,
        bench.realm,
        brand=bench.brand,
        signing=bench.signing,
        read=lru_cache(maxsize=8)(read_bytes),
    )
    works = taken.batch.work
    for index, work in enumerate(works):
        if is_stopped():
            break
        _make_one(work, taken, bench, store, looks, made)
        tell(Progress(files=sum(row["shot_id"] == work.shot.shot_id for row in made.rows)))
        rest = works[index + 1 :]
        is_last = not rest or rest[0].shot.product.key != work.shot.product.key
        tell(Progress(shots=1, products=int(is_last)))
    return made


def _make_one(
    work: Work, taken: Taken, bench: Bench, store: TakeStore, looks: Looks, made: Made
) -> None:
    outcomes = [taken.outcomes[recipe.sha256] for recipe in work.shot.recipes]
    if any(outcome.take.recipe in taken.fresh for outcome in outcomes):
        made.fresh_ids.append(work.shot.shot_id)
    takes = {outcome.take.recipe: outcome.take for outcome in outcomes}
    made.stops.extend(outcome.stopped for outcome in outcomes if outcome.stopped)
    made.remarks.extend(
        f"{work.shot.shot_id}: {outcome.note}" for outcome in outcomes if outcome.note
    )
    try:
        rows, used = _files(work, bench, takes, store, looks, made)
    except Exception as error:  # noqa: BLE001 - around one shot: its fault stays its own
        said = str(error) if isinstance(error, ShotlistError) else repr(error)
        made.failures.append(
            FailureRow(
                shot_id=work.shot.shot_id,
                stage="finish",
                reason=said,
                provider=None,
                billed=None,
            )
        )
        return
    made.rows.extend(rows)
    made.takes.extend(used)
    if rows:
        made.made_ids.append(work.shot.shot_id)
        return
    failed = [one for one in outcomes if one.take.state is not TakeState.DONE]
    made.failures.extend(_failure(work.shot, outcome) for outcome in failed[:1])


def _files(
    work: Work,
    bench: Bench,
    takes: dict[str, Take],
    store: TakeStore,
    looks: Looks,
    made: Made,
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
            look=looks.of(shot),
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
            if file.faults:
                made.failures.append(_turned_back(shot, path, file.faults))
                continue
            sha256 = hashlib.sha256(file.data).hexdigest()
            (bench.staging / sha256).write_bytes(file.data)
            made_from = lineage.made_from(
                out.take,
                output,
                form,
                path,
                said,
                campaign=campaign,
                source=source,
                look=looks.digest(shot, output),
            )
            rows.append(
                rendition_row(
                    shot,
                    out,
                    output,
                    file,
                    path=filled(path, sha256),
                    sha256=sha256,
                    source=source,
                    made_from=made_from,
                )
            )
        used.append(take_row(shot, out.take))
    return rows, used


def _turned_back(shot: Shot, path: str, faults: Sequence[str]) -> FailureRow:
    """A file that is not what it shall be: the shot's others go out."""
    reason = f"{shown(path)} is not published: {'; '.join(faults)}"
    return FailureRow(shot_id=shot.shot_id, stage="gate", reason=reason, provider=None, billed=None)


def _failure(shot: Shot, outcome: Outcome) -> FailureRow:
    take = outcome.take
    is_parked = take.state in _PARKED
    return FailureRow(
        shot_id=shot.shot_id,
        stage="parked" if is_parked else outcome.stopped or "shoot",
        reason=_parked(take) if is_parked else _ended(shot, take),
        provider=take.provider,
        billed=take.billed,
    )


_PARKED = frozenset({TakeState.SENT, TakeState.ACCEPTED, TakeState.SUCCEEDED, TakeState.UNKNOWN})


def _ended(shot: Shot, take: Take) -> str:
    match take.state:
        case TakeState.INTENDED if take.intended_by and not take.reason:
            return f"run {take.intended_by} is at work on it, or was until a minute ago: run again"
        case TakeState.LOST if take.billed:
            paid = take.price_usd if take.cost_usd is None else take.cost_usd
            price = f"${paid:.4f} was paid" if paid is not None else "it was paid for"
            said = take.reason or "its bytes are lost"
            return (
                f"{said}; {price} at {take.provider}, and "
                f"`shotlist retake {shot.shot_id}` has it bought again"
            )
        case _:
            return take.reason or f"the take is {take.state}"


def _parked(take: Take) -> str:
    """What a person must know to decide about a purchase that brought nothing yet."""
    price = f"${take.price_usd:.4f}" if take.price_usd is not None else "a price that is not known"
    match take.state:
        case TakeState.ACCEPTED | TakeState.SUCCEEDED:
            said = take.reason or "not brought yet"
            return f"bought for {price} at {take.provider} and {said}; the next run goes on with it"
        case _:
            said = take.reason or "sent, and no answer was seen"
            return (
                f"{said}: it may have been bought for {price} at {take.provider}; check there, "
                f"then `shotlist settle {take.recipe[:12]} --lost` or `--found URL`"
            )
