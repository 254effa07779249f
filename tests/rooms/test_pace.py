"""Pace: never more than a window allows, whatever comes how fast."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from flows.providers.base import Window
from flows.shoot.pace import Pace


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next thing that happens."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 1000.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> Any:
            if timeout is not None and timeout > 0:
                self._at += timeout
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._at


def run(work: Callable[[Callable[[], float]], Awaitable[Any]]) -> Any:
    loop = Clock()
    try:
        return loop.run_until_complete(work(loop.time))
    finally:
        loop.close()


async def sent(
    pace: Pace, now: Callable[[], float], delays: Sequence[float], **kind: Any
) -> list[tuple[float, float]]:
    """When each request left and when the host saw it; answers take as long as the way there."""
    seen: list[tuple[float, float]] = []

    async def one(delay: float) -> None:
        async with pace.request(**kind):
            left = now()
            await asyncio.sleep(delay / 2)
            seen.append((left, now()))
            await asyncio.sleep(delay / 2)

    await asyncio.gather(*(one(delay) for delay in delays))
    return sorted(seen, key=lambda pair: pair[1])


def most_in_any(stamps: Sequence[float], per_s: float) -> int:
    most = 0
    for at in stamps:
        most = max(most, sum(at <= other < at + per_s for other in stamps))
    return most


@settings(max_examples=40)
@given(
    some.integers(1, 12),
    some.floats(0.5, 30),
    some.lists(some.floats(0, 5), min_size=1, max_size=60),
)
def test_no_window_of_the_host_ever_holds_more(
    amount: int, per_s: float, delays: list[float]
) -> None:
    async def work(now: Callable[[], float]) -> list[tuple[float, float]]:
        pace = Pace([Window(amount=amount, per_s=per_s)], now=now)
        return await sent(pace, now, delays)

    seen = [arrived for _, arrived in run(work)]
    assert len(seen) == len(delays)
    assert most_in_any(seen, per_s - 1e-6) <= amount


def test_a_window_is_used_to_its_end() -> None:
    async def work(now: Callable[[], float]) -> float:
        pace = Pace([Window(amount=10, per_s=60)], now=now)
        begin = now()
        await sent(pace, now, [0.1] * 35)
        return now() - begin

    # three whole windows must pass before the last five may go
    assert run(work) == pytest.approx(180.4, abs=0.5)


def test_creates_have_a_window_of_their_own_and_polls_pass_by() -> None:
    async def work(now: Callable[[], float]) -> tuple[float, float]:
        pace = Pace([Window(amount=1, per_s=60, counts="creates")], now=now)
        begin = now()
        creates = asyncio.create_task(sent(pace, now, [0.0] * 3, creates=True))
        await asyncio.sleep(0.1)
        await sent(pace, now, [0.0] * 20)
        polled = now() - begin
        await creates
        return polled, now() - begin

    polled, created = run(work)
    assert polled < 1
    assert created == pytest.approx(120, abs=1)


def test_images_are_counted_by_what_a_create_asks_for() -> None:
    async def work(now: Callable[[], float]) -> list[tuple[float, float]]:
        pace = Pace([Window(amount=4, per_s=60, counts="images")], now=now)
        return await sent(pace, now, [0.0] * 4, creates=True, images=2)

    left = [one for one, _ in run(work)]
    assert [one - left[0] for one in left] == pytest.approx([0, 0, 60, 60], abs=0.1)


def test_who_matters_more_goes_first() -> None:
    async def work(now: Callable[[], float]) -> list[str]:
        pace = Pace([Window(amount=1, per_s=10)], now=now)
        order: list[str] = []

        async def one(name: str, priority: float) -> None:
            async with pace.request(priority=priority):
                order.append(name)

        async with pace.request():
            waiting = [
                asyncio.create_task(one(name, priority))
                for name, priority in (("late", 2.0), ("soon", 1.0), ("now", 0.0), ("also", 0.0))
            ]
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        return order

    assert run(work) == ["now", "also", "soon", "late"]


def test_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    async def work(now: Callable[[], float]) -> float:
        pace = Pace([Window(amount=1, per_s=10)], now=now)
        begin = now()
        await sent(pace, now, [0.0])
        impatient = asyncio.create_task(sent(pace, now, [0.0]))
        await asyncio.sleep(1)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        await sent(pace, now, [0.0])
        return now() - begin

    assert run(work) == pytest.approx(10, abs=0.1)


def throttled(
    per_s: float, *, names_the_wait: bool, takes: int, every_try_counts: bool = False
) -> tuple[int, float]:
    """Refusals and time at a host that takes one create every `per_s` seconds."""

    async def work(now: Callable[[], float]) -> tuple[int, float]:
        pace = Pace([], now=now)
        begin = now()
        last = -1e9
        refusals = 0
        dice = random.Random(1)

        running = asyncio.Semaphore(10)

        async def one() -> None:
            nonlocal last, refusals
            while True:
                async with running, pace.request(creates=True) as admitted:
                    await asyncio.sleep(dice.uniform(0.01, 0.05))
                    free_at = last + per_s
                    if now() >= free_at:
                        last = now()
                        break
                    refusals += 1
                    if every_try_counts:
                        last = now()
                        free_at = last + per_s
                    wait = free_at - now() if names_the_wait else None
                    pace.turned_away(wait, 2.0, admitted)
            pace.passed()

        await asyncio.gather(*(one() for _ in range(takes)))
        return refusals, now() - begin

    found: tuple[int, float] = run(work)
    return found


@pytest.mark.parametrize("every_try_counts", [False, True])
def test_a_host_that_takes_one_create_at_a_time_gets_one_at_a_time(every_try_counts: bool) -> None:
    refusals, took = throttled(
        2.0, names_the_wait=True, takes=60, every_try_counts=every_try_counts
    )
    assert refusals < 60
    assert took < 60 * 2.0 * 2.2


def test_a_host_that_names_no_wait_is_not_stormed() -> None:
    refusals, took = throttled(2.0, names_the_wait=False, takes=60)
    assert refusals < 90
    assert took < 60 * 2.0 * 3


def test_a_single_refusal_is_soon_forgotten() -> None:
    async def work(now: Callable[[], float]) -> float:
        pace = Pace([], now=now)
        pace.turned_away(5.0, 20.0, now())
        begin = now()

        async def one() -> None:
            async with pace.request(creates=True):
                await asyncio.sleep(0.1)
            pace.passed()

        await asyncio.gather(*(one() for _ in range(100)))
        return now() - begin

    # 5 s for the wait itself, then one, two, three … at a time
    assert run(work) < 5 + 3


def stormed(*, names_the_wait: bool, storm_s: float = 30.0) -> tuple[list[float], int]:
    """When creates passed at a host that takes 100 a minute, ten at once for 5 s each, and turned
    all away from 60 s on for a while; and how many it turned away.
    """

    async def work(now: Callable[[], float]) -> tuple[list[float], int]:
        pace = Pace([Window(amount=100, per_s=60.0)], now=now)
        begin, passed, refusals = now(), [], 0
        places = asyncio.Semaphore(10)

        async def one() -> None:
            nonlocal refusals
            async with places:
                while True:
                    async with pace.request(creates=True) as admitted:
                        await asyncio.sleep(0.05)
                        at = now() - begin
                        if not 60.0 <= at < 60.0 + storm_s:
                            pace.passed()
                            break
                        refusals += 1
                        wait = 60.0 + storm_s - at if names_the_wait else None
                        pace.turned_away(wait, 5.0, admitted)
                passed.append(at)
                await asyncio.sleep(5.0)

        await asyncio.gather(*(one() for _ in range(900)))
        return passed, refusals

    found: tuple[list[float], int] = run(work)
    return found


@pytest.mark.parametrize("names_the_wait", [True, False])
def test_after_a_storm_of_refusals_creates_are_soon_as_many_as_before(names_the_wait: bool) -> None:
    passed, refusals = stormed(names_the_wait=names_the_wait)
    before = sum(0.0 <= at < 60.0 for at in passed)
    after = sum(240.0 <= at < 300.0 for at in passed)
    assert (len(passed), before, after) == (900, 100, 100)
    # the ten that were under way, and then one at a time
    assert refusals < 30


def test_a_host_that_became_slower_is_followed_and_tried_ever_more_rarely() -> None:
    refusals, took = throttled(10.0, names_the_wait=True, takes=300)
    assert refusals < 30
    assert took < 300 * 10.0 * 1.3
