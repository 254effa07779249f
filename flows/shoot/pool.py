"""Pool: the accounts of a run: what each is expected to do, and which buy together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from flows.ledger import Ledger
from flows.nouns.take import Realm
from flows.providers import Provider
from flows.shoot.dispatcher import Dispatcher
from flows.shoot.sharing import Sharing

Policy = Literal["failover", "cheapest", "fastest"]


def opened(
    hosts: Sequence[Provider], book: Ledger, run: str, *, is_called_back: bool
) -> list[Dispatcher]:
    """A dispatcher for each account, in their order."""
    return [
        Dispatcher(
            host,
            _sharing(host, book, run),
            is_called_back=is_called_back,
            expected_s=_expected_s(host, book),
        )
        for host in hosts
    ]


def in_order(dispatchers: Sequence[Dispatcher], policy: Policy) -> Iterator[Sequence[Dispatcher]]:
    """The accounts that buy together; the next ones only where these cannot go on."""
    if policy == "fastest":
        yield dispatchers
        return
    ordered = list(dispatchers)
    if policy == "cheapest":
        ordered.sort(key=lambda one: _price(one.provider))
    for _host, together in itertools.groupby(ordered, key=lambda one: one.host):
        yield list(together)


def _expected_s(host: Provider, book: Ledger) -> float:
    """What earlier runs saw generations take, or what the host declares."""
    if host.realm() is not Realm.LIVE:
        return host.account.latency_s  # the next sandbox may run on another clock
    seen = [
        seconds
        for name, mode, tier in book.latency_keys()
        if name == host.name
        for seconds, _ in book.latencies(name, mode=mode, tier=tier)
    ]
    return sum(seen) / len(seen) if seen else host.account.latency_s


def _sharing(host: Provider, book: Ledger, run: str) -> Sharing | None:
    """Proofs are drawn here: there is nothing to share."""
    if host.realm() is Realm.PROOF:
        return None
    return Sharing(book, host.account, run)


def _price(provider: Provider) -> Decimal:
    price = provider.account.usd_per_image
    return Decimal("Infinity") if price is None else price
