"""A run's beginning and end, and who watches it."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.errors import ShotlistError
from flows.jobs.job import Bench, Job, Progress, Request
from flows.jobs.leaving import refuse_emptying
from flows.jobs.prepare import prepare
from flows.ledger import Ledger, TakeStore, open_ledger
from flows.ledger.ledger import now

WORKERS = os.cpu_count() or 2
"""Drawing, decoding and encoding release the interpreter's lock: one thread a core."""

OLD_S = 24 * 3600.0

_planned: dict[Request, Job] = {}
_watcher: list[Callable[[Progress], None]] = []


class Desk:
    """What the makers of one run share in one process: who watches, and whether to go on."""

    def __init__(self, watcher: Callable[[Progress], None] | None = None) -> None:
        self._watcher = watcher
        self._turn = threading.Condition()
        self._at_work = 0
        self._stopped = False

    def tell(self, progress: Progress) -> None:
        if self._watcher is not None:
            with self._turn:
                self._watcher(progress)

    def is_stopped(self) -> bool:
        return self._stopped

    @contextmanager
    def seat(self) -> Iterator[Desk]:
        """Taken while a batch is made."""
        with self._turn:
            self._at_work += 1
        try:
            yield self
        finally:
            with self._turn:
                self._at_work -= 1
                self._turn.notify_all()

    def stop(self) -> None:
        """Begin nothing more, and wait until what runs is settled."""
        self._stopped = True
        with self._turn:
            self._turn.wait_for(lambda: self._at_work == 0)


_desks: dict[str, Desk] = {}


def entrust(job: Job, watcher: Callable[[Progress], None] | None = None) -> None:
    """Give the flow a job that was planned in this process, so that it is not planned twice."""
    _planned[job.request] = job
    _watcher[:] = [watcher] if watcher is not None else []


def planned(request: Request) -> Job:
    """The job of a request: handed over, or planned now (a run started from elsewhere).

    Who hands a job over has asked about what it retires; of one that is planned here nobody can be.

    Raises:
        BadInput: as `prepare`, or the catalogue would take away more than may go unasked.
        EnvironmentFault: as `prepare`.

    """
    if (job := _planned.pop(request, None)) is None:
        job = prepare(request)
        refuse_emptying(job)
    return job


def desk(run: str) -> Desk:
    """The run's desk in this process; in another process than the flow's nobody watches."""
    return _desks.get(run) or Desk()


def ready(job: Job) -> None:
    """Ask destination, take store and ledger whether they can be written, before money moves.

    Raises:
        EnvironmentFault: one of them cannot.

    """
    job.place.probe()
    TakeStore(job.settings.takes_url).place.probe()
    open_ledger(job.settings.ledger_url).close()


@contextmanager
def begun(job: Job) -> Iterator[Bench]:
    """Write the run into the ledger, and how it ended when it ends."""
    run = f"{now()[:19].replace('-', '').replace(':', '')}-{secrets.token_hex(3)}"
    settings = job.settings
    staging = settings.staging / run
    _clear_old(settings.staging)
    own = _desks[run] = Desk(_watcher[0] if _watcher else None)
    with open_ledger(settings.ledger_url) as book:
        started = book.begin_run(
            run,
            campaign=job.campaign.campaign,
            realm=job.realm,
            spec_sha256=job.reading.spec_sha256,
            destination=job.place.shown,
        )
        _remember_plan(book, job)
    outcome, fault = "interrupted", ""
    try:
        yield Bench(
            run=run,
            started_at=started,
            realm=job.realm,
            ledger_url=settings.ledger_url,
            takes_url=settings.takes_url,
            staging=staging,
            campaign=job.campaign,
            brand=job.reading.brand,
            signing=settings.signing,
        )
        outcome = "ended"
    except ShotlistError as error:
        fault = str(error).partition("\n")[0]
        raise
    finally:
        # before the staging goes: whoever is at work still writes there
        own.stop()
        with open_ledger(settings.ledger_url) as book:
            book.end_run(run, outcome)
            if fault:
                book.tell_run(run, fault)
        shutil.rmtree(staging, ignore_errors=True)


def tell(bench: Bench, told: str) -> None:
    """Write into the ledger what became of the run, in a line."""
    with open_ledger(bench.ledger_url) as book:
        book.tell_run(bench.run, told)


def _clear_old(staging: Path) -> None:
    """Files of runs that were killed more than a day ago: nobody is at work on them."""
    if not staging.is_dir():
        return
    for folder in staging.iterdir():
        if time.time() - folder.stat().st_mtime > OLD_S:
            shutil.rmtree(folder, ignore_errors=True)


def _remember_plan(book: Ledger, job: Job) -> None:
    """What this run sets out to make, and what left; with `--only` the rest stays as it was."""
    partial = bool(job.request.only)
    chosen = {work.shot.shot_id for work in job.work} | set(job.kept)
    book.plan_shots(
        job.campaign.campaign,
        job.realm,
        {
            shot.shot_id: [recipe.sha256 for recipe in shot.recipes]
            for shot in job.shot_list.shots
            if not partial or shot.shot_id in chosen
        },
        job.retired_ids,
    )
