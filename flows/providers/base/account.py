"""Account: one key at one host, its addresses, its limits and its price."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from flows.nouns.take import Realm

Counted = Literal["requests", "creates", "images"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most `amount` in any `per_s` seconds.

    `requests` counts creates, polls, uploads and lists together, `creates` creates alone, `images`
    the images that creates ask for.
    """

    amount: int
    per_s: float
    counts: Counted = "requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an account may do. None: not stated."""

    windows: tuple[Window, ...] = ()
    running: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One key at one host. The key is never shown: `repr` leaves it out."""

    host: str
    name: str
    """What ledger, messages and manifests call it: the host, and its number where it has several
    keys. Never the key."""
    realm: Realm
    key: str = field(default="", repr=False)
    addresses: Mapping[str, str]
    """Address variable, such as `FAL_QUEUE_URL`, to base address without a slash at the end. A
    variable is missing where only its siblings were set by hand to an address on this machine or a
    private network: then nothing may be sent to the published one."""
    limits: Limits
    usd_per_image: Decimal | None
    latency_s: float
    auth: str | None = None
    """Which of the host's ways to authenticate, where it has several; None: its first."""
    secret: str = field(default="", repr=False)
    """What callbacks are verified with, where the host has such a secret."""

    @property
    def fingerprint(self) -> str:
        """The same for the same key at the same host; the key cannot be had from it."""
        digest = hashlib.sha256(f"{self.host}\n{self.key}".encode()).hexdigest()
        return f"{self.host}:{digest[:16]}"
