"""`serve` as a process that stays: what it says of its runs, and how it ends."""

from __future__ import annotations

import re
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from flows.ledger import open_ledger
from tests.conftest import Shotlist
from tests.journeys.beside import ask, beside, started, wait_until

pytestmark = pytest.mark.journey
CAMPAIGN = """\
campaign: {name}
products: {products}
prompt_text: "{{{{ product.title }}}}"
aspect_ratios: ["1:1"]
schedule: {{cron: "0 6 1 1 *", timezone: Europe/Berlin}}
"""
IGNORING = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""As a shell starts what it sends to the background."""


def workspace(folder: Path) -> Path:
    (folder / "campaigns").mkdir(parents=True)
    many = ", ".join(f"{{sku: P{number}, title: Jug {number}}}" for number in range(900))
    catalogues = {
        "jugs": "{items: [{sku: A, title: Jug}]}",
        "bare": "{from: b.csv}",
        "many": f"{{items: [{many}]}}",
    }
    for name, products in catalogues.items():
        text = CAMPAIGN.format(name=name, products=products)
        (folder / "campaigns" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def test_serve_says_how_its_runs_go_and_ends_at_sigterm_where_sigint_is_ignored(
    clean_environment: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    environment = {
        **clean_environment,
        "PREFECT_HOME": str(home),
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_SERVER_UI_ENABLED": "false",
    }
    words = ["flows.cli", "--verbose", "--log-file", "said.txt", "serve"]
    words += [f"campaigns/{name}.yaml" for name in ("jugs", "bare", "many")]
    words += ["--provider", "proof"]
    shop, log = workspace(tmp_path / "shop"), tmp_path / "log.txt"
    within = (sys.executable, "-c", IGNORING)
    with beside(words, shop, environment, log, within) as served:

        def said() -> str:
            file = shop / "said.txt"
            return file.read_text("utf-8") if file.exists() else ""

        wait_until("three schedules", lambda: said().count(": next run ") == 3, log)
        page = re.search(r"on the page at (http://\S+);", said())
        assert page is not None
        api = f"{page[1]}/api"
        deployments = ask(api, "deployments/filter", {"sort": "NAME_ASC"})
        bare, jugs, many = [one["id"] for one in deployments]
        for one in (bare, jugs):
            started(api, one, {})
        wait_until("two ends", lambda: said().count("; next run ") == 2, log)
        started(api, many, {})
        wait_until("a long run", lambda: "many: a run begins, by hand" in said(), log)
        takes = shop / ".shotlist" / "takes"  # one of them is that of the jug
        wait_until("its first picture", lambda: len(list(takes.glob("*/*"))) > 1, log)
        served.send_signal(signal.SIGTERM)
        code = served.wait(60)
    assert code == 0, log.read_text("utf-8")
    with pytest.raises(OSError):
        ask(api, "health")
    records = sqlite3.connect(home / "prefect.db")
    rest = records.execute("select name, paused from deployment order by name").fetchall()
    records.close()
    names = [one["name"] for one in deployments]
    assert [re.sub("[0-9a-f]{6}$", "", name) for name in names] == [
        "bare-served-",
        "jugs-served-",
        "many-served-",
    ]
    assert rest == [(name, 1) for name in names]
    lines = [line.partition(" ")[2] for line in said().splitlines() if line[:3] == "202"]
    told = {line.partition(" ")[2] for line in lines}
    due = re.search(r"next run (20\d\d-01-01 06:00 Europe/Berlin)", said())
    assert due is not None
    assert {
        f"bare: next run {due[1]}",
        f"jugs: next run {due[1]}",
        "bare: a run begins, by hand",
        "jugs: a run begins, by hand",
        f"jugs: published 1 of 1 shots; drew 1; next run {due[1]}",
        "many: a run begins, by hand",
    } <= told
    assert "bare: failed: " in said()
    assert f"there is no file 'b.csv'; paths begin at {shop}/campaigns/ (exit code 2)" in said()
    *_, cut_off, last = said().splitlines()
    assert cut_off.endswith("many: stopped in the middle; the next run goes on")
    assert last == "stopped: the schedules rest until the campaigns are served again"
    with open_ledger(f"sqlite:///{shop / '.shotlist' / 'ledger.db'}") as book:
        runs = {run["campaign"]: (run["outcome"], run["told"]) for run in book.runs()}
    assert runs == {
        "jugs": ("ended", "published 1 of 1 shots; drew 1"),
        "many": ("interrupted", None),
    }
    # Prefect's own log, which --verbose lets through
    shown = log.read_text("utf-8")
    assert "Finished in state Failed(" in shown
    assert "flows.errors.BadInput" not in shown
    assert re.search(r"ERROR .*bare.yaml cannot be used - .*there is no file 'b.csv'", shown)


def test_a_password_in_a_runs_destination_is_used_and_kept_nowhere(
    shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    home, shop = tmp_path / "home", workspace(tmp_path / "shop")
    words = ("run", "campaigns/jugs.yaml", "--provider", "proof")
    to = ("--to", "memory://me:hush@shelf/jugs")
    found = shotlist_alone(*words, *to, cwd=shop, PREFECT_HOME=str(home))
    assert found.code == 0, found.err
    assert "manifest: memory://shelf/jugs/manifest.json" in found.out.splitlines()
    assert "hush" not in found.out + found.err
    records = sqlite3.connect(home / "prefect.db")
    (kept,) = records.execute("select json_extract(parameters, '$.to') from flow_run").fetchall()
    records.close()
    assert kept == ("memory://shelf/jugs",)
    files = [one for folder in (home, shop) for one in folder.rglob("*") if one.is_file()]
    assert [str(one) for one in files if b"hush" in one.read_bytes()] == []


def test_deploy_says_that_workers_need_a_key_that_is_not_set_here(
    shotlist: Shotlist, tmp_path: Path
) -> None:
    words = ("deploy", "campaigns/jugs.yaml", "--pool", "keyless", "--create-pool")
    found = shotlist(*words, "--provider", "fal", cwd=workspace(tmp_path / "shop"))
    assert found.code == 0
    assert (
        "note: here: no key: set FAL_KEY (for fal) in the environment or in the workspace's .env; "
        "each worker needs it, where it runs"
    ) in found.err.splitlines()
