"""Reader: what is true of takes, money, campaigns, runs and hosts. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select

from flows.ledger import learned, letters, money, plans, tables
from flows.ledger.letters import Letter
from flows.ledger.pen import OPEN
from flows.ledger.rows import CHUNK, TAKE_COLUMNS, chunks, take_from, take_of
from flows.nouns.take import UNSETTLED, Realm, Take, TakeState

MANY = 10_000
"""Rows that are fetched at once where all are read."""


class Reader:
    """The questions that a ledger answers. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def takes(self, realm: Realm, recipes: Collection[str]) -> Mapping[str, Take]:
        """The takes of these recipes that the ledger knows (see `OPEN` for proofs)."""
        found = self._rows(realm, recipes)
        if realm is Realm.PROOF:
            for recipe in [one for one, take in found.items() if take.state in OPEN]:
                del found[recipe]
        return found

    def take(self, realm: Realm, recipe: str) -> Take | None:
        """The take of a recipe in whatever state it is; None where it was never intended."""
        return self._rows(realm, [recipe]).get(recipe)

    def _rows(self, realm: Realm, recipes: Collection[str]) -> dict[str, Take]:
        wanted = set(recipes)
        with self._engine.connect() as connection:
            query = select(*TAKE_COLUMNS).where(tables.takes.c.realm == realm)
            found: dict[str, Take] = {}
            # one pass over everything beats many questions once most of it is wanted
            if len(wanted) > CHUNK and self._count(connection, realm) <= 4 * len(wanted):
                for rows in connection.execute(query).partitions(MANY):
                    found.update((row[0], take_from(row)) for row in rows if row[0] in wanted)
                return found
            for chunk in chunks(sorted(wanted)):
                for row in connection.execute(query.where(tables.takes.c.recipe.in_(chunk))):
                    found[row[0]] = take_from(row)
            return found

    def _count(self, connection: Connection, realm: Realm) -> int:
        table = tables.takes
        query = select(func.count()).select_from(table).where(table.c.realm == realm)
        return connection.scalar(query) or 0

    def find(self, name: str, limit: int = 20) -> Sequence[Take]:
        """Takes whose recipe begins so, or whose host's id is that, in any realm."""
        table = tables.takes
        if not name:
            return []
        query = (
            select(table)
            .where(
                or_(
                    table.c.recipe.startswith(name.lower(), autoescape=True),
                    table.c.host_task_id == name,
                )
            )
            .order_by(table.c.realm, table.c.recipe)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [take_of(row) for row in connection.execute(query)]

    def task_ids(self, provider: str) -> frozenset[str]:
        """Every id that this host ever answered a create of ours with, earlier tries included."""
        table = tables.events
        query = select(table.c.detail).where(
            table.c.provider == provider,
            table.c.state == TakeState.ACCEPTED,
            table.c.detail.is_not(None),
        )
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(query))

    def shots(self, campaign: str, realm: Realm) -> Mapping[str, tuple[str, ...]]:
        """Shot id to the recipes that the campaign last set out to make."""
        with self._engine.connect() as connection:
            return plans.shots(connection, campaign, realm)

    def turned_down(self, campaign: str, realm: Realm) -> Mapping[str, frozenset[int]]:
        """Shot id to the numbers of its takes that a person did not want."""
        with self._engine.connect() as connection:
            return plans.turned_down(connection, campaign, realm)

    def tally(self) -> Sequence[tuple[str, str, str, int, Decimal]]:
        """Realm, provider, state, number of takes that are so now, and the USD that are known to
        have been spent on tries that stand or ended so.
        """
        with self._engine.connect() as connection:
            return money.tally(connection)

    def spent(
        self,
        realm: Realm,
        *,
        campaign: str | None = None,
        since: str | None = None,
        run: str | None = None,
    ) -> Decimal:
        """USD that were billed or may have been, by tries that were sent: the host's cost where it
        is known, else the price; a try of unknown price counts nothing.

        Args:
            realm: takes of one realm never count in another.
            campaign: only what its runs sent.
            since: only what was sent at this moment or later, ISO 8601 in UTC as `now` gives it.
            run: only what this run sent.

        """
        with self._engine.connect() as connection:
            return money.spent(connection, realm, campaign=campaign, since=since, run=run)

    def unsettled(self, realm: Realm) -> Sequence[Take]:
        """Takes that may have been bought and are not here. They count as spent."""
        query = select(tables.takes).where(
            tables.takes.c.realm == realm, tables.takes.c.state.in_(UNSETTLED)
        )
        with self._engine.connect() as connection:
            return [take_of(row) for row in connection.execute(query)]

    def runs(self, campaign: str | None = None, limit: int = 10) -> Sequence[Mapping[str, Any]]:
        """The latest runs, newest first."""
        query = select(tables.runs).order_by(tables.runs.c.started_at.desc()).limit(limit)
        if campaign is not None:
            query = query.where(tables.runs.c.campaign == campaign)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def heard(self, after_id: int = 0, limit: int = 1000) -> Sequence[Letter]:
        """Callbacks after one that was read, in the order of writing."""
        with self._engine.connect() as connection:
            return letters.heard(connection, after_id, limit)

    def latencies(self, host: str, *, mode: str, tier: str) -> Sequence[tuple[float, bool]]:
        """Up to the last 200 latencies, oldest first: seconds, and whether they are exact."""
        with self._engine.connect() as connection:
            return learned.latencies(connection, host, mode, tier)

    def latency_keys(self) -> Sequence[tuple[str, str, str]]:
        """Host, mode and tier of which latencies are known."""
        with self._engine.connect() as connection:
            return learned.keys(connection)
