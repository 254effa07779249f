"""Latencies: what is known of how long generations take, learned from every answer of a host.

Everything here is arithmetic: no clock, no waiting, no network.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is imported where a belief is made: a plan must start without it
    import numpy as np
    from numpy.typing import NDArray

    Grid = NDArray[np.float64]

STRAY = 0.01
"""Share of jobs that follow no rule, such as a retry inside the host: they hardly move what is
believed, and they are why a job that is long overdue is still asked for."""
STRAY_LATER = math.log(2)
STRAY_SPREAD = 1.2

LEAST_LATENCY_S = 0.001
"""What is declared as no time at all is taken for this: logarithms know no 0."""

# What a belief covers: the logarithm of the median in steps to both sides of a centre (a factor
# of 12, and it moves along), and spreads from 0.04 to 0.93.
STEP = 0.025
REACH = 100
SPREADS = tuple(0.04 * 1.3**i for i in range(13))
DOUBT_OF_MEDIAN = 0.5
DOUBT_OF_SPREAD = 0.6
UNHEARD_OF = 0.02
"""Weight of all medians alike: a declared latency may be wrong by any factor."""
REMEMBERED = 0.985
"""What a take still weighs after the next one: about the last 70 decide."""


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def done_by(relative: float, spread: float) -> float:
    """The share that has ended at an age given in medians, strays included."""
    if relative <= 0:
        return 0.0
    log = math.log(relative)
    stray = _normal((log - STRAY_LATER) / STRAY_SPREAD)
    return (1 - STRAY) * _normal(log / spread) + STRAY * stray


@dataclass(frozen=True, slots=True)
class Latency:
    """A lognormal latency: its median in seconds, and the standard deviation of its logarithm."""

    median_s: float
    spread: float

    @classmethod
    def of(cls, mean_s: float, cv: float = 0.3) -> Latency:
        """From its mean in seconds and its coefficient of variation, both above 0."""
        spread = math.sqrt(math.log1p(cv * cv))
        return cls(mean_s * math.exp(-spread * spread / 2), spread)

    @property
    def mean_s(self) -> float:
        return self.median_s * math.exp(self.spread**2 / 2)

    @property
    def cv(self) -> float:
        return math.sqrt(math.expm1(self.spread**2))

    def done_since(self, age_s: float, last_age_s: float) -> float:
        """The probability that a job has ended at this age which still ran at `last_age_s`."""
        before = done_by(last_age_s / self.median_s, self.spread)
        after = done_by(age_s / self.median_s, self.spread)
        return max(0.0, after - before) / max(1 - before, 1e-12)


@lru_cache(maxsize=1)
def _curves() -> Grid:
    """A row for each spread: the normal distribution at whole steps, 4 * REACH to both sides."""
    import numpy as np

    steps = range(-4 * REACH, 4 * REACH + 1)
    return np.array([[_normal(k * STEP / spread) for k in steps] for spread in SPREADS])


class Belief:
    """What is known of one latency: a probability for each pair of median and spread (Bayes' rule
    on a grid). Each answer of a host is evidence, also that a job still runs: without those, the
    quick jobs of a beginning would be taken for all.
    """

    def __init__(self, expected: Latency) -> None:
        self._centre = math.log(expected.median_s)
        self._spread = expected.spread
        self._prior = self._logs = self._fresh()
        self._latency: Latency | None = expected
        self.takes = 0
        """How many ended before our eyes."""

    def learn(self, age_s: float, last_age_s: float, *, done: bool) -> None:
        """A job that still ran at `last_age_s` (0: never asked) had ended, or not, at `age_s`."""
        import numpy as np

        if age_s <= 0 or (age_s <= last_age_s and not done):
            return
        if done:
            self.takes += 1
            self._logs = REMEMBERED * self._logs + (1 - REMEMBERED) * self._prior
        high = self._steps(age_s)
        low = min(self._steps(last_age_s), high - 1) if last_age_s > 0 else -3 * REACH
        before, after = self._ended(low), self._ended(high)
        likely = (after - before if done else 1 - after) / (1 - before)
        self._logs = self._logs + np.log(np.maximum(likely, 1e-12))
        self._latency = None
        likeliest = int(self._logs.argmax()) % (2 * REACH + 1) - REACH
        if abs(likeliest) > REACH / 2:
            self._move(likeliest)

    @property
    def latency(self) -> Latency:
        """The best guess; its spread includes the doubt about the median."""
        if self._latency is None:
            self._latency = self._guess()
        return self._latency

    def _fresh(self) -> Grid:
        import numpy as np

        away = np.arange(-REACH, REACH + 1) * (STEP / DOUBT_OF_MEDIAN)
        medians = np.log(np.exp(-0.5 * away**2) + UNHEARD_OF)
        spreads = np.log(np.array(SPREADS) / self._spread) / DOUBT_OF_SPREAD
        prior: Grid = medians[None, :] - 0.5 * spreads[:, None] ** 2
        return prior

    def _steps(self, age_s: float) -> int:
        steps = round((math.log(age_s) - self._centre) / STEP)
        return max(1 - 3 * REACH, min(3 * REACH, steps))

    def _ended(self, steps: int) -> Grid:
        """For each pair of spread and median, the share that has ended so many steps from the
        centre. Only the distance to the median counts, so that it is a slice of the curves.
        """
        first = 4 * REACH + steps - REACH
        rows = _curves()[:, first : first + 2 * REACH + 1][:, ::-1]
        stray = _normal((steps * STEP - STRAY_LATER) / STRAY_SPREAD)
        return (1 - STRAY) * rows + STRAY * stray

    def _guess(self) -> Latency:
        import numpy as np

        weights = np.exp(self._logs - self._logs.max())
        weights /= weights.sum()
        steps = np.arange(-REACH, REACH + 1)
        medians = weights.sum(axis=0)
        mean = float(medians @ steps)
        doubt = float(medians @ (steps - mean) ** 2) * STEP**2
        within = float(weights.sum(axis=1) @ np.array(SPREADS) ** 2)
        return Latency(math.exp(self._centre + mean * STEP), math.sqrt(within + doubt))

    def _move(self, steps: int) -> None:
        """Bring the centre to what was found; the declared latency was wrong, or is no longer."""
        import numpy as np

        columns = np.clip(np.arange(2 * REACH + 1) + steps, 0, 2 * REACH)
        self._logs = self._logs[:, columns]
        self._centre += steps * STEP
        self._prior = self._fresh()


class Latencies:
    """What is known of one host: a belief for each kind of take (text or edit, its tier), and one
    for all of them, which speaks for the kinds that no take has ended of yet. It begins with the
    mean that the host declares, in seconds, and doubts it. Without a kind all takes are alike.

    Tell it of every answer, but not of a job that failed, nor of one whose create nobody timed.
    """

    def __init__(self, expected_s: float) -> None:
        self._all = Belief(Latency.of(max(expected_s, LEAST_LATENCY_S)))
        self._kinds: dict[Hashable, Belief] = {}
        self._weights: dict[Hashable, float] = {}

    def still_running(self, age_s: float, last_age_s: float = 0.0, kind: Hashable = None) -> None:
        """A poll said so. `last_age_s`: the poll before, 0 where there was none."""
        self._learn(age_s, last_age_s, kind, done=False)

    def done(self, age_s: float, last_age_s: float = 0.0, kind: Hashable = None) -> None:
        """A poll said so: it ended between the two ages."""
        self._learn(age_s, last_age_s, kind, done=True)

    def took(self, age_s: float, last_age_s: float = 0.0, kind: Hashable = None) -> None:
        """A callback said so: it ended at this age. `last_age_s`: its last poll, where there was
        one.
        """
        before, after = age_s * math.exp(-STEP / 2), age_s * math.exp(STEP / 2)
        if before > last_age_s:
            self._learn(before, last_age_s, kind, done=False)
        self._learn(after, max(before, last_age_s), kind, done=True)

    def of(self, kind: Hashable = None) -> Latency:
        belief = self._kinds.get(kind)
        return belief.latency if belief is not None and belief.takes else self._all.latency

    def mix(self) -> list[tuple[float, Latency]]:
        """The kinds of the last takes, as shares that add up to 1, with their latencies."""
        total = sum(self._weights.values())
        if not total:
            return [(1.0, self._all.latency)]
        return [(weight / total, self.of(kind)) for kind, weight in self._weights.items()]

    def _learn(self, age_s: float, last_age_s: float, kind: Hashable, *, done: bool) -> None:
        if kind is not None:
            if kind not in self._kinds:
                self._kinds[kind] = Belief(self._all.latency)
            self._kinds[kind].learn(age_s, last_age_s, done=done)
        self._all.learn(age_s, last_age_s, done=done)
        if done:
            for known in self._weights:
                self._weights[known] *= REMEMBERED
            self._weights[kind] = self._weights.get(kind, 0.0) + 1
