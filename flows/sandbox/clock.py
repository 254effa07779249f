"""The sandbox's clock: it starts at the machine's time and may run many times faster.

Waits, windows, lifetimes and latencies are told in sandbox seconds. Moments that a client gets to
see (created_at, expires_at, a webhook's timestamp) are told in the machine's own time, because the
client compares them with its own clock, which does not run faster.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Sandbox time."""

    def __init__(self, speed: float = 1.0) -> None:
        """Start now.

        Args:
            speed: sandbox seconds in one real second, above 0.

        """
        self.speed = speed
        self._began = time.time()
        self._monotonic = time.monotonic()

    def now(self) -> float:
        """Seconds since 1970 in sandbox time; never goes back."""
        return self._began + (time.monotonic() - self._monotonic) * self.speed

    def wall(self, at: float | None = None) -> float:
        """When `at` (sandbox time; None: now) happens by the machine's clock, since 1970."""
        moment = self.now() if at is None else at
        return self._began + (moment - self._began) / self.speed

    def iso(self, at: float | None = None) -> str:
        """`wall(at)` as RFC 3339 in UTC with milliseconds and a Z."""
        moment = datetime.fromtimestamp(self.wall(at), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def real(self, sandbox_s: float) -> float:
        """So many sandbox seconds in real ones."""
        return max(0.0, sandbox_s) / self.speed

    async def sleep(self, sandbox_s: float) -> None:
        """Wait for so many sandbox seconds."""
        await asyncio.sleep(self.real(sandbox_s))
