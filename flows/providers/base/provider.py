"""Provider: what a host's file must say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import httpx

from flows.network import Origin
from flows.nouns.take import Realm
from flows.providers.base.account import Account, Limits
from flows.providers.base.capabilities import Capabilities
from flows.providers.base.echo import Echo, echoed
from flows.providers.base.lookup import MARGIN, Finding, Known, Quest, Rivals, Trace
from flows.providers.base.order import Handed, Order, Picture
from flows.providers.base.replies import Heard, Job, Listed, Refused, Reply

Handing = Generator[httpx.Request, httpx.Response, Handed | Refused]
"""Brings a picture to a host: requests out, answers in, at its end the address."""


class Provider(ABC):
    """A host that sells the model, spoken to with one account."""

    name: ClassVar[str]
    title: ClassVar[str]
    model: ClassVar[str]
    """The model in recipes: the same model at another host is the same recipe."""
    key_variable: ClassVar[str | None]
    secret_variable: ClassVar[str | None] = None
    addresses: ClassVar[Mapping[str, str]]
    """Address variable to the published base address; the first is the one that sells."""
    auth_ways: ClassVar[tuple[str, ...]] = ()
    """Ways to authenticate where sources conflict; the first is the default."""
    capabilities: ClassVar[Capabilities]
    limits: ClassVar[Limits]
    """As published, or a careful guess where nothing is (`limits_note` says which)."""
    limits_note: ClassVar[str]
    usd_per_image: ClassVar[Decimal | None]
    price_note: ClassVar[str]
    """Where the price comes from, or why it is not known."""
    latency_s: ClassVar[float]
    """Mean time from create to result until a run has learned better."""
    is_synchronous: ClassVar[bool]
    """Whether the answer to `submit` is the picture."""
    timeout_s: ClassVar[float] = 60.0
    """For one request; above the slowest picture at a synchronous host."""
    requests_per_take: ClassVar[float]
    extra_requests: ClassVar[float] = 0.0
    """Of them, those that are neither creates nor polls, such as fetching the result."""
    creates_alone: ClassVar[bool] = False
    """Whether a lost create can be told from others only while no other is without an answer."""
    lists_results: ClassVar[bool] = False
    """Whether the newest hundred of `list_jobs` say how jobs ended: one request for many polls."""
    echo: ClassVar[Echo | None] = None
    """How the host's list shows again what was sent; None: it does not."""
    listed_within: ClassVar[float] = 6.0
    """Mean latencies within which a create that was taken stands in the list or the log."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def realm(self) -> Realm:
        """Where takes of this account count."""
        return self.account.realm

    def own_origins(self) -> frozenset[Origin]:
        """What may be reached though it is not public: the addresses that were set by hand."""
        if self.account.realm is not Realm.SANDBOX:
            return frozenset()
        return frozenset(Origin.of(address) for address in self.account.addresses.values())

    def transport(self) -> httpx.AsyncBaseTransport | None:
        """What carries the requests; None: the network."""
        return None

    def hand_over(self, picture: Picture) -> Handing | None:
        """The conversation that brings a picture to the host, free of charge; None where pictures
        travel inside the order.
        """
        del picture
        return None

    @abstractmethod
    def submit(self, order: Order) -> httpx.Request:
        """The request that buys."""

    def job_notes(self, order: Order) -> Mapping[str, str]:
        """What asking for a job of this order needs besides its id, known before it is sent."""
        del order
        return {}

    @abstractmethod
    def submitted(self, response: httpx.Response, order: Order) -> Reply:
        """What the answer to `submit` means. Never raises for anything that a server can send."""

    @abstractmethod
    def ask(self, job: Job) -> httpx.Request:
        """The request that asks how a job is going."""

    @abstractmethod
    def asked(self, response: httpx.Response, job: Job) -> Reply:
        """What the answer to `ask` means. AGAIN: ask again later; the job goes on."""

    def collect(self, job: Job) -> httpx.Request:
        """The request for what came of a job that is `Ready`."""
        raise LookupError(f"{self.name} gives results with the job's state: {job.id}")

    def collected(self, response: httpx.Response, job: Job) -> Reply:
        """What the answer to `collect` means."""
        return self.asked(response, job)

    def cancel(self, job: Job) -> httpx.Request | None:
        """The request that takes a job back; None where the host has none."""
        del job
        return None

    def cancelled(self, response: httpx.Response) -> bool:
        """Whether the host says that the job will not be made."""
        return response.is_success

    def list_jobs(self, since: datetime) -> httpx.Request | None:
        """The request for the latest tasks of the account; None where the host has no list."""
        del since
        return None

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], httpx.Request | None]:
        """The tasks in such an answer, and the request for the next page, if there is one."""
        raise LookupError(f"{self.name} has no list ({response.status_code})")

    def signature(self, order: Order) -> str:
        """A digest of what the host will show again of this order, to be kept before it is sent;
        empty where it shows nothing.
        """
        del order
        return ""

    def find(self, trace: Trace, known: Known, rivals: Rivals | None = None) -> Finding | None:
        """The conversation that finds out whether a create without an answer was bought; None
        where this host cannot be asked. Without `rivals` nothing is told by elimination.
        """
        first = self.list_jobs(trace.sent_at - MARGIN) if self.echo else None
        if self.echo is None or first is None:
            return None
        return echoed(self, self.echo, self.quest(trace, known, rivals), first)

    def quest(self, trace: Trace, known: Known, rivals: Rivals | None) -> Quest:
        """A lookup with this account's times."""
        return Quest(
            trace=trace,
            known=known,
            rivals=rivals,
            timeout_s=self.timeout_s,
            latency_s=self.account.latency_s,
            is_complete_s=self.listed_within * self.account.latency_s,
        )

    def callback_keys(self) -> httpx.Request | None:
        """The request for the keys that callbacks are verified with, where the host publishes
        them; the body of its answer is the `keys` of `heard`.
        """
        return None

    def heard(
        self, headers: Mapping[str, str], body: bytes, *, now: datetime, keys: bytes = b""
    ) -> Heard:
        """What a callback says (header names in small letters).

        Raises:
            UnverifiedError: it is not shown to come from the host, or is too old.

        """
        del headers, body, now, keys
        raise LookupError(f"{self.name} sends no callbacks")
