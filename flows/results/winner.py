"""Winner: whether one arm is better than every other, with false alarms held down.

The best arm is named only if it beats each other one in a one-sided test at half of `alpha`. The
worst case is two arms that are best alike, each of which may be the one; further arms only make a
false winner rarer, so their number costs nothing (Gutmann, Maymin 1987, Is the selected population
the best?, Annals of Statistics 15, 456-461; for arms of unlike size the bench holds it up).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flows.results.dispersion import Dispersion
from flows.results.rates import COVER

PROMISED = 0.05
"""False winners stay below this share of reports that are judged once."""
ALPHA = 0.03
"""The chance to name any false winner in one report, everything together: below what is promised,
as days, platforms and people keep no model to the letter."""
EITHER = 2
"""Arms that may be best alike, among which `alpha` is parted."""
POWER = 0.8
LIFT = 0.10
"""The relative difference for which the needed trials are told."""
ENOUGH_TRIALS = 100
ENOUGH_EXPECTED = 10
"""Successes and failures that each arm may expect before a winner is named."""


@dataclass(frozen=True, slots=True)
class Lead:
    """How much higher a rate is than another, as a share of that one; 95 % between low and high."""

    lift: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How the arms stand to each other.

    `winner`, `best` and `nearest` are positions; `p_value` is the largest of the best against each
    other, one-sided, to be held against `alpha`, `nearest` the one that it is of and `lead` the
    best's over that one; None where that has no successes. `detectable` is the smallest relative
    difference between two arms that these trials tell apart four times in five; `needed` how many
    trials an arm needs to tell a tenth.
    """

    best: int
    winner: int | None
    nearest: int
    lead: Lead | None
    p_value: float
    alpha: float
    detectable: float | None
    needed: int | None
    too_few: tuple[int, ...]


def contest(
    trials: Sequence[int], successes: Sequence[float], alpha: float, spread: Dispersion
) -> Contest:
    """Hold the best arm against each other. `alpha` is the share of this family of arms."""
    best = max(range(len(trials)), key=lambda at: (successes[at] / trials[at], trials[at]))
    share = alpha / EITHER
    p_value, nearest = max(
        (_one_sided(trials[best], successes[best], trials[at], successes[at], spread), at)
        for at in range(len(trials))
        if at != best
    )
    pooled = sum(successes) / sum(trials)
    scarce = min(pooled, 1 - pooled) / spread.factor
    too_few = tuple(
        at
        for at, count in enumerate(trials)
        if count < ENOUGH_TRIALS or count * scarce < ENOUGH_EXPECTED
    )
    return Contest(
        best=best,
        winner=best if p_value <= share and not too_few else None,
        nearest=nearest,
        lead=_lead(trials[best], successes[best], trials[nearest], successes[nearest], spread),
        p_value=p_value,
        alpha=share,
        detectable=_detectable(trials, pooled, share, spread),
        needed=needed(pooled, share, spread.factor),
        too_few=too_few,
    )


def _one_sided(n1: int, s1: float, n2: int, s2: float, spread: Dispersion) -> float:
    """The chance of such a lead of the first, or a larger one, were the second as good.

    The larger of Fisher's exact test and the score test stretched by the dispersion: the first
    holds however rare clicks are, the second however much days differ.
    """
    from scipy import stats

    won, lost = int(s1), -int(-s2 // 1)  # parts of conversions: against the leader
    exact = float(stats.hypergeom.sf(won - 1, n1 + n2, won + lost, n1))
    rate = (s1 + s2) / (n1 + n2)
    variance = rate * (1 - rate) * (1 / n1 + 1 / n2) * spread.factor
    if variance <= 0:
        return 1.0
    score = (s1 / n1 - s2 / n2) / variance**0.5
    stretched = (
        stats.norm.sf(score) if spread.degrees is None else stats.t.sf(score, spread.degrees)
    )
    return max(exact, float(stretched))


def _lead(n1: int, s1: float, n2: int, s2: float, spread: Dispersion) -> Lead | None:
    """Of the ratio of two rates, on its logarithm (Katz et al. 1978,
    https://doi.org/10.2307/2530610).
    """
    if not s1 or not s2:
        return None
    middle = math.log(s1 / n1 * n2 / s2)
    wide = reach(spread) * math.sqrt((1 / s1 - 1 / n1 + 1 / s2 - 1 / n2) * spread.factor)
    return Lead(*(math.expm1(one) for one in (middle, middle - wide, middle + wide)))


def reach(spread: Dispersion) -> float:
    """How many deviations to each side hold 95 %."""
    from scipy import stats

    tail = (1 - COVER) / 2
    return float(
        stats.norm.isf(tail) if spread.degrees is None else stats.t.isf(tail, spread.degrees)
    )


def needed(rate: float, share: float, dispersion: float = 1.0) -> int | None:
    """Trials an arm needs so that a lead of a tenth over `rate` is told four times in five."""
    raised = rate * (1 + LIFT)
    if not 0 < raised < 1:
        return None
    apart = 2 * (math.asin(math.sqrt(raised)) - math.asin(math.sqrt(rate)))
    return math.ceil(2 * dispersion * (reach_of(share) / apart) ** 2)


def _detectable(
    trials: Sequence[int], rate: float, share: float, spread: Dispersion
) -> float | None:
    """Of the two smallest arms; None where no rate could be so much higher."""
    if not 0 < rate < 1:
        return None
    first, second = sorted(trials)[:2]
    apart = reach_of(share) * math.sqrt((1 / first + 1 / second) * spread.factor)
    angle = math.asin(math.sqrt(rate)) + apart / 2
    return math.sin(angle) ** 2 / rate - 1 if angle < math.pi / 2 else None


def reach_of(share: float) -> float:
    """How many deviations a lead must have: of Cohen's h, whose own does not depend on the rate.

    Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, chapter 6.
    """
    from scipy import special

    return float(special.ndtri(1 - share) + special.ndtri(POWER))
