"""Engines: connections to SQLite and PostgreSQL, and what each needs to keep the ledger's promises.

The pace of the accounts lies beside a SQLite ledger in a file of its own, so that counting a
request never waits for the disk; on PostgreSQL in the same database, committed without waiting.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from flows.errors import EnvironmentFault

WRITES = "shotlist_writes"
"""Execution option: this transaction will write, so that SQLite takes its turn at the beginning."""

BUSY_MS = 30_000


def engine_at(url: str) -> Engine:
    """The engine of the ledger at an SQLAlchemy URL; nothing is connected yet.

    Raises:
        EnvironmentFault: not an address, or its driver or folder is not to be had.

    """
    try:
        address = _with_driver(make_url(url))
        engine = create_engine(address, **_pool(address))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        remedy = (
            "; install it with: pip install 'shotlist[postgresql]'"
            if isinstance(error, ImportError)
            else ""
        )
        raise EnvironmentFault(
            f"SHOTLIST_LEDGER_URL is not an address that can be opened: {error}{remedy}"
        ) from error
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            folder = Path(engine.url.database).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise EnvironmentFault(
                    f"{folder}: the ledger's folder cannot be made: {error.strerror}"
                ) from error
        # WAL lets readers and one writer work at once; FULL makes a commit survive a power cut
        _prepare_sqlite(engine, synchronous="FULL")
    return engine


def pace_file(ledger: Engine) -> Path | None:
    """Where the pace that belongs to a ledger in a file lies; None where both are one database."""
    url = ledger.url
    if ledger.dialect.name != "sqlite" or not url.database or url.database == ":memory:":
        return None
    own = Path(url.database)
    return own.with_name(f"{own.stem}-pace.db")


def pace_engine(ledger: Engine) -> Engine:
    """The engine of the pace that belongs to a ledger."""
    url, file = ledger.url, pace_file(ledger)
    if file is not None:
        engine = create_engine(url.set(database=str(file)))
        # without waiting for the disk, and still never torn: in WAL only OFF would risk that
        _prepare_sqlite(engine, synchronous="NORMAL")
        return engine
    if ledger.dialect.name == "sqlite":
        return ledger
    engine = create_engine(url, **_pool(url))
    event.listen(engine, "connect", _commit_without_waiting)
    return engine


def _with_driver(url: URL) -> URL:
    # SQLAlchemy 2.0 would look for psycopg2 where no driver is named, 2.1 looks for psycopg
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _pool(url: URL) -> dict[str, bool]:
    # a server that was restarted must not fail the next write: connections are tried before use
    return {"pool_pre_ping": url.get_backend_name() != "sqlite"}


def _commit_without_waiting(connection: Any, _record: object) -> None:
    connection.execute("SET synchronous_commit TO off")
    connection.commit()


def _turn_to_wal(connection: Any) -> None:
    """Turning a new file to WAL needs it alone for a moment, and SQLite does not wait for that as
    it waits for other locks: two that open it first at once would refuse each other.
    """
    give_up_at = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return


def _prepare_sqlite(engine: Engine, *, synchronous: str) -> None:
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins late and at will; we begin, below
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        _turn_to_wal(connection)
        for pragma in (f"synchronous={synchronous}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Connection) -> None:
        # one that reads first and wants to write then could not wait for its turn any more
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begin)
