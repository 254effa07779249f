"""What tests share: a closed network, real catalogues where they are, the command, one server."""

from __future__ import annotations

import itertools
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from flows.ledger import Ledger, open_ledger
from flows.settings import ADDRESS_VARIABLES

HERE = Path(__file__).parent
CLOSED = HERE / "closed_network"
COMMAND_TIMEOUT_S = 420

settings.register_profile("shotlist", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("shotlist")

runpy.run_path(str(CLOSED / "sitecustomize.py"))


@pytest.fixture(scope="session")
def repository() -> Path:
    return HERE.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real catalogues."""
    named = os.environ.get("SHOTLIST_TEST_DATA")
    if not named:
        pytest.skip("SHOTLIST_TEST_DATA is not set: the real catalogues are not here")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"SHOTLIST_TEST_DATA names {folder}, which is not there")
    return folder


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Shotlist = Callable[..., Ended]


@pytest.fixture(scope="session")
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """No keys, no colours, no telemetry, a Prefect home of its own, and a closed network."""
    foreign = ("_API_KEY", "_API_TOKEN", "FAL_KEY", "_WEBHOOK_SECRET", "SHOTLIST_", "PREFECT_")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not any(part in name for part in foreign) and name not in ADDRESS_VARIABLES
    }
    environment["PYTHONPATH"] = str(CLOSED)
    environment["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    environment["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    environment["DO_NOT_TRACK"] = "1"
    environment["NO_COLOR"] = "1"
    environment["SHOTLIST_TEST_REFUSED"] = str(tmp_path_factory.mktemp("network") / "refused")
    return environment


@pytest.fixture(scope="session")
def prefect_home(clean_environment: dict[str, str]) -> Path:
    """Where Prefect keeps its records."""
    return Path(clean_environment["PREFECT_HOME"])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def prefect_server(
    clean_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One Prefect server for all journeys, so that none waits for a start of its own."""
    port = _free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**clean_environment, "PREFECT_SERVER_UI_ENABLED": "false"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(480):
            try:
                with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.25)
        else:
            pytest.fail(f"Prefect's server did not start:\n{log.read_text()}")
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="session")
def shotlist_alone(clean_environment: dict[str, str]) -> Shotlist:
    """The installed command in a subprocess, with no Prefect server to use."""

    def call(*words: str | Path, cwd: Path, stdin: str | None = None, **more: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *map(str, words)],
            cwd=cwd,
            env={**clean_environment, **more},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        refused = Path(clean_environment["SHOTLIST_TEST_REFUSED"])
        assert not refused.exists(), f"the network was asked for: {refused.read_text()}"
        return Ended(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def shotlist(shotlist_alone: Shotlist, prefect_server: str) -> Shotlist:
    """The installed command in a subprocess, on the server of the test run."""

    def call(*words: str | Path, cwd: Path, stdin: str | None = None, **more: str) -> Ended:
        return shotlist_alone(
            *words, cwd=cwd, stdin=stdin, **{"PREFECT_API_URL": prefect_server, **more}
        )

    return call


def _postgresql_programs() -> Path | None:
    """The folder with `initdb` and `postgres`: on the path, or where Debian keeps them."""
    named = shutil.which("initdb")
    places = [Path(named).resolve().parent] if named else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in places if (one / "postgres").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """A private PostgreSQL server in a temporary folder; each call gives the SQLAlchemy URL of a
    new, empty schema on it (a database each would cost eight megabytes and a copy).
    """
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed: the ledger is tried on SQLite alone")
    psycopg = pytest.importorskip(
        "psycopg", reason="psycopg is not installed: the ledger is tried on SQLite alone"
    )
    # a socket's path must be short, and the server's own user must be able to reach the folder
    folder = Path(tempfile.mkdtemp(prefix="shotlist-pg-"))
    become: list[str] = []
    if os.geteuid() == 0:  # as root the server refuses to run
        user = next((one for one in ("postgres", "nobody") if _user_id(one) is not None), None)
        if user is None or shutil.which("setpriv") is None:
            shutil.rmtree(folder)
            pytest.skip("PostgreSQL refuses to run as root, and no other user can be used here")
        shutil.chown(folder, user=user)
        become = ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
    data = folder / "data"
    log = folder / "log"
    initdb = [programs / "initdb", "-D", data, "-U", "shotlist", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(
        [*become, *map(str, initdb), "--locale=C", "--no-sync"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off")
    options = [word for one in settings for word in ("-c", one)]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [*become, str(programs / "postgres"), "-D", str(data), *options],
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    address = f"user=shotlist dbname=postgres host={folder}"
    numbers = itertools.count(1)

    def fresh() -> str:
        name = f"ledger_{next(numbers)}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"create schema {name}")
        return (
            f"postgresql+psycopg://shotlist@/postgres?host={folder}&options=-csearch_path%3D{name}"
        )

    try:
        for _ in range(240):
            try:
                psycopg.connect(address).close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.125)
        else:
            pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")
        yield fresh
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        server.wait(30)
        shutil.rmtree(folder)


def _user_id(name: str) -> int | None:
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be begun, on each database that can keep one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"
    fresh: Callable[[], str] = request.getfixturevalue("postgres")
    return fresh()


@pytest.fixture
def book(ledger_url: str) -> Iterator[Ledger]:
    """An empty ledger."""
    with open_ledger(ledger_url) as opened:
        yield opened
