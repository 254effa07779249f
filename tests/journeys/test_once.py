"""Bought once, whatever happens: killed runs, storms of faults, budgets, two processes, Ctrl-C.

The server's bill is the judge: it tells what was made, and twice the same picture is told by its
prompt and size, of which each shot has its own.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import sandbox
from flows.sandbox.faults import Faults
from flows.sandbox.limits import Limits, Window
from flows.sandbox.server import Running
from tests.conftest import COMMAND_TIMEOUT_S, Shotlist

pytestmark = [pytest.mark.journey, pytest.mark.slow]

CAMPAIGN = """\
campaign: once
products: {from: data/products.csv, image_base: data/photos, limit: 6}
prompt_text: "{{ product.title }} on an oak table, calm morning light, {{ aspect_ratio }}."
aspect_ratios: ["1:1", "4:5"]
alt: "{{ product.title }}"
"""
WANTED = 12
PRICES = {
    "aimlapi": 0.0315,
    "byteplus": 0.03,
    "eachlabs": 0.03,
    "evolink": 0.02,
    "fal": 0.03,
    "freepik": 0.02,
    "lumenfall": 0.03,
    "replicate": 0.03,
}
"""USD that the sandbox's hosts take for a picture of text."""
CAN_BE_ASKED = ("eachlabs", "fal", "replicate")
"""Hosts where a create whose answer was lost is looked up."""
CALM = 40.0
"""Sandbox seconds in a real one: a picture takes half a second."""
FEW_AT_ONCE = Limits((Window(200, 60.0),), running=4)
PAUSE_S = 0.05


