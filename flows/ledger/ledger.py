"""The verbs of the ledger. Each commits before it returns, so that the next step may follow."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    func,
    insert,
    select,
    update,
)

from flows.ledger import tables
from flows.ledger.contents import Contents
from flows.ledger.schema import opened
from flows.nouns.take import FOLLOWS, Realm, Take, TakeState

CHUNK = 500

_OPEN = frozenset({TakeState.SENT, TakeState.UNKNOWN})
"""Sent, and no answer is known. Of a proof, which is drawn here and costs nothing, that is the
same as not begun: a run that was killed while it drew parks nothing."""


class IllegalStepError(RuntimeError):
    """A take cannot go from its state to that one: a defect of the program, or a lost race."""


def open_ledger(url: str) -> Ledger:
    """Open the ledger at an SQLAlchemy URL, making its tables on first use.

    Raises:
        EnvironmentFault: not reachable, broken, of another program or of a newer version.

    """
    engine, shown = opened(url)
    return Ledger(engine, shown)


class Ledger:
    """What was wanted, what was bought, what became of it. Safe to use from several threads."""

    def __init__(self, engine: Engine, shown: str) -> None:
        self._engine = engine
        self.contents = Contents(engine)
        """References that were looked at."""
        self.shown = shown
        """Its address without a password."""

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what is true

    def takes(self, realm: Realm, recipes: Collection[str]) -> Mapping[str, Take]:
        """The takes of these recipes that the ledger knows (see `_OPEN` for proofs)."""
        return {
            recipe: take
            for recipe, take in self._rows(realm, recipes).items()
            if realm is not Realm.PROOF or take.state not in _OPEN
        }

    def take(self, realm: Realm, recipe: str) -> Take | None:
        """The take of a recipe in whatever state it is; None where it was never intended."""
        return self._rows(realm, [recipe]).get(recipe)

    def _rows(self, realm: Realm, recipes: Collection[str]) -> dict[str, Take]:
        wanted = set(recipes)
        with self._engine.connect() as connection:
            query = select(tables.takes).where(tables.takes.c.realm == realm)
            # one pass over everything beats many questions once most of it is wanted
            if len(wanted) > CHUNK and self._count(connection, realm) <= 4 * len(wanted):
                rows: Iterable[Row[Any]] = connection.execute(query)
                return {row.recipe: _take(row) for row in rows if row.recipe in wanted}
            found: dict[str, Take] = {}
            for chunk in _chunks(sorted(wanted)):
                for row in connection.execute(query.where(tables.takes.c.recipe.in_(chunk))):
                    found[row.recipe] = _take(row)
            return found

    def _count(self, connection: Connection, realm: Realm) -> int:
        table = tables.takes
        query = select(func.count()).select_from(table).where(table.c.realm == realm)
        return connection.scalar(query) or 0

    def shots(self, campaign: str, realm: Realm) -> Mapping[str, tuple[str, ...]]:
        """Shot id to the recipes that the campaign last set out to make."""
        table = tables.shots
        query = select(table.c.shot_id, table.c.recipes).where(
            table.c.campaign == campaign, table.c.realm == realm
        )
        with self._engine.connect() as connection:
            return {row.shot_id: tuple(row.recipes.split()) for row in connection.execute(query)}

    def tally(self) -> Sequence[tuple[str, str, str, int, Decimal]]:
        """Realm, provider, state, number of takes and their known cost in USD."""
        table = tables.takes
        query = (
            select(
                table.c.realm,
                table.c.provider,
                table.c.state,
                func.count(),
                func.coalesce(func.sum(table.c.cost_usd), 0),
            )
            .group_by(table.c.realm, table.c.provider, table.c.state)
            .order_by(table.c.realm, table.c.provider, table.c.state)
        )
        with self._engine.connect() as connection:
            return [(r[0], r[1], r[2], int(r[3]), Decimal(r[4])) for r in connection.execute(query)]

    def unsettled(self, realm: Realm) -> Sequence[Take]:
        """Takes that may have been bought: sent, but no answer is known. They count as spent."""
        states = (TakeState.SENT, TakeState.ACCEPTED, TakeState.SUCCEEDED, TakeState.UNKNOWN)
        query = select(tables.takes).where(
            tables.takes.c.realm == realm, tables.takes.c.state.in_(states)
        )
        with self._engine.connect() as connection:
            return [_take(row) for row in connection.execute(query)]

    def runs(self, campaign: str | None = None, limit: int = 10) -> Sequence[Mapping[str, Any]]:
        """The latest runs, newest first."""
        query = select(tables.runs).order_by(tables.runs.c.started_at.desc()).limit(limit)
        if campaign is not None:
            query = query.where(tables.runs.c.campaign == campaign)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    # -- what happens

    def intend(self, take: Take, *, run: str, price_usd: Decimal | None) -> bool:
        """Write down that this take is about to be bought. True for the one that may go on.

        False: another run holds it, or it is done. A take that was refused, failed, lost or
        cancelled is intended anew.
        """
        table = tables.takes
        again = [state for state, then in FOLLOWS.items() if TakeState.INTENDED in then]
        again.remove(TakeState.UNKNOWN)  # never silently: `on_unknown` and `settle` decide that
        if take.realm is Realm.PROOF:
            again.extend(_OPEN)
        values = {
            "state": TakeState.INTENDED,
            "provider": take.provider,
            "model": take.model,
            "account": take.account,
            "seed": take.seed,
            "price_usd": price_usd,
            "reason": None,
            "billed": None,
            "host_task_id": None,
            "host_notes": None,
            "intended_by": run,
            "changed_at": now(),
        }
        key = {"realm": take.realm, "recipe": take.recipe}
        with self._engine.begin() as connection:
            known = connection.execute(
                select(table.c.state, table.c.intended_by).where(
                    table.c.realm == take.realm, table.c.recipe == take.recipe
                )
            ).one_or_none()
            if known is None:
                won = connection.execute(
                    _insert_or_ignore(connection, table).values(**key, **values)
                ).rowcount
            else:
                # an intent that was never sent spent nothing: whoever comes next takes it over
                won = connection.execute(
                    update(table)
                    .where(
                        table.c.realm == take.realm,
                        table.c.recipe == take.recipe,
                        table.c.state.in_([*again, TakeState.INTENDED]),
                        table.c.intended_by == known.intended_by,
                    )
                    .values(**values)
                ).rowcount
            if won:
                self._note(connection, take, TakeState.INTENDED, run, None)
            return bool(won)

    def step(
        self,
        take: Take,
        state: TakeState,
        *,
        run: str,
        detail: str | None = None,
        host_notes: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        """Move a take to its next state and keep the facts that came with it.

        To SENT goes only the run whose intent it is: another may have taken it over meanwhile.

        Raises:
            IllegalStepError: the take is not in a state that may be followed by this one.

        """
        table = tables.takes
        before = [one for one, then in FOLLOWS.items() if state in then]
        if host_notes is not None:
            facts["host_notes"] = json.dumps(dict(host_notes), sort_keys=True)
        mine = [table.c.intended_by == run] if state is TakeState.SENT else []
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(table)
                .where(
                    table.c.realm == take.realm,
                    table.c.recipe == take.recipe,
                    table.c.state.in_(before),
                    *mine,
                )
                .values(state=state, changed_at=now(), **facts)
            ).rowcount
            if not moved:
                raise IllegalStepError(f"take {take.recipe[:12]} cannot become {state}")
            self._note(connection, take, state, run, detail or facts.get("reason"))

    def forget_proofs(self, recipes: Sequence[str]) -> int:
        """Forget proofs whose bytes are gone, so that they are drawn again; returns how many."""
        table = tables.takes
        gone = 0
        with self._engine.begin() as connection:
            for chunk in _chunks(recipes):
                gone += connection.execute(
                    table.delete().where(table.c.realm == Realm.PROOF, table.c.recipe.in_(chunk))
                ).rowcount
        return gone

    def plan_shots(
        self,
        campaign: str,
        realm: Realm,
        shots: Mapping[str, Sequence[str]],
        retired: Iterable[str],
    ) -> None:
        """Remember what the campaign sets out to make, and forget what it no longer wants."""
        table = tables.shots
        known = self.shots(campaign, realm)
        at = now()
        fresh = [
            {
                "campaign": campaign,
                "realm": realm,
                "shot_id": shot_id,
                "recipes": " ".join(recipes),
                "planned_at": at,
            }
            for shot_id, recipes in shots.items()
            if known.get(shot_id) != tuple(recipes)
        ]
        gone = [*(row["shot_id"] for row in fresh if row["shot_id"] in known), *retired]
        with self._engine.begin() as connection:
            for chunk in _chunks(gone):
                connection.execute(
                    table.delete().where(
                        table.c.campaign == campaign,
                        table.c.realm == realm,
                        table.c.shot_id.in_(chunk),
                    )
                )
            if fresh:
                connection.execute(insert(table), fresh)

    def begin_run(
        self, run: str, *, campaign: str, realm: Realm, spec_sha256: str, destination: str
    ) -> str:
        """Write down that a run begins; returns when."""
        at = now()
        with self._engine.begin() as connection:
            connection.execute(
                insert(tables.runs).values(
                    id=run,
                    campaign=campaign,
                    realm=realm,
                    spec_sha256=spec_sha256,
                    destination=destination,
                    started_at=at,
                )
            )
        return at

    def end_run(self, run: str, outcome: str) -> str:
        """Write down how a run ended; returns when."""
        at = now()
        with self._engine.begin() as connection:
            connection.execute(
                update(tables.runs)
                .where(tables.runs.c.id == run)
                .values(ended_at=at, outcome=outcome)
            )
        return at

    def _note(
        self, connection: Connection, take: Take, state: TakeState, run: str, detail: str | None
    ) -> None:
        connection.execute(
            insert(tables.events).values(
                realm=take.realm,
                recipe=take.recipe,
                state=state,
                provider=take.provider,
                run=run,
                at=now(),
                detail=detail,
            )
        )


def now() -> str:
    """This moment, ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _take(row: Row[Any]) -> Take:
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
    )


def _insert_or_ignore(connection: Connection, table: Any) -> Any:
    """The winner of a race learns it from the database: one row inserted, or none."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql(table).on_conflict_do_nothing()
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite(table).on_conflict_do_nothing()


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
