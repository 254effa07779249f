"""More than one machine: two workers with folders of their own share ledger, takes and a host's
limits; Prefect's server keeps its records on PostgreSQL.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.sandbox.limits import Limits, Window
from tests.conftest import Shotlist
from tests.journeys.beside import (
    FAST,
    all_ended,
    ask,
    beside,
    prefect_server,
    started,
    wait_until,
    worker,
)
from tests.journeys.once import CAMPAIGN, WANTED, Place, place, run_at
from tests.servers.looking import lying, manifest_at, named
from tests.servers.storage import StorageServer, seaweed

pytestmark = [pytest.mark.journey, pytest.mark.slow]
HOST = "eachlabs"
NARROW: Mapping[str, Any] = {
    "limits": {HOST: Limits((Window(40, 60.0),), running=3)},
    "latencies": {HOST: (40.0, 0.3)},
}
"""So narrow that two runs would pass it, did they not share it."""
CAMPAIGNS = {
    "once": CAMPAIGN,
    "other": CAMPAIGN.replace("campaign: once", "campaign: other").replace("oak", "elm"),
}


@pytest.fixture(scope="module")
def api(
    clean_environment: dict[str, str],
    postgres: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A Prefect server whose records lie on PostgreSQL."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: no PostgreSQL")
    pytest.importorskip("asyncpg", reason="asyncpg is not installed: no PostgreSQL for Prefect")
    host = parse_qs(urlsplit(postgres()).query)["host"][0]
    with psycopg.connect(f"user=shotlist dbname=postgres host={host}", autocommit=True) as line:
        line.execute("create database prefect")
    records = f"postgresql+asyncpg://shotlist@/prefect?host={host}"
    folder = tmp_path_factory.mktemp("prefect")
    with prefect_server(
        folder, clean_environment, PREFECT_API_DATABASE_CONNECTION_URL=records
    ) as url:
        yield url
        assert not list(folder.glob("*.db"))
        with psycopg.connect(f"user=shotlist dbname=prefect host={host}") as line:
            assert line.execute("select count(*) from flow_run").fetchone() != (0,)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with seaweed(tmp_path_factory.mktemp("s3")) as running:
        yield running


@dataclass(frozen=True)
class Machine:
    """A worker in a folder of its own, with a copy of the workspace."""

    name: str
    shop: Path
    log: Path
    environment: Mapping[str, str]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        # one run at a time, so that the other has its share
        words = worker("machines", "--limit", "1", "--name", self.name)
        with beside(words, self.shop.parent, self.environment, self.log):
            yield


def machines(
    there: Place, folder: Path, environment: Mapping[str, str], *names: str
) -> list[Machine]:
    """Copies of the workspace, each beside the folder that its worker works in."""
    found = []
    for name in names:
        shop = folder / name / "shop"
        shutil.copytree(there.folder, shop)
        own = {"SHOP": str(shop), "PREFECT_HOME": str(folder / name / "prefect")}
        found.append(
            Machine(name=name, shop=shop, log=folder / f"{name}.txt", environment=environment | own)
        )
    return found


def both_are_there(api: str) -> bool:
    found = ask(api, "work_pools/machines/workers/filter", {})
    return {one["name"] for one in found if one["status"] == "ONLINE"} == {"one", "two"}


def by_whom(api: str, run: Mapping[str, Any]) -> str:
    """The worker that a run was given to."""
    return str(ask(api, f"flow_runs/{run['id']}")["labels"]["prefect.worker.name"])


def test_two_machines_share_ledger_takes_and_a_hosts_limits(
    api: str,
    bucket: StorageServer,
    clean_environment: dict[str, str],
    shotlist_alone: Shotlist,
    postgres: Callable[[], str],
    tmp_path: Path,
    repository: Path,
) -> None:
    with place(tmp_path / "desk", repository, ledger=postgres(), **NARROW) as there:
        shared = {
            **there.environment,
            **bucket.environment,
            "PREFECT_API_URL": api,
            "SHOTLIST_TAKES_URL": f"{bucket.url}/takes",
        }
        deployments = {}
        for name, text in CAMPAIGNS.items():
            publish = f"publish: {{to: {bucket.url}/{name}}}\n"
            (there.folder / "campaigns" / f"{name}.yaml").write_text(text + publish, "utf-8")
            words = ("deploy", f"campaigns/{name}.yaml", "--pool", "machines", "--create-pool")
            more = ("--provider", HOST, "--workspace", "$SHOP", "--yes")
            deployed = shotlist_alone(*words, *more, cwd=there.folder, **shared)
            assert deployed.code == 0, deployed.err
            deployments[name] = ask(api, f"deployments/name/shotlist/{name}")["id"]
        one, two = machines(there, tmp_path, {**clean_environment, **shared, **FAST}, "one", "two")
        with two.at_work():
            with one.at_work():
                wait_until("two workers", lambda: both_are_there(api), one.log)
                ids = [started(api, deployments[name], {}) for name in (*CAMPAIGNS, *CAMPAIGNS)]
                runs = all_ended(api, ids, one.log)
            # the first machine is gone: the other one cuts from the takes that it bought
            ids = [
                started(api, deployments[name], {"to": f"{bucket.url}/aside/{name}"})
                for name in CAMPAIGNS
            ]
            alone = all_ended(api, ids, two.log)
        page, twice, states = there.page(HOST), there.twice(), there.states()
        at = {**clean_environment, **bucket.environment}
        manifests = [
            {name: manifest_at(f"{bucket.url}/{below}{name}", at) for name in CAMPAIGNS}
            for below in ("", "aside/")
        ]
        lies = {
            f"{name}/{path}": sha256
            for name in CAMPAIGNS
            for path, (sha256, _) in lying(f"{bucket.url}/{name}", at).items()
        }
        takes = lying(f"{bucket.url}/takes", at)
    bought = [one for one in runs if "bought 12, spent $0.36" in one["state"]["message"]]
    after = [one for one in runs if one not in bought]
    print(  # noqa: T201 - figures of `make bench`
        f"\ntwo machines, two campaigns: {page['made']} bought, {page['duplicates']} twice, "
        f"{page['over_limit']} over a limit; at most {page['peak_running']} running (of 3), "
        f"{page['peak_per_window']} requests a minute (of 40)"
    )
    assert {one["state"]["message"] for one in [*after, *alone]} == {
        "published 12 of 12 shots; bought 0, spent $0.00"
    }
    assert sorted(by_whom(api, one) for one in bought) == ["one", "two"]
    assert {by_whom(api, one) for one in alone} == {"two"}
    assert max(one["start_time"] for one in bought) < min(one["end_time"] for one in bought)
    assert (page["made"], page["duplicates"], twice) == (2 * WANTED, 0, [])
    assert (page["over_limit"], page["client_faults"]) == (0, 0)
    assert page["peak_running"] <= 3
    assert page["peak_per_window"] <= 40
    assert (states, len(takes)) == ({"done": 2 * WANTED}, 2 * WANTED)
    assert [one.shop.joinpath(".shotlist", "takes").exists() for one in (one, two)] == [False] * 2
    first, second = manifests
    for name in CAMPAIGNS:
        files = named(first[name])
        assert (len(files), first[name]["failures"]) == (WANTED, [])
        assert {path: lies.get(f"{name}/{path}") for path in files} == files
        assert named(second[name]) == files


def test_a_machine_that_cannot_reach_the_takes_of_another_says_so_and_buys_nothing(
    shotlist_alone: Shotlist,
    postgres: Callable[[], str],
    tmp_path: Path,
    repository: Path,
) -> None:
    with place(tmp_path / "desk", repository, ledger=postgres()) as there:
        one, two = machines(there, tmp_path, {}, "one", "two")
        bought = shotlist_alone(*run_at(HOST), cwd=one.shop, **there.environment)
        away = shotlist_alone(*run_at(HOST), "--json", cwd=two.shop, **there.environment)
        made = there.page(HOST)["made"]
    assert (bought.code, away.code, made) == (0, 1, WANTED), bought.err + away.err
    failures = away.document["failures"]
    assert [one["stage"] for one in failures] == ["finish"] * WANTED
    assert [one for one in failures if "SHOTLIST_TAKES_URL" not in one["reason"]] == []
