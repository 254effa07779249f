"""Margin: what goes with the steps of a transaction and is read by none of them (events, the money
of purchases, latencies), kept until the transaction ends and then written with a few statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Connection, bindparam, insert, update

from flows.ledger import learned, tables

_P = tables.purchases
_EVENT = insert(tables.events)
_BOUGHT = update(_P).where(_P.c.id == bindparam("of_id"))

_Row: TypeAlias = dict[str, Any]


class Margin:
    """Of one transaction. What is not written by `write` is as if it had never been said."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events: list[_Row] = []
        self._purchases: list[_Row] = []
        self._latencies: list[_Row] = []

    def event(self, row: _Row) -> None:
        """This happened to a take."""
        self._events.append(row)

    def purchase(self, number: int, facts: Mapping[str, Any]) -> None:
        """How a purchase stands now, and what is known of its money."""
        self._purchases.append({"of_id": number, **facts})

    def latency(self, row: _Row) -> None:
        """A generation took so long."""
        self._latencies.append(row)

    def drop(self) -> None:
        """Forget what was not written yet: what it went with is undone."""
        self._events, self._purchases, self._latencies = [], [], []

    def write(self) -> None:
        """Write it all, in the order in which it was said."""
        if self._events:
            self._connection.execute(_EVENT, self._events)
        for _, rows in groupby(self._purchases, key=tuple):  # rows of the same columns
            self._connection.execute(_BOUGHT, list(rows))
        if self._latencies:
            learned.remember(self._connection, self._latencies)
        self.drop()
