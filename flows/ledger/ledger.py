"""The verbs of the ledger. Each commits before it returns, so that the next step may follow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, func, select

from flows.ledger.calls import Calls
from flows.ledger.contents import Contents
from flows.ledger.dispatchers import AtWork, Dispatchers
from flows.ledger.engines import WRITES, pace_file
from flows.ledger.pen import Pen
from flows.ledger.reader import Reader
from flows.ledger.rows import IllegalStepError, now
from flows.ledger.schema import opened, opened_pace
from flows.ledger.survey import Survey
from flows.nouns.take import Realm, Take, TakeState

__all__ = ["IllegalStepError", "Ledger", "now", "open_ledger"]

T = TypeVar("T")

_LOCK = 0x5407_1159
"""Groups on PostgreSQL go one after the other, as all writers do on SQLite: two that named the same
takes in different orders would lock each other."""


def open_ledger(url: str) -> Ledger:
    """Open the ledger at an SQLAlchemy URL, making its tables on first use.

    Raises:
        EnvironmentFault: not reachable, broken, of another program or of a newer version.

    """
    engine, shown = opened(url)
    return Ledger(engine, shown)


class Ledger(Reader):
    """What was wanted, what was bought, what became of it. Safe to use from several threads."""

    def __init__(self, engine: Engine, shown: str) -> None:
        super().__init__(engine)
        self._writer = engine.execution_options(**{WRITES: True})
        self._pace: tuple[Engine, Calls, Dispatchers] | None = None
        self._opening = threading.Lock()
        self.contents = Contents(engine)
        """References that were looked at."""
        self.survey = Survey(engine)
        """What a person asks of all of it."""
        self.shown = shown
        """Its address without a password."""

    def close(self) -> None:
        self._engine.dispose()
        if self._pace is not None:
            self._pace[0].dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- who is at work, and how fast; opened on first use, so that a plan leaves no trace

    @property
    def calls(self) -> Calls:
        """The pace of the accounts, shared by all processes on this ledger."""
        return self._beside()[1]

    @property
    def dispatchers(self) -> Dispatchers:
        """Who drives which account now."""
        return self._beside()[2]

    @property
    def pace_file(self) -> Path | None:
        """Where the pace lies beside a ledger in a file; None where it is part of the ledger."""
        return pace_file(self._engine)

    def begin_dispatch(self, owner: str, *, run: str, account: str, host: str) -> None:
        """See `Dispatchers.begin`."""
        self.dispatchers.begin(owner, run=run, account=account, host=host)

    def beat(self, owner: str) -> bool:
        """See `Dispatchers.beat`."""
        return self.dispatchers.beat(owner)

    def end_dispatch(self, owner: str) -> None:
        """See `Dispatchers.end`."""
        self.dispatchers.end(owner)

    def alive(self, *, run: str | None = None, account: str | None = None) -> Sequence[AtWork]:
        """See `Dispatchers.alive`."""
        return self.dispatchers.alive(run=run, account=account)

    def _beside(self) -> tuple[Engine, Calls, Dispatchers]:
        with self._opening:
            if self._pace is None:
                engine = opened_pace(self._engine, self.shown)
                self._pace = engine, Calls(engine), Dispatchers(engine)
            return self._pace

    # -- what happens

    def write(self, operations: Sequence[Callable[[Pen], T]]) -> list[T | Exception]:
        """Do all of them in one transaction, so that the disk is waited for once.

        Each stands or falls by itself: one that raises gives its exception and leaves the others
        standing (all are begun anew then, so an operation does nothing but write). Where the
        transaction fails as a whole, every one of them gets that exception, and nothing was
        written. What is given back has been committed.
        """
        try:
            try:
                return self._together(operations, _in_one_go)
            except _OneFailedError:
                return self._together(operations, _by_itself)
        except Exception as error:  # noqa: BLE001 - told to each that asked
            return [error] * len(operations)

    def _together(
        self,
        operations: Sequence[Callable[[Pen], T]],
        doing: Callable[[Connection, Pen, Callable[[Pen], T]], T | Exception],
    ) -> list[T | Exception]:
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql" and len(operations) > 1:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            pen = self._pen(connection)
            given = [doing(connection, pen, operation) for operation in operations]
            pen.margin.write()
            return given

    def _pen(self, connection: Connection) -> Pen:
        return Pen(connection, lambda run: bool(self.alive(run=run)))

    def _alone(self, operation: Callable[[Pen], T]) -> T:
        with self._writer.begin() as connection:
            pen = self._pen(connection)
            given = operation(pen)
            pen.margin.write()
            return given

    def intend(
        self, take: Take, *, run: str, price_usd: Decimal | None, rebuys: bool = False
    ) -> bool:
        """See `Pen.intend`."""
        return self._alone(
            lambda pen: pen.intend(take, run=run, price_usd=price_usd, rebuys=rebuys)
        )

    def step(
        self,
        take: Take,
        state: TakeState,
        *,
        run: str,
        detail: str | None = None,
        host_notes: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> Take:
        """See `Pen.step`."""
        return self._alone(
            lambda pen: pen.step(
                take, state, run=run, detail=detail, host_notes=host_notes, **facts
            )
        )

    def settle(self, realm: Realm, recipe: str, *, found: str | None, by: str = "person") -> Take:
        """See `Pen.settle`."""
        return self._alone(lambda pen: pen.settle(realm, recipe, found=found, by=by))

    def forget_proofs(self, recipes: Sequence[str]) -> int:
        """See `Pen.forget_proofs`."""
        return self._alone(lambda pen: pen.forget_proofs(recipes))

    def plan_shots(
        self,
        campaign: str,
        realm: Realm,
        shots: Mapping[str, Sequence[str]],
        retired: Iterable[str],
    ) -> None:
        """See `Pen.plan_shots`."""
        self._alone(lambda pen: pen.plan_shots(campaign, realm, shots, retired))

    def turn_down(
        self, campaign: str, realm: Realm, shot_id: str, take_numbers: Iterable[int], why: str
    ) -> None:
        """See `Pen.turn_down`."""
        self._alone(lambda pen: pen.turn_down(campaign, realm, shot_id, take_numbers, why))

    def begin_run(
        self, run: str, *, campaign: str, realm: Realm, spec_sha256: str, destination: str
    ) -> str:
        """See `Pen.begin_run`."""
        return self._alone(
            lambda pen: pen.begin_run(
                run,
                campaign=campaign,
                realm=realm,
                spec_sha256=spec_sha256,
                destination=destination,
            )
        )

    def end_run(self, run: str, outcome: str) -> str:
        """See `Pen.end_run`."""
        return self._alone(lambda pen: pen.end_run(run, outcome))

    def tell_run(self, run: str, told: str) -> None:
        """See `Pen.tell_run`."""
        self._alone(lambda pen: pen.tell_run(run, told))

    def hear(self, host: str, message_id: str, *, job: str, mark: str, document: str) -> bool:
        """See `Pen.hear`."""
        return self._alone(
            lambda pen: pen.hear(host, message_id, job=job, mark=mark, document=document)
        )

    def callback_token(self) -> str:
        """See `Pen.callback_token`."""
        return self._alone(lambda pen: pen.callback_token())

    def remember_latency(
        self, host: str, *, mode: str, tier: str, seconds: float, exact: bool
    ) -> None:
        """See `Pen.remember_latency`."""
        self._alone(
            lambda pen: pen.remember_latency(
                host, mode=mode, tier=tier, seconds=seconds, exact=exact
            )
        )


class _OneFailedError(Exception):
    """One of several operations raised: they are to be done one by one."""


def _in_one_go(_: Connection, pen: Pen, operation: Callable[[Pen], T]) -> T:
    """Without a way back from it, which takes as long as the operation itself."""
    try:
        return operation(pen)
    except Exception as error:
        raise _OneFailedError from error


def _by_itself(connection: Connection, pen: Pen, operation: Callable[[Pen], T]) -> T | Exception:
    connection.exec_driver_sql("SAVEPOINT one")
    try:
        given = operation(pen)
        pen.margin.write()
    except Exception as error:  # noqa: BLE001 - told to the one that asked
        pen.margin.drop()
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one")
        connection.exec_driver_sql("RELEASE SAVEPOINT one")
        return error
    connection.exec_driver_sql("RELEASE SAVEPOINT one")
    return given
