"""Learned: how long generations took, so that the next run does not begin from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, islice
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from flows.ledger import tables

KEPT = 200
"""Of each host, mode and tier: more would outlive what they tell."""
_SWEEP = 20

_NUMBERS = count(1)

_L = tables.latencies
_REMEMBER = insert(_L)
_SAME = (
    _L.c.host == bindparam("of_host"),
    _L.c.mode == bindparam("of_mode"),
    _L.c.tier == bindparam("of_tier"),
)
_OLDEST = (
    select(_L.c.id).where(*_SAME).order_by(_L.c.id.desc()).limit(1).offset(KEPT).scalar_subquery()
)
_FORGET = _L.delete().where(*_SAME, _L.c.id <= _OLDEST)
_LAST = select(_L.c.seconds, _L.c.exact).where(*_SAME).order_by(_L.c.id.desc()).limit(KEPT)


def remember(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down how long generations took, oldest first; now and then the oldest are forgotten."""
    connection.execute(_REMEMBER, rows)
    if any(number % _SWEEP == 0 for number in islice(_NUMBERS, len(rows))):
        for key in sorted({(row["host"], row["mode"], row["tier"]) for row in rows}):
            connection.execute(_FORGET, _key(*key))


def latencies(connection: Connection, host: str, mode: str, tier: str) -> list[tuple[float, bool]]:
    """Seconds and whether they are exact, oldest first."""
    rows = connection.execute(_LAST, _key(host, mode, tier))
    return [(float(row.seconds), bool(row.exact)) for row in rows][::-1]


def keys(connection: Connection) -> list[tuple[str, str, str]]:
    """Host, mode and tier of which something is known."""
    columns = (_L.c.host, _L.c.mode, _L.c.tier)
    query = select(*columns).distinct().order_by(*columns)
    return [(row.host, row.mode, row.tier) for row in connection.execute(query)]


def _key(host: str, mode: str, tier: str) -> dict[str, str]:
    return {"of_host": host, "of_mode": mode, "of_tier": tier}
