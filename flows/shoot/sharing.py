"""Sharing: an account's windows and places, kept together with other processes on the ledger."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from flows.ledger import Ledger
from flows.providers.base import Account, Window

T = TypeVar("T")

BEAT_S = 10.0
"""How often a dispatcher says that it is alive; a minute without makes it dead."""
LONGEST_SLOT_S = 1800.0
"""How long a place is held at most: no host works longer on a picture."""
LEAST_SLOT_S = 10.0
EXPECTED_TIMES = 15.0
"""So many times what a generation takes a place is held: what a killed run had under way has ended
by then, and if nothing tells of it the next run must not wait for longer."""
CLOSE_EVERY_S = 0.05
LOOK_AGAIN_S = 0.25


class Sharing:
    """One account's part in what all processes do with it. Lives on one event loop."""

    def __init__(self, book: Ledger, account: Account, run: str) -> None:
        self._book = book
        self._account = account
        self._run = run
        self._owner = f"{run}-{secrets.token_hex(4)}"
        self._windows = [_limit(window) for window in account.limits.windows]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pace")
        self._ended: list[int] = []
        self._beating: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Say that this dispatcher is at work, and go on saying it."""
        await self._call(self._bury)
        await self._call(
            lambda: self._book.begin_dispatch(
                self._owner,
                run=self._run,
                account=self._account.fingerprint,
                host=self._account.host,
            )
        )
        self._beating = asyncio.create_task(self._beat())

    async def end(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
        await self._flush()
        await self._call(lambda: self._book.end_dispatch(self._owner))
        self._thread.shutdown()

    async def admit(self, *, creates: int, images: int) -> tuple[int, float]:
        """A call's number and 0, or 0 and how many seconds to wait at least."""
        if not self._windows:
            return 0, 0.0
        await self._flush()
        return await self._call(
            lambda: self._book.calls.admit(
                self._account.fingerprint,
                self._owner,
                self._windows,
                creates=creates,
                images=images,
            )
        )

    def close(self, call: int) -> None:
        """The answer to a call has come."""
        self._ended.append(call)
        if self._closing is None or self._closing.done():
            self._closing = asyncio.create_task(self._close_soon())

    async def sit(self, recipe: str) -> None:
        """Take one of the account's places for a generation, as soon as one is free."""
        most = self._account.limits.running
        while most is not None and not await self._take_slot(recipe, most):  # noqa: ASYNC110
            # who frees it may be another process: nothing here is told of that
            await asyncio.sleep(min(LOOK_AGAIN_S, self._account.latency_s / 40))

    async def sit_again(self, recipe: str) -> None:
        """The generation runs already: it has its place, however many are taken."""
        if self._account.limits.running is not None:
            await self._take_slot(recipe, 1 << 30)

    async def _take_slot(self, recipe: str, most: int) -> bool:
        expected_s = max(LEAST_SLOT_S, EXPECTED_TIMES * self._account.latency_s)
        lasts_s = min(LONGEST_SLOT_S, expected_s)
        return await self._call(
            lambda: self._book.calls.take_slot(
                self._account.fingerprint, recipe, self._owner, most, lasts_s
            )
        )

    async def rise(self, recipe: str) -> None:
        """The generation has ended."""
        if self._account.limits.running is not None:
            await self._call(
                lambda: self._book.calls.free_slot(self._account.fingerprint, recipe, self._owner)
            )

    def _bury(self) -> None:
        """A process of this machine that is gone was killed: it is dead at once, not only after a
        minute of silence. (A ledger that several machines share may know two by one name.)
        """
        if self._book.pace_file is None:
            return
        for one in self._book.alive():
            if one.machine == socket.gethostname()[:255] and _is_gone(one.pid):
                self._book.end_dispatch(one.owner)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._call(lambda: self._book.beat(self._owner))

    async def _close_soon(self) -> None:
        await asyncio.sleep(CLOSE_EVERY_S)
        await self._flush()

    async def _flush(self) -> None:
        ended, self._ended = self._ended, []
        if ended:
            await self._call(lambda: self._book.calls.close(ended))

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _is_gone(pid: int) -> bool:
    if os.name != "posix":  # elsewhere signal 0 is a real one
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _limit(window: Window) -> tuple[int, float, Literal["requests", "creates", "images"]]:
    return window.amount, window.per_s, window.counts
