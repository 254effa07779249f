"""How a run is going: a live display on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.cli import terminal

if TYPE_CHECKING:
    from flows.jobs import Job, Progress

LINE_EVERY_S = 10.0
LEAST_S = 1.0
"""Over less a rate says nothing."""


@contextmanager
def watching(job: Job) -> Iterator[Callable[[Progress], None]]:
    """Hand out what the run tells its steps to."""
    console = terminal.console()
    if terminal.is_quiet():
        yield lambda _progress: None
    elif console.is_terminal:
        with _live(job) as watcher:
            yield watcher
    else:
        yield _lines(job)


class _Counts:
    def __init__(self, job: Job) -> None:
        self.shots_wanted = len(job.work)
        self.files_wanted = sum(len(work.paths) for work in job.work)
        self.products_wanted = len({work.shot.product.key for work in job.work})
        self.takes = self.files = self.shots = self.products = 0
        self.usd = 0.0
        self.first: tuple[float, int] | None = None
        """When the first shots came, and how many at once."""

    def add(self, progress: Progress) -> None:
        if self.first is None and progress.shots:
            self.first = (time.monotonic(), progress.shots)
        self.products += progress.products
        self.takes += progress.takes
        self.files += progress.files
        self.shots += progress.shots
        self.usd += progress.usd

    @property
    def per_s(self) -> float:
        """Shots a second since the first ones, once there is something to go by."""
        if self.first is None:
            return 0.0
        at, came = self.first
        spent = time.monotonic() - at
        return (self.shots - came) / spent if spent >= LEAST_S else 0.0

    @property
    def left_s(self) -> float | None:
        return (self.shots_wanted - self.shots) / self.per_s if self.per_s else None

    def __str__(self) -> str:
        text = (
            f"{self.products:,} of {terminal.counted(self.products_wanted, 'product')}, "
            f"{self.shots:,} of {terminal.counted(self.shots_wanted, 'shot')}, "
            f"{self.files:,} of {terminal.counted(self.files_wanted, 'file')}, "
            f"spent {terminal.money(self.usd)}"
        )
        if self.per_s:
            text += f", {self.per_s:.1f} shots/s, {terminal.duration(self.left_s)} left"
        return text


def _lines(job: Job) -> Callable[[Progress], None]:
    counts = _Counts(job)
    spoke = time.monotonic()
    terminal.say(
        f"making {terminal.counted(counts.shots_wanted, 'shot')} "
        f"({terminal.counted(counts.files_wanted, 'file')}); starting Prefect"
    )

    def watch(progress: Progress) -> None:
        nonlocal spoke
        counts.add(progress)
        is_time = time.monotonic() - spoke >= LINE_EVERY_S
        if progress.shots and (is_time or counts.shots == counts.shots_wanted):
            spoke = time.monotonic()
            terminal.say(str(counts))

    return watch


@contextmanager
def _live(job: Job) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
    )
    from rich.progress import (
        Progress as Display,
    )

    counts = _Counts(job)
    display = Display(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}", style="dim"),
        console=terminal.console(),
        transient=False,
    )
    with display:
        products = display.add_task("products", total=counts.products_wanted, said="")
        shots = display.add_task("shots", total=counts.shots_wanted, said="starting Prefect")
        files = display.add_task("files", total=counts.files_wanted, said="")

        def watch(progress: Progress) -> None:
            counts.add(progress)
            left = f", {terminal.duration(counts.left_s)} left" if counts.left_s else ""
            rate = f", {counts.per_s:.1f}/s" if counts.per_s else ""
            display.update(
                shots,
                completed=counts.shots,
                said=f"spent {terminal.money(counts.usd)}{rate}{left}",
            )
            display.update(products, completed=counts.products)
            display.update(files, completed=counts.files)

        yield watch
