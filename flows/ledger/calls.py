"""Calls: an account's limits, kept together by all processes on one ledger.

A request counts from before it is sent until `per_s` after its answer came: the host saw it
somewhere between the two, so whatever the network does to it, no window of the host's holds more.
Each admission is one short transaction, in turn with the others of the same account.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from flows.ledger import tables
from flows.ledger.dispatchers import DEAD_AFTER_S, Clock, Dispatchers, clock
from flows.ledger.engines import WRITES

Counted: TypeAlias = Literal["requests", "creates", "images"]
Limit: TypeAlias = tuple[int, float, Counted]
"""At most so many, in any so many seconds, of what."""

_LOCK = 0x5407
_SWEEP = 256
"""Every so many calls the old ones go."""
_SLACK_S = 1.0
"""A stamp further ahead than this was made before the clock was set back."""

_C = tables.calls
_S = tables.slots
_OF_ACCOUNT = _C.c.account == bindparam("of_account")
_WEIGHTS: Mapping[Counted, ColumnElement[int]] = {
    "requests": literal(1),
    "creates": _C.c.creates,
    "images": _C.c.images,
}
_IN_SIGHT = select(_C.c.creates, _C.c.images, _C.c.closed_at).where(
    _OF_ACCOUNT, or_(_C.c.closed_at.is_(None), _C.c.closed_at > bindparam("since"))
)
_SWEPT = _C.delete().where(_OF_ACCOUNT, _C.c.closed_at < bindparam("until"))
_CLOSE = update(_C).where(_C.c.id.in_(bindparam("ids", expanding=True)))
_ADMIT = insert(_C).returning(_C.c.id)
_SLOTS = _S.c.account == bindparam("of_account")
_SLOT = (_SLOTS, _S.c.recipe == bindparam("of_recipe"))
_HELD = select(_S.c.recipe).where(_SLOTS, _S.c.expires_at > bindparam("until"))
_TAKEN = select(func.count()).select_from(_S).where(_SLOTS)
_EXPIRED = _S.delete().where(_SLOTS, _S.c.expires_at <= bindparam("until"))
_SIT_ON = update(_S).where(*_SLOT)
_SIT = insert(_S)
_RISE = _S.delete().where(*_SLOT, _S.c.owner == bindparam("of_owner"))


@lru_cache(maxsize=64)
def _loads(counted: tuple[Counted, ...]) -> Select[Any]:
    """How much each window holds now."""
    sums = [
        func.coalesce(
            func.sum(
                case(
                    (
                        or_(_C.c.closed_at.is_(None), _C.c.closed_at > bindparam(f"since_{n}")),
                        _WEIGHTS[what],
                    ),
                    else_=0,
                )
            ),
            0,
        )
        for n, what in enumerate(counted)
    ]
    in_sight = or_(_C.c.closed_at.is_(None), _C.c.closed_at > bindparam("since"))
    return select(*sums).where(_OF_ACCOUNT, in_sight)


class Calls:
    """Who may ask now, of all who use an account. Safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock = clock) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._clock = clock
        self._dispatchers = Dispatchers(engine, clock)

    def admit(
        self,
        account: str,
        owner: str,
        windows: Sequence[Limit],
        *,
        creates: int,
        images: int,
        ended: Sequence[int] = (),
    ) -> tuple[int, float]:
        """Take a place in all windows of an account, or in none.

        Returns the call's id and 0.0, to be sent at once and closed with its answer; or 0 and the
        seconds to wait at least before it makes sense to ask again.

        Args:
            account: the account's fingerprint, never its key.
            owner: the dispatcher that asks; a dead one's calls end by themselves.
            windows: the account's limits, each at most `amount` in any `per_s` seconds.
            creates: 1 where the request buys, else 0.
            images: how many pictures it asks for.
            ended: calls to close first, as `close` does.

        Raises:
            ValueError: it counts more than a window will ever hold.

        """
        weights = {"requests": 1, "creates": creates, "images": images}
        for amount, per_s, what in windows:
            if weights[what] > amount:
                raise ValueError(
                    f"a request for {weights[what]} {what} never fits {amount} in {per_s:g} s"
                )
        with self._turn(account) as (connection, now):
            if ended:
                connection.execute(_CLOSE, {"ids": sorted(ended), "closed_at": now})
            if windows and self._is_full(connection, account, windows, weights, now):
                self._bury(connection, account, now)
                wait_s = self._wait_s(connection, account, windows, weights, now)
                if wait_s > 0:
                    return 0, wait_s
            call_id: int = connection.execute(
                _ADMIT,
                {
                    "account": account,
                    "owner": owner,
                    "creates": creates,
                    "images": images,
                    "opened_at": now,
                },
            ).scalar_one()
            if call_id % _SWEEP == 0:
                _sweep(connection, account, windows, now)
            return call_id, 0.0

    def close(self, call_ids: Sequence[int]) -> None:
        """Their answers came, or never will: from now on they age."""
        if not call_ids:
            return
        with self._writer.begin() as connection:
            now = self._clock(connection)
            connection.execute(_CLOSE, {"ids": sorted(call_ids), "closed_at": now})

    def sharers(self, account: str) -> int:
        """How many live dispatchers use the account."""
        return len(self._dispatchers.alive(account=account))

    def take_slot(self, account: str, recipe: str, owner: str, most: int, lasts_s: float) -> bool:
        """Take one of the account's `most` places for generations that run at once; the host may
        work on it for `lasts_s` seconds, after which the place is free by itself. One that this
        recipe has already goes over to `owner`, however many there are. False: all are taken.
        """
        if self._is_crowded(account, recipe, most):
            return False
        key = {"of_account": account, "of_recipe": recipe}
        with self._turn(account) as (connection, now):
            connection.execute(_EXPIRED, {"of_account": account, "until": now})
            held = {"owner": owner, "expires_at": now + lasts_s}
            if connection.execute(_SIT_ON, {**key, **held}).rowcount:
                return True
            if (connection.scalar(_TAKEN, {"of_account": account}) or 0) >= most:
                return False
            row = {"account": account, "recipe": recipe, "since": now, **held}
            connection.execute(_SIT, row)
            return True

    def _is_crowded(self, account: str, recipe: str, most: int) -> bool:
        """Whether all places are taken by others: only read, so that who waits stops nobody."""
        with self._engine.connect() as connection:
            now = self._clock(connection)
            recipes = connection.scalars(_HELD, {"of_account": account, "until": now}).all()
        return len(recipes) >= most and recipe not in recipes

    def free_slot(self, account: str, recipe: str, owner: str) -> None:
        """The generation has ended; a place that went over to another owner stays that one's."""
        with self._writer.begin() as connection:
            connection.execute(
                _RISE, {"of_account": account, "of_recipe": recipe, "of_owner": owner}
            )

    @contextmanager
    def _turn(self, account: str) -> Iterator[tuple[Connection, float]]:
        """A transaction that no other of this account runs beside, and the time in it."""
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                number = zlib.crc32(account.encode()) - 2**31
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK, number)))
            yield connection, self._clock(connection)

    def _is_full(
        self,
        connection: Connection,
        account: str,
        windows: Sequence[Limit],
        weights: Mapping[str, int],
        now: float,
    ) -> bool:
        since = {f"since_{n}": now - per_s for n, (_, per_s, _) in enumerate(windows)}
        longest = max(per_s for _, per_s, _ in windows)
        loads = connection.execute(
            _loads(tuple(what for _, _, what in windows)),
            {"of_account": account, "since": now - longest, **since},
        ).one()
        return any(
            weights[what] and load + weights[what] > amount
            for load, (amount, _, what) in zip(loads, windows, strict=True)
        )

    def _wait_s(
        self,
        connection: Connection,
        account: str,
        windows: Sequence[Limit],
        weights: Mapping[str, int],
        now: float,
    ) -> float:
        longest = max(per_s for _, per_s, _ in windows)
        rows = connection.execute(_IN_SIGHT, {"of_account": account, "since": now - longest}).all()
        wait_s = 0.0
        for amount, per_s, what in windows:
            if not weights[what]:
                continue
            held: list[tuple[float, int]] = []
            for row in rows:
                weight = {"requests": 1, "creates": row.creates, "images": row.images}[what]
                # one that is under way now can be answered now at the earliest
                until = (now if row.closed_at is None else row.closed_at) + per_s
                if weight and until > now:
                    held.append((until, weight))
            over = sum(weight for _, weight in held) + weights[what] - amount
            for until, weight in sorted(held):
                if over <= 0:
                    break
                over -= weight
                wait_s = max(wait_s, until - now)
        return wait_s

    def _bury(self, connection: Connection, account: str, now: float) -> None:
        """End the calls of the dead, and stamps of a clock that has been set back since."""
        dispatchers = tables.dispatchers
        last = (
            select(dispatchers.c.heartbeat_at)
            .where(dispatchers.c.owner == _C.c.owner)
            .scalar_subquery()
        )
        dead = func.coalesce(last, _C.c.opened_at) + DEAD_AFTER_S
        connection.execute(
            update(_C)
            .where(_C.c.account == account, and_(_C.c.closed_at.is_(None), dead <= now))
            .values(closed_at=dead)
        )
        connection.execute(
            update(_C)
            .where(_C.c.account == account, _C.c.closed_at > now + _SLACK_S)
            .values(closed_at=now)
        )


def _sweep(connection: Connection, account: str, windows: Sequence[Limit], now: float) -> None:
    """Forget what no window can see any more."""
    longest = max((per_s for _, per_s, _ in windows), default=0.0)
    # others may know a longer window of the same account
    until = now - max(2 * longest, 600.0)
    connection.execute(_SWEPT, {"of_account": account, "until": until})
