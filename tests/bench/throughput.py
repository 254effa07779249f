"""(a) The share of the best possible throughput, ours beside the loops of today.

A share is the time that a client needs that knows each end at once and asks nothing (computed from
the latencies that this server drew), divided by the time from the first create at the server to
the last picture here. The latencies are the same for every row: they are drawn in the order of
creation from one seed. What a client computes and writes takes as long on a fast clock as on any:
a share at speed 10 pays for it ten times over.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from tests.bench import loops, ours, prefect_loops
from tests.bench.polling_model import CVS, Setting, scheduled, zero_delay_s
from tests.bench.server import Seen, World, serving

TAKES = 600
OURS_SPEED, LOOPS_SPEED, PREFECT_SPEED = 2.0, 4.0, 1.0
"""Ours and Prefect do work of their own between requests, which a fast clock makes dearer."""
LOOPS_TAKES, PREFECT_TAKES = 200, 60
PREFECT_CV = 0.3

Start = Callable[[World, str, Path], Sequence["subprocess.Popen[str]"]]
"""Starts the clients of a row against a world at an address, with a folder of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way to make takes, and the clock and the number that suit it."""

    name: str
    start: Start
    speed: float
    takes: int = TAKES
    cvs: tuple[float, ...] = CVS
    seed: int = 0
    """Of the latencies that the server draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of one row at one cv. `model` is what the polling model says of our schedule on
    the same latencies, with answers after a tenth of a second.
    """

    share: float
    model: float
    seen: Seen
    cpu_s: float
    not_done: list[str]

    @property
    def told(self) -> str:
        """In one cell of the table."""
        bill = self.seen.bill
        return (
            f"{self.share:.3f}  {self.seen.too_many:6} x 429  "
            f"{bill['requests'] - bill['asked'].get('link', 0):6} asked"
        )


def ours_row(
    told: ours.Told, *, processes: int = 1, speed: float = OURS_SPEED, seed: int = 0
) -> Row:
    """Our dispatcher; with several processes on one key and one ledger."""
    names = {"polls": "shotlist, polling", "list": "shotlist, list", "callbacks": "shotlist, calls"}

    def start(world: World, url: str, folder: Path) -> list[subprocess.Popen[str]]:
        whole = ours.errand(world, url, folder, last=TAKES, told=told)
        ends = [TAKES * number // processes for number in range(processes + 1)]
        return [
            ours.started(replace(whole, first=first, last=last)) for first, last in pairwise(ends)
        ]

    name = names[told] + (f", {processes} processes" if processes > 1 else "")
    name += f", seed {seed}" if seed else ""
    return Row(name=name, start=start, speed=speed, seed=seed)


def loop_row(kind: loops.Kind, *, takes: int = LOOPS_TAKES, speed: float = LOOPS_SPEED) -> Row:
    """A loop of today."""

    def start(world: World, url: str, folder: Path) -> list[subprocess.Popen[str]]:
        return [loops.started(loops.Loop(url=url, kind=kind, speed=world.speed, takes=takes))]

    name = f"loop, {kind}, {takes} takes"
    return Row(name=name, start=start, speed=speed, takes=takes)


def prefect_row(*, takes: int = PREFECT_TAKES, speed: float = PREFECT_SPEED) -> Row:
    """Prefect's mapped tasks under its global concurrency limit."""

    def start(world: World, url: str, folder: Path) -> list[subprocess.Popen[str]]:
        mapped = prefect_loops.Mapped(what="paced", url=url, speed=world.speed, takes=takes)
        return [prefect_loops.started(mapped)]

    name = f"Prefect's map, {takes} takes"
    return Row(name=name, start=start, speed=speed, takes=takes, cvs=(PREFECT_CV,))


def rows() -> list[Row]:
    """All rows of the table."""
    return [
        ours_row("polls"),
        ours_row("list"),
        ours_row("callbacks"),
        ours_row("polls", processes=2),
        ours_row("list", processes=2),
        loop_row("each second"),
        loop_row("growing"),
        prefect_row(),
    ]


def measured(row: Row) -> Iterator[tuple[float, Measured]]:
    """A row at its cvs, which run beside each other."""
    with ExitStack() as stack:
        under_way = []
        for cv in row.cvs:
            world = World(speed=row.speed, cv=cv, seed=row.seed)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            url, ended = stack.enter_context(serving(world))
            under_way.append((cv, ended, row.start(world, url, folder)))
        for cv, ended, processes in under_way:
            shots = [ours.ended(process) for process in processes]
            yield cv, _measured(row, ended(), shots)


def _measured(row: Row, seen: Seen, shots: Sequence[ours.Shot]) -> Measured:
    setting = Setting()
    makespan_s = (max(shot.ended for shot in shots) - seen.began) * row.speed
    share = zero_delay_s(setting, seen.took_s) / makespan_s
    return Measured(
        share=share,
        model=scheduled(setting, seen.took_s, declared_s=20.0)[0],
        seen=seen,
        cpu_s=sum(shot.cpu_s for shot in shots),
        not_done=[words for shot in shots for words in shot.not_done],
    )


def main(wanted: Sequence[Row] | None = None) -> None:
    """Print the table, row by row as they come."""
    say = sys.stdout.write
    say("(a) share of the best possible throughput; 100 requests a minute, 10 running, 20 s\n")
    for row in rows() if wanted is None else wanted:
        say(f"{row.name} (speed {row.speed:g})\n")
        for cv, found in measured(row):
            say(f"    cv {cv}  {found.told}  (model of polling {found.model:.3f})\n")
            bill = found.seen.bill
            peaks = bill["peak_per_window"], bill["peak_running"]
            say(f"            peaks {peaks}  client {found.cpu_s:.0f} s CPU  {bill['asked']}\n")
            for words in found.not_done:
                say(f"            not done: {words}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
