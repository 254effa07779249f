"""(b) What a shot costs besides waiting: a host without latency and without limits.

Ours buys, follows, fetches, checks and writes down each take; beside it Prefect's mapped tasks that
send one plain request each. Both from the first create at the server to the last thing done here.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.bench import ours, prefect_loops
from tests.bench.server import World, serving

TAKES = 1000
AT_LEAST = 5.0
INSTANT = World(speed=1.0, mean_s=0.0, cv=0.0, amount=None, running=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How quickly shots were made."""

    per_s: float
    cpu_ms: float
    """Of the client's process, a shot."""


def ours_rate(*, takes: int = TAKES, told: ours.Told = "polls", profile: str = "") -> Rate:
    """Of `flows.shoot`, with a durable ledger on this machine's disk."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, serving(INSTANT) as (url, ended):
        errand = ours.errand(INSTANT, url, Path(folder), last=takes, told=told, profile=profile)
        shot = ours.ended(ours.started(errand))
        seen = ended()
    assert shot.done == takes, shot.not_done
    return Rate(per_s=takes / (shot.ended - seen.began), cpu_ms=1000 * shot.cpu_s / takes)


def prefect_rate(*, takes: int = TAKES) -> Rate:
    """Of Prefect's mapped tasks with one request each."""
    with serving(INSTANT) as (url, ended):
        mapped = prefect_loops.Mapped(what="calls", url=url, speed=1.0, takes=takes, at_once=25)
        shot = ours.ended(prefect_loops.started(mapped))
        seen = ended()
    assert seen.bill["creates"] == takes, seen.bill
    return Rate(per_s=takes / shot.wall_s, cpu_ms=1000 * shot.cpu_s / takes)


def main(*, takes: int = TAKES) -> None:
    """Print both rates and their ratio."""
    mine, theirs = ours_rate(takes=takes), prefect_rate(takes=takes)
    sys.stdout.write(
        f"(b) a host without latency, {takes} shots\n"
        f"    shotlist  {mine.per_s:7.1f} shots/s  {mine.cpu_ms:6.1f} ms CPU each\n"
        f"    Prefect   {theirs.per_s:7.1f} tasks/s  {theirs.cpu_ms:6.1f} ms CPU each\n"
        f"    ratio     {mine.per_s / theirs.per_s:7.1f}  (wanted: at least {AT_LEAST:g})\n"
    )


if __name__ == "__main__":
    main()
