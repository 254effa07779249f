"""Reference images from http(s) addresses, public ones only.

An address comes from a catalogue that somebody else may have written, so that every request
passes the guard of `flows.network`; what is said here is how much is fetched and for how long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Public:
    """Fetches from public addresses. Proxies and certificates are those of the environment;
    `transport` takes the place of the network, and no proxy leads to it.
    """

    resolve: Resolve = resolved
    transport: httpx.BaseTransport | None = None

    def __call__(self, url: str, *, is_known: Callable[[str], bool]) -> Fetched:
        """Fetch an address; redirects are followed by hand and checked each.

        Raises:
            NotFetchedError: with the reason.
            EnvironmentFault: proxies or certificates of the environment cannot be used.

        """
        deadline = time.monotonic() + TIMEOUT_S
        proxies = Proxies.of_environment() if self.transport is None else Proxies()
        guarded = Guarded(PublicOnly((), proxies, self.resolve), inner=self.transport)
        try:
            with httpx.Client(
                transport=guarded, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
            ) as client:
                request = client.build_request(
                    "GET", url, headers={"User-Agent": "shotlist", "Accept": "image/*"}
                )
                for _ in range(MOST_REDIRECTS + 1):
                    found = _one(client, request, deadline, is_known)
                    if isinstance(found, Fetched):
                        return found
                    request = found
        except httpx.InvalidURL as error:
            raise NotFetchedError("not a valid address") from error
        except NotAskedError as error:
            remedy = "copy the image beside the campaign" if error.is_private else error.remedy
            raise NotFetchedError(error.found, remedy) from error
        except NoHostError as error:
            raise NotFetchedError(str(error)) from error
        except httpx.TimeoutException as error:
            raise _too_slow() from error
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise NotFetchedError(f"cannot be fetched: {why}") from error
        raise NotFetchedError(f"more than {MOST_REDIRECTS} redirects")


def _one(
    client: httpx.Client,
    request: httpx.Request,
    deadline: float,
    is_known: Callable[[str], bool],
) -> Fetched | httpx.Request:
    """The answer of one address, or where it sends us on to."""
    response = client.send(request, stream=True)
    try:
        if response.has_redirect_location:
            return onward(response)
        if response.status_code != 200:
            raise NotFetchedError(f"the server answers {response.status_code}")
        stamp = response.headers.get("etag") or response.headers.get("last-modified") or ""
        if stamp and is_known(stamp):
            return Fetched(stamp, None)
        return Fetched(stamp, _body(response, deadline))
    finally:
        response.close()


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
