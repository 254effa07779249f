"""Sharing: an account's windows and places, kept together with other processes on the ledger."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from flows.ledger import Ledger
from flows.ledger.dispatchers import this_machine
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
COUNT_EVERY_S = 2.0
"""How often those are counted who use the account."""
LOOK_EVERY_S = 0.05
"""How often a free place is looked for, where generations take ten seconds or more."""
LEAST_LOOK_S = 0.01
YIELDS = 3
"""So many looks one that has its share of the places leaves a free one to others."""


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
        self._seated: set[str] = set()
        self._door = asyncio.Lock()
        self._freed = asyncio.Event()
        self.sharers = 1
        """How many dispatchers, this one among them, use the account now."""
        self._beating: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Say that this dispatcher is at work, and go on saying it."""
        await self._call(self._bury)
        await self._call(self._register)
        self.sharers = await self._call(self._counted)
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
        ended, self._ended = self._ended, []
        return await self._call(lambda: self._admitted(ended, creates, images))

    def _admitted(self, ended: Sequence[int], creates: int, images: int) -> tuple[int, float]:
        self._book.calls.close(ended)
        return self._book.calls.admit(
            self._account.fingerprint, self._owner, self._windows, creates=creates, images=images
        )

    def allow(self, windows: Sequence[Window]) -> None:
        """Keep these windows from now on."""
        self._windows = [_limit(window) for window in windows]

    def close(self, call: int) -> None:
        """The answer to a call has come."""
        self._ended.append(call)
        if self._closing is None or self._closing.done():
            self._closing = asyncio.create_task(self._close_soon())

    async def sit(self, recipe: str) -> None:
        """Take one of the account's places for a generation, as soon as one is free; where others
        use the account too, whoever has fewer than a fair share goes first.
        """
        most = self._account.limits.running
        if most is None:
            return
        look_s = max(LEAST_LOOK_S, min(LOOK_EVERY_S, self._account.latency_s / 200))
        try:
            async with self._door:  # one looks for all who wait here
                while True:
                    if self._has_its_share(most):
                        await self._freed_within(YIELDS * look_s)
                    if await self._take_slot(recipe, most):
                        return
                    # who frees one may be another process: nothing here is told of that
                    await self._freed_within(look_s)
        except asyncio.CancelledError:
            # it may have been taken just now
            self._seated.discard(recipe)
            self._thread.submit(self._free_slot, recipe)
            raise

    def _has_its_share(self, most: int) -> bool:
        return self.sharers > 1 and len(self._seated) >= max(1, most // self.sharers)

    async def _freed_within(self, seconds: float) -> None:
        """Return when a place of ours that is within our share is free, or after so long."""
        self._freed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._freed.wait()
        except TimeoutError:
            return

    async def sit_again(self, recipe: str) -> None:
        """The generation runs already: it has its place, however many are taken."""
        if self._account.limits.running is not None:
            await self._take_slot(recipe, 1 << 30)

    async def _take_slot(self, recipe: str, most: int) -> bool:
        is_taken = await self._call(lambda: self._slot_taken(recipe, most))
        if is_taken:
            self._seated.add(recipe)
        return is_taken

    def _slot_taken(self, recipe: str, most: int) -> bool:
        expected_s = max(LEAST_SLOT_S, EXPECTED_TIMES * self._account.latency_s)
        lasts_s = min(LONGEST_SLOT_S, expected_s)
        return self._book.calls.take_slot(
            self._account.fingerprint, recipe, self._owner, most, lasts_s
        )

    async def rise(self, recipe: str) -> None:
        """The generation has ended."""
        most = self._account.limits.running
        if most is None:
            return
        await self._call(lambda: self._free_slot(recipe))
        self._seated.discard(recipe)
        if not self._has_its_share(most):
            self._freed.set()

    def _free_slot(self, recipe: str) -> None:
        self._book.calls.free_slot(self._account.fingerprint, recipe, self._owner)

    def _register(self) -> None:
        self._book.begin_dispatch(
            self._owner,
            run=self._run,
            account=self._account.fingerprint,
            host=self._account.host,
        )

    def _counted(self) -> int:
        return max(1, self._book.calls.sharers(self._account.fingerprint))

    def _bury(self) -> None:
        """A process of this machine that is gone was killed: it is dead at once, not only after a
        minute of silence. Where machines share a ledger two may have one name, and then only the
        silence counts.
        """
        here, is_sure = this_machine()
        if self._book.pace_file is None and not is_sure:
            return
        for one in self._book.alive():
            if one.machine == here and _is_gone(one.pid):
                self._book.end_dispatch(one.owner)

    async def _beat(self) -> None:
        for turn in itertools.count(1):
            await asyncio.sleep(COUNT_EVERY_S)
            if turn % (BEAT_S // COUNT_EVERY_S) == 0:
                await self.beat()
            self.sharers = await self._call(self._counted)

    async def beat(self) -> None:
        """Say that this dispatcher is alive. One that was taken for dead meanwhile (the machine
        slept) begins again, and takes the places again on which its generations go on.
        """
        if await self._call(lambda: self._book.beat(self._owner)):
            return
        await self._call(self._register)
        for recipe in sorted(self._seated):
            await self.sit_again(recipe)

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
