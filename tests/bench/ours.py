"""One run of `flows.shoot` in a process of its own: `python -m tests.bench.ours '{"url": ...}'`.

Prints as one line of JSON when its last picture was there, and how many came.
"""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from flows.jobs.receiving import received
from flows.ledger import TakeStore, open_ledger
from flows.nouns.recipe import Recipe
from flows.nouns.take import Realm, TakeState
from flows.providers.base import Account, Limits, Window
from flows.providers.eachlabs import Host
from flows.shoot import Wanted, shoot
from tests.bench.server import KEY, World

Told = Literal["polls", "list", "callbacks"]
"""How ends are heard of."""
PATIENCE_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What one process is to shoot: takes `first` to `last`, on the ledger in `folder`."""

    url: str
    folder: str
    speed: float
    first: int = 0
    last: int
    told: Told = "polls"
    amount: int | None = 100
    per_s: float = 60.0
    running: int | None = 10
    latency_s: float = 20.0
    """What the host declares, in sandbox seconds."""
    profile: str = ""
    """A file for a profile of the event loop's thread."""


class Silent(Host):
    """The host without its list: every job is asked for by itself."""

    lists_results = False


@dataclass(slots=True)
class Shot:
    """What a process says at its end. `ended` by the machine's clock; `cpu_s` of this process."""

    ended: float
    done: int
    not_done: list[str]
    wall_s: float
    cpu_s: float


def started(errand: Errand) -> subprocess.Popen[str]:
    """A process with this errand, under way."""
    command = [sys.executable, "-m", "tests.bench.ours", json.dumps(asdict(errand))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> Shot:
    """What it says at its end."""
    said, complaints = process.communicate(timeout=PATIENCE_S)
    if process.returncode:
        raise RuntimeError(complaints or f"a client ended with {process.returncode}")
    return Shot(**json.loads(said.splitlines()[-1]))


def errand(
    world: World, url: str, folder: Path, *, last: int, told: Told, profile: str = ""
) -> Errand:
    """An errand that knows the world's limits."""
    return Errand(
        url=url,
        folder=str(folder),
        speed=world.speed,
        last=last,
        told=told,
        amount=world.amount,
        per_s=world.per_s,
        running=world.running,
        latency_s=world.mean_s,
        profile=profile,
    )


def wanted(number: int) -> Wanted:
    """A take that no other number gives."""
    recipe = Recipe(
        model=Host.model, prompt=f"a mug, number {number}", ratio="1:1", tier="2K", seed=number
    )
    return Wanted(recipe=recipe, references=())


def _account(errand: Errand) -> Account:
    windows: tuple[Window, ...] = ()
    if errand.amount is not None:
        windows = (Window(amount=errand.amount, per_s=errand.per_s / errand.speed),)
    return Account(
        host=Host.name,
        name=Host.name,
        realm=Realm.SANDBOX,
        key=KEY,
        addresses={"EACHLABS_BASE_URL": f"{errand.url}/eachlabs/v1"},
        limits=Limits(windows=windows, running=errand.running),
        usd_per_image=None,
        latency_s=errand.latency_s / errand.speed,
        secret="bench",
    )


def _public() -> str:
    """An address on this machine that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def _shoot(errand: Errand) -> Shot:
    account = _account(errand)
    host = Host(account) if errand.told == "list" else Silent(account)
    folder = Path(errand.folder)
    began, done, not_done = time.monotonic(), 0, []
    public = _public() if errand.told == "callbacks" else None
    with (
        open_ledger(f"sqlite:///{folder / 'ledger.db'}") as book,
        received(public, [host], book) as (callback, bell),
    ):
        for outcome in shoot(
            [wanted(number) for number in range(errand.first, errand.last)],
            hosts=[host],
            book=book,
            store=TakeStore(str(folder / "takes")),
            run=f"bench-{errand.first}",
            callback=callback,
            bell=bell,
        ):
            if outcome.take.state is TakeState.DONE:
                done += 1
            else:
                not_done.append(f"{outcome.take.state}: {outcome.take.reason}")
        last = time.time()
    wall_s = time.monotonic() - began
    return Shot(last, done, not_done[:5], wall_s, time.process_time())


def _profiled(errand: Errand) -> Shot:
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
    logging.disable(logging.WARNING)
    mine = Errand(**json.loads(sys.argv[1]))
    shot = _profiled(mine) if mine.profile else _shoot(mine)
    sys.stdout.write(json.dumps(asdict(shot)) + "\n")
