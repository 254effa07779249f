"""Pace: an account's limits, kept exactly. Never more than the host allows in any window.

A request counts from before it is sent until `per_s` after its answer came: the host saw it
somewhere between the two, so whatever the network does to it, no window of the host's holds more.
A token bucket with a burst of N would let 2 N through.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from flows.providers.base import Window


class Pace:
    """One account's windows, on one event loop."""

    def __init__(
        self, windows: Sequence[Window], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._counts = [_Count(window) for window in windows]
        self._turn = asyncio.Lock()
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Send nothing for so long: the host asked for it."""
        self._paused_until = max(self._paused_until, self._now() + seconds)

    @asynccontextmanager
    async def request(self, *, creates: bool = False, images: int = 0) -> AsyncIterator[None]:
        """Held from just before a request is sent until its answer has come."""
        weights = [count.weight(creates=creates, images=images) for count in self._counts]
        async with self._turn:  # whoever came first goes first
            while (wait := self._wait_s(weights)) > 0:  # noqa: ASYNC110 - time is what it waits for
                await asyncio.sleep(wait)
            for count, weight in zip(self._counts, weights, strict=True):
                count.open += weight
        try:
            yield
        finally:
            now = self._now()
            for count, weight in zip(self._counts, weights, strict=True):
                count.open -= weight
                count.closed.extend([now] * weight)

    def _wait_s(self, weights: list[int]) -> float:
        now = self._now()
        waits = [self._paused_until - now]
        waits += [
            count.wait_s(weight, now) for count, weight in zip(self._counts, weights, strict=True)
        ]
        return max(waits)


class _Count:
    """What one window has seen: requests under way, and when the others were answered."""

    STEP_S = 0.02
    """How often a full window is looked at while all it holds is still under way."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.open = 0
        self.closed: deque[float] = deque()

    def weight(self, *, creates: bool, images: int) -> int:
        match self._window.counts:
            case "requests":
                return 1
            case "creates":
                return int(creates)
            case "images":
                return images

    def wait_s(self, weight: int, now: float) -> float:
        if not weight:
            return 0.0
        while self.closed and self.closed[0] + self._window.per_s <= now:
            self.closed.popleft()
        over = self.open + len(self.closed) + weight - self._window.amount
        if over <= 0:
            return 0.0
        if over > len(self.closed):
            return self.STEP_S
        return max(self.closed[over - 1] + self._window.per_s - now, 0.0) or self.STEP_S
