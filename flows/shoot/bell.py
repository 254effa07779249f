"""Bell: rung from any thread when something new lies in the ledger's letters."""

from __future__ import annotations

import asyncio


class Bell:
    """Wakes one event loop, once it is bound."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    def bind(self) -> None:
        """From now on the running loop is woken."""
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """Something came."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, at_most_s: float) -> None:
        """Return when it rings, or after so long."""
        try:
            async with asyncio.timeout(at_most_s):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()
