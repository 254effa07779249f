"""Provider, Order, Reply: what a host's file must say. A provider translates; it never sends.

Ledger, pace and budget stand between a request and its answer, so a host's file turns an order
into an `httpx.Request` and an `httpx.Response` into one of the replies below. Sending is the
business of `shoot`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import httpx

from flows.nouns.recipe import Recipe
from flows.nouns.reference import Reference
from flows.nouns.take import Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One take to be made: the recipe, its master's pixels, and the bytes of its references."""

    recipe: Recipe
    width: int
    height: int
    references: tuple[tuple[Reference, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture in a host's answer: its bytes, or the address to fetch them from."""

    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The host made it. `cost_usd` only where the answer says it."""

    images: tuple[Image, ...]
    seed: int | None = None
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The host took the order; ask for `job` later."""

    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Not yet."""


class RefusalKind(StrEnum):
    """What a refusal means for the next step."""

    INPUT = "input"  # refused before billing; the same request is refused again
    MODERATION = "moderation"  # the prompt or a picture was turned down
    AGAIN = "again"  # refused before billing; the same request may be sent again later
    ACCOUNT = "account"  # nothing on this account will work: key, money, lock
    FAILED = "failed"  # taken, and failed while it was made


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The host said no, in its own words."""

    kind: RefusalKind
    words: str
    billed: bool = False
    retry_after_s: float | None = None


Reply = Done | Accepted | Running | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most `requests` in any `per_s` seconds, creates and polls together."""

    requests: int
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an account may do. None: not stated."""

    windows: tuple[Window, ...] = ()
    running: int | None = None


class Provider(ABC):
    """A host that sells the model."""

    name: ClassVar[str]
    title: ClassVar[str]
    model: ClassVar[str]
    """The model in recipes: the same model at another host is the same recipe."""
    key_variable: ClassVar[str | None]
    limits: ClassVar[Limits]
    usd_per_image: ClassVar[Decimal | None]
    price_note: ClassVar[str]
    """Where the price comes from, or why it is not known."""
    latency_s: ClassVar[float]
    requests_per_take: ClassVar[float]

    @abstractmethod
    def realm(self) -> Realm:
        """Where takes of this provider, at its present address, count."""

    @abstractmethod
    def transport(self) -> httpx.AsyncBaseTransport | None:
        """What carries the requests; None: the network."""

    @abstractmethod
    def submit(self, order: Order) -> httpx.Request:
        """The request that buys."""

    @abstractmethod
    def submitted(self, response: httpx.Response) -> Reply:
        """What the answer to `submit` means."""

    @abstractmethod
    def ask(self, job: str) -> httpx.Request:
        """The request that asks how a job is going."""

    @abstractmethod
    def asked(self, response: httpx.Response) -> Reply:
        """What the answer to `ask` means."""
