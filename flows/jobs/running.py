"""A run's beginning and end, and who watches it."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flows.jobs.job import Bench, Job, Request
from flows.jobs.make import Progress
from flows.jobs.prepare import prepare
from flows.ledger import open_ledger
from flows.ledger.ledger import now
from flows.providers import provider

WORKERS = os.cpu_count() or 2
"""Drawing, decoding and encoding release the interpreter's lock: one thread a core."""

_planned: dict[Request, Job] = {}
_watchers: dict[str, Callable[[Progress], None]] = {}
_watcher: list[Callable[[Progress], None]] = []
_guard = threading.Lock()


def hand_over(job: Job, watcher: Callable[[Progress], None] | None = None) -> None:
    """Give the flow a job that was planned in this process, so that it is not planned twice."""
    _planned[job.request] = job
    _watcher[:] = [watcher] if watcher is not None else []


def planned(request: Request) -> Job:
    """The job of a request: handed over, or planned now (a run started from elsewhere)."""
    return _planned.pop(request, None) or prepare(request)


def tally(run: str) -> Callable[[Progress], None]:
    """Whoever watches this run in this process; in another process nobody does."""
    return _watchers.get(run, _nobody)


def _nobody(_progress: Progress) -> None:
    return


@contextmanager
def begun(job: Job) -> Iterator[Bench]:
    """Write the run into the ledger, and how it ended when it ends."""
    run = f"{now()[:19].replace('-', '').replace(':', '')}-{secrets.token_hex(3)}"
    settings, shots = job.settings, job.shot_list
    staging = settings.staging / run
    host = provider(job.provider)
    if _watcher:
        _watchers[run] = _locked(_watcher[0])
    with open_ledger(settings.ledger_url) as book:
        started = book.begin_run(
            run,
            campaign=job.campaign.campaign,
            realm=job.realm,
            spec_sha256=job.reading.spec_sha256,
            destination=job.place.url,
        )
        partial = bool(job.request.only)
        chosen = {work.shot.shot_id for work in job.work} | set(job.kept)
        book.plan_shots(
            job.campaign.campaign,
            job.realm,
            {
                shot.shot_id: [recipe.sha256 for recipe in shot.recipes]
                for shot in shots.shots
                if not partial or shot.shot_id in chosen
            },
            () if partial else job.retired_ids,
        )
    outcome = "interrupted"
    try:
        yield Bench(
            run=run,
            started_at=started,
            provider=host.name,
            realm=job.realm,
            ledger_url=settings.ledger_url,
            takes_url=settings.takes_url,
            staging=staging,
            campaign=job.campaign,
        )
        outcome = "ended"
    finally:
        _watchers.pop(run, None)
        with open_ledger(settings.ledger_url) as book:
            book.end_run(run, outcome)
        shutil.rmtree(staging, ignore_errors=True)


def _locked(watcher: Callable[[Progress], None]) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        with _guard:
            watcher(progress)

    return tell