@dataclass(frozen=True)
class Place:
    """A workspace, and the sandbox that its runs buy at."""

    folder: Path
    hosts: Running
    environment: Mapping[str, str]

    def bill(self) -> dict[str, Any]:
        """The server's report, asked as anybody may."""
        with urllib.request.urlopen(f"{self.hosts.url}/report", timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def page(self, host: str) -> dict[str, Any]:
        """One host's part of the bill."""
        found: dict[str, Any] = self.bill()["hosts"][host]
        return found

    def twice(self) -> list[tuple[str, str]]:
        """Pictures that were made more than once, at whatever hosts."""
        made = [line for lines in self.bill()["images"].values() for line in lines]
        counted = Counter((line["prompt_sha256"], line["size"]) for line in made)
        return [picture for picture, count in counted.items() if count > 1]

    def manifest(self, campaign: str = "once") -> dict[str, Any]:
        path = self.folder / "outputs" / campaign / "manifest.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def states(self) -> Counter[str]:
        """The ledger's takes by state."""
        with sqlite3.connect(self.folder / ".shotlist" / "ledger.db") as ledger:
            return Counter(row[0] for row in ledger.execute("select state from takes"))


Begin = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def begin(
    clean_environment: dict[str, str], prefect_server: str, tmp_path: Path
) -> Iterator[Begin]:
    """The installed command as a process that goes on beside the test; its output is in a file."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(place: Place, *words: str, **more: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "said.txt").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.cli", *words],
                cwd=place.folder,
                env={
                    **clean_environment,
                    "PREFECT_API_URL": prefect_server,
                    **place.environment,
                    **more,
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait()


def workspace(folder: Path, repository: Path, campaign: str = CAMPAIGN) -> Path:
    (folder / "campaigns").mkdir(parents=True)
    shutil.copytree(repository / "campaigns" / "data", folder / "campaigns" / "data")
    (folder / "campaigns" / "once.yaml").write_text(campaign, "utf-8")
    return folder


@contextmanager
def place(folder: Path, repository: Path, campaign: str = CAMPAIGN, **more: Any) -> Iterator[Place]:
    """A workspace with a sandbox of its own, where every host's price is known."""
    with sandbox.started(**{"speed": CALM, **more}) as hosts:
        accounts = Path(hosts.environment["SHOTLIST_ACCOUNTS"])
        wishes = yaml.safe_load(accounts.read_text("utf-8"))
        for host, usd in PRICES.items():
            wishes[host]["usd_per_image"] = usd
        accounts.write_text(yaml.safe_dump(wishes), "utf-8")
        yield Place(workspace(folder, repository, campaign), hosts, hosts.environment)


def run_at(*hosts: str) -> tuple[str, ...]:
    named = [word for host in hosts for word in ("--provider", host)]
    return ("run", "campaigns/once.yaml", *named, "--yes")


def until(process: subprocess.Popen[bytes], is_so: Callable[[], bool]) -> bool:
    """Wait until it is so, or the process has ended; whether it still runs."""
    while process.poll() is None and not is_so():
        time.sleep(PAUSE_S)
    return process.poll() is None


def wait(process: subprocess.Popen[bytes]) -> int:
    """How it ended by itself."""
    return process.wait(COMMAND_TIMEOUT_S)


# -- killed


def slow(host: str) -> list[dict[str, object]]:
    """Half of the answers to creates come late, so that many a kill falls before the answer."""
    return [{"host": host, "at": "create", "kind": "slow", "share": 0.5, "s": 15}]


def killed(there: Place, begin: Begin, host: str, moments: Sequence[tuple[int, float]]) -> int:
    """Kill a run as soon as the host has taken so many orders, and so many seconds later; go on
    with it each time. How many were still running then.
    """
    kills = 0
    for taken, later_s in moments:
        process = begin(there, *run_at(host))
        if until(process, lambda taken=taken: there.page(host)["creates"] >= taken):  # type: ignore[misc]
            time.sleep(later_s)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    return kills


def moments(count: int, wanted: int, seed: str) -> list[tuple[int, float]]:
    """Random moments after the first purchase, in the order in which they come."""
    dice = random.Random(seed)
    taken = sorted(dice.choices(range(1, wanted), k=count))
    return [(one, dice.uniform(0.0, 0.2)) for one in taken]


def told(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without what may differ: the run, and of each take its host's id and its time;
    what follows from its bytes, since the sandbox letters the id of the task into its pictures; and
    whether the host named the cost (Eachlabs' list does, its answer does not always).
    """
    by_chance = {"sha256", "bytes", "made_from", "host_task_id", "created_at", "cost_from"}
    rows = {
        name: [
            {key: value for key, value in row.items() if key not in by_chance}
            for row in manifest[name]
        ]
        for name in ("renditions", "takes")
    }
    return {**manifest, **rows, "run": None}


def accounted(manifest: dict[str, Any], made: int, wanted: int) -> None:
    """Every shot is published or listed with its reason; what may be paid names host and price."""
    published = {row["shot_id"] for row in manifest["renditions"]}
    failures = manifest["failures"]
    listed = {failure["shot_id"] for failure in failures}
    assert (len(published | listed), published & listed) == (wanted, set())
    assert [failure for failure in failures if not failure["reason"]] == []
    parked = [failure for failure in failures if failure["stage"] == "parked"]
    assert made - len(published) <= len([one for one in failures if one["billed"] is not False])
    for failure in parked:
        assert f"at {failure['provider']}" in failure["reason"]
        assert f"${PRICES[failure['provider']]:.4f}" in failure["reason"]


@pytest.mark.parametrize("host", [*CAN_BE_ASKED, "freepik"])
def test_a_run_that_is_killed_again_and_again_buys_each_picture_once(
    host: str, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    few: dict[str, Any] = {"limits": {host: FEW_AT_ONCE}}
    with place(tmp_path / "cut", repository, faults=slow(host), **few) as there:
        kills = killed(there, begin, host, moments(5, WANTED, host))
        ended = wait(begin(there, *run_at(host)))
        page, twice = there.page(host), there.twice()
    manifest = there.manifest()
    assert kills >= 3
    assert (page["duplicates"], twice) == (0, [])
    if host in CAN_BE_ASKED:
        assert manifest["failures"] == []
        assert (ended, page["made"], page["billed"]) == (0, WANTED, WANTED)
        with place(tmp_path / "whole", repository, **few) as calm:
            assert wait(begin(calm, *run_at(host))) == 0
        assert told(manifest) == told(calm.manifest())
    else:
        accounted(manifest, page["made"], WANTED)
        assert {one["stage"] for one in manifest["failures"]} <= {"parked"}
        assert ended == (1 if manifest["failures"] else 0)


# -- storms

STORM_HOSTS = ("eachlabs", "fal", "replicate", "freepik", "evolink")
RATIOS = """aspect_ratios: ["1:1", "4:5", "9:16", "16:9"]"""
STORMY = CAMPAIGN.replace('aspect_ratios: ["1:1", "4:5"]', RATIOS) + (
    f"providers: {{use: [{', '.join(STORM_HOSTS)}], policy: fastest}}\n"
)
STORM_WANTED = 24


def storm(seed: int, times: float = 1.0) -> dict[str, object]:
    """What goes wrong at every host, as a faults file says it; so many times as often."""
    rules: list[dict[str, object]] = [
        {"at": "create", "kind": "status", "status": 503, "share": 0.1 * times},
        {"at": "poll", "kind": "status", "status": 503, "share": 0.1 * times},
        {"at": "create", "kind": "accept_then_drop", "share": 0.05 * times},
        {"at": "create", "kind": "moderation", "share": 0.03 * times},
        {"at": "link", "kind": "truncated", "share": 0.05 * times},
        {"at": "webhook", "kind": "lost", "share": 0.05 * times},
        {"at": "webhook", "kind": "duplicate", "share": 0.05 * times},
    ]
    # not at evolink, whose refusal asks for a minute of this machine's time, however fast the clock
    crowded = [
        {"host": host, "at": "create", "kind": "status", "status": 429, "first": 3}
        for host in STORM_HOSTS
        if host != "evolink"
    ]
    return {"seed": seed, "faults": [*crowded, *({"host": "*", **rule} for rule in rules)]}


def stormed(there: Place, shotlist: Shotlist, callback: str, wanted: int) -> None:
    """Run in a storm, and once more when it is known what failed."""
    given = {**there.environment, "SHOTLIST_CALLBACK_URL": callback}
    run = ("run", "campaigns/once.yaml", "--yes")
    for _ in range(2):
        ended = shotlist(*run, cwd=there.folder, **given)
        assert "Traceback" not in ended.err
        manifest, totals = there.manifest(), there.bill()["totals"]
        accounted(manifest, totals["made"], wanted)
        assert ended.code == (1 if manifest["failures"] else 0), ended.err
        assert there.twice() == []
        status = shotlist("status", "--json", cwd=there.folder).document
        parked = {one["shot_id"] for one in manifest["failures"] if one["stage"] == "parked"}
        named = {shot["shot_id"] for one in status["unsettled"] for shot in one["shots"]}
        assert parked == named
        for one in status["unsettled"]:
            assert float(one["price_usd"]) == PRICES[one["provider"]]
    assert totals["made"] >= 0.8 * wanted


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_in_a_storm_every_shot_is_published_or_listed_and_none_is_bought_twice(
    shotlist: Shotlist, tmp_path: Path, repository: Path
) -> None:
    # few orders: everything goes wrong more often, so that each thing does
    faults = Faults.of(storm(3, times=2), STORM_HOSTS)
    limits = dict.fromkeys(STORM_HOSTS, Limits((Window(200, 60.0),), running=2))
    with place(tmp_path, repository, STORMY, faults=faults, limits=limits) as there:
        stormed(there, shotlist, f"http://127.0.0.1:{free_port()}", STORM_WANTED)
        injected = injected_at(there)
    assert {"status", "accept_then_drop", "truncated", "lost"} <= injected.keys()


def injected_at(there: Place) -> Counter[str]:
    """How often each fault was acted out; the client itself made none."""
    injected: Counter[str] = Counter()
    for page in there.bill()["hosts"].values():
        injected.update(page["injected"])
        assert page["client_faults"] == 0
    return injected


# -- budgets


def spent(there: Place, process: subprocess.Popen[bytes], cap: float) -> int:
    """Look at the bill as often as can be while it runs: never over the cap. How it ended."""
    while process.poll() is None:
        assert there.bill()["totals"]["usd"] <= cap
        time.sleep(PAUSE_S)
    assert there.bill()["totals"]["usd"] <= cap
    return wait(process)


@pytest.mark.parametrize("lost", [0.0, 0.3])
@pytest.mark.parametrize("host", ["replicate", "freepik"])
def test_a_run_stops_at_half_of_its_cost_by_the_bill_of_the_host(
    host: str, lost: float, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    cap = round(PRICES[host] * WANTED / 2, 4)
    faults = [{"host": host, "at": "create", "kind": "accept_then_drop", "share": lost}]
    with place(tmp_path, repository, faults=faults) as there:
        ended = spent(there, begin(there, *run_at(host), "--max-cost", str(cap)), cap)
        page = there.page(host)
    manifest = there.manifest()
    # what may be paid counts as spent, so that as many are made as the money is good for
    assert (ended, page["made"]) == (3, WANTED // 2)
    parked = [one for one in manifest["failures"] if one["stage"] == "parked"]
    assert len(manifest["renditions"]) + len(parked) == WANTED // 2
    assert (len(parked) > 0) == (lost > 0 and host not in CAN_BE_ASKED)


@pytest.mark.parametrize(("per", "made"), [("run", 8), ("month", 4), ("total", 4)])
def test_a_campaigns_budget_holds_over_its_span(
    per: str, made: int, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    campaign = f"{CAMPAIGN}budget: {{max_usd: 0.12, per: {per}}}\n"
    with place(tmp_path, repository, campaign) as there:
        ended = [wait(begin(there, *run_at("replicate"))) for _ in range(2)]
        page, twice = there.page("replicate"), there.twice()
    assert (ended, page["made"], twice) == ([3, 3], made, [])
    assert len(there.manifest()["renditions"]) == made


# -- two processes


def test_two_campaigns_on_one_key_stay_inside_its_limits_together(
    begin: Begin, tmp_path: Path, repository: Path
) -> None:
    host, limits = "eachlabs", Limits((Window(40, 60.0),), running=3)
    with place(tmp_path, repository, limits={host: limits}, latencies={host: (40.0, 0.3)}) as there:
        other = CAMPAIGN.replace("campaign: once", "campaign: other").replace("oak", "elm")
        (there.folder / "campaigns" / "other.yaml").write_text(other, "utf-8")
        first = begin(there, *run_at(host))
        second = begin(there, "run", "campaigns/other.yaml", "--provider", host, "--yes")
        assert (wait(first), wait(second)) == (0, 0)
        page = there.page(host)
    assert (page["made"], page["duplicates"]) == (2 * WANTED, 0)
    assert (page["refused"], page["over_limit"]) == ([], 0)
    assert page["peak_per_window"] <= 40
    assert page["peak_running"] <= 3
    with sqlite3.connect(there.folder / ".shotlist" / "ledger.db") as ledger:
        (spans,) = ledger.execute("select max(started_at), min(ended_at) from runs")
    assert spans[0] < spans[1]  # they were at work at the same time
    for campaign in ("once", "other"):
        assert len(there.manifest(campaign)["renditions"]) == WANTED


# -- Ctrl-C


def said(tmp_path: Path) -> str:
    return (tmp_path / "said.txt").read_text("utf-8")


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_loses_nothing_and_the_next_run_finishes(
    presses: int, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    host = "replicate"
    slowly: dict[str, Any] = {
        "limits": {host: Limits((Window(600, 60.0),), running=3)},
        "latencies": {host: (80.0, 0.1)},
    }
    with place(tmp_path / "here", repository, **slowly) as there:
        process = begin(there, *run_at(host))
        assert until(process, lambda: there.page(host)["creates"] >= 3)
        process.send_signal(signal.SIGINT)
        if presses == 2 and until(process, lambda: "stopping" in said(tmp_path)):
            process.send_signal(signal.SIGINT)
        assert wait(process) == 130, said(tmp_path)
        states, made = there.states(), there.page(host)["made"]
        if presses == 1:
            # what was sent is here; the rest was never begun
            assert states["done"] == made
            assert set(states) <= {"done", "intended"}
        else:
            assert states["sent"] + states["accepted"] > 0
        assert made < WANTED
        assert wait(begin(there, *run_at(host))) == 0, said(tmp_path)
        page, twice = there.page(host), there.twice()
    assert (page["made"], page["duplicates"], twice) == (WANTED, 0, [])
    assert len(there.manifest()["renditions"]) == WANTED
