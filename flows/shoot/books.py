"""Books: ledger and take store for an event loop. What is written at about the same time is
committed together, so that hundreds of takes do not wait for the disk one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

from flows.ledger import Ledger, Pen, TakeStore
from flows.nouns.take import Realm, Take, TakeState

T = TypeVar("T")

MOST_TOGETHER = 200
"""Operations of one commit: more would keep other processes waiting."""


class Books:
    """What a run writes down. Each call returns when it is committed."""

    def __init__(
        self, book: Ledger, store: TakeStore, *, run: str, realm: Realm, rebuys: bool = False
    ) -> None:
        self.ledger = book
        self._store = store
        self._run = run
        self._rebuys = rebuys
        self.realm = realm
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._pending: list[tuple[Callable[[Pen], Any], asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None

    def close(self) -> None:
        self._thread.shutdown()

    async def take(self, recipe: str) -> Take | None:
        return await self._do(lambda pen: pen.take(self.realm, recipe))

    async def intend(self, take: Take, price_usd: Decimal | None) -> bool:
        """True for the one that may go on and buy it."""
        return await self._do(
            lambda pen: pen.intend(take, run=self._run, price_usd=price_usd, rebuys=self._rebuys)
        )

    async def step(self, take: Take, state: TakeState, **facts: Any) -> Take:
        """The take as it is now.

        Raises:
            IllegalStepError: it is not in a state that may be followed by this one.

        """
        return await self._do(lambda pen: pen.step(take, state, run=self._run, **facts))

    async def learn(self, host: str, mode: str, tier: str, seconds: float, *, exact: bool) -> None:
        """Remember how long a generation took, for the next run's first guess: it is written with
        the next step of any take, and nobody waits for it.
        """
        self._put(
            lambda pen: pen.remember_latency(
                host, mode=mode, tier=tier, seconds=seconds, exact=exact
            )
        )

    async def keep(self, data: bytes) -> str:
        """Put bytes into the store; returns their sha256."""
        return await asyncio.to_thread(self._store.put, data)

    async def forget_if_broken(self, take: Take) -> bool:
        """Forget a proof whose bytes are gone or damaged: it costs nothing to draw it again."""
        if self.realm is not Realm.PROOF or take.sha256 is None:
            return False
        if await asyncio.to_thread(self._store.holds, take.sha256):
            return False
        await self._do(lambda pen: pen.forget_proofs([take.recipe]))
        return True

    async def _do(self, operation: Callable[[Pen], T]) -> T:
        done = self._put(operation)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await done

    def _put(self, operation: Callable[[Pen], T]) -> asyncio.Future[T]:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._pending.append((operation, done))
        return done

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            group = self._pending[:MOST_TOGETHER]
            del self._pending[:MOST_TOGETHER]
            operations = [operation for operation, _ in group]
            results = await loop.run_in_executor(self._thread, self.ledger.write, operations)
            for (_, done), result in zip(group, results, strict=True):
                if done.cancelled():
                    continue
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)
