"""Drift: where hosts charge something else than their price table says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from flows.jobs.make import Made
from flows.nouns.rendition import TakeRow
from flows.providers import Account

LEAST_USD = Decimal("0.00005")
"""Below this a difference is one of rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A host whose answers name another cost than its table. USD an image."""

    provider: str
    takes: int
    """Of this run, with a cost in the host's answer."""
    usd_table: float
    usd_answered: float
    """Their mean."""

    @property
    def told(self) -> str:
        """In a line, with what to do."""
        takes = f"{self.takes:,} take{'s' if self.takes > 1 else ''}"
        return (
            f"{self.provider} charges ${self.usd_answered:.4f} an image on average ({takes} of "
            f"this run), its price table says ${self.usd_table:.4f}: set usd_per_image in "
            f"SHOTLIST_ACCOUNTS"
        )


def drifts(accounts: Sequence[Account], made: Sequence[Made]) -> list[Drift]:
    """Of each host whose answers' costs are not what its accounts' price says, by name."""
    table = {one.host: one.usd_per_image for one in accounts if one.usd_per_image is not None}
    found = []
    for provider, costs in sorted(_answered(made).items()):
        mean = sum(costs, Decimal(0)) / len(costs)
        price = table.get(provider)
        if price is not None and abs(mean - price) >= LEAST_USD:
            found.append(
                Drift(
                    provider=provider,
                    takes=len(costs),
                    usd_table=float(price),
                    usd_answered=round(float(mean), 6),
                )
            )
    return found


def _answered(made: Sequence[Made]) -> dict[str, list[Decimal]]:
    """Provider to what it said that the takes of this run cost; a take of two shots counts once."""
    rows: dict[str, TakeRow] = {}
    for one in made:
        fresh = set(one.fresh_ids)
        rows |= {row["recipe"]: row for row in one.takes if fresh & set(row["shot_ids"])}
    found: dict[str, list[Decimal]] = {}
    for row in rows.values():
        if row["cost_from"] == "answer" and row["cost_usd"] is not None:
            found.setdefault(row["provider"], []).append(Decimal(str(row["cost_usd"])))
    return found
