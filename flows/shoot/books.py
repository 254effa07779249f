"""Books: ledger and take store for an event loop: written by one thread, in the order of asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

from flows.ledger import Ledger, TakeStore
from flows.nouns.take import Realm, Take, TakeState

T = TypeVar("T")


class Books:
    """What a run writes down. Each call returns when it is committed."""

    def __init__(self, book: Ledger, store: TakeStore, *, run: str, realm: Realm) -> None:
        self._book = book
        self._store = store
        self._run = run
        self.realm = realm
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    def close(self) -> None:
        self._writer.shutdown()

    async def take(self, recipe: str) -> Take | None:
        return await self._do(lambda: self._book.take(self.realm, recipe))

    async def intend(self, take: Take, price_usd: Decimal | None) -> bool:
        return await self._do(lambda: self._book.intend(take, run=self._run, price_usd=price_usd))

    async def step(self, take: Take, state: TakeState, **facts: Any) -> Take:
        """The take as it is now.

        Raises:
            IllegalStepError: it is not in a state that may be followed by this one.

        """

        def write() -> Take:
            self._book.step(take, state, run=self._run, **facts)
            now = self._book.take(self.realm, take.recipe)
            return take if now is None else now

        return await self._do(write)

    async def keep(self, data: bytes) -> str:
        """Put bytes into the store; returns their sha256."""
        return await asyncio.to_thread(self._store.put, data)

    async def forget_if_broken(self, take: Take) -> bool:
        """Forget a proof whose bytes are gone or damaged: it costs nothing to draw it again."""
        if self.realm is not Realm.PROOF or take.sha256 is None:
            return False
        if await asyncio.to_thread(self._store.holds, take.sha256):
            return False
        await self._do(lambda: self._book.forget_proofs([take.recipe]))
        return True

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)
