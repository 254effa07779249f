"""Dispatchers: who is at work on this ledger now, in whatever process and on whatever machine.

Time is the database's where machines share one (PostgreSQL), this machine's beside SQLite.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, Float, cast, func, insert, select, update

from flows.ledger import tables
from flows.ledger.engines import WRITES

DEAD_AFTER_S = 60.0
"""A dispatcher without a heartbeat for so long is taken for dead."""
_FORGOTTEN_AFTER_S = 24 * 3600.0

Clock: TypeAlias = Callable[[Connection], float]
"""Seconds since 1970, the same for all who share the ledger."""

_D = tables.dispatchers
_CLOCK = cast(func.extract("epoch", func.clock_timestamp()), Float)


def clock(connection: Connection) -> float:
    """The time that all processes on this database agree on, in seconds since 1970."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(select(_CLOCK)).scalar_one())
    return time.time()


@cache
def this_machine() -> tuple[str, bool]:
    """Where process ids mean the same as here, the host's name first; and whether that is sure.

    Two machines or containers may have one name. Linux tells a boot from all others, and a space of
    process ids from the others of that boot.
    """
    host = socket.gethostname().partition(" ")[0][:100]
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = Path("/proc/self/ns/pid").readlink().name
    except (OSError, ValueError):
        return host, False
    return f"{host} {boot} {space}"[:255], True


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """A dispatcher that is alive."""

    owner: str
    run: str
    account: str
    """The account's fingerprint, never its key."""
    host: str
    pid: int
    machine: str
    """See `this_machine`."""
    heartbeat_at: float
    """Seconds since 1970."""


class Dispatchers:
    """Heartbeats. Safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock = clock) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._clock = clock

    def begin(self, owner: str, *, run: str, account: str, host: str) -> None:
        """Say that `owner` (a name of its own for each dispatcher) drives an account from now on;
        it must `beat` well within `DEAD_AFTER_S`.
        """
        with self._writer.begin() as connection:
            now = self._clock(connection)
            old = now - _FORGOTTEN_AFTER_S
            connection.execute(_D.delete().where((_D.c.heartbeat_at < old) | (_D.c.owner == owner)))
            connection.execute(
                insert(_D),
                {
                    "owner": owner,
                    "run": run,
                    "account": account,
                    "host": host,
                    "pid": os.getpid(),
                    "machine": this_machine()[0],
                    "heartbeat_at": now,
                },
            )

    def beat(self, owner: str) -> bool:
        """Still there. False: it is not known (any more); `begin` again."""
        with self._writer.begin() as connection:
            now = self._clock(connection)
            statement = update(_D).where(_D.c.owner == owner)
            return bool(connection.execute(statement, {"heartbeat_at": now}).rowcount)

    def end(self, owner: str) -> None:
        """Gone, in order; what it still had under way has ended now."""
        with self._writer.begin() as connection:
            now = self._clock(connection)
            open_calls = update(tables.calls).where(
                tables.calls.c.owner == owner, tables.calls.c.closed_at.is_(None)
            )
            connection.execute(open_calls, {"closed_at": now})
            connection.execute(_D.delete().where(_D.c.owner == owner))

    def alive(self, *, run: str | None = None, account: str | None = None) -> Sequence[AtWork]:
        """Those with a heartbeat younger than `DEAD_AFTER_S`, by owner."""
        wanted = [
            column == value
            for column, value in ((_D.c.run, run), (_D.c.account, account))
            if value is not None
        ]
        with self._engine.connect() as connection:
            since = self._clock(connection) - DEAD_AFTER_S
            query = select(_D).where(_D.c.heartbeat_at > since, *wanted).order_by(_D.c.owner)
            rows: Sequence[Any] = connection.execute(query).mappings().all()
        return [AtWork(**row) for row in rows]
