"""Rows: between the database's values and the nouns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table

from flows.ledger import tables
from flows.nouns.take import Realm, Take, TakeState

CHUNK = 500
"""As many values as one question names: databases bound their number."""


class IllegalStepError(RuntimeError):
    """A take cannot go from its state to that one: a defect of the program, or a lost race."""


def now(ago: timedelta = timedelta(0)) -> str:
    """This moment, or one so long ago: ISO 8601 in UTC, to the millisecond."""
    moment = datetime.now(UTC) - ago
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_OF_TAKE = (
    "recipe", "realm", "state", "provider", "model", "account", "host_task_id", "host_notes",
    "seed", "cost_usd", "cost_from", "sha256", "width", "height", "format", "reason", "billed",
    "changed_at", "price_usd", "intended_by",
)  # fmt: skip
TAKE_COLUMNS = tuple(tables.takes.c[name] for name in _OF_TAKE)
"""What `take_from` reads, in its order."""

_REALMS = {realm.value: realm for realm in Realm}
_STATES = {state.value: state for state in TakeState}


def take_of(row: Row[Any]) -> Take:
    """The take of a row that has at least the columns of a take."""
    return take_from(tuple(getattr(row, name) for name in _OF_TAKE))


def take_from(values: Sequence[Any]) -> Take:
    """The take of the values of `TAKE_COLUMNS`: by position, since a plan reads 100,000 of them and
    asking a row for a column by name takes longer than all the rest.
    """
    (
        recipe, realm, state, provider, model, account, host_task_id, host_notes,
        seed, cost_usd, cost_from, sha256, width, height, format_, reason, billed,
        changed_at, price_usd, intended_by,
    ) = values  # fmt: skip
    return Take(
        recipe=recipe,
        realm=_REALMS[realm],
        state=_STATES[state],
        provider=provider,
        model=model,
        account=account,
        host_task_id=host_task_id,
        host_notes=json.loads(host_notes) if host_notes else {},
        seed=seed,
        cost_usd=cost_usd,
        cost_from=cost_from,
        sha256=sha256,
        width=width,
        height=height,
        format=format_,
        reason=reason,
        billed=billed,
        created_at=changed_at,
        price_usd=price_usd,
        intended_by=intended_by,
    )


def storable(text: str) -> str:
    """A stranger's text as every database takes it: without NUL and halves of characters, which
    JSON can smuggle in and which must not keep a purchase from being written down.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def insert_or_ignore(connection: Connection, table: Table) -> Any:
    """The winner of a race learns it from the database: one row inserted, or none."""
    return or_ignored(connection.dialect.name, table)


@cache
def or_ignored(dialect: str, table: Table) -> Any:
    """See `insert_or_ignore`."""
    return _insert(dialect, table).on_conflict_do_nothing()


def insert_or_replace(connection: Connection, table: Table) -> Any:
    """Two that write the same row at once must both succeed: the later one stands."""
    statement = _insert(connection.dialect.name, table)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        },
    )


def _insert(dialect: str, table: Table) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite(table)


def chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
