"""Listing: asking for a host's list of jobs, where one request tells of all that run."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from flows.providers.base import Done, Refused, Running

if TYPE_CHECKING:
    from flows.shoot.dispatcher import Dispatcher

WORTH_A_LIST = 3
"""Jobs that must run for one list to be better than asking for each."""
LIST_EVERY = 0.02
"""Share of the mean latency that lies between two looks at a list, however many are allowed."""
SPARE = 0.9
"""Share of the room in the windows that lists take: creates must not wait for them."""
LOOK_AROUND = 0.05
"""Share of the mean latency after which one that does not read the list thinks it over."""
LIST_SPAN = timedelta(hours=2)


class Listing:
    """One account's list, and who follows jobs on it."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._with = dispatcher
        self._may_list = dispatcher.provider.lists_results
        self.follows = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """While somebody follows a job."""
        self.follows += 1
        self._fit_schedule()
        try:
            yield
        finally:
            self.follows -= 1
            self._fit_schedule()

    def _fit_schedule(self) -> None:
        self._with.schedule.fit(self._at_once())

    def _at_once(self) -> int:
        """How many jobs share the windows: at the end of a run there are fewer than places, and
        each can be asked for more often.
        """
        sharing = self._with.sharing
        is_alone = sharing is None or sharing.sharers == 1
        is_ending = is_alone and not self._with.backlog()
        return min(self.follows, self._with.places) if is_ending else self._with.places

    async def read(self) -> None:
        """While the list tells sooner than asking for each job would, read it as often as the
        windows leave room. Goes on until it is cancelled, or the host refuses the list.
        """
        while self._may_list:
            every_s = self._every_s()
            is_worth_it = self.follows >= WORTH_A_LIST and (
                every_s / 2 < self._with.schedule.forecast().lag_s
            )
            if self._with.is_called_back or not is_worth_it:
                self._tell(is_told=self._with.is_called_back)
                await asyncio.sleep(LOOK_AROUND * self._with.latency_s)
                continue
            # the next look is due that long after this one left, however long the answer takes
            due = time.monotonic() + every_s
            self._tell(is_told=await self._read_once())
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _tell(self, *, is_told: bool) -> None:
        """Whoever waits to ask for a job thinks it over when the list begins or ceases to tell."""
        if is_told != self._with.is_told:
            self._with.is_told = is_told
            for job in list(self._with.letters):
                self._with.hear(job, Running())

    def _every_s(self) -> float:
        """What creates, and what goes with them, leave in the windows, shared among the
        dispatchers that read this list; infinite where that is nothing.
        """
        windows = self._with.pace.windows
        allowed = [one.amount / one.per_s for one in windows if one.counts == "requests"]
        latency_s = self._with.latency_s
        takes_per_s = self._at_once() / latency_s
        extra = 1 + self._with.provider.extra_requests
        room = SPARE * (min(allowed, default=math.inf) - takes_per_s * extra)
        sharing = self._with.sharing
        sharers = 1 if sharing is None else sharing.sharers
        return max(LIST_EVERY * latency_s, sharers / room) if room > 0 else math.inf

    async def _read_once(self) -> bool:
        """Hand on what the newest page says; whether it could be read."""
        provider = self._with.provider
        request = provider.list_jobs(datetime.now(UTC) - LIST_SPAN)
        if request is None:
            return False
        try:
            response = await self._with.ask(request)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        if not response.is_success:
            self._may_list = response.is_server_error or response.status_code == 429
            return False
        for one in provider.listed(response)[0]:
            if isinstance(one.reply, Done | Refused):
                self._with.hear(one.job.id, one.reply)
        return True
