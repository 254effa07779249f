"""Campaigns that Prefect starts: deployed for workers, served here, cut on other processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shotlist
from tests.journeys.once import CAMPAIGN, WANTED, place, run_at, told

pytestmark = pytest.mark.journey
later = pytest.mark.slow
TURN_S = 120.0
SCHEDULED = f'{CAMPAIGN}schedule: {{cron: "0 6 * * 1", timezone: Europe/Berlin}}\n'
MANY = """\
campaign: once
products: {items: [%s]}
prompt_text: "{{ product.title }} on an oak table, calm morning light, {{ aspect_ratio }}."
aspect_ratios: ["1:1", "4:5"]
alt: "{{ product.title }}"
"""


def ask(api: str, path: str, body: object = None) -> Any:
    """Prefect's own API, as its page uses it."""
    request = urllib.request.Request(
        f"{api}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def wait_until(what: str, is_so: Callable[[], bool], log: Path | None = None) -> None:
    deadline = time.monotonic() + TURN_S
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {TURN_S:.0f} s\n{log.read_text() if log else ''}")
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def beside(
    words: list[str], folder: Path, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a process beside the test."""
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def api(
    clean_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A Prefect server that lets a run that has to wait try again after a second, not thirty."""
    folder, url = tmp_path_factory.mktemp("prefect"), f"http://127.0.0.1:{free_port()}/api"
    environment = {
        **clean_environment,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    }
    port = url.split(":")[2].split("/", maxsplit=1)[0]
    words = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", port]

    def is_up() -> bool:
        try:
            return ask(url, "health") is True
        except OSError:
            return False

    with beside(words, folder, environment, folder / "log"):
        wait_until("Prefect's server", is_up, folder / "log")
        yield url


def test_a_deployment_keeps_schedule_and_form_and_is_registered_once(
    api: str, shotlist_alone: Shotlist, tmp_path: Path, repository: Path
) -> None:
    words = ("deploy", "campaigns/once.yaml", "--pool", "keep", "--provider", "eachlabs", "--json")
    with place(tmp_path, repository, SCHEDULED) as there:
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        refused = shotlist_alone(*words, **at)
        first = shotlist_alone(*words, "--create-pool", **at)
        again = shotlist_alone(*words, "--max-cost", "2.5", "--yes", **at)
        found = ask(api, "deployments/name/shotlist/once")
        (there.folder / "campaigns" / "once.yaml").write_text(CAMPAIGN, "utf-8")
        without = shotlist_alone(*words, **at)
    assert refused.code == 2
    assert "no work pool 'keep'" in refused.err
    assert "--create-pool" in refused.err
    assert (first.document["made_pool"], first.document["was_there"]) == (True, False)
    assert (again.document["made_pool"], again.document["was_there"]) == (False, True)
    assert [one["schedule"] for one in found["schedules"]] == [
        {"cron": "0 6 * * 1", "timezone": "Europe/Berlin", "day_or": True}
    ]
    assert found["parameters"] == {
        "spec": "campaigns/once.yaml",
        "only": [],
        "max_cost": 2.5,
        "provider": ["eachlabs"],
        "to": None,
        "yes": True,
        "defaults": None,
        "workspace": str(tmp_path),
    }
    assert found["global_concurrency_limit"]["limit"] == 1
    assert found["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert (found["work_pool_name"], found["paused"]) == ("keep", False)
    assert found["tags"] == ["shotlist", "once"]
    form = found["parameter_openapi_schema"]
    assert form["required"] == ["spec"]
    assert set(form["properties"]) == set(found["parameters"])
    assert [name for name, one in form["properties"].items() if not one["description"]] == []
    assert without.document["cron"] is None


def ended(api: str, run: str) -> dict[str, Any] | None:
    """A flow run, once it has ended."""
    found: dict[str, Any] = ask(api, f"flow_runs/{run}")
    return found if found["state_type"] in {"COMPLETED", "FAILED", "CRASHED"} else None


def test_two_runs_at_once_wait_for_each_other_and_buy_each_picture_once(
    api: str,
    clean_environment: dict[str, str],
    shotlist_alone: Shotlist,
    postgres: Callable[[], str],
    tmp_path: Path,
    repository: Path,
) -> None:
    costly = f"{SCHEDULED}ask_above_usd: 0.05\n"
    with place(tmp_path / "shop", repository, costly, ledger=postgres()) as there:
        at = {**there.environment, "PREFECT_API_URL": api}
        words = ("deploy", "campaigns/once.yaml", "--pool", "two", "--create-pool")
        named = ("--provider", "eachlabs", "--workspace", "$SHOP", "--json")
        assert shotlist_alone(*words, *named, cwd=there.folder, **at).code == 0
        deployment = ask(api, "deployments/name/shotlist/once")["id"]
        worker = {
            **clean_environment,
            **at,
            "SHOP": str(there.folder),  # the folder is the worker's affair
            "PREFECT_WORKER_QUERY_SECONDS": "0.5",
        }
        wishes: list[dict[str, bool]] = [{}, {"yes": True}, {"yes": True}]
        log = tmp_path / "worker.txt"
        start = ["prefect", "worker", "start", "--pool", "two", "--type", "process"]
        with beside(start, tmp_path / "elsewhere", worker, log):
            runs = [
                ask(
                    api,
                    f"deployments/{deployment}/create_flow_run",
                    {"parameters": wish, "state": {"type": "SCHEDULED"}},
                )["id"]
                for wish in wishes
            ]
            wait_until("three runs", lambda: all(ended(api, run) for run in runs), log)
        unasked, *bought = [ask(api, f"flow_runs/{run}") for run in runs]
        page, twice = there.page("eachlabs"), there.twice()
        published = len(there.manifest()["renditions"])
    assert unasked["state_type"] == "FAILED"
    assert "ask_above_usd is $0.05" in unasked["state"]["message"]
    assert unasked["state"]["message"].endswith("(exit code 2)")
    assert sorted(one["state"]["message"] for one in bought) == [
        "published 12 of 12 shots; bought 0, spent $0.00",
        "published 12 of 12 shots; bought 12, spent $0.36",
    ]
    earlier, after = sorted(bought, key=lambda one: str(one["start_time"]))
    assert earlier["end_time"] <= after["start_time"]
    assert (page["made"], page["duplicates"], twice, published) == (WANTED, 0, [], WANTED)
    artifacts = ask(
        api, "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [earlier["id"]]}}}
    )
    pages = {one["key"]: one["data"] for one in artifacts}
    assert "| takes bought | 12 |" in pages["result"]
    assert f"[manifest](file://{there.folder}/outputs/once/manifest.json)" in pages["result"]


def test_what_is_parked_makes_the_runs_state_and_its_artifact_say_so(
    api: str, shotlist_alone: Shotlist, tmp_path: Path, repository: Path
) -> None:
    faults = [{"host": "freepik", "at": "create", "kind": "accept_then_drop", "nth": 3}]
    with place(tmp_path, repository, faults=faults) as there:
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        run = shotlist_alone(*run_at("freepik"), "--json", **at)
        # the server may hold runs that a schedule has planned for later
        over = {"state": {"type": {"any_": ["FAILED", "COMPLETED", "CRASHED"]}}}
        found = ask(
            api, "flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1, "flow_runs": over}
        )[0]
        pages = ask(
            api, "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [found["id"]]}}}
        )
    assert (run.code, [one["stage"] for one in run.document["failures"]]) == (1, ["parked"])
    assert (found["state_type"], found["state_name"]) == ("FAILED", "Failed")
    assert found["state"]["message"] == (
        "published 11 of 12 shots; 1 parked; bought 11, spent $0.24 (exit code 1)"
    )
    result = next(one["data"] for one in pages if one["key"] == "result")
    shot = run.document["failures"][0]["shot_id"]
    assert f"| parked | {shot} | " in result
    assert "shotlist settle" in result


@contextmanager
def cluster(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, list[int]]]:
    """A Dask scheduler and two workers, each with a folder of its own: address and process ids."""
    address, log = f"tcp://127.0.0.1:{free_port()}", folder / "dask.txt"
    port = address.rpartition(":")[2]
    quiet = ["--no-dashboard", "--host", "127.0.0.1"]
    scheduler = ["dask", "scheduler", "--port", port, *quiet]
    worker = ["dask", "worker", address, "--nthreads", "1", "--no-nanny", *quiet]
    with (
        beside(scheduler, folder / "scheduler", environment, log),
        beside([*worker, "--local-directory", "."], folder / "one", environment, log) as one,
        beside([*worker, "--local-directory", "."], folder / "two", environment, log) as two,
    ):
        wait_until("two Dask workers", lambda: log.read_text().count("Registered to") == 2, log)
        yield address, [one.pid, two.pid]


@pytest.mark.parametrize("products", [pytest.param(300, marks=later), pytest.param(6, marks=later)])
def test_of_two_dask_workers_one_is_killed_and_all_is_published_once(
    products: int,
    api: str,
    clean_environment: dict[str, str],
    shotlist_alone: Shotlist,
    postgres: Callable[[], str],
    tmp_path: Path,
    repository: Path,
) -> None:
    pytest.importorskip("prefect_dask", reason="prefect-dask is not installed: no Dask here")
    items = ", ".join(f"{{sku: P{one:03}, title: Jug {one:03}}}" for one in range(products))
    wanted = 2 * products
    with place(tmp_path / "shop", repository, MANY % items, ledger=postgres()) as there:
        environment = {**clean_environment, "PREFECT_API_URL": api}
        staging = there.folder / ".shotlist" / "staging"
        with cluster(tmp_path, environment) as (address, workers):
            more = {**environment, **there.environment, "SHOTLIST_TASK_RUNNER": f"dask:{address}"}
            log = tmp_path / "run.txt"
            words = ["flows.cli", *run_at("eachlabs")]
            with beside(words, there.folder, more, log) as run:
                wait_until("a first file", lambda: any(staging.glob("*/*")), log)
                os.kill(workers[0], signal.SIGKILL)
                code = run.wait(600)
        page, twice, manifest = there.page("eachlabs"), there.twice(), there.manifest()
        again = ("--to", "outputs/calm", "--yes")
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        calm = shotlist_alone(*run_at("eachlabs")[:-1], *again, **at)
        here = there.manifest("calm")
    assert (code, calm.code) == (0, 0), log.read_text() + calm.err
    assert (page["made"], page["duplicates"], twice) == (wanted, 0, [])
    assert (manifest["failures"], len(manifest["renditions"])) == ([], wanted)
    assert told(manifest)["renditions"] == told(here)["renditions"]
    assert [one["sha256"] for one in manifest["renditions"]] == [
        one["sha256"] for one in here["renditions"]
    ]


@later
def test_a_cluster_that_does_not_answer_is_told_before_anything_is_bought(
    api: str, shotlist_alone: Shotlist, tmp_path: Path, repository: Path
) -> None:
    pytest.importorskip("prefect_dask", reason="prefect-dask is not installed: no Dask here")
    with place(tmp_path, repository) as there:
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        named = f"dask:tcp://127.0.0.1:{free_port()}"
        away = shotlist_alone(*run_at("eachlabs"), **at, SHOTLIST_TASK_RUNNER=named)
        made = there.page("eachlabs")["creates"]
    assert (away.code, made) == (4, 0)
    assert f"SHOTLIST_TASK_RUNNER={named}: the scheduler does not answer" in away.err
    assert "Traceback" not in away.err


@later
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_served_campaign_is_run_by_its_schedule_and_rests_when_it_is_stopped(
    stop: signal.Signals,
    api: str,
    clean_environment: dict[str, str],
    tmp_path: Path,
    repository: Path,
) -> None:
    if tuple(map(int, version("sqlalchemy").split(".")[:2])) >= (2, 1):
        try:
            prefect = version("prefect")
        except PackageNotFoundError:
            prefect = "none"
        pytest.skip(f"the scheduler of Prefect {prefect} fails with SQLAlchemy 2.1")
    minutely = f'{CAMPAIGN}schedule: {{cron: "* * * * *", timezone: Asia/Tokyo}}\n'
    with place(tmp_path / "shop", repository, minutely) as there:
        environment = {
            **clean_environment,
            **there.environment,
            "PREFECT_API_URL": api,
            "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        }
        words = ["flows.cli", "serve", "campaigns/once.yaml", "--provider", "eachlabs", "--yes"]
        log, manifest = tmp_path / "serve.txt", there.folder / "outputs" / "once" / "manifest.json"
        with beside(words, there.folder, environment, log) as served:
            wait_until("a scheduled run", manifest.exists, log)
            served.send_signal(stop)
            code = served.wait(60)
        page, twice = there.page("eachlabs"), there.twice()
        found = ask(api, "deployments/name/shotlist/once-served")
    assert code == 0, log.read_text()
    assert (page["made"], page["duplicates"], twice) == (WANTED, 0, [])
    assert "serving campaigns/once.yaml: * * * * * (Asia/Tokyo)" in log.read_text()
    assert found["paused"] is True
