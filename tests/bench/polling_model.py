"""A model of one account, to measure ways of polling: `python -m tests.bench.polling_model`.

Driven by events in virtual time, nothing is sampled at fixed steps. The server counts every
request in an exact sliding window by the time at which it arrives; the client knows only what a
client can know. Shares are of what a client reaches that knows each end at once and asks nothing.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import sys
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flows.providers.base import Window
from flows.shoot.latencies import Latencies, Latency
from flows.shoot.polling import Schedule

CVS = (0.1, 0.3, 0.6)
NOTICEABLE_S = 0.01
AGAIN_AFTER_S = 1.0
"""How long a client without a pace waits when it was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One account: what it allows, and how far away it is."""

    amount: int = 100
    per_s: float = 60.0
    running: int = 10
    round_trip_s: float = 0.1
    extra_per_take: int = 0

    @property
    def windows(self) -> tuple[Window, ...]:
        return (Window(amount=self.amount, per_s=self.per_s),)


@dataclass(slots=True)
class Result:
    makespan_s: float = 0.0
    requests: int = 0
    over: int = 0
    """Requests that found the window full: each was answered with 429."""
    most: int = 0
    """The most that the server counted in any window."""


class Way(Protocol):
    """A way of polling: when to ask, who goes first, and what it makes of the answers."""

    def next_age_s(self, last_age_s: float) -> float: ...
    def create_priority(self) -> float: ...
    def poll_priority(self, age_s: float, last_age_s: float) -> float: ...
    def asked(self, age_s: float, last_age_s: float, *, done: bool) -> None: ...
    def running(self, count: int) -> None: ...


class AtSteps:
    """Asks at fixed steps, or at growing ones, and learns nothing."""

    def __init__(self, step_s: float | None = None) -> None:
        self._step_s = step_s

    def next_age_s(self, last_age_s: float) -> float:
        return last_age_s + (self._step_s or min(15.0, 1 + last_age_s / 2))

    def create_priority(self) -> float:
        return 0.0

    def poll_priority(self, age_s: float, last_age_s: float) -> float:
        return 0.0

    def asked(self, age_s: float, last_age_s: float, *, done: bool) -> None:
        pass

    def running(self, count: int) -> None:
        pass


class Known(Latencies):
    """Knows the true distribution, and need not learn."""

    def __init__(self, latency: Latency) -> None:
        super().__init__(latency.mean_s)
        self._known = latency

    def of(self, kind: Hashable = None) -> Latency:
        return self._known

    def mix(self) -> list[tuple[float, Latency]]:
        return [(1.0, self._known)]


class Scheduled:
    """Asks when our schedule says so."""

    def __init__(self, setting: Setting, latencies: Latencies) -> None:
        self.latencies = latencies
        self.schedule = Schedule(
            latencies,
            setting.windows,
            running=setting.running,
            extra_per_take=setting.extra_per_take,
        )
        self.next_age_s = self.schedule.next_age_s
        self.create_priority = self.schedule.create_priority
        self.poll_priority = self.schedule.poll_priority

    def asked(self, age_s: float, last_age_s: float, *, done: bool) -> None:
        if isinstance(self.latencies, Known):
            return
        tell = self.latencies.done if done else self.latencies.still_running
        tell(age_s, last_age_s)

    def running(self, count: int) -> None:
        self.schedule.allow(running=count)


class Clock:
    """Virtual time, and what is to happen in it, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._coming, (when, next(self._order), what))

    def run(self) -> None:
        while self._coming:
            self.now, _, what = heapq.heappop(self._coming)
            what()


class Server:
    """Lets `amount` requests in within any `per_s`; one over the limit is refused."""

    def __init__(self, setting: Setting, clock: Clock, result: Result) -> None:
        self._setting, self._clock, self._result = setting, clock, result
        self._seen: deque[float] = deque()

    def lets_in(self) -> bool:
        while self._seen and self._seen[0] <= self._clock.now - self._setting.per_s:
            self._seen.popleft()
        if len(self._seen) >= self._setting.amount:
            self._result.over += 1
            return False
        self._seen.append(self._clock.now)
        self._result.requests += 1
        self._result.most = max(self._result.most, len(self._seen))
        return True


