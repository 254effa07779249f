"""Money: what was spent, and what may have been: every try that was sent, not only the last."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Numeric, and_, case, func, literal, or_, select

from flows.ledger import tables
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


def spent(
    connection: Connection,
    realm: Realm,
    *,
    campaign: str | None,
    since: str | None,
    run: str | None,
) -> Decimal:
    """USD that were billed or may have been: the host's cost where it is known, else the price."""
    counts: list[ColumnElement[bool]] = [
        _P.c.realm == realm,
        or_(
            _P.c.billed.is_(True),
            and_(_P.c.billed.is_(None), _P.c.state.in_(_MAYBE_BILLED)),
        ),
    ]
    if since is not None:
        counts.append(_P.c.at >= since)
    if run is not None:
        counts.append(_P.c.run == run)
    if campaign is not None:
        of_campaign = select(tables.runs.c.id).where(tables.runs.c.campaign == campaign)
        counts.append(_P.c.run.in_(of_campaign))
    usd = func.coalesce(func.sum(func.coalesce(_P.c.cost_usd, _P.c.price_usd)), _NOTHING)
    return Decimal(connection.scalar(select(usd).where(*counts)) or 0)


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
