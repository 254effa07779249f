"""(b) What a shot costs besides waiting: a host without latency and without limits.

Ours buys, follows, fetches, checks and writes down each take, durably. Beside it Prefect's mapped
tasks, against Prefect's own server: what people write today (create, ask until it is done, fetch,
save to a file), and for comparison tasks that send one plain request each. All from the first
create at the host to the last thing done here.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.bench import instant, ours, prefect_loops

TAKES = 1000
AT_LEAST = 5.0
PLACES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What one process is to shoot. `paced`: within windows that never bind, and a number of
    places, all kept together with other processes on the ledger.
    """

    url: str
    folder: str
    takes: int
    paced: bool = False
    profile: str = ""
    """A file for a profile of the event loop's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How quickly shots were made."""

    per_s: float
    cpu_ms: float
    """Of the client's process, a shot; Prefect's server, another process, not counted."""


def ours_rate(*, takes: int = TAKES, paced: bool = False, profile: str = "") -> Rate:
    """Of `flows.shoot`, with a durable ledger on this machine's disk."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, instant.serving() as (url, ended):
        errand = Errand(url=url, folder=folder, takes=takes, paced=paced, profile=profile)
        command = [sys.executable, "-m", "tests.bench.overhead", json.dumps(asdict(errand))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        shot = ours.ended(process)
        seen = ended()
    assert shot.done == takes == seen.creates == seen.pictures, (shot, seen)
    return Rate(per_s=takes / (shot.ended - seen.began), cpu_ms=1000 * shot.cpu_s / takes)


def prefect_rate(what: Literal["shots", "calls"], *, takes: int = TAKES) -> Rate:
    """Of Prefect's mapped tasks, each a whole shot or one request."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, instant.serving() as (url, ended):
        mapped = prefect_loops.Mapped(
            what=what, url=url, speed=1.0, takes=takes, at_once=25, folder=folder
        )
        shot = ours.ended(prefect_loops.started(mapped))
        seen = ended()
        saved = len(list(Path(folder).iterdir()))
    assert seen.creates == takes, seen
    assert saved == (takes if what == "shots" else 0), saved
    return Rate(per_s=takes / (shot.ended - seen.began), cpu_ms=1000 * shot.cpu_s / takes)


def main(*, takes: int = TAKES) -> None:
    """Print all rates and their ratios."""
    mine, paced = ours_rate(takes=takes), ours_rate(takes=takes, paced=True)
    whole, bare = prefect_rate("shots", takes=takes), prefect_rate("calls", takes=takes)
    rows = [
        ("shotlist", mine, ""),
        ("shotlist, limits shared with other processes", paced, ""),
        ("Prefect tasks, a shot each", whole, f"  ratio {mine.per_s / whole.per_s:.1f}"),
        ("Prefect tasks, a request each", bare, f"  ratio {mine.per_s / bare.per_s:.1f}"),
    ]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    sys.stdout.write(f"(b) a host without latency, {takes} shots (load average {load})\n")
    for name, rate, ratio in rows:
        sys.stdout.write(
            f"    {name:46}{rate.per_s:7.1f} a second {rate.cpu_ms:6.1f} ms CPU each{ratio}\n"
        )
    sys.stdout.write(f"    wanted: a ratio of at least {AT_LEAST:g} to tasks of a shot each\n")


def _shoot(errand: Errand) -> ours.Shot:
    from flows.ledger import TakeStore, open_ledger
    from flows.nouns.take import Realm, TakeState
    from flows.providers.base import Account, Limits, Window
    from flows.providers.freepik import Host
    from flows.shoot import shoot

    windows = (Window(amount=1_000_000, per_s=60.0),) if errand.paced else ()
    host = Host(
        Account(
            host=Host.name,
            name=Host.name,
            realm=Realm.SANDBOX,
            key="bench",
            addresses={"FREEPIK_BASE_URL": errand.url},
            limits=Limits(windows=windows, running=PLACES if errand.paced else None),
            usd_per_image=None,
            latency_s=0.0,
            secret="bench",
        )
    )
    folder = Path(errand.folder)
    wanted = [ours.wanted(number) for number in range(errand.takes)]
    done, not_done, began = 0, [], time.monotonic()
    with open_ledger(f"sqlite:///{folder / 'ledger.db'}") as book:
        store = TakeStore(str(folder / "takes"))
        before_s = time.process_time()
        for outcome in shoot(wanted, hosts=[host], book=book, store=store, run="bench"):
            if outcome.take.state is TakeState.DONE:
                done += 1
            else:
                not_done.append(f"{outcome.take.state}: {outcome.take.reason}")
        last, cpu_s = time.time(), time.process_time() - before_s
    return ours.Shot(last, done, not_done[:5], time.monotonic() - began, cpu_s)


def _profiled(errand: Errand) -> ours.Shot:
    """With a profile of the event loop's thread, in CPU time, so that waiting does not hide it."""
    import cProfile

    from flows.shoot import studio

    profile, run = cProfile.Profile(time.thread_time), studio.Studio.run

    def profiled(self: studio.Studio) -> None:
        profile.runcall(run, self)

    studio.Studio.run = profiled  # type: ignore[method-assign]
    try:
        return _shoot(errand)
    finally:
        profile.dump_stats(errand.profile)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        logging.disable(logging.WARNING)
        mine = Errand(**json.loads(sys.argv[1]))
        shot = _profiled(mine) if mine.profile else _shoot(mine)
        sys.stdout.write(json.dumps(asdict(shot)) + "\n")
    else:
        main()
