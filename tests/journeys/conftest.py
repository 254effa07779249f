"""What journeys share: the command as a process beside the test, and ledgers on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.once import Begin, Place


@pytest.fixture
def begin(
    clean_environment: dict[str, str], prefect_server: str, tmp_path: Path
) -> Iterator[Begin]:
    """The installed command as a process that goes on beside the test; its output is in a file."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(place: Place, *words: str, **more: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "said.txt").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.cli", *words],
                cwd=place.folder,
                env={
                    **clean_environment,
                    "PREFECT_API_URL": prefect_server,
                    **place.environment,
                    **more,
                },
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def ledger_on(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The address of a new ledger on a database; empty: SQLite, in the workspace."""

    def fresh(database: str) -> str:
        if database == "sqlite":
            return ""
        schema: Callable[[], str] = request.getfixturevalue("postgres")
        return schema()

    return fresh
