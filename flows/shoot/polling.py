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

from flows.providers.base import Window
from flows.shoot.latencies import Latencies, Latency, done_by

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
    ended = [done_by(age, spread) for age in ages]
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

    def fit(self, running: int) -> None:
        """So many jobs run now: nothing is thought over where they were as many before."""
        if max(1, running) != self._running:
            self.allow(running=running)

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
