"""Opening a ledger: its tables are made on first use, strangers and wrecks are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError

from flows.errors import EnvironmentFault
from flows.ledger import tables

UPGRADES: Mapping[int, Sequence[str]] = {
    1: ("ALTER TABLE takes ADD COLUMN host_notes TEXT",),
}
"""What brings a ledger from that version to the next."""

_LOCK = 0x5407_1157
"""One number for all openers of a PostgreSQL ledger."""


def opened(url: str) -> tuple[Engine, str]:
    """The engine of the ledger at an SQLAlchemy URL, and the URL without its password.

    Raises:
        EnvironmentFault: not reachable, broken, of another program or of a newer version.

    """
    try:
        engine = create_engine(url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise EnvironmentFault(
            f"SHOTLIST_LEDGER_URL is not an address that can be opened: {error}"
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
        event.listen(engine, "connect", _prepare_sqlite)
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        _ensure_schema(engine, shown)
    except DatabaseError as error:
        raise EnvironmentFault(
            f"{shown}: the ledger cannot be used ({error.orig}); put it back from its backup, or "
            f"name another with SHOTLIST_LEDGER_URL"
        ) from error
    except SQLAlchemyError as error:
        raise EnvironmentFault(f"{shown}: the ledger cannot be reached: {error}") from error
    return engine, shown


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # WAL lets readers and one writer work at once; FULL makes a commit survive a power cut
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _ensure_schema(engine: Engine, shown: str) -> None:
    with engine.connect() as connection:
        if inspect(connection).has_table(tables.about.name) and _version(connection) == str(
            tables.SCHEMA_VERSION
        ):
            return
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # the driver would begin only at the first write: two that open a new ledger at the
            # same moment must not both find it empty
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        names = set(inspect(connection).get_table_names())
        if tables.about.name not in names:
            _begin(connection, names, shown)
        else:
            _upgrade(connection, shown)


def _begin(connection: Connection, names: set[str], shown: str) -> None:
    if names:
        raise EnvironmentFault(
            f"{shown}: this database belongs to another program (it holds "
            f"{', '.join(sorted(names)[:3])}); name an empty one with SHOTLIST_LEDGER_URL"
        )
    tables.metadata.create_all(connection)
    connection.execute(
        insert(tables.about), [{"key": "schema", "value": str(tables.SCHEMA_VERSION)}]
    )


def _version(connection: Connection) -> str | None:
    return connection.scalar(select(tables.about.c.value).where(tables.about.c.key == "schema"))


def _upgrade(connection: Connection, shown: str) -> None:
    version = _version(connection)
    known = int(version) if version and version.isdecimal() else 0
    if not 1 <= known <= tables.SCHEMA_VERSION:
        raise EnvironmentFault(
            f"{shown}: written by another version of Shotlist (schema {version}, this one reads "
            f"up to {tables.SCHEMA_VERSION}); upgrade Shotlist"
        )
    for step in range(known, tables.SCHEMA_VERSION):
        for statement in UPGRADES[step]:
            connection.execute(text(statement))
    if known < tables.SCHEMA_VERSION:
        connection.execute(
            update(tables.about)
            .where(tables.about.c.key == "schema")
            .values(value=str(tables.SCHEMA_VERSION))
        )
