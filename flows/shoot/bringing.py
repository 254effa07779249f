"""Bringing: from the moment at which a host has made a take to its bytes in the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from flows.nouns.take import Take, TakeState
from flows.providers.base import Done, Image, Order
from flows.shoot.books import Books
from flows.shoot.dispatcher import MOST_TRIES, Dispatcher
from flows.shoot.fetch import Fetched, Unfetched, fetched, whole_image
from flows.shoot.outcome import Outcome
from flows.shoot.purse import Purse

LONGEST_FETCH_S = 600.0
LEAST_SIDE = 512
"""Where a host does not say which pixels it makes."""
LINKS = "result"
"""The note of a take that holds the addresses of what was made, one a line."""


class Bringing:
    """Brings what was made for one take with one account: cost and links are written down first."""

    def __init__(self, dispatcher: Dispatcher, books: Books, purse: Purse) -> None:
        self._dispatcher = dispatcher
        self._books = books
        self._purse = purse
        self._price: Decimal | None = dispatcher.provider.account.usd_per_image
        self.made = asyncio.Event()
        """Set when the host's work is over: its place is free while the bytes are brought."""
        self.kind: tuple[str, str] | None = None
        """Mode and tier, by which latencies are learned; None: not known of a take of before."""
        self._expected: tuple[int, int] | None = None

    def expect(self, order: Order, tier: str) -> None:
        """What comes next is the answer to this order."""
        size = order.size
        self._expected = (size.width, size.height) if size.width and size.height else None
        self.kind = ("edit" if order.is_edit else "text", tier)

    async def from_links(self, take: Take) -> Outcome | None:
        """Bring a take whose addresses are known; None where the host must be asked for it."""
        self._expected = None
        links = take.host_notes.get(LINKS, "").split()
        if take.state is not TakeState.SUCCEEDED or not links:
            return None
        brought = await self._fetch(take, [Image(url=link) for link in links], is_last=False)
        is_asked = take.host_task_id and not self._dispatcher.provider.is_synchronous
        return brought if brought.take.state is TakeState.DONE or not is_asked else None

    async def bring(self, take: Take, done: Done, began: float | None) -> Outcome:
        """The host made it: cost and links are written down first, then the bytes are brought."""
        if began is not None and self._dispatcher.provider.is_synchronous:
            self._dispatcher.latencies.took(time.monotonic() - began, kind=self.kind)
        if began is not None and self.kind is not None:
            seconds = time.monotonic() - began
            is_exact = self._dispatcher.is_called_back or self._dispatcher.provider.is_synchronous
            await self._books.learn(self._dispatcher.host, *self.kind, seconds, exact=is_exact)
        cost = self._price if done.cost_usd is None else done.cost_usd
        self._purse.correct(self._price, cost)
        links = [image.url for image in done.images if image.url]
        if links and take.state is not TakeState.SUCCEEDED:
            take = await self._books.step(
                take,
                TakeState.SUCCEEDED,
                seed=take.seed if done.seed is None else done.seed,
                cost_usd=cost,
                cost_from="price" if done.cost_usd is None else "answer",
                billed=True,
                host_task_id=take.host_task_id or done.id,
                host_notes={**take.host_notes, LINKS: "\n".join(links)},
            )
            await self.rise(take)
            self.made.set()
            return await self._fetch(take, done.images)
        facts = {
            "seed": take.seed if done.seed is None else done.seed,
            "cost_usd": cost,
            "cost_from": "price" if done.cost_usd is None else "answer",
            "billed": True,
            "host_task_id": take.host_task_id or done.id,
        }
        return await self._fetch(take, done.images, facts=facts)

    async def rise(self, take: Take) -> None:
        """The host works on it no more."""
        if self._dispatcher.sharing is not None and not self.made.is_set():
            await self._dispatcher.sharing.rise(take.recipe)

    async def _fetch(
        self,
        take: Take,
        images: Sequence[Image],
        *,
        facts: Mapping[str, Any] | None = None,
        is_last: bool = True,
    ) -> Outcome:
        """Bring the first picture that can be had into the store."""
        found = await self._first_of(images)
        if isinstance(found, Unfetched):
            if found.kind == "unreachable" or not is_last:
                return Outcome(take=replace(take, reason=found.words))
            is_lost = take.state is TakeState.SUCCEEDED and found.kind != "blank"
            state = TakeState.LOST if is_lost else TakeState.FAILED
            now = await self._books.step(take, state, reason=found.words, billed=True)
            return Outcome(take=now)
        now = await self._books.step(
            take,
            TakeState.DONE,
            sha256=await self._books.keep(found.data),
            bytes=len(found.data),
            width=found.whole.width,
            height=found.whole.height,
            format=found.whole.format,
            detail=found.whole.note or None,
            **(facts or {}),
        )
        return Outcome(take=now, bought=True, note=found.whole.note)

    async def _first_of(self, images: Sequence[Image]) -> Fetched | Unfetched:
        found: Fetched | Unfetched = Unfetched(kind="gone", words="the host named no picture")
        for image in images:
            found = await self._bytes_of(image)
            if isinstance(found, Fetched):
                return self._of_size(found)
        return found

    def _of_size(self, found: Fetched) -> Fetched | Unfetched:
        """A picture far below what was asked for is not what was bought."""
        width, height = self._expected or (LEAST_SIDE, LEAST_SIDE)
        if found.whole.width * 2 >= width and found.whole.height * 2 >= height:
            return found
        words = f"only {found.whole.width}x{found.whole.height} came where {width}x{height} was due"
        return Unfetched(kind="broken", words=words)

    async def _bytes_of(self, image: Image) -> Fetched | Unfetched:
        if image.data is None:
            return await fetched(
                image.url or "",
                self._dispatcher.reading,
                deadline_s=LONGEST_FETCH_S,
                tries=MOST_TRIES,
                expected=self._expected,
            )
        whole = await asyncio.to_thread(whole_image, image.data, self._expected)
        if isinstance(whole, str):
            return Unfetched(kind="broken", words=whole)
        return Fetched(data=image.data, whole=whole)
