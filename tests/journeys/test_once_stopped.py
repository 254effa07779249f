"""Bought once by two processes at a time, and by a run that is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.sandbox.limits import Limits, Window
from flows.shoot.seeking import LONGEST_S
from tests.journeys.once import CAMPAIGN, WANTED, Begin, place, run_at, until, wait

pytestmark = [pytest.mark.journey, pytest.mark.slow]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_campaigns_on_one_key_stay_inside_its_limits_together(
    database: str,
    ledger_on: Callable[[str], str],
    begin: Begin,
    tmp_path: Path,
    repository: Path,
) -> None:
    host, limits = "eachlabs", Limits((Window(40, 60.0),), running=3)
    narrow: dict[str, Any] = {"limits": {host: limits}, "latencies": {host: (40.0, 0.3)}}
    with place(tmp_path, repository, ledger=ledger_on(database), **narrow) as there:
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
    ((began, over),) = there.read("select max(started_at), min(ended_at) from runs")
    assert began < over  # they were at work at the same time
    for campaign in ("once", "other"):
        assert len(there.manifest(campaign)["renditions"]) == WANTED


def said(tmp_path: Path) -> str:
    return (tmp_path / "said.txt").read_text("utf-8")


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGINT,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)],
    ids=["Ctrl-C", "Ctrl-C twice", "SIGTERM"],
)
def test_a_run_that_is_told_to_stop_loses_nothing_and_the_next_one_finishes(
    signals: Sequence[signal.Signals], begin: Begin, tmp_path: Path, repository: Path
) -> None:
    host = "replicate"
    slowly: dict[str, Any] = {
        "limits": {host: Limits((Window(600, 60.0),), running=3)},
        "latencies": {host: (80.0, 0.1)},
    }
    with place(tmp_path / "here", repository, **slowly) as there:
        process = begin(there, *run_at(host))
        assert until(process, lambda: there.page(host)["creates"] >= 3)
        process.send_signal(signals[0])
        for again in signals[1:]:
            if until(process, lambda: "stopping" in said(tmp_path)):
                process.send_signal(again)
        assert wait(process) == 130, said(tmp_path)
        states, made = there.states(), there.page(host)["made"]
        if len(signals) == 1:
            assert "interrupted; nothing is lost" in said(tmp_path)
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


def test_a_run_that_is_told_to_stop_leaves_its_lookups_to_the_next_one(
    begin: Begin, tmp_path: Path, repository: Path
) -> None:
    host = "eachlabs"
    faults: list[dict[str, Any]] = [
        {"host": host, "at": "create", "kind": "accept_then_drop", "first": 1},
        {"host": host, "at": "list", "kind": "status", "status": 503, "first": 1000},
    ]
    with place(tmp_path, repository, faults=faults) as there:
        process = begin(there, *run_at(host))
        assert until(process, lambda: there.page(host)["asked"].get("list", 0) >= 2)
        process.terminate()
        # it would be looked for half a minute at least
        assert process.wait(LONGEST_S / 2) == 130, said(tmp_path)
        assert there.states()["unknown"] == 1
        assert there.twice() == []
