"""What is said of a run that is going on: on standard error, by words that a person reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flows.cli import progress as told
from flows.jobs import Job, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(s=100.0)
    monkeypatch.setattr(told, "time", SimpleNamespace(monotonic=lambda: now.s))
    return now


def job(shots: int) -> Job:
    works: list[Any] = [
        SimpleNamespace(paths=["x"], shot=SimpleNamespace(product=SimpleNamespace(key=str(one))))
        for one in range(shots)
    ]
    return cast("Job", SimpleNamespace(work=works))


def test_a_rate_is_told_of_what_came_after_the_first_shots_and_over_a_second_at_least(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    with told.watching(job(12)) as watch:
        clock.s += 20
        watch(Progress(shots=4, files=4, products=4))
        clock.s += 0.5
        watch(Progress(shots=2, files=2, products=2))
        clock.s += 11.5
        watch(Progress(shots=3, files=3, products=3))
        clock.s += 8
        watch(Progress(shots=3, files=3, products=3))
    begun, first, later, last = capsys.readouterr().err.splitlines()
    assert begun.startswith("making 12 shots")
    assert first == "4 of 12 products, 4 of 12 shots, 4 of 12 files, spent $0.00"
    assert later == (
        "9 of 12 products, 9 of 12 shots, 9 of 12 files, spent $0.00, 0.4 shots/s, 7 s left"
    )
    assert "12 of 12 shots" in last
    assert last.endswith(", 0.4 shots/s, 0 s left")


SAY = """
import logging, sys
from flows.cli import terminal
from flows.settings import quiet_prefect
terminal.set_up(quiet="q" in sys.argv[1], verbose="v" in sys.argv[1], log_file=None)
terminal.set_up(quiet="q" in sys.argv[1], verbose="v" in sys.argv[1], log_file=None)
quiet_prefect(None, verbose="v" in sys.argv[1])
import prefect
logging.getLogger("shotlist.storage").warning("%s: waiting", "s3://bucket")
logging.getLogger("shotlist.storage").info("of no interest")
logging.getLogger("another").warning("of another")
"""


@pytest.mark.parametrize(("how", "times"), [("-", 1), ("q", 0), ("v", 1)])
def test_what_rooms_warn_of_is_said_once_though_prefect_is_quiet(
    how: str, times: int, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAY, how],
        cwd=tmp_path,
        env=clean_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("s3://bucket: waiting") == times
    assert done.stderr.count("note: s3://bucket: waiting") == times
    assert "of no interest" not in done.stderr
