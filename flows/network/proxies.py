"""The proxies that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.request import getproxies

import httpx

from flows.errors import EnvironmentFault
from flows.network.origin import Origin

_KINDS = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy leads to an origin. An address of one may hold a password: it is not shown."""

    by_scheme: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`http`, `https` or `all` to the proxy's address."""
    bypass: tuple[str, ...] = ()
    """Names, numeric addresses and networks, each with or without a port; `*` is everything."""

    @classmethod
    def of_environment(cls) -> Proxies:
        """What the environment says (on macOS and Windows the system, where it says nothing).

        Raises:
            EnvironmentFault: a variable holds no proxy's address.

        """
        named = getproxies()
        by_scheme = {
            scheme: _usable(scheme, named[scheme])
            for scheme in ("http", "https", "all")
            if named.get(scheme)
        }
        return cls(by_scheme, tuple(named.get("no", "").replace(",", " ").split()))

    def of(self, origin: Origin) -> str | None:
        """The proxy's address. This machine is never reached through one, as with Go's
        https://pkg.go.dev/net/http#ProxyFromEnvironment: a proxy's own loopback is not ours.
        """
        proxy = self.by_scheme.get(origin.scheme) or self.by_scheme.get("all")
        if not proxy or origin.is_loopback or any(_covers(one, origin) for one in self.bypass):
            return None
        return proxy


def _usable(scheme: str, address: str) -> str:
    address = address if "://" in address else f"http://{address}"
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    variable = f"{scheme.upper()}_PROXY"
    if url.scheme not in _KINDS or not url.host:
        raise EnvironmentFault(
            f"{variable} holds no proxy's address; write it as http://host:port or unset it"
        )
    if url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise EnvironmentFault(
            f"{variable} names a SOCKS proxy, which needs one package more:"
            " pip install 'httpx[socks]'"
        )
    return address


def _covers(entry: str, origin: Origin) -> bool:
    """Whether an entry of NO_PROXY names this origin; a leading dot says nothing
    (https://curl.se/libcurl/c/CURLOPT_NOPROXY.html).
    """
    entry = entry.rpartition("://")[2].lower()
    if entry == "*":
        return True
    try:
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass  # not a number: a name, or something with a port
    else:
        try:
            return ipaddress.ip_address(origin.host) in network
        except ValueError:
            return False
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit():
        return int(port) == origin.port and _covers(name, origin)
    name = entry.removeprefix("*").removeprefix(".").removesuffix(".")
    return bool(name) and (origin.host == name or origin.host.endswith(f".{name}"))
