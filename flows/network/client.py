"""The one client with which hosts are asked and results are fetched."""

from __future__ import annotations

from collections.abc import Collection
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from flows.network.guard import PublicOnly
from flows.network.origin import Origin
from flows.network.proxies import Proxies
from flows.network.public import Resolve, resolved
from flows.network.transports import AsyncGuarded

CONNECT_S = 15.0


def client(
    *,
    allowed: Collection[Origin],
    transport: httpx.AsyncBaseTransport | None = None,
    timeout_s: float,
    resolve: Resolve = resolved,
) -> httpx.AsyncClient:
    """A client that follows no redirect, tries nothing twice, keeps no cookie and reaches only
    `allowed` and public places, through the proxies and with the certificates of the environment.

    `transport` takes the place of the network and of the guard (the proof's drawing, a test's).
    `timeout_s` holds for each read and write, not for a whole answer.

    Raises:
        EnvironmentFault: proxies or certificates of the environment cannot be used.

    """
    if transport is None:
        guard = PublicOnly(frozenset(allowed), Proxies.of_environment(), resolve)
        transport = AsyncGuarded(guard)
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S)),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "shotlist"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )
