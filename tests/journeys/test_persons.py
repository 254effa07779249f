"""What a person decides: purchases settled as lost or found, pictures turned down, who is told."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import sandbox
from tests.conftest import Shotlist

pytestmark = pytest.mark.journey

CAMPAIGN = """\
campaign: six
products: {from: data/products.csv, image_base: data/photos, limit: 3}
prompt_text: "{{ product.title }} on an oak table, calm morning light."
aspect_ratios: ["1:1", "4:5"]
alt: "{{ product.title }}"
"""
RUN = ("run", "campaigns/six.yaml", "--provider", "freepik", "--yes")
LOSES_THE_SECOND = [{"host": "freepik", "at": "create", "kind": "accept_then_drop", "nth": 2}]


@pytest.fixture
def workspace(tmp_path: Path, repository: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    shutil.copytree(repository / "campaigns" / "data", tmp_path / "campaigns" / "data")
    (tmp_path / "campaigns" / "six.yaml").write_text(CAMPAIGN, "utf-8")
    return tmp_path


@pytest.fixture
def host() -> Iterator[sandbox.Running]:
    """A sandbox whose freepik takes the second order, bills it and never answers."""
    with sandbox.started(speed=30, faults=LOSES_THE_SECOND) as running:
        priced(running)
        yield running


def priced(running: sandbox.Running) -> None:
    """Say what freepik costs, which publishes no price."""
    accounts = Path(running.environment["SHOTLIST_ACCOUNTS"])
    wishes = yaml.safe_load(accounts.read_text("utf-8"))
    wishes["freepik"]["usd_per_image"] = 0.02
    accounts.write_text(yaml.safe_dump(wishes), "utf-8")


def bill(host: sandbox.Running) -> dict[str, Any]:
    lines: dict[str, Any] = host.report()["hosts"]["freepik"]
    return lines


def manifest(workspace: Path, campaign: str = "six") -> dict[str, Any]:
    path = workspace / "outputs" / campaign / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def parked(workspace: Path, shotlist: Shotlist) -> dict[str, Any]:
    """The one take that status names as unsettled."""
    (one,) = shotlist("status", "--json", cwd=workspace).document["unsettled"]
    found: dict[str, Any] = one
    return found


def planned(
    workspace: Path, shotlist: Shotlist, host: sandbox.Running
) -> dict[str, tuple[str, str]]:
    """Shot id to its state and why."""
    told = shotlist(
        "plan",
        "campaigns/six.yaml",
        "--provider",
        "freepik",
        "--json",
        cwd=workspace,
        **host.environment,
    )
    return {shot["shot_id"]: (shot["state"], shot["why"]) for shot in told.document["shots"]}


def link_of_the_lost_one(workspace: Path, host: sandbox.Running) -> str:
    """The address of the picture whose order was never answered, as the host's dashboard shows."""
    with sqlite3.connect(workspace / ".shotlist" / "ledger.db") as ledger:
        known = {row[0] for row in ledger.execute("select host_task_id from takes")}
    (path,) = [
        link.path
        for link in host.world.links._links.values()
        if link.host == "freepik" and link.task and link.task not in known
    ]
    return host.url + path


def test_a_lost_purchase_is_named_settled_and_another_is_bought_in_its_place(
    host: sandbox.Running, workspace: Path, shotlist: Shotlist
) -> None:
    first = shotlist(*RUN, cwd=workspace, **host.environment)
    assert (first.code, bill(host)["billed"]) == (1, 6), first.err
    one = parked(workspace, shotlist)
    (shot,) = [shot["shot_id"] for shot in one["shots"]]
    assert (one["provider"], one["account"], one["realm"], one["state"]) == (
        "freepik",
        "freepik",
        "sandbox",
        "unknown",
    )
    assert one["price_usd"] == 0.02
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["sent_at"])
    told = shotlist("status", cwd=workspace).out
    prefix = one["recipe"][:12]
    at = f"{one['sent_at'][:10]} {one['sent_at'][11:16]} UTC"
    assert f"unknown: {prefix} ({shot}) at freepik, sandbox, sent {at}" in told
    assert (
        f"look at your account at freepik, then `shotlist settle {prefix} --lost`, or "
        f"`--found URL`" in told
    )

    settled = shotlist("settle", prefix, "--lost", cwd=workspace)
    assert (settled.code, settled.out.splitlines()) == (
        0,
        [
            f"settled as lost: {prefix} ({shot}) at freepik, sandbox",
            "$0.02 (its price) count as spent",
            f"to have another bought: shotlist retake '{shot}', then run again",
        ],
    )
    state, why = planned(workspace, shotlist, host)[shot]
    assert (state, "settled as lost by a person" in why) == ("failed", True), why
    again = shotlist(*RUN, cwd=workspace, **host.environment)
    assert (again.code, bill(host)["billed"]) == (1, 6), "lost is not bought again by itself"

    turned = shotlist("retake", shot, "--why", "it was lost", cwd=workspace)
    assert (turned.code, turned.out.splitlines()) == (
        0,
        [
            f"turned down: {shot} of six (sandbox), take 1",
            "1 shot; run again: 1 new take, about $0.02",
        ],
    )
    assert planned(workspace, shotlist, host)[shot] == (
        "changed",
        "a person turned its picture down",
    )
    last = shotlist(*RUN, cwd=workspace, **host.environment)
    assert (last.code, bill(host)["billed"], bill(host)["duplicates"]) == (0, 7, 0), last.err
    takes = {row["shot_id"]: row["take"] for row in manifest(workspace)["renditions"]}
    assert takes == {id_: 2 if id_ == shot else 1 for id_ in takes}
    told_in_json = shotlist("status", "campaigns/six.yaml", "--json", cwd=workspace).document
    (spending,) = told_in_json["spending"]
    assert (spending["campaign"], spending["realm"], spending["total_usd"]) == (
        "six",
        "sandbox",
        0.14,
    )
    assert (spending["run_usd"], spending["month_usd"]) == (0.02, 0.14)


