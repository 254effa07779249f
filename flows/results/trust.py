"""Trust: signs that the comparison itself is unfair, whatever the rates say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.results.arms import Arm
from flows.results.counts import STRATA, Counts
from flows.results.dispersion import dispersion
from flows.results.spoken import percent

MISMATCH_BELOW = 0.001
"""Fabijan et al. 2019, https://doi.org/10.1145/3292500.3330722, advise a bound well below 5 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Impressions held against the weights: shares by variant, and the chance of such a gap."""

    found: Mapping[str, float]
    wanted: Mapping[str, float]
    p_value: float

    @property
    def is_there(self) -> bool:
        return self.p_value < MISMATCH_BELOW

    @property
    def told(self) -> str:
        apart = sorted(self.found, key=lambda one: -abs(self.found[one] - self.wanted[one]))
        shown = ", ".join(
            f"{one} {percent(self.found[one])} where {percent(self.wanted[one])} were meant"
            for one in apart[:4]
        )
        return (
            f"impressions do not follow the weights ({shown}): a platform that prefers ads, or"
            " counts that are lost; find out why before you trust a winner"
        )


def mismatch(counts: Counts, arms: Sequence[Arm]) -> Mismatch | None:
    """A chi-square test of impressions against weights; None with fewer than two arms.

    Impressions come in bursts, so with dates the test is stretched by how much the shares jump
    from day to day.
    """
    from scipy import stats

    # one that has left the campaign has no share that it was meant to have
    arms = [arm for arm in arms if arm.weight]
    if len(arms) < 2:
        return None
    at = {arm.id: number for number, arm in enumerate(arms)}
    total = [0] * len(arms)
    days: dict[str, list[int]] = {}
    for row in counts.rows:
        if row.variant in at:
            total[at[row.variant]] += row.impressions
            days.setdefault(row.strata[0], [0] * len(arms))[at[row.variant]] += row.impressions
    whole, weights = sum(total), sum(arm.weight for arm in arms)
    expected = [whole * arm.weight / weights for arm in arms]
    jumps = 1.0
    if "date" in counts.columns:
        # each arm's impressions as its successes among all of its day; as the last arm follows from
        # the others, that counts one arm too many
        lists = [days[day] for day in sorted(days)]
        found = dispersion([[sum(one)] * len(arms) for one in lists], lists).factor
        jumps = max(1.0, found * (len(arms) - 1) / len(arms))
    squares = sum((n - e) ** 2 / e for n, e in zip(total, expected, strict=True)) / jumps
    return Mismatch(
        found={
            arm.id: total[number] / whole for arm, number in zip(arms, at.values(), strict=True)
        },
        wanted={arm.id: arm.weight / weights for arm in arms},
        p_value=float(stats.chi2.sf(squares, len(arms) - 1)),
    )


def turned_over(counts: Counts, arms: Sequence[str], best: str, metric: str) -> str:
    """The dimension within which another arm is best than all rows together say; empty if none.

    Each arm's rate is held against one mix: strata weighted by all their impressions, where every
    arm was shown (Simpson's paradox; direct standardisation).
    """
    for place, dimension in enumerate(STRATA):
        if dimension not in counts.columns:
            continue
        shown: dict[str, dict[str, list[float]]] = {}
        for row in counts.rows:
            cell = shown.setdefault(row.strata[place], {}).setdefault(row.variant, [0.0, 0.0])
            cell[0] += row.impressions
            cell[1] += row.clicks if metric == "ctr" else row.conversions
        whole = [
            stratum
            for stratum in shown.values()
            if all(stratum.get(arm, (0.0,))[0] > 0 for arm in arms)
        ]
        rates = {
            arm: sum(
                stratum[arm][1] / stratum[arm][0] * sum(cell[0] for cell in stratum.values())
                for stratum in whole
            )
            for arm in arms
        }
        if any(rate >= rates[best] for arm, rate in rates.items() if arm != best):
            return dimension
    return ""
