"""How much an account may ask at once: sliding windows of requests, and running slots."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Literal

from flows.sandbox.bill import Bill
from flows.sandbox.clock import Clock

Counted = Literal["all", "create", "other", "image"]


@dataclass(frozen=True, slots=True)
class Window:
    """At most `most` of what is `counted` in any `per_s` sandbox seconds, per account.

    `all` counts every request, `create` creates alone, `other` all but creates, `image` the images
    that a create asks for (the handler admits those itself, when it has read how many).
    """

    most: int
    per_s: float = 60.0
    counted: Counted = "all"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host allows one account. `running` None: as many at once as you like."""

    windows: tuple[Window, ...] = ()
    running: int | None = None


class Gate:
    """Keeps the limits of one host. A request that is refused does not count in the window."""

    def __init__(self, host: str, limits: Limits, clock: Clock, bill: Bill) -> None:
        self.host = host
        self.limits = limits
        self._clock = clock
        self._bill = bill
        self._seen: dict[tuple[str, int], deque[float]] = defaultdict(deque)
        self._running: dict[str, int] = defaultdict(int)

    def admit(self, key: str, kind: Counted, amount: int = 1) -> float:
        """Count a request (kind create or other) or `amount` images, when all windows have room.

        Returns:
            0.0 when it was admitted and counted; else the sandbox seconds until it would be.

        """
        now = self._clock.now()
        matching = [
            (place, window)
            for place, window in enumerate(self.limits.windows)
            if window.counted == kind or (window.counted == "all" and kind != "image")
        ]
        wait = 0.0
        for place, window in matching:
            seen = self._seen[key, place]
            while seen and seen[0] <= now - window.per_s:
                seen.popleft()
            too_many = len(seen) + amount - window.most
            if too_many > 0:
                leaves = seen[min(too_many, len(seen)) - 1] if seen else now
                wait = max(wait, leaves + window.per_s - now, 1e-3)
        if wait:
            return wait
        for place, _ in matching:
            self._seen[key, place].extend([now] * amount)
            self._bill.window_held(self.host, len(self._seen[key, place]))
        return 0.0

    def running(self, key: str) -> int:
        """How many are running for this account."""
        return self._running[key]

    def begin(self, key: str) -> bool:
        """Take a running slot; False when all are taken. Whoever took one ends it."""
        if self.limits.running is not None and self._running[key] >= self.limits.running:
            return False
        self._running[key] += 1
        self._bill.running_held(self.host, self._running[key])
        return True

    def end(self, key: str) -> None:
        """Give a running slot back."""
        self._running[key] -= 1


def whole_seconds(wait: float) -> str:
    """A wait as `Retry-After` spells it: whole seconds, rounded up, at least 1."""
    return str(max(1, math.ceil(wait)))
