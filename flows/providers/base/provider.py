"""Provider: what a host's file must say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import httpx

from flows.nouns.take import Realm
from flows.providers.base.account import Account, Limits
from flows.providers.base.capabilities import Capabilities
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

    def __init__(self, account: Account) -> None:
        self.account = account

    def realm(self) -> Realm:
        """Where takes of this account count."""
        return self.account.realm

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
