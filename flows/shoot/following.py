"""Following: asking for one job when it is most likely done, or hearing that it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import httpx

from flows.providers.base import Done, Job, Ready, RefusalKind, Refused, Reply, Running
from flows.shoot.dispatcher import Dispatcher

OVERDUE = 3.0
"""Times the expected latency after which a job is asked for though a list or a callback should
have told: those may have been lost."""

LOOK_AGAIN = 0.1
"""Share of the expected latency after which a plan to ask is thought over."""


class Following:
    """One job, from its creation to its end. `began` is when its create left; None: not by us, so
    its age is not known and it is asked for at once.
    """

    def __init__(
        self, dispatcher: Dispatcher, job: Job, kind: Hashable, began: float | None
    ) -> None:
        self._with = dispatcher
        self._job = job
        self._kind = kind
        self._began = time.monotonic() if began is None else began
        self._is_ours = began is not None
        self._last = 0.0
        self._at_once = began is None
        self._is_over = False
        """Whether the host has just called back without saying how it ended."""
        self._letters: asyncio.Queue[Reply | None] = asyncio.Queue()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While it is followed, what is heard of it comes here."""
        self._with.letters[self._job.id] = self._letters
        try:
            with self._with.listing.one_more():
                yield
        finally:
            del self._with.letters[self._job.id]

    async def next(self) -> Reply:
        """What is said of it next, by whoever is first."""
        self._is_over = False
        letter = await self._letter()
        if letter is not None:
            if self._is_ours and isinstance(letter, Done):
                self._with.latencies.took(self._age(), self._last, self._kind)
            return letter
        priority = self._with.schedule.poll_priority(self._age(), self._last, self._kind)
        reply, left = await self._asked(priority)
        age = left - self._began
        self._learn(reply, age)
        self._last = max(self._last, age)
        return reply

    async def _letter(self) -> Reply | None:
        """A word of it, or None when it is time to ask."""
        if self._at_once:
            self._at_once = False
            return None
        while (wait := self._due_s() - self._age()) > 0:
            # others may teach us meanwhile, and a list may cease to tell: look again now and then
            try:
                async with asyncio.timeout(min(wait, LOOK_AGAIN * self._with.latency_s)):
                    letter = await self._letters.get()
            except TimeoutError:
                continue
            if isinstance(letter, Running):
                continue  # how ends are told of has changed, or a host called back with news of it
            self._is_over = letter is None
            return letter
        return None

    def _due_s(self) -> float:
        """The age at which to ask."""
        due = self._with.schedule.next_age_s(self._last, self._kind)
        if self._with.is_told:
            return max(due, OVERDUE * self._with.latency_s, 1.5 * self._last)
        return due

    def _age(self) -> float:
        return time.monotonic() - self._began

    def _learn(self, reply: Reply, age: float) -> None:
        if not self._is_ours:
            return
        latencies = self._with.latencies
        match reply:
            case Running():
                latencies.still_running(age, self._last, self._kind)
            case Done() if self._is_over:
                latencies.took(age, self._last, self._kind)
            case Done():
                latencies.done(age, self._last, self._kind)

    async def _asked(self, priority: float) -> tuple[Reply, float]:
        """What the host answers, and when the question left."""
        provider = self._with.provider
        request = provider.ask(self._job)
        try:
            response = await self._with.ask(request, priority)
            left: float = request.extensions["left"]
            reply = provider.asked(response, self._job)
            if isinstance(reply, Ready):
                collect = provider.collect(self._job)
                reply = provider.collected(await self._with.ask(collect, priority), self._job)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Refused(kind=RefusalKind.AGAIN, words=type(error).__name__), time.monotonic()
        return reply, left
