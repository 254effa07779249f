"""An origin: what must be the same for two addresses to be served by one party."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

import httpx

_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=1024)
def url_of(address: str) -> httpx.URL:
    """An address taken apart; a link is checked, guarded and fetched, and taken apart once.

    Raises:
        httpx.InvalidURL: it is none.

    """
    return httpx.URL(address)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port (RFC 6454), each in the one form in which it can be compared."""

    scheme: str
    host: str
    """ASCII, small letters; a numeric address without brackets."""
    port: int

    @classmethod
    def of(cls, url: str | httpx.URL) -> Origin:
        """The origin of an http(s) address.

        Raises:
            ValueError: it has none, told without its password and query.

        """
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            msg = f"not a valid address: {error}"
            raise ValueError(msg) from None
        if parts.scheme not in _PORTS:
            msg = f"'{parts.scheme}:' is neither http: nor https:"
            raise ValueError(msg)
        host = parts.raw_host.decode("ascii").lower().removesuffix(".")
        if not host:
            msg = "an address without a host"
            raise ValueError(msg)
        port = parts.port
        return cls(parts.scheme, _spelt_once(host), _PORTS[parts.scheme] if port is None else port)

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine by its spelling alone; no name is looked up."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _spelt_once(host: str) -> str:
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return host
