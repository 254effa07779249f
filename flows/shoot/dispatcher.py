"""Dispatcher: one account at work: its connections, its pace, what it has learned."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx

from flows.network import client
from flows.nouns.take import Take, TakeState
from flows.providers import Provider
from flows.providers.base import (
    Handed,
    Picture,
    RefusalKind,
    Refused,
    Reply,
    Way,
)
from flows.shoot.circuit import Circuit
from flows.shoot.heeding import Heeding
from flows.shoot.latencies import Latencies
from flows.shoot.listing import Listing
from flows.shoot.outcome import Wanted
from flows.shoot.pace import Pace
from flows.shoot.polling import Schedule
from flows.shoot.sharing import Sharing

MARGIN = timedelta(minutes=10)
"""A picture that the host deletes sooner than this is brought to it again."""

MOST_TRIES = 5
MOST_AT_WORK = 100
"""Takes that one account works on at a time where its host states no limit."""


class Dispatcher:
    """One account of a run, on one event loop."""

    def __init__(
        self,
        provider: Provider,
        sharing: Sharing | None = None,
        *,
        is_called_back: bool = False,
        expected_s: float | None = None,
    ) -> None:
        account = provider.account
        self.provider = provider
        self.host = account.host
        self.name = account.name
        self.places = account.limits.running or MOST_AT_WORK
        self.sharing = sharing
        self.pace = Pace(account.limits.windows, sharing)
        self.latencies = Latencies(account.latency_s if expected_s is None else expected_s)
        self.schedule = Schedule(
            self.latencies,
            account.limits.windows,
            running=self.places,
            extra_per_take=provider.extra_requests,
        )
        self.letters: dict[str, asyncio.Queue[Reply | None]] = {}
        """What was heard of jobs that somebody follows; None: ask the host."""
        way = provider.capabilities.treatments["callback"].way
        self.is_called_back = is_called_back and way is not Way.NONE
        self.is_told = self.is_called_back
        """Whether a list or callbacks tell of jobs, so that asking is only the net below."""
        self.backlog: Callable[[], int] = int
        """How many takes wait for a place; none until somebody says otherwise."""
        self.listing = Listing(self)
        self._heeding = Heeding(account.name, self.pace, self.schedule)
        self.jobs_by_mark: dict[str, str] = {}
        """What callbacks said of our orders' marks: it repairs a create whose answer was lost."""
        self.leaving = asyncio.Event()
        """Set when the run is told to stop: what can wait is left to the next one."""
        self.stopped: str | None = None
        """Why nothing more is bought with this account."""
        self.circuit = Circuit()
        self._unreached = 0
        self.under_way: deque[Take] = deque()
        """Takes of earlier runs that this account has to bring."""
        # a kept connection that dies at the wrong moment would leave a purchase unknown: each
        # create has a fresh one; polls and downloads may share
        self._creating = self._client(provider)
        self.reading = self._client(provider)
        self._one_create = asyncio.Lock()
        self._handed: dict[str, Handed] = {}
        self._handing: dict[str, asyncio.Lock] = {}

    def _client(self, provider: Provider) -> httpx.AsyncClient:
        return client(
            allowed=provider.own_origins(),
            transport=provider.transport(),
            timeout_s=provider.timeout_s,
        )

    def fresh(self, wanted: Wanted) -> Take:
        """A take of this account that nothing was done for yet."""
        account = self.provider.account
        return Take(
            recipe=wanted.recipe.sha256,
            realm=account.realm,
            state=TakeState.INTENDED,
            provider=account.host,
            account=account.name,
            model=self.provider.model,
            seed=wanted.recipe.seed,
        )

    async def begin(self) -> None:
        """Say to other processes that this account is at work here."""
        if self.sharing is not None:
            await self.sharing.begin()

    async def close(self) -> None:
        if self.sharing is not None:
            await self.sharing.end()
        await self._creating.aclose()
        await self.reading.aclose()

    def stop(self, said: Refused) -> None:
        """Buy nothing more with this account: its key, its money or a lock stands in the way."""
        self.stopped = self.stopped or self.told(said)

    def unreached(self, what: str) -> Refused:
        """A create that surely never left. Several in a row stop the account."""
        self._unreached += 1
        words = f"{self.host} cannot be reached ({what})"
        stops = self._unreached >= MOST_TRIES
        return Refused(kind=RefusalKind.ACCOUNT if stops else RefusalKind.AGAIN, words=words)

    def heard(self, reply: Reply, admitted: float) -> None:
        """What the answer to a create says of the account and its pace."""
        match reply:
            case Refused(kind=RefusalKind.ACCOUNT):
                self.stop(reply)
            case Refused(kind=RefusalKind.AGAIN):
                self.pace.turned_away(reply.retry_after_s, self.latency_s, admitted)
                self._failed(reply, admitted)
            case Refused(kind=RefusalKind.UNKNOWN | RefusalKind.GONE):
                self._failed(reply, admitted)
            case Refused():
                self.circuit.passed()
            case _:
                self._unreached = 0
                self.circuit.passed()
                self.pace.passed()

    def _failed(self, said: Refused, admitted: float) -> None:
        """A create brought nothing. It is tried again as long as others pass, and a while more."""
        self.circuit.failed(admitted, named_s=said.retry_after_s, expected_s=self.latency_s)
        if self.circuit.is_given_up:
            self.stopped = self.stopped or f"no create passes any more; {self.told(said)}"

    def told(self, said: Refused) -> str:
        """A refusal for a person and the ledger; a host that repeats the key is not quoted."""
        code = f" ({said.code})" if said.code and said.code not in said.words else ""
        kind = "" if said.kind is RefusalKind.ACCOUNT else f"{said.kind}: "
        text = f"{kind}{said.words}{code}"
        key = self.provider.account.key
        return text.replace(key, "[key]") if key else text

    @property
    def latency_s(self) -> float:
        """What a generation is expected to take."""
        return self.latencies.of().mean_s

    def hear(self, job: str, reply: Reply | None) -> None:
        """Somebody said how a job ended: its host's callback or list."""
        if job in self.letters:
            self.letters[job].put_nowait(reply)

    def take_letter(self, job: str, mark: str, reply: Reply | None) -> None:
        """A host called back."""
        if mark:
            self.jobs_by_mark[mark] = job
        self.hear(job, reply)

    async def read_list(self) -> None:
        """Hear of jobs from the host's list, where that tells sooner than asking for each. Goes on
        until it is cancelled, or the host refuses the list.
        """
        await self.listing.read()

    async def create(self, request: httpx.Request) -> httpx.Response:
        """Send a paid request, once; the caller holds the pace. Redirects are never followed."""
        request.headers["connection"] = "close"
        response = await self._send(self._creating, request)
        self._heeding.heed(response, creates=True)
        return response

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Held from before a create leaves until its answer has come or it was looked up, where the
        host's list can tell of one lost create at a time only.
        """
        if not self.provider.creates_alone:
            yield
            return
        async with self._one_create:
            yield

    async def ask(self, request: httpx.Request, priority: float = 0.0) -> httpx.Response:
        """Send a request that costs nothing, at this account's pace. Its extension `left` says
        when it left.
        """
        async with self.pace.request(priority=priority) as left:
            request.extensions = {**request.extensions, "left": left}
            response = await self._send(self.reading, request)
            # before another is let go: what this one says holds for that too
            self._heeding.heed(response, creates=False)
            return response

    async def _send(self, through: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        timeout = httpx.Timeout(self.provider.timeout_s, connect=20.0, pool=None)
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        request.headers.setdefault("user-agent", "shotlist")
        return await through.send(request, follow_redirects=False)

    async def handed(self, picture: Picture) -> str | Refused | None:
        """The address by which the host knows a picture, brought there at most once at a time;
        None where pictures travel inside the order.
        """
        lock = self._handing.setdefault(picture.sha256, asyncio.Lock())
        async with lock:
            known = self._handed.get(picture.sha256)
            if known is not None and (
                known.expires_at is None or known.expires_at > datetime.now(UTC) + MARGIN
            ):
                return known.address
            found: Handed | Refused | None = None
            for attempt in range(MOST_TRIES):
                try:
                    found = await self._converse(picture)
                except httpx.HTTPError as error:
                    found = Refused(
                        kind=RefusalKind.AGAIN,
                        words=f"the picture could not be brought there: {type(error).__name__}",
                    )
                if isinstance(found, Handed):
                    self._handed[picture.sha256] = found
                    return found.address
                if found is None or found.kind is not RefusalKind.AGAIN:
                    return found
                if attempt + 1 < MOST_TRIES:
                    await asyncio.sleep(found.retry_after_s or min(10.0, 0.5 * 2**attempt))
            return found if isinstance(found, Refused) else None

    async def _converse(self, picture: Picture) -> Handed | Refused | None:
        conversation = self.provider.hand_over(picture)
        if conversation is None:
            return None
        try:
            request = next(conversation)
            while True:
                request = conversation.send(await self.ask(request))
        except StopIteration as ended:
            found: Handed | Refused = ended.value
            return found
