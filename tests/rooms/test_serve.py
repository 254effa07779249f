"""What `serve` and `deploy` refuse, in words, and how `serve` speaks; what Prefect's page links to;
the setting that names a task runner.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import io
import sys
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.task_runners import ThreadPoolTaskRunner

from flows.campaign import Happened, report
from flows.campaign.runners import Crew, started
from flows.campaign.watching import Watch
from flows.cli import serve, terminal
from flows.cli.scheduled import requested
from flows.cli.serve import those_to_serve
from flows.errors import BadInput, EnvironmentFault
from flows.nouns.workspace import Workspace
from flows.settings import Settings
from tests.conftest import Shotlist
from tests.rooms.plan_factory import campaign

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


PASSWORDS = [
    ("sftp://me:hush@host/x", "sftp://host/x"),
    ("sftp://me:12@host:22/x", "sftp://host:22/x"),
    ("sftp://me:h@sh@host:22/x", "sftp://host:22/x"),
    ("s3://key:hu/sh@bucket/x", "s3://bucket/x"),
    ("simplecache::s3://key:hush@bucket/x", "simplecache::s3://bucket/x"),
]


@pytest.mark.parametrize(("to", "seen"), PASSWORDS)
def test_a_password_in_a_destination_does_not_go_to_prefects_server(to: str, seen: str) -> None:
    with pytest.raises(BadInput) as raised:
        requested("campaigns/a.yaml", to=to)
    assert raised.value.exit_code == 2
    assert str(raised.value) == (
        f"nothing was registered\n"
        f"  - --to: {seen} with a password, which Prefect's server would keep and show "
        f"(allowed: an address without one); leave it out: let a key of ~/.ssh, or the store's own "
        f"variables in the environment or .env where it runs, open it"
    )


@pytest.mark.parametrize(
    "to",
    [
        "sftp://me@host:22/x",
        "s3://bucket/a@2x",
        "s3://127.0.0.1:9000/a@2x",
        "zip://a::sftp://host/a@2x.zip",
        "sftp://[::1]:22/a@2x",
        "outputs/a:b@c",
    ],
)
def test_a_destination_without_a_password_is_taken_as_it_is(to: str) -> None:
    assert requested("campaigns/a.yaml", to=to).to == to


@pytest.mark.parametrize("words", [("serve",), ("deploy", "--pool", "pictures")])
def test_serve_and_deploy_refuse_a_password_before_anything_else(
    words: tuple[str, ...], shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    written(tmp_path, "a.yaml", "jugs", MONDAYS)
    more = ("campaigns/a.yaml", "--to", "sftp://me:hush@127.0.0.1:9/x")
    found = shotlist_alone(*words, *more, cwd=tmp_path)
    assert (found.code, found.out) == (2, "")
    assert "--to: sftp://127.0.0.1:9/x with a password" in found.err
    assert "hush" not in found.err


def test_a_log_whose_disk_is_full_does_not_keep_serve_from_speaking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(terminal, "_log", Full())
    for said in ("a run begins", "published 1 of 1 shots"):
        serve._tell(Happened(campaign="jugs", said=said))
    assert [line.partition(" ")[2][9:] for line in capsys.readouterr().err.splitlines()] == [
        "jugs: a run begins (it could not be logged: No space left on device)",
        "jugs: published 1 of 1 shots (it could not be logged: No space left on device)",
    ]


def test_a_fault_of_one_look_is_told_once_and_ends_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    faults: list[Exception] = [OSError("disk full"), OSError("disk full"), ValueError("odd")]

    def look(_self: Watch, _client: object, *, is_last: bool) -> None:
        if faults:
            raise faults.pop(0)
        told.append(f"told, last: {is_last}")

    monkeypatch.setattr(Watch, "_tell_all", look)
    watch = Watch({UUID(int=1): campaign()}, lambda _: None)
    nobody = cast("SyncPrefectClient", None)
    for _ in range(4):
        watch._look(nobody)
    watch._look(nobody, is_last=True)
    assert told == ["told, last: False", "told, last: True"]
    assert capsys.readouterr().err.splitlines() == [
        "shotlist: what becomes of runs could not be told (OSError: disk full)",
        "shotlist: what becomes of runs could not be told (ValueError: odd)",
    ]


@pytest.mark.parametrize(
    ("place", "link"),
    [
        ("/shop/a b/(new) [1]/ö.html", "file:///shop/a%20b/%28new%29%20%5B1%5D/%C3%B6.html"),
        ("s3://shop/a b/(new)/index.html", "s3://shop/a%20b/%28new%29/index.html"),
        ("sftp://[::1]:22/a/index.html", "sftp://[::1]:22/a/index.html"),
        ("memory://shop/index.html", "memory://shop/index.html"),
    ],
)
def test_a_link_of_prefects_page_leads_to_its_file_whatever_the_folders_name(
    place: str, link: str
) -> None:
    assert report._address(place) == link


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


def test_what_keeps_a_runner_from_stopping_ends_it_all_the_same_and_is_raised() -> None:
    served = importlib.import_module("flows.campaign.served")

    class Stuck(served._Runner):  # type: ignore[misc, name-defined]
        async def start(self, *_args: object, **_more: object) -> None:
            self.started = True
            self.handle_sigterm()
            await asyncio.sleep(30)

        async def astop(self) -> None:
            msg = "the runner is stuck"
            raise OSError(msg)

    with pytest.raises(OSError, match="the runner is stuck"):
        Stuck().run()