class Pace:
    """The client's own count: a request holds its place from before it is sent until `per_s`
    after its answer. Of those that wait the lowest priority goes first.
    """

    def __init__(self, setting: Setting, clock: Clock) -> None:
        self._setting, self._clock = setting, clock
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._open = 0
        self._answered: deque[float] = deque()

    def request(self, priority: float, send: Callable[[], None]) -> None:
        heapq.heappush(self._waiting, (priority, next(self._order), send))
        self._admit()

    def answered(self) -> None:
        self._open -= 1
        self._answered.append(self._clock.now)
        self._clock.at(self._clock.now + self._setting.per_s, self._expire)

    def _expire(self) -> None:
        self._answered.popleft()
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._open + len(self._answered) < self._setting.amount:
            _, _, send = heapq.heappop(self._waiting)
            self._open += 1
            send()


class Run:
    """One worker a slot: create, ask until done, collect, next. With a pace, or without."""

    def __init__(
        self, setting: Setting, took_s: Sequence[float], way: Way, *, is_paced: bool
    ) -> None:
        self._setting, self._took_s, self._way = setting, took_s, way
        self._half = setting.round_trip_s / 2
        self._clock, self.result = Clock(), Result()
        self._server = Server(setting, self._clock, self.result)
        self._pace = Pace(setting, self._clock) if is_paced else None
        self._ends: dict[int, float] = {}
        self._takes = itertools.count()
        self._idle = 0

    def finished(self) -> Result:
        for _ in range(self._setting.running):
            self._create()
        self._clock.run()
        assert len(self._ends) == len(self._took_s)
        return self.result

    def _send(
        self, priority: float, arrived: Callable[[], None], answered: Callable[[], None]
    ) -> None:
        """`arrived` happens at the server, `answered` when its answer is here."""

        def send() -> None:
            self._clock.at(self._clock.now + self._half, arrive)

        def arrive() -> None:
            was_let_in = self._server.lets_in()
            if was_let_in:
                arrived()
            self._clock.at(self._clock.now + self._half, lambda: answer(was_let_in))

        def answer(was_let_in: bool) -> None:
            if self._pace:
                self._pace.answered()
            if was_let_in:
                answered()
            else:
                self._clock.at(self._clock.now + AGAIN_AFTER_S, again)

        def again() -> None:
            if self._pace:
                self._pace.request(priority, send)
            else:
                send()

        again()

    def _create(self) -> None:
        take = next(self._takes)
        if take >= len(self._took_s):
            self._idle += 1
            self._way.running(self._setting.running - self._idle)
            return

        def arrived() -> None:
            self._ends[take] = self._clock.now + self._took_s[take]

        def answered() -> None:
            self._follow(take, self._clock.now - self._setting.round_trip_s, 0.0)

        self._send(self._way.create_priority(), arrived, answered)

    def _follow(self, take: int, born: float, last_age: float) -> None:
        """Sleep until it is time; others may have taught us meanwhile that it is not."""
        due = born + self._way.next_age_s(last_age)
        if due > self._clock.now + NOTICEABLE_S:
            self._clock.at(due, lambda: self._follow(take, born, last_age))
        else:
            self._poll(take, born, last_age)

    def _poll(self, take: int, born: float, last_age: float) -> None:
        found: list[bool] = []

        def answered() -> None:
            age = self._clock.now - self._setting.round_trip_s - born
            self._way.asked(age, last_age, done=found[-1])
            if found[-1]:
                self._collect(self._setting.extra_per_take)
            else:
                self._follow(take, born, age)

        priority = self._way.poll_priority(self._clock.now - born, last_age)
        self._send(priority, lambda: found.append(self._clock.now >= self._ends[take]), answered)

    def _collect(self, left: int) -> None:
        if left:
            self._send(self._way.create_priority(), lambda: None, lambda: self._collect(left - 1))
            return
        self.result.makespan_s = self._clock.now
        self._create()


