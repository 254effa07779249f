"""Factors: what each level of a factor does, held against the same mix of all other levels.

A logistic regression of main effects, so that a design in which levels do not meet equally often
(sampled, one-factor, or an ad platform that preferred some) is not read as an effect.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.nouns.campaign import Scalar
from flows.results.arms import spelled
from flows.results.dispersion import Dispersion
from flows.results.rates import Rate
from flows.results.winner import (
    EITHER,
    ENOUGH_EXPECTED,
    ENOUGH_TRIALS,
    Contest,
    Lead,
    needed,
    reach,
    reach_of,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_DRAWS = 10_000
_SEED = 1
_TOGETHER = 0.001
"""Below this chance the levels are said to work together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One factor: `levels` and `rates` go together. `contest` is None where `why` says why."""

    name: str
    levels: tuple[str, ...]
    rates: tuple[Rate, ...]
    contest: Contest | None
    why: str = ""


def factors(
    levels: Sequence[Mapping[str, Scalar]],
    trials: Sequence[int],
    successes: Sequence[float],
    alpha: float,
    spread: Dispersion,
) -> tuple[list[Factor], str]:
    """Each factor with two levels or more among arms with these levels, and a word where the
    levels work together. `alpha` is the share of one factor.
    """
    import numpy as np

    words = _words(levels)
    named = {
        name: tuple(dict.fromkeys(each[name] for each in words))
        for name in (words[0] if words else ())
    }
    varied = {name: found for name, found in named.items() if len(found) > 1}
    if not varied:
        return [], ""
    columns = [("", "")] + [(name, one) for name, found in varied.items() for one in found[1:]]
    matrix = np.array(
        [[float(not name or each[name] == one) for name, one in columns] for each in words]
    )
    counts = {
        (name, one): [at for at, each in enumerate(words) if each[name] == one]
        for name, found in varied.items()
        for one in found
    }
    fit = _Fit(matrix, trials, successes, spread)
    told = []
    for name, found in varied.items():
        own = [
            (
                sum(trials[at] for at in counts[name, one]),
                sum(successes[at] for at in counts[name, one]),
            )
            for one in found
        ]
        at = [columns.index((name, one)) for one in found[1:]]
        told.append(_factor(name, found, own, at, fit, alpha, spread))
    return told, fit.together() if len(varied) > 1 else ""


def _words(levels: Sequence[Mapping[str, Scalar]]) -> list[dict[str, str]]:
    """Levels as they are spelled; as they are written in code where two are spelled alike."""
    found = {(name, spelled(one), repr(one)) for each in levels for name, one in each.items()}
    met = Counter((name, word) for name, word, _ in found)
    return [
        {
            name: spelled(one) if met[name, spelled(one)] == 1 else repr(one)
            for name, one in each.items()
        }
        for each in levels
    ]


class _Fit:
    """The regression, and what it is able to say."""

    def __init__(
        self,
        matrix: Numbers,
        trials: Sequence[int],
        successes: Sequence[float],
        spread: Dispersion,
    ) -> None:
        import numpy as np
        from statsmodels.genmod.families import Binomial
        from statsmodels.genmod.generalized_linear_model import GLM
        from statsmodels.tools.sm_exceptions import (
            ConvergenceWarning,
            PerfectSeparationWarning,
            SingularMatrixWarning,
        )

        self.why = ""
        self.matrix = matrix
        n, s = np.asarray(trials, dtype=float), np.asarray(successes, dtype=float)
        self.shares = n / n.sum()
        self.mix = self.shares @ matrix
        self._spread = spread
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            # as many arms as effects are fitted perfectly: it divides by the degrees that are left,
            # none, and warns of separation; what is truly separated shows in the deviations.
            # `tells_apart` and `converged` are asked instead of its warnings.
            for category in (PerfectSeparationWarning, ConvergenceWarning, SingularMatrixWarning):
                warnings.simplefilter("ignore", category)
            self._found = GLM(np.column_stack([s, n - s]), matrix, family=Binomial()).fit()
        self.effects = self._found.params
        self.covariance = self._found.cov_params() * spread.factor
        if not self._found.converged or not np.all(np.isfinite(self.covariance)):
            self.why = "the counts are too few or too uneven to part the levels"

    def tells_apart(self, contrast: Numbers) -> bool:
        """Whether the arms that were shown determine this difference at all."""
        import numpy as np

        through = np.linalg.pinv(self.matrix) @ self.matrix
        return bool(np.allclose(contrast @ through, contrast, atol=1e-8))

    def on_one_mix(self, at: Sequence[int]) -> tuple[Numbers, Numbers]:
        """What each level's rate would be had every impression been of it and all else as it was:
        log odds, and by the delta method their covariance. `at` are the columns of the levels after
        the first. Where levels met all else alike it is the rate of their own counts.
        """
        import numpy as np
        from scipy import special

        odds, ways = [], []
        for column in (None, *at):
            asked = self.matrix.copy()
            asked[:, at] = 0.0
            if column is not None:
                asked[:, column] = 1.0
            each = special.expit(asked @ self.effects)
            rate = float(self.shares @ each)
            odds.append(special.logit(rate))
            ways.append((self.shares * each * (1 - each)) @ asked / (rate * (1 - rate)))
        steep = np.array(ways)
        return np.array(odds), steep @ self.covariance @ steep.T

    def together(self) -> str:
        from scipy import stats

        left = int(self.matrix.shape[0] - _rank(self.matrix))
        if self.why or left < 1:
            return ""
        squares = float(self._found.pearson_chi2) / self._spread.factor
        if stats.chi2.sf(squares, left) >= _TOGETHER:
            return ""
        return (
            "the levels work together: what one does depends on the others;"
            " judge whole variants rather than levels"
        )


def _rank(matrix: Numbers) -> int:
    import numpy as np

    return int(np.linalg.matrix_rank(matrix))


def _factor(
    name: str,
    found: tuple[str, ...],
    own: Sequence[tuple[int, float]],
    at: Sequence[int],
    fit: _Fit,
    alpha: float,
    spread: Dispersion,
) -> Factor:
    import numpy as np
    from scipy import special, stats

    # one row a level: the mix of everything else, and this level for all
    rows = np.tile(fit.mix, (len(found), 1))
    rows[:, at] = 0.0
    for number, column in enumerate(at, start=1):
        rows[number, column] = 1.0
    bare = next((one for one, (n, s) in zip(found, own, strict=True) if s in (0, n)), None)
    why = fit.why
    if bare is not None:
        why = f"level {bare} has none or nothing but successes: there is no telling how far it is"
    elif not why and not all(
        fit.tells_apart(rows[number] - rows[0]) for number in range(len(found))
    ):
        why = "the variants that were shown do not part its levels from those of other factors"
    if why:
        unsaid = [
            Rate(trials=n, successes=s, rate=s / n, low=0.0, high=1.0, chance_best=1 / len(own))
            for n, s in own
        ]
        return Factor(name=name, levels=found, rates=tuple(unsaid), contest=None, why=why)
    means, covariance = fit.on_one_mix(at)
    deviations = np.sqrt(np.diag(covariance))
    sides = reach(spread)
    draws = special.expit(
        np.random.default_rng(_SEED).multivariate_normal(
            means, covariance, size=_DRAWS, method="eigh"
        )
    )
    # half a draw more for each: a chance of which no draw was seen is small, not none
    firsts = np.bincount(draws.argmax(axis=1), minlength=len(found)) + 0.5
    chances = firsts / firsts.sum()
    losses = (draws.max(axis=1, keepdims=True) - draws).mean(axis=0)
    rates = tuple(
        Rate(
            trials=own[number][0],
            successes=own[number][1],
            rate=own[number][1] / own[number][0],
            adjusted=float(special.expit(means[number])),
            low=float(special.expit(means[number] - sides * deviations[number])),
            high=float(special.expit(means[number] + sides * deviations[number])),
            chance_best=float(chances[number]),
            expected_loss=float(losses[number]),
        )
        for number in range(len(found))
    )
    best = int(means.argmax())
    share = alpha / EITHER
    p_value, nearest, lead = -1.0, best, None
    apart = []
    for number in range(len(found)):
        if number == best:
            continue
        contrast = rows[best] - rows[number]
        deviation = float(np.sqrt(contrast @ fit.covariance @ contrast))
        score = float(contrast @ fit.effects) / deviation
        tail = stats.norm.sf(score) if spread.degrees is None else stats.t.sf(score, spread.degrees)
        if tail > p_value:
            # held at the nearest level's rate: how far that would rise
            wide = sides * deviation
            base, way = float(means[number]), float(contrast @ fit.effects)
            p_value, nearest = float(tail), number
            lead = Lead(
                *(
                    float(special.expit(base + one) / special.expit(base)) - 1
                    for one in (way, way - wide, way + wide)
                )
            )
        apart.append(deviation)
    pooled = sum(s for _, s in own) / sum(n for n, _ in own)
    scarce = min(pooled, 1 - pooled) / spread.factor
    too_few = tuple(
        number
        for number, (n, _) in enumerate(own)
        if n < ENOUGH_TRIALS or n * scarce < ENOUGH_EXPECTED
    )
    raised = float(special.expit(special.logit(pooled) + reach_of(share) * max(apart)))
    return Factor(
        name=name,
        levels=found,
        rates=rates,
        contest=Contest(
            best=best,
            winner=best if p_value <= share and not too_few else None,
            nearest=nearest,
            lead=lead,
            p_value=p_value,
            alpha=share,
            detectable=raised / pooled - 1,
            needed=needed(pooled, share, spread.factor),
            too_few=too_few,
        ),
    )
