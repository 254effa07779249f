"""What runs beside a test as a process of its own; Prefect's server, workers and API among it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

TURN_S = 120.0
BUSY_S = 20.0
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
FAST = {"PREFECT_WORKER_QUERY_SECONDS": "0.5", "PREFECT_WORKER_PREFETCH_SECONDS": "1"}
"""For workers that shall not be waited for."""


def wait_until(
    what: str, is_so: Callable[[], bool], log: Path | None = None, within_s: float = TURN_S
) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {within_s:.0f} s\n{log.read_text() if log else ''}")
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def beside(
    words: list[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    within: Sequence[str] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a process beside the test; `within`: words that start another program."""
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as said:
        process = subprocess.Popen(
            [*within, sys.executable, "-m", *words],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(api: str, path: str, body: object = None) -> Any:
    """Prefect's own API, as its page uses it; a server whose database is busy is asked again, as
    Prefect's client does.
    """
    request = urllib.request.Request(
        f"{api}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


@contextmanager
def prefect_server(folder: Path, environment: Mapping[str, str], **more: str) -> Iterator[str]:
    """A Prefect server that lets a run that has to wait try again after a second, not thirty."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    given = {
        **environment,
        "PREFECT_HOME": str(folder),
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
        **more,
    }
    words = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]

    def is_up() -> bool:
        try:
            return ask(url, "health") is True
        except OSError:
            return False

    with beside(words, folder, given, folder / "log"):
        wait_until("Prefect's server", is_up, folder / "log")
        yield url


def worker(pool: str, *more: str) -> list[str]:
    """The words that start a worker."""
    return ["prefect", "worker", "start", "--pool", pool, "--type", "process", *more]


def started(api: str, deployment: str, wishes: Mapping[str, object]) -> str:
    """Start a deployment as its page does; the id of the run."""
    body = {"parameters": wishes, "state": {"type": "SCHEDULED"}}
    found: dict[str, Any] = ask(api, f"deployments/{deployment}/create_flow_run", body)
    return str(found["id"])


def ended(api: str, run: str) -> dict[str, Any] | None:
    """A flow run, once it has ended."""
    found: dict[str, Any] = ask(api, f"flow_runs/{run}")
    return found if found["state_type"] in ENDED else None


def all_ended(api: str, runs: list[str], log: Path, within_s: float = TURN_S) -> list[Any]:
    """Flow runs, when the last has ended."""
    wait_until(
        f"{len(runs)} runs", lambda: all(ended(api, run) for run in runs), log, within_s=within_s
    )
    return [ask(api, f"flow_runs/{run}") for run in runs]
