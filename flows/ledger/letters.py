"""Letters: what hosts called back with. Kept once each, read in the order of writing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, func, select

from flows.ledger import tables
from flows.ledger.rows import insert_or_ignore, now, storable

KEPT = timedelta(days=30)
_SWEEP = 100
"""Every so many letters the old ones go."""

_LOCK = 0x5407_1158
_TOKEN = "callback_token"  # noqa: S105 - the name of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One callback of a host."""

    id: int
    host: str
    message_id: str
    job: str
    """The host's id of the task, or empty."""
    mark: str
    """Our own sign in the address that was called, or empty."""
    document: str = field(repr=False)
    """JSON, as it came. It may hold signed addresses: never shown."""
    at: str
    """When it was heard, ISO 8601 in UTC."""


def hear(
    connection: Connection, host: str, message_id: str, job: str, mark: str, document: str
) -> bool:
    table = tables.heard
    if connection.dialect.name == "postgresql":
        # one writer at a time: were a lower id to commit later, readers would have gone past it
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    written = connection.execute(
        insert_or_ignore(connection, table).returning(table.c.id),
        {
            "host": host,
            "message_id": storable(message_id),
            "job": storable(job),
            "mark": storable(mark),
            "document": storable(document),
            "at": now(),
        },
    ).scalar_one_or_none()
    if written is not None and written % _SWEEP == 0:
        connection.execute(table.delete().where(table.c.at < now(KEPT)))
    return written is not None


def token(connection: Connection) -> str:
    """The word in the address that hosts call; made on first use, the same for all processes."""
    table = tables.about
    connection.execute(
        insert_or_ignore(connection, table),
        {"key": _TOKEN, "value": secrets.token_urlsafe(24)},
    )
    return str(connection.scalar(select(table.c.value).where(table.c.key == _TOKEN)))


def heard(connection: Connection, after_id: int, limit: int) -> list[Letter]:
    table = tables.heard
    query = select(table).where(table.c.id > after_id).order_by(table.c.id).limit(limit)
    return [Letter(**row) for row in connection.execute(query).mappings()]
