"""Pace: an account's limits, kept exactly. Never more than the host allows in any window.

A request counts from before it is sent until `per_s` after its answer came: the host saw it
somewhere between the two, so whatever the network does to it, no window of the host's holds more.
A token bucket with a burst of N would let 2 N through.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from flows.providers.base import Window
from flows.shoot.creating import Creating

STEP_S = 0.02
"""How often a window is looked at while all it holds is still under way."""


class Shared(Protocol):
    """The same windows as other processes see them."""

    def allow(self, windows: Sequence[Window]) -> None:
        """From now on this process keeps these."""
        ...

    async def admit(self, *, creates: int, images: int) -> tuple[int, float]:
        """A call's number and 0, or 0 and how many seconds to wait at least."""
        ...

    def close(self, call: int) -> None:
        """The answer to a call has come."""
        ...


@dataclass(slots=True)
class _Waiting:
    creates: bool
    images: int
    weights: list[int]
    admitted: asyncio.Future[int] = field(default_factory=asyncio.Future)


class Pace:
    """One account's windows, on one event loop. Who waits is served by priority, lower first."""

    def __init__(
        self,
        windows: Sequence[Window],
        shared: Shared | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._shared = shared
        self.windows = tuple(windows)
        """What is kept now: as declared, or tighter where the host's answers say so."""
        self._counts = [_Count(window) for window in windows]
        self._waiting: list[tuple[float, int, _Waiting]] = []
        self._number = itertools.count()
        self._changed = asyncio.Event()
        self._server: asyncio.Task[None] | None = None
        self._paused_until = 0.0
        self._creating = Creating()

    def allow(self, windows: Sequence[Window]) -> None:
        """Keep these windows from now on: as many as before, each no wider than it was.

        What they hold already counts on.
        """
        for count, window in zip(self._counts, windows, strict=True):
            count.window = window
        self.windows = tuple(windows)
        if self._shared is not None:
            self._shared.allow(windows)
        self._changed.set()

    @property
    def paused_s(self) -> float:
        """How long nothing is sent from now on, because the host asked for it."""
        return max(0.0, self._paused_until - self._now())

    async def unpaused(self) -> None:
        """Return when no pause holds: one may have begun since a request was admitted."""
        while wait := self.paused_s:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(wait)

    def pause(self, seconds: float, *, creates_alone: bool = False) -> None:
        """Send nothing, or no create, for so long: the host asked for it."""
        if creates_alone:
            self._creating.hold(self._now() + seconds)
        else:
            self._paused_until = max(self._paused_until, self._now() + seconds)

    def turned_away(
        self, retry_after_s: float | None, expected_s: float, admitted_at: float
    ) -> None:
        """The host refused a create because of its pace: creates go one by one, then slowly more.

        `expected_s` is what a generation takes; it measures the wait where the host names none.
        `admitted_at` is what `request` gave: of creates that left together one refusal counts.
        """
        self._creating.turned_away(self._now(), retry_after_s, expected_s, admitted_at)

    def passed(self) -> None:
        """The host took a create."""
        self._creating.passed(self._now())
        self._changed.set()

    @asynccontextmanager
    async def request(
        self, *, creates: bool = False, images: int = 0, priority: float = 0.0
    ) -> AsyncIterator[float]:
        """Held from just before a request is sent until its answer has come; gives the moment of
        admission.
        """
        weights = [count.weight(creates=creates, images=images) for count in self._counts]
        one = _Waiting(creates, images, weights)
        entry = (priority, next(self._number), one)
        self._waiting.append(entry)
        self._changed.set()
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        try:
            call = await one.admitted
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif one.admitted.done() and not one.admitted.cancelled():
                self._close(one, one.admitted.result())
            raise
        try:
            yield self._now()
        finally:
            self._close(one, call)

    def _close(self, one: _Waiting, call: int) -> None:
        now = self._now()
        for count, weight in zip(self._counts, one.weights, strict=True):
            count.open -= weight
            count.closed.extend([now] * weight)
        self._creating.open -= one.creates
        if call and self._shared is not None:
            self._shared.close(call)
        self._changed.set()

    async def _serve(self) -> None:
        """Admit whoever may go, as long as anybody waits."""
        while self._waiting:
            self._changed.clear()
            wait = await self._admit_first()
            if wait > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    async def _admit_first(self) -> float:
        """Admit the first that may go now; how long to wait where none may."""
        waits = []
        for entry in sorted(self._waiting, key=lambda one: one[:2]):
            one = entry[2]
            wait = self._wait_s(one)
            if wait <= 0:
                call = 0
                # counted before the others are asked, so that nobody goes in between
                self._count(one, +1)
                if self._shared is not None:
                    call, wait = await self._shared.admit(
                        creates=int(one.creates), images=one.images
                    )
                if wait <= 0:
                    if entry in self._waiting:
                        self._waiting.remove(entry)
                    if one.admitted.cancelled():
                        self._close(one, call)
                    else:
                        one.admitted.set_result(call)
                    return 0.0
                self._count(one, -1)
            waits.append(wait)
        return min(waits, default=0.0)

    def _count(self, one: _Waiting, step: int) -> None:
        for count, weight in zip(self._counts, one.weights, strict=True):
            count.open += step * weight
        self._creating.open += step * one.creates

    def _wait_s(self, one: _Waiting) -> float:
        now = self._now()
        waits = [self._paused_until - now]
        if one.creates:
            waits.append(self._creating.wait_s(now))
        for count, weight in zip(self._counts, one.weights, strict=True):
            waits.append(count.wait_s(weight, now))
        return max(waits)


class _Count:
    """What one window has seen: requests under way, and when the others were answered."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.open = 0
        self.closed: deque[float] = deque()

    def weight(self, *, creates: bool, images: int) -> int:
        match self.window.counts:
            case "requests":
                return 1
            case "creates":
                return int(creates)
            case "images":
                return images

    def wait_s(self, weight: int, now: float) -> float:
        if not weight:
            return 0.0
        while self.closed and self.closed[0] + self.window.per_s <= now:
            self.closed.popleft()
        over = self.open + len(self.closed) + weight - self.window.amount
        if over <= 0:
            return 0.0
        if over > len(self.closed):
            return STEP_S
        return max(self.closed[over - 1] + self.window.per_s - now, 0.0) or STEP_S
