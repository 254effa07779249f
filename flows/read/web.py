"""Reference images from http(s) addresses, public ones only.

An address comes from a catalogue that somebody else may have written. So a name is resolved once,
every address that it has must be public, and the connection goes to the one that was checked: a
second answer of the name server cannot lead elsewhere (DNS rebinding,
https://owasp.org/www-community/attacks/Server_Side_Request_Forgery).
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

MOST_BYTES = 30_000_000
TIMEOUT_S = 20.0
MOST_REDIRECTS = 3

_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to numeric addresses; raises OSError."""


class NotFetchedError(Exception):
    """An address that cannot be used, and why."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(found)
        self.found, self.remedy = found, remedy


@dataclass(frozen=True, slots=True)
class Fetched:
    """`data` is None where the bytes of this stamp are known already. A stamp may be empty."""

    stamp: str
    data: bytes | None


class Fetch(Protocol):
    """How References fetches; tests bring their own."""

    def __call__(self, url: str, *, is_known: Callable[[str], bool]) -> Fetched:
        """Fetch an address, or only its stamp where `is_known(stamp)`.

        Raises:
            NotFetchedError: with the reason.

        """
        ...


def resolved(host: str, port: int) -> Sequence[str]:
    """Every numeric address of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Public:
    """Fetches from public addresses. Proxies and certificates are those of the environment."""

    resolve: Resolve = resolved
    transport: httpx.BaseTransport | None = None

    def __call__(self, url: str, *, is_known: Callable[[str], bool]) -> Fetched:
        """Fetch an address; redirects are followed by hand and checked each."""
        deadline = time.monotonic() + TIMEOUT_S
        try:
            with httpx.Client(
                transport=self.transport, timeout=TIMEOUT_S, follow_redirects=False
            ) as client:
                for _ in range(MOST_REDIRECTS + 1):
                    found = self._one(client, httpx.URL(url), deadline, is_known)
                    if isinstance(found, Fetched):
                        return found
                    url = found
        except httpx.InvalidURL as error:
            raise NotFetchedError("not a valid address") from error
        except httpx.TimeoutException as error:
            raise _too_slow() from error
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise NotFetchedError(f"cannot be fetched: {why}") from error
        raise NotFetchedError(f"more than {MOST_REDIRECTS} redirects")

    def _one(
        self,
        client: httpx.Client,
        url: httpx.URL,
        deadline: float,
        is_known: Callable[[str], bool],
    ) -> Fetched | str:
        """The answer of one address, or where it sends us on to."""
        address = self._checked(url)
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={
                "Host": url.netloc.decode("ascii"),
                "User-Agent": "shotlist",
                "Accept": "image/*",
            },
            extensions={"sni_hostname": url.host},
        )
        response = client.send(request, stream=True)
        try:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return str(url.join(response.headers["location"]))
            if response.status_code != 200:
                raise NotFetchedError(f"the server answers {response.status_code}")
            stamp = response.headers.get("etag") or response.headers.get("last-modified") or ""
            if stamp and is_known(stamp):
                return Fetched(stamp, None)
            return Fetched(stamp, _body(response, deadline))
        finally:
            response.close()

    def _checked(self, url: httpx.URL) -> str:
        """A public numeric address of the URL's host."""
        if url.scheme not in ("http", "https") or not url.host:
            raise NotFetchedError(f"leads to '{url.scheme}:', which is not followed")
        if url.userinfo:
            raise NotFetchedError("the address holds a password", "remove it")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = self.resolve(url.host, port)
        except (OSError, UnicodeError) as error:
            raise NotFetchedError(f"there is no host '{url.host}'") from error
        for one in found:
            if not is_public(one):
                raise NotFetchedError(
                    f"'{url.host}' is on a private network and is not asked",
                    "copy the image beside the campaign",
                )
        if not found:
            raise NotFetchedError(f"there is no host '{url.host}'")
        return found[0]


def is_public(address: str) -> bool:
    """Whether a numeric address may be asked: nothing local, private, shared or multicast."""
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(one, ipaddress.IPv6Address):
        inner = one.ipv4_mapped or one.sixtofour
        if one in _NAT64:
            inner = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if one.teredo is not None or one.is_site_local:
            return False
    return one.is_global and not one.is_multicast and not one.is_reserved


def _body(response: httpx.Response, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise NotFetchedError(f"more than {MOST_BYTES // 1_000_000} MB", "give a smaller image")
        if time.monotonic() > deadline:
            raise _too_slow()
    return b"".join(parts)


def _too_slow() -> NotFetchedError:
    return NotFetchedError(
        f"no answer within {TIMEOUT_S:.0f} s", "try again, or copy the image here"
    )