def test_a_found_picture_is_published_without_buying_it_again(
    host: sandbox.Running, workspace: Path, shotlist: Shotlist
) -> None:
    shotlist(*RUN, cwd=workspace, **host.environment)
    one = parked(workspace, shotlist)
    (shot,) = [shot["shot_id"] for shot in one["shots"]]
    address = link_of_the_lost_one(workspace, host)
    settled = shotlist("settle", shot, "--found", f"{address}?sign=SECRET", cwd=workspace)
    assert (settled.code, settled.out.splitlines()) == (
        0,
        [
            f"settled as found: {one['recipe'][:12]} ({shot}) at freepik, sandbox",
            "$0.02 (its price) count as spent",
            f"run again: it is fetched from {address}, nothing is bought",
        ],
    )
    assert parked(workspace, shotlist)["remedy"] == (
        "run again: it is fetched, and paid no second time"
    )
    creates = bill(host)["creates"]
    last = shotlist(*RUN, cwd=workspace, **host.environment)
    assert (last.code, bill(host)["creates"], bill(host)["delivered"]) == (0, creates, 6), last.err
    assert manifest(workspace)["totals"] == {
        "shots": 6,
        "published": 6,
        "failed": 0,
        "parked": 0,
    }


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def post(address: str) -> int:
    """The status that the receiver answers a body with, as soon as it listens."""
    request = urllib.request.Request(address, data=b'{"id": "t1", "status": "completed"}')
    request.add_header("content-type", "application/json")
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_receiver_stands_alone_under_one_secret_address_until_it_is_stopped(
    tmp_path: Path, clean_environment: dict[str, str]
) -> None:
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    given = {
        **clean_environment,
        "SHOTLIST_CALLBACK_URL": public,
        "EVOLINK_API_KEY": "sk-test-SECRET-1",
        "FREEPIK_API_KEY": "sk-test-SECRET-2",
        "LUMENFALL_API_KEY": "sk-test-SECRET-3",
    }
    seen = []
    for _ in range(2):
        receiver = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "--log-file", "log.txt", "callbacks"],
            cwd=tmp_path,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert receiver.stdout is not None
            first, second = (receiver.stdout.readline().strip() for _ in range(2))
            codes = (
                post(first),
                post(first.replace("evolink", "freepik")),
                post(first.replace("evolink", "lumenfall")),
                post(f"{public}/guess/evolink"),
            )
        finally:
            receiver.send_signal(signal.SIGINT)
            out, told = receiver.communicate(timeout=30)
        assert (receiver.returncode, codes) == (0, (200, 401, 404, 404)), told
        assert (second, out) == (first.replace("evolink", "freepik"), "")
        assert "FREEPIK_WEBHOOK_SECRET is not set: its callbacks cannot be verified" in told
        assert "SECRET-" not in out + told
        seen.append((first, "heard: evolink, t1" in told))
    token = seen[0][0].split("/")[-2]
    assert seen == [(f"{public}/{token}/evolink", True)] * 2
    assert len(token) >= 32
    assert token not in (tmp_path / "log.txt").read_text("utf-8")
    with sqlite3.connect(tmp_path / ".shotlist" / "ledger.db") as ledger:
        assert ledger.execute("select host, job from heard").fetchall() == [("evolink", "t1")]
