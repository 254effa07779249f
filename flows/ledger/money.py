"""Money: what was spent, and what may have been: every try that was sent, not only the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Numeric, and_, case, func, literal, or_, select

from flows.ledger import tables
from flows.ledger.rows import chunks
from flows.nouns.take import Realm, TakeState

_P = tables.purchases
_USD = Numeric(12, 6)

_MAYBE_BILLED = (
    TakeState.SENT,
    TakeState.ACCEPTED,
    TakeState.SUCCEEDED,
    TakeState.DONE,
    TakeState.UNKNOWN,
    TakeState.LOST,
    TakeState.FAILED,
)

_NOTHING = literal(Decimal(0), _USD)
_IS_SPENT = or_(
    _P.c.billed.is_(True),
    and_(_P.c.billed.is_(None), _P.c.state.in_(_MAYBE_BILLED)),
)
_SPENT = func.coalesce(func.sum(func.coalesce(_P.c.cost_usd, _P.c.price_usd)), _NOTHING)


def spent(
    connection: Connection,
    realm: Realm,
    *,
    campaign: str | None,
    since: str | None,
    run: str | None,
) -> Decimal:
    """USD that were billed or may have been: the host's cost where it is known, else the price."""
    counts: list[ColumnElement[bool]] = [_P.c.realm == realm, _IS_SPENT]
    if since is not None:
        counts.append(_P.c.at >= since)
    if run is not None:
        counts.append(_P.c.run == run)
    if campaign is not None:
        of_campaign = select(tables.runs.c.id).where(tables.runs.c.campaign == campaign)
        counts.append(_P.c.run.in_(of_campaign))
    return Decimal(connection.scalar(select(_SPENT).where(*counts)) or 0)


def by_campaign(
    connection: Connection, since: str | None = None
) -> dict[tuple[str, Realm], Decimal]:
    """What `spent` says of each campaign and realm."""
    runs = tables.runs
    query = (
        select(runs.c.campaign, _P.c.realm, _SPENT.label("usd"))
        .join_from(_P, runs, _P.c.run == runs.c.id)
        .where(_IS_SPENT)
        .group_by(runs.c.campaign, _P.c.realm)
    )
    if since is not None:
        query = query.where(_P.c.at >= since)
    return {(row.campaign, Realm(row.realm)): Decimal(row.usd) for row in connection.execute(query)}


def by_run(connection: Connection, runs: Iterable[str]) -> dict[str, Decimal]:
    """What `spent` says of each of these runs."""
    query = select(_P.c.run, _SPENT.label("usd")).where(_IS_SPENT).group_by(_P.c.run)
    return {
        row.run: Decimal(row.usd)
        for chunk in chunks(sorted(runs))
        for row in connection.execute(query.where(_P.c.run.in_(chunk)))
    }


def tally(connection: Connection) -> Sequence[tuple[str, str, str, int, Decimal]]:
    """Realm, provider, state, number of takes that are so now, and the USD that are known to have
    been spent on tries that stand or ended so.
    """
    takes = tables.takes
    heads = (takes.c.realm, takes.c.provider, takes.c.state)
    counted = {
        (row[0], row[1], row[2]): int(row[3])
        for row in connection.execute(select(*heads, func.count()).group_by(*heads))
    }
    known = case(
        (_P.c.billed.is_(False), _NOTHING),
        (_P.c.cost_usd.is_not(None), _P.c.cost_usd),
        (_P.c.billed.is_(True), func.coalesce(_P.c.price_usd, _NOTHING)),
        else_=_NOTHING,
    )
    heads = (_P.c.realm, _P.c.provider, _P.c.state)
    usd = {
        (row[0], row[1], row[2]): Decimal(row[3])
        for row in connection.execute(select(*heads, func.sum(known)).group_by(*heads))
    }
    return [
        (*key, counted.get(key, 0), usd.get(key, Decimal(0)))
        for key in sorted(counted.keys() | {key for key, known_usd in usd.items() if known_usd})
    ]
