"""What `status` shows of runs: when they began, what became of them, on a narrow terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.cli.status import status
from flows.ledger import Ledger, open_ledger
from flows.nouns.take import Realm

LONG = "spring-mugs-and-teapots-for-the-shop"


def begun(book: Ledger, run: str) -> None:
    book.begin_run(run, campaign=LONG, realm=Realm.SANDBOX, spec_sha256="0" * 64, destination="o")


def test_a_run_is_told_in_two_short_lines_with_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("SHOTLIST_LEDGER_URL", raising=False)
    with open_ledger(f"sqlite:///{tmp_path / '.shotlist' / 'ledger.db'}") as book:
        begun(book, "20261121T135207-a1b2c3")
        book.tell_run("20261121T135207-a1b2c3", "published 9 of 9 shots; bought 3, spent $0.12")
        book.end_run("20261121T135207-a1b2c3", "ended")
        begun(book, "20261121T135307-a1b2c3")
        book.end_run("20261121T135307-a1b2c3", "interrupted")
        book.tell_run("20261121T135307-a1b2c3", "the destination is full")
        begun(book, "20261121T135407-a1b2c3")
    assert status() == 0
    shown = capsys.readouterr().out
    runs = shown[shown.index("run 2026") :].splitlines()
    assert [re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC$", "AT", line) for line in runs[::2]] == [
        f"run 20261121T135407-a1b2c3  {LONG}  sandbox  AT",
        f"run 20261121T135307-a1b2c3  {LONG}  sandbox  AT",
        f"run 20261121T135207-a1b2c3  {LONG}  sandbox  AT",
    ]
    assert [re.sub(r"took \d+ s", "took", line) for line in runs[1::2]] == [
        "  running, or killed: then the next run goes on",
        "  interrupted: the destination is full; took; the next run goes on",
        "  published 9 of 9 shots; bought 3, spent $0.12; took",
    ]
