"""Opening a ledger: its tables are made on first use, strangers and wrecks are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError

from flows.errors import EnvironmentFault
from flows.ledger import tables


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
    names = set(inspect(engine).get_table_names())
    if tables.about.name not in names:
        if names:
            raise EnvironmentFault(
                f"{shown}: this database belongs to another program (it holds "
                f"{', '.join(sorted(names)[:3])}); name an empty one with SHOTLIST_LEDGER_URL"
            )
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            connection.execute(
                insert(tables.about), [{"key": "schema", "value": str(tables.SCHEMA_VERSION)}]
            )
        return
    with engine.connect() as connection:
        version = connection.scalar(
            select(tables.about.c.value).where(tables.about.c.key == "schema")
        )
    if version != str(tables.SCHEMA_VERSION):
        raise EnvironmentFault(
            f"{shown}: written by another version of Shotlist (schema {version}, this one reads "
            f"{tables.SCHEMA_VERSION}); upgrade Shotlist"
        )
