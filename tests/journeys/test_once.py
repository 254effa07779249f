"""Bought once, whatever happens: killed runs and budgets, with the ledger on either database."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shotlist
from tests.journeys.once import (
    CAMPAIGN,
    CAN_BE_ASKED,
    FEW_AT_ONCE,
    PAUSE_S,
    PRICES,
    WANTED,
    Begin,
    Place,
    killed,
    place,
    run_at,
    slow,
    survived,
    told,
    wait,
)

pytestmark = pytest.mark.journey
later = pytest.mark.slow
KILLS = 3


@pytest.mark.parametrize(
    ("host", "database"),
    [
        ("replicate", "sqlite"),
        ("evolink", "sqlite"),
        ("eachlabs", "postgresql"),
        *(pytest.param(host, "sqlite", marks=later) for host in ("eachlabs", "fal", "lumenfall")),
        *(pytest.param(host, "postgresql", marks=later) for host in ("replicate", "evolink")),
    ],
)
def test_a_run_that_is_killed_again_and_again_buys_each_picture_once(
    host: str,
    database: str,
    ledger_on: Callable[[str], str],
    begin: Begin,
    tmp_path: Path,
    repository: Path,
) -> None:
    few: dict[str, Any] = {"limits": {host: FEW_AT_ONCE}, "ledger": ledger_on(database)}
    with place(tmp_path / "cut", repository, faults=slow(host), **few) as there:
        kills = killed(there, begin, host, KILLS, f"short {host}")
        manifest = survived(kills, there, begin, host, WANTED)
    assert kills == KILLS
    if host in CAN_BE_ASKED and database == "sqlite":
        with place(tmp_path / "whole", repository, **few) as calm:
            assert wait(begin(calm, *run_at(host))) == 0
        assert told(manifest) == told(calm.manifest())


@pytest.mark.parametrize("database", [pytest.param("sqlite", marks=later), "postgresql"])
def test_the_next_run_finds_in_the_ledger_what_is_there(
    database: str,
    ledger_on: Callable[[str], str],
    shotlist: Shotlist,
    tmp_path: Path,
    repository: Path,
) -> None:
    with place(tmp_path, repository, ledger=ledger_on(database)) as there:
        at = {"cwd": there.folder, **there.environment}
        first = shotlist(*run_at("eachlabs"), **at)
        before = there.manifest()
        second = shotlist(*run_at("eachlabs"), **at)
        page = there.page("eachlabs")
        status, states = shotlist("status", "--json", **at).document, there.states()
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "bought 0" in second.out
    assert (page["made"], page["duplicates"]) == (WANTED, 0)
    assert (states, status["unsettled"]) == ({"done": WANTED}, [])
    assert there.manifest() == before
    lies_here = (there.folder / ".shotlist" / "ledger.db").exists()
    assert lies_here == (database == "sqlite")


def spent(there: Place, process: subprocess.Popen[bytes], cap: float) -> int:
    """Look at the bill as often as can be while it runs: never over the cap. How it ended."""
    while process.poll() is None:
        assert there.bill()["totals"]["usd"] <= cap
        time.sleep(PAUSE_S)
    assert there.bill()["totals"]["usd"] <= cap
    return wait(process)


@pytest.mark.parametrize(
    ("host", "lost", "database"),
    [
        ("freepik", 0.3, "sqlite"),
        pytest.param("freepik", 0.0, "sqlite", marks=later),
        pytest.param("replicate", 0.0, "sqlite", marks=later),
        pytest.param("replicate", 0.3, "sqlite", marks=later),
        pytest.param("freepik", 0.3, "postgresql", marks=later),
        pytest.param("replicate", 0.3, "postgresql", marks=later),
    ],
)
def test_a_run_stops_at_half_of_its_cost_by_the_bill_of_the_host(
    host: str,
    lost: float,
    database: str,
    ledger_on: Callable[[str], str],
    begin: Begin,
    tmp_path: Path,
    repository: Path,
) -> None:
    cap = round(PRICES[host] * WANTED / 2, 4)
    faults = [{"host": host, "at": "create", "kind": "accept_then_drop", "share": lost}]
    with place(tmp_path, repository, faults=faults, ledger=ledger_on(database)) as there:
        ended = spent(there, begin(there, *run_at(host), "--max-cost", str(cap)), cap)
        page = there.page(host)
    manifest = there.manifest()
    # what may be paid counts as spent, so that as many are made as the money is good for
    assert (ended, page["made"]) == (3, WANTED // 2)
    parked = [one for one in manifest["failures"] if one["stage"] == "parked"]
    assert len(manifest["renditions"]) + len(parked) == WANTED // 2
    assert (len(parked) > 0) == (lost > 0 and host not in CAN_BE_ASKED)


@later
@pytest.mark.parametrize(("per", "made"), [("run", 8), ("month", 4), ("total", 4)])
def test_a_campaigns_budget_holds_over_its_span(
    per: str, made: int, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    campaign = f"{CAMPAIGN}budget: {{max_usd: 0.12, per: {per}}}\n"
    with place(tmp_path, repository, campaign) as there:
        ended = [wait(begin(there, *run_at("replicate"))) for _ in range(2)]
        page, twice = there.page("replicate"), there.twice()
    assert (ended, page["made"], twice) == ([3, 3], made, [])
    assert len(there.manifest()["renditions"]) == made
