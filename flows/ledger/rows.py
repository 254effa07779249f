"""Rows: between the database's values and the nouns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table

from flows.nouns.take import Realm, Take, TakeState

CHUNK = 500
"""As many values as one question names: databases bound their number."""


class IllegalStepError(RuntimeError):
    """A take cannot go from its state to that one: a defect of the program, or a lost race."""


def now(ago: timedelta = timedelta(0)) -> str:
    """This moment, or one so long ago: ISO 8601 in UTC, to the millisecond."""
    moment = datetime.now(UTC) - ago
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def take_of(row: Row[Any]) -> Take:
    return Take(
        recipe=row.recipe,
        realm=Realm(row.realm),
        state=TakeState(row.state),
        provider=row.provider,
        model=row.model,
        account=row.account,
        host_task_id=row.host_task_id,
        host_notes=json.loads(row.host_notes) if row.host_notes else {},
        seed=row.seed,
        cost_usd=row.cost_usd,
        cost_from=row.cost_from,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        format=row.format,
        reason=row.reason,
        billed=row.billed,
        created_at=row.changed_at,
        price_usd=row.price_usd,
        intended_by=row.intended_by,
    )


def storable(text: str) -> str:
    """A stranger's text as every database takes it: without NUL and halves of characters, which
    JSON can smuggle in and which must not keep a purchase from being written down.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def insert_or_ignore(connection: Connection, table: Table) -> Any:
    """The winner of a race learns it from the database: one row inserted, or none."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_replace(connection: Connection, table: Table) -> Any:
    """Two that write the same row at once must both succeed: the later one stands."""
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        },
    )


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite(table)


def chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
