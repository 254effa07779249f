"""Opening a ledger: its tables are made on first use, strangers and wrecks are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, func, insert, inspect, select, text, update
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from flows.errors import EnvironmentFault
from flows.ledger import tables
from flows.ledger.engines import WRITES, engine_at, pace_engine

_LOCK = 0x5407_1157
"""One number for all openers of a PostgreSQL ledger."""


def _notes_of_hosts(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE takes ADD COLUMN host_notes TEXT"))


def _purchases_and_persons(connection: Connection) -> None:
    is_postgresql = connection.dialect.name == "postgresql"
    connection.execute(text("ALTER TABLE takes ADD COLUMN purchase BIGINT"))
    if is_postgresql:
        connection.execute(text("ALTER TABLE takes ALTER COLUMN seed TYPE BIGINT"))
    # a later version that changes one of these keeps a copy of it here as it was
    for table in (tables.purchases, tables.turned_down, tables.heard, tables.latencies):
        table.create(connection)
    # one purchase for each take that was sent; what earlier tries cost, version 2 did not keep, but
    # for an intent that still shows the cost of a try before it: that one was made and lost
    connection.execute(
        text(
            "INSERT INTO purchases (realm, recipe, provider, account, run, price_usd, cost_usd,"
            " cost_from, billed, state, at)"
            " SELECT realm, recipe, provider, account, intended_by, price_usd, cost_usd,"
            " cost_from, billed, CASE WHEN state = 'intended' THEN 'lost' ELSE state END,"
            " coalesce((SELECT max(e.at) FROM take_events e WHERE e.realm = takes.realm"
            " AND e.recipe = takes.recipe AND e.state = 'sent'), changed_at)"
            " FROM takes WHERE realm <> 'proof' AND EXISTS (SELECT 1 FROM take_events e"
            " WHERE e.realm = takes.realm AND e.recipe = takes.recipe AND e.state = 'sent')"
            " AND (state <> 'intended' OR cost_usd IS NOT NULL)"
        )
    )
    connection.execute(
        text(
            "UPDATE takes SET purchase = (SELECT p.id FROM purchases p WHERE"
            " p.realm = takes.realm AND p.recipe = takes.recipe) WHERE state <> 'intended'"
        )
    )


def _words_of_runs(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE runs ADD COLUMN told TEXT"))


UPGRADES: Mapping[int, Callable[[Connection], None]] = {
    1: _notes_of_hosts,
    2: _purchases_and_persons,
    3: _words_of_runs,
}
"""What brings a ledger from that version to the next."""


def opened(url: str) -> tuple[Engine, str]:
    """The engine of the ledger at an SQLAlchemy URL, and the URL without its password.

    Raises:
        EnvironmentFault: not reachable, broken, of another program or of a newer version.

    """
    engine = engine_at(url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        _ensure_schema(engine, shown)
    except (DatabaseError, SQLAlchemyError) as error:
        engine.dispose()
        raise _fault(error, engine, shown) from error
    except BaseException:
        engine.dispose()
        raise
    return engine, shown


def opened_pace(ledger: Engine, shown: str) -> Engine:
    """The engine of the pace beside a ledger, its tables made.

    Raises:
        EnvironmentFault: it cannot be used.

    """
    engine = pace_engine(ledger)
    if engine.dialect.name == "postgresql":
        return engine  # its tables came with the ledger's
    try:
        with _writing(engine).begin() as connection:
            tables.pace.create_all(connection)
    except DatabaseError as error:
        engine.dispose()
        raise EnvironmentFault(
            f"{engine.url.database}: the pace beside {shown} cannot be used ({error.orig}); while "
            f"no run is at work, delete this file: it holds nothing that is older than minutes"
        ) from error
    return engine


def _fault(error: SQLAlchemyError, engine: Engine, shown: str) -> EnvironmentFault:
    if not isinstance(error, DatabaseError):
        return EnvironmentFault(f"{shown}: the ledger cannot be reached: {error}")
    said = str(error.orig).strip()
    if isinstance(error, OperationalError) and engine.dialect.name == "postgresql":
        return EnvironmentFault(
            f"{shown}: the ledger cannot be reached ({said}); start its server, or mend "
            f"SHOTLIST_LEDGER_URL"
        )
    return EnvironmentFault(
        f"{shown}: the ledger cannot be used ({said}); put it back from its backup, or "
        f"name another with SHOTLIST_LEDGER_URL"
    )


def _writing(engine: Engine) -> Engine:
    return engine.execution_options(**{WRITES: True})


def _ensure_schema(engine: Engine, shown: str) -> None:
    with engine.connect() as connection:
        if inspect(connection).has_table(tables.about.name) and _version(connection) == str(
            tables.SCHEMA_VERSION
        ):
            return
    # two that open a new ledger at the same moment must not both find it empty
    with _writing(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        names = set(inspect(connection).get_table_names())
        if tables.about.name not in names:
            _begin(connection, names, shown)
        else:
            _upgrade(connection, shown)
        if engine.dialect.name == "postgresql":
            tables.pace.create_all(connection)


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
        UPGRADES[step](connection)
    if known < tables.SCHEMA_VERSION:
        connection.execute(
            update(tables.about)
            .where(tables.about.c.key == "schema")
            .values(value=str(tables.SCHEMA_VERSION))
        )
