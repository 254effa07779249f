"""Rates: what is believed of each arm's rate, as Beta distributions, and who is likely the best.

The prior is Jeffreys' Beta(1/2, 1/2): its equal-tailed intervals cover about what they promise even
for rare clicks (Brown, Cai, DasGupta 2001, https://doi.org/10.1214/ss/1009213286).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COVER = 0.95
"""How much of the belief an interval holds."""

_PRIOR = 0.5
_GRID = 2048
_FEWEST_LEVELS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One arm's rate: `successes` by `trials`. `low` to `high` holds with 95 % what is believed of
    it: of a factor's level that is `adjusted`, what it would be on the same mix of all else.

    `chance_best` are the chances, from 0 to 1, that no other arm has a higher true rate;
    `expected_loss` is how much rate is given away on average by choosing this arm.
    """

    trials: int
    successes: float
    rate: float | None
    low: float
    high: float
    chance_best: float
    expected_loss: float = 0.0
    adjusted: float | None = None

    @property
    def believed(self) -> float:
        """The rate that the interval is around; 0 without trials."""
        return (self.rate or 0.0) if self.adjusted is None else self.adjusted


def rates(trials: Sequence[int], successes: Sequence[float], dispersion: float = 1.0) -> list[Rate]:
    """The rate of each arm. `dispersion` above 1 says that the counts tell so many times less."""
    import numpy as np
    from scipy import special

    n = np.asarray(trials, dtype=float)
    s = np.asarray(successes, dtype=float)
    a, b = _PRIOR + s / dispersion, _PRIOR + (n - s) / dispersion
    tail = (1 - COVER) / 2
    low = np.where(s > 0, special.betaincinv(a, b, tail), 0.0)
    high = np.where(s < n, special.betaincinv(a, b, 1 - tail), 1.0)
    # Exact but for the grid: with F the beliefs' distribution functions, an arm is best with
    # chance ∫ dF_i ∏_{j≠i} F_j, and the best of all has the mean ∫ (1 - ∏ F_j).
    levels = max(_FEWEST_LEVELS, _GRID // len(n))
    points = (np.arange(levels) + 0.5) / levels
    ends = np.array([1e-12, 1e-6, 1 - 1e-6, 1 - 1e-12])
    asked = np.concatenate([points, ends])[:, None]
    grid = np.unique(np.concatenate([[0.0, 1.0], special.betaincinv(a, b, asked).ravel()]))
    grid = grid[np.isfinite(grid)]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_below = np.log(special.betainc(a, b, grid[:, None]))
        of_all = log_below.sum(axis=1, keepdims=True)
        others = np.nan_to_num(np.exp(of_all - log_below), nan=0.0)
    below = np.exp(log_below)
    chances = (np.diff(below, axis=0) * (others[1:] + others[:-1]) / 2).sum(axis=0)
    chances /= chances.sum()
    steps = np.diff(grid)
    above_best = 1 - np.exp(of_all[:, 0])
    best = float((steps * (above_best[1:] + above_best[:-1]) / 2).sum())
    means = (steps[:, None] * (2 - below[1:] - below[:-1]) / 2).sum(axis=0)
    losses = np.maximum(0.0, best - means)
    return [
        Rate(
            trials=trials[at],
            successes=successes[at],
            rate=successes[at] / trials[at] if trials[at] else None,
            low=float(low[at]),
            high=float(high[at]),
            chance_best=float(chances[at]),
            expected_loss=float(losses[at]),
        )
        for at in range(len(n))
    ]
