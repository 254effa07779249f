"""The guard as httpx transports: every request passes it, whoever sends it.

Connections are kept apart by the name they were made for. Many names share one address (every
content network does it), and a pool that knows only the address would send a request for one name
over a connection whose certificate was held against another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import httpx

from flows.network.guard import PublicOnly, Route, pinned
from flows.network.logs import hush
from flows.network.origin import Origin
from flows.network.trust import trust

MOST_CONNECTIONS = 200
MOST_NAMES = 64
"""Names with connections of their own; beyond them connections are used once."""
KEPT_IDLE_S = 5.0
"""Short: a create that goes out on a connection which the host just closes is an unknown one."""
POOLS = 16
"""Pools that share the work of one: see `_Several`."""
CHECKED_FOR_S = 60.0
"""How long a checked address is used again. It stays pinned, so age makes it stale, not unsafe."""

_Transport = TypeVar("_Transport")
_Make = Callable[[str | None, httpx.Limits], _Transport]


class _Pools(Generic[_Transport]):
    """One pool for what is open, one a proxy, one a name."""

    def __init__(self, make: _Make[_Transport]) -> None:
        self._make = make
        self._pools: dict[tuple[str, str], _Transport] = {}
        self._names = 0

    def of(self, route: Route) -> _Transport:
        if route.proxy is not None:
            key = ("proxy", route.proxy)
        elif route.is_open:
            key = ("open", "")
        else:
            key = ("name", route.origin.host)
        if key not in self._pools:
            if key[0] == "name":
                if self._names >= MOST_NAMES:
                    key = ("once", "")
                else:
                    self._names += 1
            if key not in self._pools:
                kept = 0 if key[0] == "once" else MOST_CONNECTIONS
                limits = httpx.Limits(
                    max_connections=MOST_CONNECTIONS,
                    max_keepalive_connections=kept,
                    keepalive_expiry=KEPT_IDLE_S,
                )
                self._pools[key] = self._make(route.proxy, limits)
        return self._pools[key]

    def drained(self) -> list[_Transport]:
        """Every pool, once, to be closed by the caller."""
        pools = list({id(one): one for one in self._pools.values()}.values())
        self._pools.clear()
        self._names = 0
        return pools


def _proxy(address: str | None) -> httpx.Proxy | None:
    if address is None:
        return None
    secure = address.lower().startswith("https:")
    return httpx.Proxy(address, ssl_context=trust() if secure else None)


class Guarded(httpx.BaseTransport):
    """Sends what the guard lets through. `inner` takes the place of the network."""

    def __init__(self, guard: PublicOnly, *, inner: httpx.BaseTransport | None = None) -> None:
        hush()
        self._guard = guard

        def make(proxy: str | None, limits: httpx.Limits) -> httpx.BaseTransport:
            if inner is not None:
                return inner
            return httpx.HTTPTransport(verify=trust(), limits=limits, proxy=_proxy(proxy))

        self._pools: _Pools[httpx.BaseTransport] = _Pools(make)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises NotAskedError or NoHostError before anything is sent, else what httpx raises."""
        route = self._guard.route(request)
        if route.is_open:
            return self._pools.of(route).handle_request(request)
        addresses = self._guard.addresses(route)
        self._guard.judge(request, route)
        pool = self._pools.of(route)
        if route.proxy is not None:
            return pool.handle_request(request)
        for address in addresses[:-1]:
            try:
                return pool.handle_request(pinned(request, route, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the host's next address may answer
        return pool.handle_request(pinned(request, route, addresses[-1]))

    def close(self) -> None:
        for one in self._pools.drained():
            one.close()


class _Several(httpx.AsyncBaseTransport):
    """Small pools, of which the least busy sends.

    For every request httpcore looks at each connection of a pool, and for each idle one at all
    others: at a hundred connections that costs more than the requests themselves.
    """

    def __init__(self, pools: Sequence[httpx.AsyncBaseTransport]) -> None:
        self._pools = pools
        self._busy = [0] * len(pools)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        least = self._busy.index(min(self._busy))
        self._busy[least] += 1
        try:
            return await self._pools[least].handle_async_request(request)
        finally:
            self._busy[least] -= 1

    async def aclose(self) -> None:
        for one in self._pools:
            await one.aclose()


class AsyncGuarded(httpx.AsyncBaseTransport):
    """The same for the event loop; a name is looked up in a thread and remembered for a minute."""

    def __init__(
        self,
        guard: PublicOnly,
        *,
        inner: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        hush()
        self._guard = guard
        self._now = now
        self._checked: dict[Origin, tuple[float, Sequence[str]]] = {}
        self._locks: dict[Origin, asyncio.Lock] = {}

        def make(proxy: str | None, limits: httpx.Limits) -> httpx.AsyncBaseTransport:
            if inner is not None:
                return inner
            return _Several(
                [
                    httpx.AsyncHTTPTransport(verify=trust(), limits=limits, proxy=_proxy(proxy))
                    for _ in range(POOLS)
                ]
            )

        self._pools: _Pools[httpx.AsyncBaseTransport] = _Pools(make)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises NotAskedError or NoHostError before anything is sent, else what httpx raises."""
        route = self._guard.route(request)
        if route.is_open:
            return await self._pools.of(route).handle_async_request(request)
        addresses = await self._addresses(request, route)
        self._guard.judge(request, route)
        pool = self._pools.of(route)
        if route.proxy is not None:
            return await pool.handle_async_request(request)
        for address in addresses[:-1]:
            try:
                return await pool.handle_async_request(pinned(request, route, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent: the host's next address may answer
        try:
            return await pool.handle_async_request(pinned(request, route, addresses[-1]))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self._checked.pop(route.origin, None)
            raise

    async def _addresses(self, request: httpx.Request, route: Route) -> Sequence[str]:
        # hundreds of requests begin at once: one of them asks the name server, the others wait
        async with self._locks.setdefault(route.origin, asyncio.Lock()):
            until, known = self._checked.get(route.origin, (float("-inf"), ()))
            if self._now() < until:
                return known
            timeout_s = request.extensions.get("timeout", {}).get("connect")
            try:
                async with asyncio.timeout(timeout_s):
                    found = await asyncio.to_thread(self._guard.addresses, route)
            except TimeoutError:
                raise httpx.ConnectTimeout(
                    f"no address of '{route.origin.host}' within {timeout_s:g} s"
                ) from None
            self._checked[route.origin] = (self._now() + CHECKED_FOR_S, found)
            return found

    async def aclose(self) -> None:
        for one in self._pools.drained():
            await one.aclose()
