"""Bought once: a workspace beside a sandbox of its own, and what its bill and its ledger tell.

The server's bill is the judge: it tells what was made, and twice the same picture is told by its
prompt and size, of which each shot has its own.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import create_engine, text

from flows import sandbox
from flows.sandbox.limits import Limits, Window
from flows.sandbox.server import Running
from tests.conftest import COMMAND_TIMEOUT_S

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

    def read(self, query: str) -> list[Any]:
        """Rows of the ledger, on whichever database it lies."""
        beside = f"sqlite:///{self.folder / '.shotlist' / 'ledger.db'}"
        engine = create_engine(self.environment.get("SHOTLIST_LEDGER_URL", beside))
        try:
            with engine.connect() as ledger:
                return list(ledger.execute(text(query)))
        finally:
            engine.dispose()

    def states(self) -> Counter[str]:
        """The ledger's takes by state."""
        return Counter(row[0] for row in self.read("select state from takes"))


Begin = Callable[..., subprocess.Popen[bytes]]
"""Starts the installed command at a place, beside the test."""


@contextmanager
def place(
    folder: Path, repository: Path, campaign: str = CAMPAIGN, *, ledger: str = "", **more: Any
) -> Iterator[Place]:
    """A workspace with a sandbox of its own, where every host's price is known. `ledger` is the
    database's address; none: the workspace's own.
    """
    with sandbox.started(**{"speed": CALM, **more}) as hosts:
        accounts = Path(hosts.environment["SHOTLIST_ACCOUNTS"])
        wishes = yaml.safe_load(accounts.read_text("utf-8"))
        for host, usd in PRICES.items():
            wishes[host]["usd_per_image"] = usd
        accounts.write_text(yaml.safe_dump(wishes), "utf-8")
        (folder / "campaigns").mkdir(parents=True)
        shutil.copytree(repository / "campaigns" / "data", folder / "campaigns" / "data")
        (folder / "campaigns" / "once.yaml").write_text(campaign, "utf-8")
        elsewhere = {"SHOTLIST_LEDGER_URL": ledger} if ledger else {}
        yield Place(folder, hosts, {**hosts.environment, **elsewhere})


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


def killed(there: Place, begin: Begin, host: str, kills: int, seed: str) -> int:
    """Kill a run at so many random moments after its first purchase, and go on with it each time:
    when the host was asked for a few things more, of whatever kind, and a little later. How many
    were still running then.
    """
    dice = random.Random(seed)
    done = 0
    for _ in range(kills):
        before = there.page(host)["requests"]
        due, later_s = before + dice.randint(1, 8), dice.uniform(0.0, 0.15)

        def is_due(due: int = due) -> bool:
            page = there.page(host)
            return bool(page["requests"] >= due and page["creates"] > 0)

        process = begin(there, *run_at(host))
        if until(process, is_due):
            time.sleep(later_s)
        if process.poll() is None:
            process.kill()
            done += 1
        process.wait()
    return done


def told(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without what may differ: the run, and of each take its host's id and its time;
    what follows from its bytes, since the sandbox letters the id of the task into its pictures.
    """
    by_chance = {"sha256", "bytes", "made_from", "host_task_id", "created_at"}
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


def survived(kills: int, there: Place, begin: Begin, host: str, wanted: int) -> dict[str, Any]:
    """A run that was killed so often is finished: each picture once, and nothing that may be paid
    is left out. Its manifest.
    """
    ended = wait(begin(there, *run_at(host)))
    page, twice, manifest = there.page(host), there.twice(), there.manifest()
    parked = [one for one in manifest["failures"] if one["stage"] == "parked"]
    print(  # noqa: T201 - a figure of `make bench`
        f"{host}: {kills} kills, {wanted} wanted, {page['made']} bought, "
        f"{len(manifest['renditions'])} published, {len(parked)} parked, "
        f"{page['duplicates'] + len(twice)} twice"
    )
    assert (page["duplicates"], twice) == (0, [])
    if host in CAN_BE_ASKED:
        assert manifest["failures"] == []
        assert (ended, page["made"], page["billed"]) == (0, wanted, wanted)
    else:
        accounted(manifest, page["made"], wanted)
        # a log that tells that it was made, and keeps no picture, makes it a loss that is known
        lost = [one for one in manifest["failures"] if one not in parked]
        said = f"${PRICES[host]:.4f} was paid at {host}"
        assert [one for one in lost if not one["billed"] or said not in one["reason"]] == []
        assert ended == (1 if manifest["failures"] else 0)
    return manifest
