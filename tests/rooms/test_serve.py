"""What `serve` and `deploy` refuse, in words; the setting that names a task runner."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from flows.campaign.runners import Crew, started
from flows.cli.scheduled import requested
from flows.cli.serve import those_to_serve
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
    written(tmp_path, "a.yaml", "jugs")
    found = shotlist_alone("serve", "campaigns/a.yaml", "campaigns/b.yaml", cwd=tmp_path)
    assert (found.code, found.out) == (2, "")
    assert found.err.splitlines() == [
        "shotlist: campaigns/a.yaml is not served",
        '  - campaigns/a.yaml: no schedule; add: schedule: {cron: "0 6 * * 1", timezone: UTC}',
        "shotlist: campaigns/b.yaml cannot be used",
        "  - campaigns/b.yaml: no such file; did you mean 'a.yaml'?",
        "shotlist: nothing is served",
    ]


def test_what_can_be_served_is_and_what_keeps_the_others_from_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAL_KEY", raising=False)
    written(tmp_path, "a.yaml", "same", MONDAYS)
    written(tmp_path, "b.yaml", "same", MONDAYS)
    written(tmp_path, "c.yaml", "other")
    written(tmp_path, "d.yaml", "keyless", f"{MONDAYS}providers: {{use: [fal]}}\n")
    written(tmp_path, "e.yaml", "bare", MONDAYS)
    bare = tmp_path / "campaigns" / "e.yaml"
    bare.write_text(
        bare.read_text("utf-8").replace("{items: [{sku: A, title: Jug}]}", "{from: e.csv}")
    )
    asked = [requested(f"campaigns/{name}.yaml") for name in "abcde"]
    served = those_to_serve(asked, yes=False)
    assert [(one.spec, campaign.campaign) for one, campaign, _ in served] == [
        ("campaigns/a.yaml", "same"),
        ("campaigns/e.yaml", "bare"),
    ]
    assert capsys.readouterr().err.splitlines() == [
        "shotlist: campaigns/b.yaml is not served",
        (
            "  - campaigns/b.yaml: its campaign 'same' is that of campaigns/a.yaml; give it an id "
            "of its own"
        ),
        "shotlist: campaigns/c.yaml is not served",
        '  - campaigns/c.yaml: no schedule; add: schedule: {cron: "0 6 * * 1", timezone: UTC}',
        (
            "shotlist: campaigns/d.yaml is not served: no key: set FAL_KEY (for fal) in the "
            "environment or in the workspace's .env"
        ),
        "shotlist: campaigns/e.yaml cannot be used",
        "  - campaigns/e.yaml:2:18: there is no file 'e.csv'; paths begin at campaigns/",
        "note: campaigns/e.yaml is served all the same: its runs fail until that is mended",
    ]


def test_serve_without_the_key_of_its_only_host_is_the_environments_fault(
    shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    written(tmp_path, "a.yaml", "jugs", MONDAYS)
    found = shotlist_alone("serve", "campaigns/a.yaml", "--provider", "fal", cwd=tmp_path)
    assert (found.code, found.out, found.err) == (
        4,
        "",
        (
            "shotlist: campaigns/a.yaml is not served: no key: set FAL_KEY (for fal) in the "
            "environment or in the workspace's .env\n"
        ),
    )


def test_a_host_that_nobody_knows_is_refused_at_once(
    shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    written(tmp_path, "a.yaml", "jugs", MONDAYS)
    found = shotlist_alone("serve", "campaigns/a.yaml", "--provider", "fall", cwd=tmp_path)
    assert (found.code, found.out) == (2, "")
    assert "did you mean 'fal'?" in found.err


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
