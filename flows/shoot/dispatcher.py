"""Dispatcher: one account at work: its connections, its pace, what it has learned."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta

import httpx

from flows.network import Origin, client
from flows.nouns.take import Realm, Take, TakeState
from flows.providers import Provider
from flows.providers.base import Handed, Picture, RefusalKind, Refused
from flows.shoot.outcome import Wanted
from flows.shoot.pace import Pace

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""What surely went wrong before a request left this machine."""

MARGIN = timedelta(minutes=10)
"""A picture that the host deletes sooner than this is brought to it again."""

MOST_TRIES = 5
FIRST_POLL = 0.6
"""Share of the expected latency after which a job is asked for first."""
NEXT_POLL = 0.15
LEAST_POLL_S = 0.05


class Dispatcher:
    """One account of a run, on one event loop."""

    def __init__(self, provider: Provider) -> None:
        account = provider.account
        self.provider = provider
        self.host = account.host
        self.name = account.name
        self.pace = Pace(account.limits.windows)
        self.latency_s = account.latency_s
        self.stopped: str | None = None
        """Why nothing more is bought with this account."""
        self.under_way: deque[Take] = deque()
        """Takes of earlier runs that this account has to bring."""
        by_hand = account.realm is Realm.SANDBOX
        self.allowed = frozenset(
            Origin.of(address) for address in account.addresses.values() if by_hand
        )
        # a kept connection that dies at the wrong moment would leave a purchase unknown: each
        # create has a fresh one; polls and downloads may share
        self._creating = self._client(provider)
        self.reading = self._client(provider)
        self._handed: dict[str, Handed] = {}
        self._handing: dict[str, asyncio.Lock] = {}

    def _client(self, provider: Provider) -> httpx.AsyncClient:
        return client(
            allowed=self.allowed, transport=provider.transport(), timeout_s=provider.timeout_s
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

    async def close(self) -> None:
        await self._creating.aclose()
        await self.reading.aclose()

    def stop(self, said: Refused) -> None:
        """Buy nothing more with this account: its key, its money or a lock stands in the way."""
        self.stopped = self.stopped or self.told(said)

    def told(self, said: Refused) -> str:
        """A refusal for a person and the ledger; a host that repeats the key is not quoted."""
        code = f" ({said.code})" if said.code and said.code not in said.words else ""
        text = f"{said.kind}: {said.words}{code}"
        key = self.provider.account.key
        return text.replace(key, "[key]") if key else text

    def learn(self, took_s: float) -> None:
        """A generation took so long: what is expected follows."""
        self.latency_s += 0.2 * (took_s - self.latency_s)

    def first_poll_s(self) -> float:
        return max(LEAST_POLL_S, FIRST_POLL * self.latency_s)

    def next_poll_s(self) -> float:
        return max(LEAST_POLL_S, NEXT_POLL * self.latency_s)

    async def create(self, request: httpx.Request) -> httpx.Response:
        """Send a paid request, once; the caller holds the pace. Redirects are never followed."""
        request.headers["connection"] = "close"
        return await self._send(self._creating, request)

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Send a request that costs nothing, at this account's pace."""
        async with self.pace.request():
            return await self._send(self.reading, request)

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
                await asyncio.sleep(found.retry_after_s or min(30.0, self.latency_s * 2**attempt))
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