def latencies(cv: float, *, seed: int, takes: int = 600, mean_s: float = 20.0) -> list[float]:
    """Seconds that each take will need."""
    dice = random.Random(seed)
    latency = Latency.of(mean_s, cv)
    return [dice.lognormvariate(math.log(latency.median_s), latency.spread) for _ in range(takes)]


def zero_delay_s(setting: Setting, took_s: Sequence[float]) -> float:
    """How long a client needs that knows each end at once, and spends requests on creates only."""
    slots = [0.0] * setting.running
    created: deque[float] = deque(maxlen=setting.amount)
    for one in took_s:
        at = heapq.heappop(slots)
        if len(created) == setting.amount:
            at = max(at, created[0] + setting.per_s)
        created.append(at)
        heapq.heappush(slots, at + one)
    return max(slots)


def scheduled(
    setting: Setting, took_s: Sequence[float], *, declared_s: float
) -> tuple[float, Result]:
    """The share that our schedule reaches when it begins with a declared mean."""
    way = Scheduled(setting, Latencies(declared_s))
    result = Run(setting, took_s, way, is_paced=True).finished()
    return zero_delay_s(setting, took_s) / result.makespan_s, result


Ways = dict[str, tuple[Callable[[Setting, float], Way], bool]]
WAYS: Ways = {
    "each 1 s, no pace": (lambda s, cv: AtSteps(1.0), False),
    "each 5 s, no pace": (lambda s, cv: AtSteps(5.0), False),
    "growing, no pace": (lambda s, cv: AtSteps(), False),
    "each 5 s, paced": (lambda s, cv: AtSteps(5.0), True),
    "schedule, all known": (lambda s, cv: Scheduled(s, Known(Latency.of(20.0, cv))), True),
    "schedule, declared right": (lambda s, cv: Scheduled(s, Latencies(20.0)), True),
    "schedule, declared 2 x": (lambda s, cv: Scheduled(s, Latencies(40.0)), True),
    "schedule, declared 1/2": (lambda s, cv: Scheduled(s, Latencies(10.0)), True),
}


def table(setting: Setting, ways: Ways, *, seeds: Sequence[int]) -> list[str]:
    """A line for each way: share of the zero-delay client and refused requests, a seed, per cv."""
    lines = [f"{'':26}" + "".join(f"cv {cv:<15}" for cv in CVS)]
    for name, (way, is_paced) in ways.items():
        cells = []
        for cv in CVS:
            shares, over = 0.0, 0
            for seed in seeds:
                took_s = latencies(cv, seed=seed)
                result = Run(setting, took_s, way(setting, cv), is_paced=is_paced).finished()
                shares += zero_delay_s(setting, took_s) / result.makespan_s
                over += result.over
            cells.append(f"{shares / len(seeds):.3f} {over / len(seeds):8.0f}  ")
        lines.append(f"{name:26}" + "".join(f"{cell:18}" for cell in cells).rstrip())
    return lines


def main() -> None:
    say = sys.stdout.write
    settings = {
        "100 requests a minute, 10 running": Setting(),
        "the same, one more request a take (results are fetched)": Setting(extra_per_take=1),
        "the same, answers after 0.5 s": Setting(round_trip_s=0.5),
        "50 requests a minute, 5 running": Setting(amount=50, running=5),
        "60 requests a minute, 20 running": Setting(amount=60, running=20),
        "10 requests a second, 2 running": Setting(amount=10, per_s=1.0, running=2),
    }
    for number, (name, setting) in enumerate(settings.items()):
        ours = {key: way for key, way in WAYS.items() if number == 0 or "schedule" in key}
        say(f"\n{name}: share of the zero-delay client, requests refused (600 takes, 20 s)\n")
        say("\n".join(table(setting, ours, seeds=range(1, 6))) + "\n")


if __name__ == "__main__":
    main()
