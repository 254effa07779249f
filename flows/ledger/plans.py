"""Plans: what a campaign set out to make, and which of its pictures a person turned down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from flows.ledger import tables
from flows.ledger.rows import chunks, insert_or_ignore, insert_or_replace, now
from flows.nouns.take import Realm


def shots(connection: Connection, campaign: str, realm: Realm) -> dict[str, tuple[str, ...]]:
    """Shot id to the recipes that the campaign last set out to make."""
    table = tables.shots
    query = select(table.c.shot_id, table.c.recipes).where(
        table.c.campaign == campaign, table.c.realm == realm
    )
    return {shot_id: tuple(recipes.split()) for shot_id, recipes in connection.execute(query)}


def plan_shots(
    connection: Connection,
    campaign: str,
    realm: Realm,
    wanted: Mapping[str, Sequence[str]],
    retired: Iterable[str],
) -> None:
    table = tables.shots
    known = shots(connection, campaign, realm)
    at = now()
    fresh = [
        {
            "campaign": campaign,
            "realm": realm,
            "shot_id": shot_id,
            "recipes": " ".join(recipes),
            "planned_at": at,
        }
        for shot_id, recipes in wanted.items()
        if known.get(shot_id) != tuple(recipes)
    ]
    for chunk in chunks(list(retired)):
        connection.execute(
            table.delete().where(
                table.c.campaign == campaign,
                table.c.realm == realm,
                table.c.shot_id.in_(chunk),
            )
        )
    if fresh:
        # in one order, so that two runs that plan the same at once wait instead of locking
        fresh.sort(key=lambda row: row["shot_id"])
        connection.execute(insert_or_replace(connection, table), fresh)


def turn_down(
    connection: Connection,
    campaign: str,
    realm: Realm,
    shot_id: str,
    take_numbers: Iterable[int],
    why: str,
) -> None:
    at = now()
    for number in sorted(set(take_numbers)):
        connection.execute(
            insert_or_ignore(connection, tables.turned_down),
            {
                "campaign": campaign,
                "realm": realm,
                "shot_id": shot_id,
                "take_number": number,
                "why": why,
                "at": at,
            },
        )


def turned_down(connection: Connection, campaign: str, realm: Realm) -> dict[str, frozenset[int]]:
    """Shot id to the numbers of its takes that a person did not want."""
    table = tables.turned_down
    query = select(table.c.shot_id, table.c.take_number).where(
        table.c.campaign == campaign, table.c.realm == realm
    )
    found: dict[str, set[int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.shot_id, set()).add(row.take_number)
    return {shot_id: frozenset(numbers) for shot_id, numbers in found.items()}
