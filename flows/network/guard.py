"""The rule: what somebody set by hand is asked as it is; of the rest only what is public.

A name is looked up once, every address that it has must be public, and the connection goes to one
that was checked: a second answer of the name server cannot lead elsewhere (DNS rebinding,
https://owasp.org/www-community/attacks/Server_Side_Request_Forgery).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import httpx

from flows.network.origin import Origin
from flows.network.proxies import Proxies
from flows.network.public import (
    Resolve,
    is_numeric,
    is_oddly_spelt,
    is_private_name,
    is_public,
    resolved,
)
from flows.network.redirects import was_secure

MOST_ADDRESSES = 3
"""Of one host that are tried: the time to connect is spent on each."""


class NotAskedError(httpx.ConnectError):
    """An address that is refused here. Nothing was sent, and asking again changes nothing."""

    def __init__(self, found: str, remedy: str = "", *, is_private: bool = False) -> None:
        super().__init__(f"{found}; {remedy}" if remedy else found)
        self.found, self.remedy, self.is_private = found, remedy, is_private


class NoHostError(httpx.ConnectError):
    """A name without an address, now. Nothing was sent."""

    def __init__(self, host: str) -> None:
        super().__init__(f"there is no host '{host}'")


@dataclass(frozen=True, slots=True)
class Route:
    """How a request is to go: `proxy` is an address, `is_open` that nothing is looked up."""

    origin: Origin
    proxy: str | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class PublicOnly:
    """Decides about requests. It opens no connection itself."""

    allowed: Collection[Origin] = ()
    """Same scheme, host and port; `localhost` is not `127.0.0.1`."""
    proxies: Proxies = field(default_factory=Proxies)
    resolve: Resolve = resolved

    def route(self, request: httpx.Request) -> Route:
        """What can be said of a request before its host is looked up.

        Raises:
            NotAskedError: with the reason.

        """
        url = request.url
        try:
            origin = Origin.of(url)
        except ValueError:
            raise NotAskedError(f"leads to '{url.scheme}:', which is not followed") from None
        proxy = self.proxies.of(origin)
        if origin in self.allowed:
            return Route(origin, proxy, is_open=True)
        if url.userinfo:
            raise NotAskedError("the address holds a password", "remove it")
        if is_oddly_spelt(origin.host):
            raise NotAskedError(
                f"'{origin.host}' is a numeric address in an odd spelling and is not asked",
                "write it as four plain numbers",
            )
        return Route(origin, proxy, is_open=False)

    def addresses(self, route: Route) -> Sequence[str]:
        """The checked addresses of a route that is not open; none where its proxy must know them.
        Waits for the name server.

        Raises:
            NotAskedError: one of them is not public.
            NoHostError: there is none, and no proxy either.

        """
        host = route.origin.host
        if is_numeric(host):
            found: Sequence[str] = [host]
        else:
            try:
                found = self.resolve(host, route.origin.port)
            except (OSError, UnicodeError):
                found = []
        if not found:
            if route.proxy is None:
                raise NoHostError(host)
            if is_private_name(host):
                raise _private(host)
        if not all(is_public(one) for one in found):
            raise _private(host)
        return found[:MOST_ADDRESSES]

    def judge(self, request: httpx.Request, route: Route) -> None:
        """What is said last, when the host is known to be public.

        Raises:
            NotAskedError: a redirect gave up encryption.

        """
        if route.origin.scheme == "http" and was_secure(request):
            raise NotAskedError("leads from https: to http:, which is not followed")


def pinned(request: httpx.Request, route: Route, address: str) -> httpx.Request:
    """The same request to a numeric address. `Host` and the name that the certificate is held
    against stay (https://www.python-httpx.org/advanced/extensions/#sni_hostname).
    """
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": route.origin.host},
    )


def _private(host: str) -> NotAskedError:
    return NotAskedError(f"'{host}' is on a private network and is not asked", is_private=True)
