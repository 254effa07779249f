"""Publish what was made: files first, the manifest last, and say how the run ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from flows import __version__, publish
from flows.errors import EnvironmentFault, StoppedAtBudget
from flows.jobs import putting
from flows.jobs.drift import Drift, drifts
from flows.jobs.handing import handed
from flows.jobs.job import Bench, Job
from flows.jobs.make import Made
from flows.ledger import open_ledger
from flows.ledger.ledger import now
from flows.nouns.rendition import FailureRow, Manifest, RenditionRow, RunRow
from flows.storage import read_bytes, turn

MOST_REMARKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a run ended. Counts are of shots but for `files`, `made_files` and `bought` (takes)."""

    campaign: str
    realm: str
    run: str | None
    shots: int
    published: int
    files: int
    made_files: int
    bought: int
    kept: int
    """Shots that are published from takes that were there before this run."""
    retired: int
    spent_usd: float
    """What this run's purchases cost, those included that may be paid and brought nothing."""
    failures: list[FailureRow]
    stops: list[str]
    """Why shots were not even tried: `account`, `budget`."""
    remarks: list[str]
    """What a person should know of takes and files that were made: smaller than asked for,
    upscaled, over a channel's bytes."""
    drift: list[Drift]
    """Hosts whose answers named other costs than their price table."""
    manifest: str
    gallery: str

    @property
    def exit_code(self) -> int:
        """0: every wanted shot is published; 4: no account could make the rest; 3: the budget
        stopped it; 1: some failed or are parked.
        """
        if "account" in self.stops:
            return EnvironmentFault.exit_code
        if "budget" in self.stops:
            return StoppedAtBudget.exit_code
        return 1 if self.failures else 0

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "exit_code": self.exit_code}


def nothing_to_do(job: Job) -> Summary:
    """The summary of a job of which everything is there."""
    if job.former is None:
        msg = "a job without a manifest at its destination is never done"
        raise ValueError(msg)
    beside = handed(job, job.former).unlike(job.place)
    if beside.files or beside.gone:
        with turn(job.place):
            publish.claim(job.place, job.former)
            beside.write(job.place)
    return _summary(job, job.former, None, [], [], retired=0, told=beside.notes)


def close(job: Job, bench: Bench, made: Sequence[Made]) -> Summary:
    """Put the files where they belong and write the manifest that names them.

    Raises:
        EnvironmentFault: the destination cannot be written; the former manifest stays.

    """
    done = putting.put(job, bench, made)
    news = _news(job, bench, made)
    manifest = publish.merge(job.former, news)
    _address(manifest, job.campaign.publish.public_url)
    claimed = publish.claim(job.place, job.former)
    beside = handed(job, manifest)

    def settle() -> None:
        beside.unlike(job.place).write(job.place)
        # last: from here to the manifest a kill can tear what lies under former names
        putting.settle(job.place, done)

    publish.commit(
        job.place,
        manifest,
        shots=job.shot_list.shots,
        reference=_references(job),
        fresh=_fresh(bench, made),
        settle=settle,
        claimed=claimed,
        beside=sorted(beside.files),
    )
    putting.clear(job.place, done)
    return _summary(
        job,
        manifest,
        bench,
        made,
        list(news.failures),
        retired=news.run["retired"],
        spent=news.run["spent_usd"],
        told=[*done.notes, *beside.notes],
    )


def _news(job: Job, bench: Bench, made: Sequence[Made]) -> publish.News:
    """What the run knows of every wanted shot."""
    made_ids = {shot_id for one in made for shot_id in one.made_ids}
    gone = _gone(job, made_ids)
    failures = [failure for one in made for failure in one.failures]
    failures += [
        FailureRow(
            shot_id=shot_id,
            stage="publish",
            reason="a file of it is gone from the destination; run without --only",
            provider=None,
            billed=None,
        )
        for shot_id in dict.fromkeys(gone.values())
    ]
    shots = job.shot_list.shots
    wanted = {shot.shot_id: [recipe.sha256 for recipe in shot.recipes] for shot in shots}
    return publish.News(
        campaign=job.campaign.campaign,
        title=job.campaign.title or job.campaign.campaign,
        realm=job.realm.value,
        spec_sha256=job.reading.spec_sha256,
        run=_run(job, bench, made, published=made_ids | set(job.kept)),
        wanted={**wanted, **job.unseen},
        made=made_ids | set(job.kept),
        renditions=_in_plan_order(job, made),
        takes=[take for one in made for take in one.takes],
        failures=failures,
        gone=gone.keys(),
        outputs={
            shot.shot_id: {
                (output.name, form) for output in shot.outputs for form in output.formats
            }
            for shot in shots
        },
    )


