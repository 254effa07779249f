"""What is said of a run that is going on."""

from __future__ import annotations

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
