"""Polling: at which age a job is asked for, from the latencies seen so far and what requests cost.

Asking too early wastes a request, asking too late leaves a running slot idle. The ages minimise
E[lag] + price * E[polls] over what is believed of the latency, and the price is such that the
account's windows are just spent. Everything here is arithmetic: no clock, no waiting, no network.
An age is counted from sending the create to sending the poll, so that the way there cancels out.

Who follows a job asks `next_age_s` again when it wakes, since others may have taught us meanwhile:

    while (wait_s := schedule.next_age_s(last_age_s, kind) - age_s()) > 0:
        await asyncio.sleep(wait_s)
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from flows.providers.base import Window

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

# The grid of ages on which a plan is made, in units of the median.
POINTS_PER_SPREAD = 12
FARTHEST = 30.0
TAIL_GROWTH = 1.08
SPREAD_RATIO = 1.05
PRICE_RATIO = 1.05
CHEAPEST, DEAREST = -180, 160

CROWD = 0.3
"""How far polls may exceed the window where none of them is for nothing."""

POLITE = 0.02
"""Share of the mean latency that lies between two polls of a job, however many are allowed."""
OVERDUE_GROWTH = 0.1


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def _done_by(relative: float, spread: float) -> float:
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
        before = _done_by(last_age_s / self.median_s, self.spread)
        after = _done_by(age_s / self.median_s, self.spread)
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


@dataclass(frozen=True, slots=True)
class _Plan:
    """For each age of a grid the age of the next poll, in medians; and what a job gets of it."""

    ages: list[float]
    next_ages: list[float]
    polls: float
    lag: float


@lru_cache(maxsize=1024)
def _plan(spread_bin: int, price_bin: int) -> _Plan:
    """The best ages where a poll costs as much as a lag of `PRICE_RATIO ** price_bin` medians.

    Dynamic programming from the last age down. The later the last poll, the later the next: no
    age is looked at beyond the next one of its successor.
    """
    spread, price = SPREAD_RATIO**spread_bin, PRICE_RATIO**price_bin
    ages = [0.0]
    points = range(-3 * POINTS_PER_SPREAD, 4 * POINTS_PER_SPREAD + 1)
    ages += [math.exp(spread * i / POINTS_PER_SPREAD) for i in points]
    while ages[-1] < FARTHEST:
        ages.append(ages[-1] * TAIL_GROWTH)
    ended = [_done_by(age, spread) for age in ages]
    slabs = [
        (e + f) / 2 * (b - a)
        for (a, b), (e, f) in zip(pairwise(ages), pairwise(ended), strict=True)
    ]
    area = list(accumulate(slabs, initial=0.0))
    last = len(ages) - 1
    cost, polls, lag = ([0.0] * (last + 1) for _ in range(3))
    then = [last] * (last + 1)
    for here in range(last - 1, -1, -1):
        done = ended[here]
        # E[lag] of a poll at b after one at a: the integral of F(t) - F(a) from a to b
        choices = range(here + 1, then[here + 1] + 1)
        costs = [area[to] - done * ages[to] + cost[to] for to in choices]
        best = choices[costs.index(min(costs))]
        this = area[best] - area[here] - done * (ages[best] - ages[here])
        then[here] = best
        cost[here] = this + price * (1 - done) + cost[best]
        polls[here] = 1 - done + polls[best]
        lag[here] = this + lag[best]
    return _Plan(ages, [ages[i] for i in then], polls[0], lag[0])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the schedule expects of an account that is kept busy."""

    takes_per_s: float
    requests_per_s: float
    polls_per_take: float
    lag_s: float
    """From the end of a job to the poll that finds it, on average."""