def _run(job: Job, bench: Bench, made: Sequence[Made], *, published: Collection[str]) -> RunRow:
    with open_ledger(bench.ledger_url) as book:
        spent = float(book.spent(job.realm, run=bench.run))
    return RunRow(
        id=bench.run,
        started_at=bench.started_at,
        ended_at=now(),
        bought=sum(one.bought for one in made),
        kept=_kept(published, made),
        spent_usd=spent,
        retired=len({row["shot_id"] for row in _former_rows(job)} - _wanted_ids(job)),
        skipped_rows=[
            {"place": row.place, "product": row.product, "reason": row.reason}
            for row in job.shot_list.skipped
        ],
        notes=list(job.notes),
        version=__version__,
    )


def _gone(job: Job, made_ids: Collection[str]) -> dict[str, str]:
    """Former files, path to shot, that this run would carry on and that are not there."""
    staying = _wanted_ids(job) - set(made_ids) - set(job.kept)
    rows = [row for row in _former_rows(job) if row["shot_id"] in staying]
    lying = job.place.sizes() if rows else {}
    return {row["path"]: row["shot_id"] for row in rows if lying.get(row["path"]) != row["bytes"]}


def _kept(published: Collection[str], made: Sequence[Made]) -> int:
    return len(set(published) - {shot_id for one in made for shot_id in one.fresh_ids})


def _former_rows(job: Job) -> Sequence[RenditionRow]:
    return job.former["renditions"] if job.former is not None else ()


def _wanted_ids(job: Job) -> set[str]:
    return {shot.shot_id for shot in job.shot_list.shots} | job.unseen.keys()


def _in_plan_order(job: Job, made: Sequence[Made]) -> list[RenditionRow]:
    by_shot: dict[str, list[RenditionRow]] = {
        shot_id: list(rows) for shot_id, rows in job.kept.items()
    }
    for one in made:
        for row in one.rows:
            by_shot.setdefault(row["shot_id"], []).append(row)
    rows = [row for shot in job.shot_list.shots for row in by_shot.get(shot.shot_id, ())]
    for row in rows:
        row["stale"] = False
    return rows


def _address(manifest: Manifest, base: str | None) -> None:
    """Tell where files are for the public, those of former runs too: they all lie in one place."""
    for row in manifest["renditions"]:
        row["url"] = f"{base.rstrip('/')}/{quote(row['path'])}" if base else None


def _fresh(bench: Bench, made: Sequence[Made]) -> Callable[[str], bytes | None]:
    """The bytes of files that were made in this run: they need not be brought back."""
    ours = {row["sha256"] for one in made for row in one.rows}

    def look(sha256: str) -> bytes | None:
        return (bench.staging / sha256).read_bytes() if sha256 in ours else None

    return look


def _references(job: Job) -> Callable[[str], bytes | None]:
    where = {
        reference.sha256: reference.location
        for shot in job.shot_list.shots
        for reference in shot.references
    }

    def look(sha256: str) -> bytes | None:
        try:
            return read_bytes(where[sha256]) if sha256 in where else None
        except EnvironmentFault:
            # the gallery shows the others; the manifest names this one all the same
            return None

    return look


def _summary(
    job: Job,
    manifest: Manifest,
    bench: Bench | None,
    made: Sequence[Made],
    failures: list[FailureRow],
    *,
    retired: int,
    told: Sequence[str],
    spent: float = 0.0,
) -> Summary:
    totals: Mapping[str, int] = {
        "shots": manifest["totals"]["shots"],
        "published": manifest["totals"]["published"],
    }
    drift = drifts(job.accounts, made)
    return Summary(
        campaign=manifest["campaign"],
        realm=manifest["realm"],
        run=bench.run if bench is not None else None,
        shots=totals["shots"],
        published=totals["published"],
        files=len(manifest["renditions"]),
        made_files=sum(len(one.rows) for one in made),
        bought=sum(one.bought for one in made),
        kept=_kept({row["shot_id"] for row in manifest["renditions"]}, made),
        retired=retired,
        spent_usd=spent,
        failures=failures,
        stops=sorted({stop for one in made for stop in one.stops}),
        drift=drift,
        remarks=[
            *(one.told for one in drift),
            *told,
            *(remark for one in made for remark in one.remarks),
            *(
                f"{row['path']}: {note}"
                for one in made
                for row in one.rows
                for note in row["notes"]
            ),
        ][:MOST_REMARKS],
        manifest=job.place.full("manifest.json"),
        gallery=job.place.full("gallery.html"),
    )
