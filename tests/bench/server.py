"""A sandbox in a process of its own: `python -m tests.bench.server '{"speed": 10, ...}'`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from flows import sandbox
from flows.sandbox.hosts import eachlabs
from flows.sandbox.jobs import WAITS_IN_LINE
from flows.sandbox.limits import Limits, Window
from tests.bench import beside

HOST, KEY = "eachlabs", "sandbox-bench"
SIDE = 576
"""Pixels of a picture's side: small, since drawing is as slow on a fast clock as on any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One account of one host. Times in sandbox seconds; `speed` of them in a real one."""

    speed: float
    cv: float = 0.3
    mean_s: float = 20.0
    amount: int | None = 100
    per_s: float = 60.0
    running: int | None = 10
    seed: int = 0


@dataclass(slots=True)
class Seen:
    """What the server saw, filled when it has ended."""

    began: float = 0.0
    """When its first create came, by the machine's clock."""
    took_s: list[float] = field(default_factory=list)
    """What each job needed, in the order of their creation, in sandbox seconds."""
    bill: dict[str, Any] = field(default_factory=dict)

    @property
    def too_many(self) -> int:
        """Requests that found a window or all places full, each answered by 429."""
        return int(self.bill["over_limit"])


@contextmanager
def serving(world: World) -> Iterator[tuple[str, Callable[[], Seen]]]:
    """Its address, and what ends it and tells what it saw."""
    with beside.serving("tests.bench.server", json.dumps(asdict(world))) as (url, ended):
        yield url, lambda: Seen(**ended())


def _serve(world: World) -> None:
    for name in eachlabs.SIZES:
        eachlabs.SIZES[name] = (SIDE, SIDE)
    windows = () if world.amount is None else (Window(most=world.amount, per_s=world.per_s),)
    # a job waits in line for a tenth of what it then runs: the mean is of both together
    mean_s = world.mean_s / (1 + WAITS_IN_LINE)
    with sandbox.started(
        speed=world.speed,
        speaking=[eachlabs],
        form="present",
        limits={HOST: Limits(windows=windows, running=world.running)},
        latencies={HOST: (mean_s, world.cv)},
        seed=world.seed,
    ) as running:
        sys.stdout.write(f"{running.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
        desk = running.world.desks[HOST]
        jobs = desk.jobs.of(KEY)[::-1]
        seen = Seen(
            began=running.world.clock.wall(jobs[0].created_at) if jobs else 0.0,
            took_s=[one.latency_s * (1 + WAITS_IN_LINE) for one in jobs],
            bill=running.report()["hosts"][HOST],
        )
        sys.stdout.write(json.dumps(asdict(seen)))


if __name__ == "__main__":
    _serve(World(**json.loads(sys.argv[1])))