class Schedule:
    """When to ask for the jobs of one account, and who goes first where requests are scarce.

    `running`: how many jobs run at once. `extra_per_take`: further requests that count in the
    windows, such as uploads and the fetching of results. `least_s`: never ask for the same job
    sooner again. A new price is found only when what it rests on has moved noticeably; that takes
    some milliseconds.
    """

    def __init__(
        self,
        latencies: Latencies,
        windows: Sequence[Window],
        *,
        running: int,
        extra_per_take: float = 0.0,
        least_s: float = 0.05,
    ) -> None:
        self._latencies = latencies
        self._extra = extra_per_take
        self._least_s = least_s
        self._rests_on: object = None
        self._price_bin = 0
        self.allow(windows, running=running)

    def allow(self, windows: Sequence[Window] | None = None, *, running: int | None = None) -> None:
        """The limits are others now: corrected by the host, shared with another run, or fewer
        takes are left than may run.
        """
        if windows is not None:
            self._requests_per_s = _slowest(windows, "requests")
            self._takes_per_s = min(_slowest(windows, "creates"), _slowest(windows, "images"))
        if running is not None:
            self._running = max(1, running)
        self._rests_on = None

    def next_age_s(self, age_s: float, kind: Hashable = None) -> float:
        """The age at which to ask for a job that still ran at `age_s` (0: never asked). Later than
        `age_s`, never infinite, and the later the later that is.
        """
        latency = self._latencies.of(kind)
        plan = _plan(*self._bins(latency))
        age = max(0.0, age_s) / latency.median_s
        at = bisect_right(plan.ages, age) - 1
        if at < len(plan.ages) - 2:
            part = (age - plan.ages[at]) / (plan.ages[at + 1] - plan.ages[at])
            then = plan.next_ages[at] + part * (plan.next_ages[at + 1] - plan.next_ages[at])
        else:
            then = max(plan.ages[-1], age * (1 + OVERDUE_GROWTH))
        then = min(then, 2 * max(age, math.exp(2 * latency.spread)))
        polite_s = max(POLITE * latency.mean_s, self._least_s)
        return max(then * latency.median_s, max(0.0, age_s) + polite_s)

    def create_priority(self) -> float:
        """Lower goes first: a slot that stands empty for certain, before all that may be empty."""
        return -1.0

    def poll_priority(self, age_s: float, last_age_s: float, kind: Hashable = None) -> float:
        """From 0 to 1, lower goes first: the probability that the job still runs, and the poll is
        for nothing.
        """
        return 1 - self._latencies.of(kind).done_since(age_s, last_age_s)

    def forecast(self) -> Forecast:
        """What the present price leads to, and the windows let through."""
        self._settle_price()
        found = self._forecast_at(self._price_bin)
        let_through = min(1.0, self._requests_per_s / found.requests_per_s)
        return replace(
            found,
            takes_per_s=found.takes_per_s * let_through,
            requests_per_s=found.requests_per_s * let_through,
        )

    def _fits(self, forecast: Forecast) -> bool:
        """Polls that find something lose nothing by waiting for the window: where hardly another
        is left, more of them than the window lets through keep it from standing idle.
        """
        wasted = forecast.polls_per_take - 1
        crowd = 1 + max(0.0, CROWD - wasted)
        return forecast.requests_per_s <= self._requests_per_s * crowd

    def _bins(self, latency: Latency) -> tuple[int, int]:
        self._settle_price()
        return _spread_bin(latency), self._relative(latency, self._price_bin)

    def _relative(self, latency: Latency, price_bin: int) -> int:
        """Prices are in seconds, so that a poll is worth the same whatever it asks for; plans are
        in medians, so that one serves all latencies of its spread.
        """
        in_medians = price_bin - _median_bin(latency)
        return max(CHEAPEST, min(DEAREST, in_medians))

    def _settle_price(self) -> None:
        mix = self._latencies.mix()
        rests_on = [(round(share, 1), _spread_bin(one), _median_bin(one)) for share, one in mix]
        if rests_on == self._rests_on:
            return
        self._rests_on = rests_on
        slowest = max(_median_bin(one) for _, one in mix)
        quickest = min(_median_bin(one) for _, one in mix)
        low, high = CHEAPEST + quickest, DEAREST + slowest
        while low < high:
            middle = (low + high) // 2
            if self._fits(self._forecast_at(middle)):
                high = middle
            else:
                low = middle + 1
        self._price_bin = low

    def _forecast_at(self, price_bin: int) -> Forecast:
        slot_s = polls = lag_s = 0.0
        for share, latency in self._latencies.mix():
            plan = _plan(_spread_bin(latency), self._relative(latency, price_bin))
            polls += share * plan.polls
            lag_s += share * plan.lag * latency.median_s
            slot_s += share * (latency.mean_s + plan.lag * latency.median_s)
        takes_per_s = min(self._running / slot_s, self._takes_per_s)
        return Forecast(takes_per_s, takes_per_s * (1 + self._extra + polls), polls, lag_s)


def _slowest(windows: Sequence[Window], counts: str) -> float:
    """What the tightest of the windows that count this allows a second."""
    rates = [window.amount / window.per_s for window in windows if window.counts == counts]
    return min(rates, default=math.inf)


def _spread_bin(latency: Latency) -> int:
    return round(math.log(latency.spread) / math.log(SPREAD_RATIO))


def _median_bin(latency: Latency) -> int:
    return round(math.log(latency.median_s) / math.log(PRICE_RATIO))
