"""Campaigns that Prefect starts: deployed for its workers, or served here."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

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
from tests.journeys.once import CAMPAIGN, WANTED, place, run_at

pytestmark = pytest.mark.journey
later = pytest.mark.slow
MINUTELY = f'{CAMPAIGN}schedule: {{cron: "* * * * *", timezone: Asia/Tokyo}}\n'
WAITED = "AwaitingConcurrencySlot"
SCHEDULED = f'{CAMPAIGN}schedule: {{cron: "0 6 * * 1", timezone: Europe/Berlin}}\n'


@pytest.fixture(scope="module")
def api(
    clean_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect"), clean_environment) as url:
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


def in_turn(runs: list[Any]) -> list[Any]:
    """Runs as they began; none before the one before it had ended."""
    found = sorted(runs, key=lambda one: str(one["start_time"]))
    ends = [one["end_time"] for one in found[:-1]]
    begins = [one["start_time"] for one in found[1:]]
    assert [end <= begin for end, begin in zip(ends, begins, strict=True)] == [True] * len(ends)
    return found


def states(api: str, run: Any) -> list[str]:
    """The names of the states that a run was in."""
    return [one["name"] for one in ask(api, f"flow_run_states/?flow_run_id={run['id']}")]


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
        given = {**clean_environment, **at, **FAST}
        given["SHOP"] = str(there.folder)  # the folder is the worker's affair
        log = tmp_path / "worker.txt"
        with beside(worker("two"), tmp_path / "elsewhere", given, log):
            (unasked,) = all_ended(api, [started(api, deployment, {})], log)
            bought = all_ended(
                api, [started(api, deployment, {"yes": True}) for _ in range(2)], log
            )
        page, twice = there.page("eachlabs"), there.twice()
        published = len(there.manifest()["renditions"])
    assert unasked["state_type"] == "FAILED"
    assert "ask_above_usd is $0.05" in unasked["state"]["message"]
    assert unasked["state"]["message"].endswith("(exit code 2)")
    assert sorted(one["state"]["message"] for one in bought) == [
        "published 12 of 12 shots; bought 0, spent $0.00",
        "published 12 of 12 shots; bought 12, spent $0.36",
    ]
    earlier, after = in_turn(bought)
    assert WAITED in states(api, after)
    assert (page["made"], page["duplicates"], twice, published) == (WANTED, 0, [], WANTED)
    artifacts = ask(
        api, "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [earlier["id"]]}}}
    )
    pages = {one["key"]: one["data"] for one in artifacts}
    assert "| takes bought | 12 |" in pages["result"]
    assert f"[manifest](file://{there.folder}/outputs/once/manifest.json)" in pages["result"]


def skip_without_a_scheduler() -> None:
    if tuple(map(int, version("sqlalchemy").split(".")[:2])) >= (2, 1):
        pytest.skip(f"the scheduler of Prefect {version('prefect')} fails with SQLAlchemy 2.1")


@later
def test_a_deployment_begins_by_its_schedule_and_what_is_started_by_hand_meanwhile_waits(
    api: str,
    clean_environment: dict[str, str],
    shotlist_alone: Shotlist,
    tmp_path: Path,
    repository: Path,
) -> None:
    skip_without_a_scheduler()
    since = datetime.now(UTC).isoformat()  # the server may know a deployment of that name
    with place(tmp_path / "shop", repository, MINUTELY) as there:
        at = {**there.environment, "PREFECT_API_URL": api}
        words = ("deploy", "campaigns/once.yaml", "--pool", "due", "--create-pool", "--yes")
        more = ("--provider", "eachlabs", "--json")
        given = {**clean_environment, **at, **FAST}
        log = tmp_path / "worker.txt"
        with beside(worker("due"), tmp_path / "elsewhere", given, log):
            assert shotlist_alone(*words, *more, cwd=there.folder, **at).code == 0
            deployment = ask(api, "deployments/name/shotlist/once")["id"]
            mine: dict[str, Any] = {
                "deployments": {"id": {"any_": [deployment]}},
                "flow_runs": {"start_time": {"is_null_": False, "after_": since}},
                "sort": "START_TIME_ASC",
            }

            def begun() -> list[Any]:
                found: list[Any] = ask(api, "flow_runs/filter", mine)
                return found

            wait_until("a run by the schedule", lambda: bool(begun()), log)
            due = begun()[0]
            by_hand = [started(api, deployment, {}) for _ in range(2)]
            all_ended(api, [due["id"], *by_hand], log)
            # the next minute's may be at work by now: all that began are told
            ask(api, f"deployments/{deployment}/pause_deployment", {})
            ids = [one["id"] for one in begun()]
            runs = in_turn(all_ended(api, ids, log))
        page, twice = there.page("eachlabs"), there.twice()
        published = len(there.manifest()["renditions"])
    assert [one["state"]["message"] for one in runs] == [
        "published 12 of 12 shots; bought 12, spent $0.36",
        *["published 12 of 12 shots; bought 0, spent $0.00"] * (len(runs) - 1),
    ]
    assert (runs[0]["id"], runs[0]["auto_scheduled"]) == (due["id"], True)
    hands = [one for one in runs if one["id"] in by_hand]
    assert [(one["auto_scheduled"], WAITED in states(api, one)) for one in hands] == [
        (False, True)
    ] * 2
    assert (page["made"], page["duplicates"], page["over_limit"]) == (WANTED, 0, 0)
    assert (twice, published) == ([], WANTED)


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


@later
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_served_campaign_is_run_by_its_schedule_and_rests_when_it_is_stopped(
    stop: signal.Signals,
    api: str,
    clean_environment: dict[str, str],
    tmp_path: Path,
    repository: Path,
) -> None:
    skip_without_a_scheduler()
    with place(tmp_path / "shop", repository, MINUTELY) as there:
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
        served_ones = {"deployments": {"name": {"like_": "once-served"}}}
        (found,) = [
            one
            for one in ask(api, "deployments/filter", served_ones)
            if one["parameters"]["workspace"] == str(there.folder)
        ]
    assert code == 0, log.read_text()
    assert (page["made"], page["duplicates"], twice) == (WANTED, 0, [])
    assert "serving campaigns/once.yaml: * * * * * (Asia/Tokyo)" in log.read_text()
    assert found["paused"] is True
