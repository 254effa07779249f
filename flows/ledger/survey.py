"""Survey: what a person asks of a whole ledger, across campaigns and realms. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, distinct, func, select

from flows.ledger import money, tables
from flows.nouns.take import UNSETTLED, Realm, TakeState

_SAID_NO = (TakeState.REFUSED, TakeState.FAILED, TakeState.LOST, TakeState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShot:
    """A shot as a run last set out to make it."""

    campaign: str
    realm: Realm
    shot_id: str
    recipes: tuple[str, ...]
    planned_at: str
    """When these recipes were first planned, ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """USD that a campaign spent in one realm, or may have."""

    campaign: str
    realm: Realm
    run: str
    """Its latest run."""
    run_usd: Decimal
    month_usd: Decimal
    """Since the month began."""
    total_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the last generations of one kind took at a host."""

    host: str
    mode: str
    tier: str
    mean_s: float
    takes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason for which orders to a host brought no picture."""

    realm: Realm
    host: str
    state: TakeState
    reason: str
    takes: int
    times: int
    last_at: str
    """ISO 8601 in UTC."""


class Survey:
    """Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def planned(
        self, *, campaign: str | None = None, shot_id: str | None = None
    ) -> Sequence[PlannedShot]:
        """The shots of all campaigns, or of one, or of one id, by campaign, realm and id."""
        table = tables.shots
        query = select(table).order_by(table.c.campaign, table.c.realm, table.c.shot_id)
        if campaign is not None:
            query = query.where(table.c.campaign == campaign)
        if shot_id is not None:
            query = query.where(table.c.shot_id == shot_id)
        with self._engine.connect() as connection:
            return [
                PlannedShot(
                    campaign=row.campaign,
                    realm=Realm(row.realm),
                    shot_id=row.shot_id,
                    recipes=tuple(row.recipes.split()),
                    planned_at=row.planned_at,
                )
                for row in connection.execute(query)
            ]

    def turned_down_at(self, campaign: str, realm: Realm) -> Mapping[str, Mapping[int, str]]:
        """Shot id to the numbers of takes that a person did not want, and when that was said."""
        table = tables.turned_down
        query = select(table.c.shot_id, table.c.take_number, table.c.at).where(
            table.c.campaign == campaign, table.c.realm == realm
        )
        found: dict[str, dict[int, str]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                found.setdefault(row.shot_id, {})[row.take_number] = row.at
        return found

    def sent_at(self, realm: Realm) -> Mapping[str, str]:
        """Recipe to the moment in which its order left, of the takes that are unsettled now."""
        takes, purchases = tables.takes, tables.purchases
        query = (
            select(takes.c.recipe, purchases.c.at)
            .join_from(takes, purchases, takes.c.purchase == purchases.c.id)
            .where(takes.c.realm == realm, takes.c.state.in_(UNSETTLED))
        )
        with self._engine.connect() as connection:
            return {row.recipe: row.at for row in connection.execute(query)}

    def latest_runs(self, campaign: str | None = None) -> Mapping[tuple[str, Realm], str]:
        """Campaign and realm to their latest run, in the order in which those began."""
        table = tables.runs
        query = select(table.c.campaign, table.c.realm, table.c.id).order_by(
            table.c.started_at, table.c.id
        )
        if campaign is not None:
            query = query.where(table.c.campaign == campaign)
        latest: dict[tuple[str, Realm], str] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                key = (row.campaign, Realm(row.realm))
                latest.pop(key, None)
                latest[key] = row.id
        return latest

    def spending(self, *, month: str, campaign: str | None = None) -> Sequence[Spending]:
        """What each campaign, or one, spent in each realm that costs money: see `Ledger.spent`.

        `month` is when the month began, ISO 8601 in UTC.
        """
        latest = self.latest_runs(campaign)
        with self._engine.connect() as connection:
            total = money.by_campaign(connection)
            since = money.by_campaign(connection, since=month)
            of_run = money.by_run(connection, latest.values())
        nothing = Decimal(0)
        return [
            Spending(
                campaign=name,
                realm=realm,
                run=run,
                run_usd=of_run.get(run, nothing),
                month_usd=since.get((name, realm), nothing),
                total_usd=total.get((name, realm), nothing),
            )
            for (name, realm), run in sorted(latest.items())
            if realm is not Realm.PROOF
        ]

    def latencies(self) -> Sequence[Latency]:
        """The mean of what is remembered of each host, mode and tier."""
        table = tables.latencies
        heads = (table.c.host, table.c.mode, table.c.tier)
        query = (
            select(*heads, func.avg(table.c.seconds).label("mean"), func.count().label("takes"))
            .group_by(*heads)
            .order_by(*heads)
        )
        with self._engine.connect() as connection:
            return [
                Latency(
                    host=row.host,
                    mode=row.mode,
                    tier=row.tier,
                    mean_s=float(row.mean),
                    takes=row.takes,
                )
                for row in connection.execute(query)
            ]

    def refusals(self, limit: int) -> Sequence[Refusal]:
        """The commonest reasons, of all that ever happened to takes that cost money."""
        table = tables.events
        heads = (table.c.realm, table.c.provider, table.c.state, table.c.detail)
        times = func.count()
        query = (
            select(
                *heads,
                func.count(distinct(table.c.recipe)).label("takes"),
                times.label("times"),
                func.max(table.c.at).label("last_at"),
            )
            .where(table.c.state.in_(_SAID_NO), table.c.realm != Realm.PROOF)
            .group_by(*heads)
            .order_by(times.desc(), *heads)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                Refusal(
                    realm=Realm(row.realm),
                    host=row.provider,
                    state=TakeState(row.state),
                    reason=row.detail or "",
                    takes=row.takes,
                    times=row.times,
                    last_at=row.last_at,
                )
                for row in connection.execute(query)
            ]
