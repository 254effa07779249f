"""Reference images and catalogues from http(s) addresses, public ones only.

An address comes from a catalogue that somebody else may have written, so that every request
passes the guard of `flows.network`; what is said here is how much is fetched and for how long.
What was fetched before is asked for with its stamp, and a server that finds it unchanged answers
without a body (https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol

import httpx

from flows.network import (
    Guarded,
    NoHostError,
    NotAskedError,
    Proxies,
    PublicOnly,
    Resolve,
    is_public,
    onward,
    resolved,
)

__all__ = ["Fetch", "Fetched", "NotFetchedError", "Public", "is_public"]

MOST_BYTES = 30_000_000
TIMEOUT_S = 20.0
MOST_REDIRECTS = 3
MOST_STAMP = 200
"""Letters of a stamp; a longer one is not kept, and the address is fetched whole each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is fetched of one address, and for how long."""

    what: str
    """What is fetched, for a person."""
    accept: str
    most_bytes: int
    whole_s: float
    """For all of it, redirects too; the server may be silent for `TIMEOUT_S` at most."""


IMAGE = Bounds(what="image", accept="image/*", most_bytes=MOST_BYTES, whole_s=TIMEOUT_S)
CATALOGUE = Bounds(what="catalogue", accept="*/*", most_bytes=1 << 30, whole_s=300.0)


class NotFetchedError(Exception):
    """An address that cannot be used, and why."""

    def __init__(self, found: str, remedy: str = "", *, is_unreachable: bool = False) -> None:
        """`is_unreachable`: the address may be right, and its server or the network is not."""
        super().__init__(found)
        self.found, self.remedy = found, remedy
        self.is_unreachable = is_unreachable


@dataclass(frozen=True, slots=True)
class Fetched:
    """`data` is None where the bytes of the known stamp are still those of the address. `stamp` is
    the answer's ETag, else its Last-Modified, else empty.
    """

    stamp: str
    data: bytes | None


class Fetch(Protocol):
    """How References fetches; tests bring their own."""

    def __call__(self, url: str, *, known: str = "") -> Fetched:
        """Fetch an address, or nothing where it still has the `known` stamp.

        Raises:
            NotFetchedError: with the reason.

        """
        ...


@dataclass(slots=True, eq=False)
class Public:
    """Fetches from public addresses. Proxies and certificates are those of the environment;
    `transport` takes the place of the network, and no proxy leads to it. Connections are kept
    until `close`, and several threads may fetch at a time.
    """

    resolve: Resolve = resolved
    transport: httpx.BaseTransport | None = None
    bounds: Bounds = IMAGE
    _client: httpx.Client | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def close(self) -> None:
        """Give the connections back; a later call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                proxies = Proxies.of_environment() if self.transport is None else Proxies()
                guarded = Guarded(PublicOnly((), proxies, self.resolve), inner=self.transport)
                self._client = httpx.Client(
                    transport=guarded, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
                )
                # each picture is asked for by a stranger, as if it were the only one
                self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            return self._client

    def __call__(self, url: str, *, known: str = "") -> Fetched:
        """Fetch an address; redirects are followed by hand and checked each.

        Raises:
            NotFetchedError: with the reason.
            EnvironmentFault: proxies or certificates of the environment cannot be used.

        """
        bounds = self.bounds
        deadline = time.monotonic() + bounds.whole_s
        client = self._opened()
        try:
            request = client.build_request(
                "GET", url, headers={"User-Agent": "shotlist", "Accept": bounds.accept}
            )
            for _ in range(MOST_REDIRECTS + 1):
                request.headers.update(_condition(known))
                found = _one(client, request, bounds, deadline, known)
                if isinstance(found, Fetched):
                    return found
                request = found
        except httpx.InvalidURL as error:
            raise NotFetchedError("not a valid address") from error
        except NotAskedError as error:
            remedy = (
                f"copy the {bounds.what} beside the campaign" if error.is_private else error.remedy
            )
            raise NotFetchedError(error.found, remedy) from error
        except NoHostError as error:
            raise NotFetchedError(str(error), is_unreachable=True) from error
        except httpx.TimeoutException as error:
            raise _too_slow(bounds, TIMEOUT_S) from error
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise NotFetchedError(f"cannot be fetched: {why}", is_unreachable=True) from error
        raise NotFetchedError(f"more than {MOST_REDIRECTS} redirects")


def _one(
    client: httpx.Client,
    request: httpx.Request,
    bounds: Bounds,
    deadline: float,
    known: str,
) -> Fetched | httpx.Request:
    """The answer of one address, or where it sends us on to."""
    response = client.send(request, stream=True)
    try:
        if response.has_redirect_location:
            return onward(response)
        if response.status_code == 304 and known:
            response.read()  # it has no body, and read to its end the connection is used again
            return Fetched(known, None)
        if response.status_code != 200:
            raise NotFetchedError(
                f"the server answers {response.status_code}",
                is_unreachable=response.status_code >= 500,
            )
        stamp = response.headers.get("etag") or response.headers.get("last-modified") or ""
        if stamp and stamp == known:
            return Fetched(stamp, None)  # a server that knows no conditions: its body is not read
        data = _body(response, bounds, deadline)
        return Fetched(stamp if len(stamp) <= MOST_STAMP else "", data)
    finally:
        response.close()


def _condition(stamp: str) -> dict[str, str]:
    """The header that asks for a body only where the stamp is another one."""
    if not stamp:
        return {}
    try:
        parsedate_to_datetime(stamp)
    except ValueError:
        return {"If-None-Match": stamp}
    return {"If-Modified-Since": stamp}


def _body(response: httpx.Response, bounds: Bounds, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > bounds.most_bytes:
            most = f"more than {bounds.most_bytes // 1_000_000} MB"
            raise NotFetchedError(most, f"give a smaller {bounds.what}")
        if time.monotonic() > deadline:
            raise _too_slow(bounds, bounds.whole_s)
    return b"".join(parts)


def _too_slow(bounds: Bounds, seconds: float) -> NotFetchedError:
    return NotFetchedError(
        f"no answer within {seconds:.0f} s",
        f"try again, or copy the {bounds.what} here",
        is_unreachable=True,
    )
