"""What `serve` and `deploy` refuse, in words; the setting that names a task runner."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from flows.campaign.runners import Crew, started
from flows.errors import EnvironmentFault
from flows.nouns.workspace import Workspace
from flows.settings import Settings
from tests.conftest import Shotlist

CAMPAIGN = """\
campaign: {name}
products: {{items: [{{sku: A, title: Jug}}]}}
prompt_text: "{{{{ product.title }}}}"
aspect_ratios: ["1:1"]
"""
MONDAYS = 'schedule: {cron: "0 6 * * 1", timezone: Europe/Berlin}\n'


def written(folder: Path, file: str, name: str, more: str = "") -> None:
    (folder / "campaigns").mkdir(exist_ok=True)
    (folder / "campaigns" / file).write_text(CAMPAIGN.format(name=name) + more, "utf-8")


def test_serve_says_of_each_campaign_why_it_cannot_be_served(
    shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    written(tmp_path, "a.yaml", "same", MONDAYS)
    written(tmp_path, "b.yaml", "same", MONDAYS)
    written(tmp_path, "c.yaml", "other")
    found = shotlist_alone(
        "serve", "campaigns/a.yaml", "campaigns/b.yaml", "campaigns/c.yaml", cwd=tmp_path
    )
    assert (found.code, found.out) == (2, "")
    assert found.err.splitlines() == [
        "shotlist: nothing is served",
        '  - campaigns/c.yaml: no schedule; add: schedule: {cron: "0 6 * * 1", timezone: UTC}',
        (
            "  - campaigns/b.yaml: its campaign 'same' is that of campaigns/a.yaml; each campaign "
            "has an id of its own"
        ),
    ]


def test_serve_without_a_campaign_says_so(shotlist_alone: Shotlist, tmp_path: Path) -> None:
    found = shotlist_alone("serve", cwd=tmp_path)
    assert (found.code, found.out) == (2, "")
    assert "no campaign file is named" in found.err


@pytest.mark.parametrize(
    ("api", "said"),
    [
        ("", "PREFECT_API_URL is not set"),
        ("http://127.0.0.1:9/api", "PREFECT_API_URL does not answer (ConnectError)"),
    ],
)
def test_deploy_without_a_server_says_what_to_do(
    api: str, said: str, shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    written(tmp_path, "a.yaml", "jugs", MONDAYS)
    words = ("deploy", "campaigns/a.yaml", "--pool", "pictures")
    found = shotlist_alone(*words, cwd=tmp_path, PREFECT_API_URL=api)
    assert (found.code, found.out) == (4, "")
    assert said in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", "threads"),
        ("threads", "threads"),
        ("processes", "processes"),
        ("dask", "dask"),
        ("dask:tcp://10.0.0.7:8786", "dask:tcp://10.0.0.7:8786"),
        ("ray:ray://10.0.0.7:10001", "ray:ray://10.0.0.7:10001"),
    ],
)
def test_a_task_runner_is_named_by_a_word_and_perhaps_an_address(
    said: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOTLIST_TASK_RUNNER", said)
    assert Settings.load(Workspace(tmp_path)).task_runner == meant


@pytest.mark.parametrize("said", ["dsak", "dask:", "threads:4", "tcp://10.0.0.7:8786"])
def test_another_task_runner_is_refused_with_those_there_are(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOTLIST_TASK_RUNNER", said)
    with pytest.raises(EnvironmentFault) as raised:
        Settings.load(Workspace(tmp_path))
    assert str(raised.value) == (
        f"SHOTLIST_TASK_RUNNER: {said!r} is no task runner (allowed: threads, processes, dask, "
        f"ray, dask:tcp://HOST:PORT, ray:ray://HOST:PORT)"
    )


@pytest.mark.parametrize("named", ["dask", "ray", "ray:ray://127.0.0.1:10001"])
def test_a_task_runner_whose_package_is_missing_is_told_with_its_extra(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = named.partition(":")[0]
    monkeypatch.setitem(sys.modules, f"prefect_{kind}", None)
    with pytest.raises(EnvironmentFault) as raised, started(named):
        pytest.fail("there is nothing to start")
    assert str(raised.value) == (
        f"SHOTLIST_TASK_RUNNER={named}: prefect_{kind} is not installed; "
        f"pip install 'shotlist[{kind}]'"
    )


@pytest.mark.parametrize(
    ("named", "shares_memory", "is_far"),
    [
        ("threads", True, False),
        ("processes", False, False),
        ("dask", False, False),
        ("dask:tcp://10.0.0.7:8786", False, True),
        ("ray:ray://10.0.0.7:10001", False, True),
    ],
)
def test_makers_of_a_cluster_with_an_address_may_sit_on_other_machines(
    named: str, shares_memory: bool, is_far: bool
) -> None:
    crew = Crew(named=named, runner=ThreadPoolTaskRunner())
    assert (crew.shares_memory, crew.is_far) == (shares_memory, is_far)
