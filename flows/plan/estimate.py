"""Estimate: what the missing takes would cost and how long they would take, as declared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from flows.nouns.shot import Estimate
from flows.providers.base import Capabilities

Policy = Literal["failover", "cheapest", "fastest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What a plan needs to know of one host. None: not limited, or a price that is not known."""

    name: str
    model: str
    usd_per_image: Decimal | None
    price_reason: str = ""
    """Why the price is not known."""
    requests_per_take: float = 1.0
    """Creates and polls together, on average."""
    takes_per_minute: float | None = None
    """Takes that the request limits of its accounts allow in a minute."""
    running: int | None = None
    """Generations that may run at a time."""
    latency_s: float = 0.0
    capabilities: Capabilities | None = None
    """What it can do; None: everything."""
    is_named: bool = True
    """Whether a person named it; one that is there because its key is set is left out where it
    cannot meet the campaign's wishes."""

    def takes_per_s(self) -> float:
        """The most that its limits allow, as a long run reaches it; inf without any limit."""
        by_rate = math.inf if self.takes_per_minute is None else self.takes_per_minute / 60
        by_slots = math.inf
        if self.running is not None and self.latency_s > 0:
            by_slots = self.running / self.latency_s
        return min(by_rate, by_slots)


def estimate(generations: int, hosts: Sequence[HostFacts], policy: Policy = "failover") -> Estimate:
    """Requests, cost and time of so many generations at these hosts, the first choice first.

    The cost is a band from the cheapest to the dearest host, since any of them may make a take.
    Requests and time are those of the host that the policy picks; `fastest` spreads over all.
    """
    if not hosts:
        return Estimate(
            generations=generations,
            requests=0,
            cost_usd_low=None,
            cost_usd_high=None,
            eta_s=None,
            unknown="no host is chosen",
        )
    low, high, unknown = _cost(generations, hosts)
    working = _working(hosts, policy)
    return Estimate(
        generations=generations,
        requests=math.ceil(generations * max(host.requests_per_take for host in working)),
        cost_usd_low=low,
        cost_usd_high=high,
        eta_s=_eta_s(generations, working),
        unknown=unknown,
    )


def _cost(
    generations: int, hosts: Sequence[HostFacts]
) -> tuple[Decimal | None, Decimal | None, str]:
    if generations == 0:
        return Decimal(0), Decimal(0), ""
    reasons = [
        f"{host.name}: {host.price_reason or 'its price is not known'}"
        for host in hosts
        if host.usd_per_image is None
    ]
    if reasons:
        return None, None, "; ".join(reasons)
    prices = [host.usd_per_image for host in hosts if host.usd_per_image is not None]
    return generations * min(prices), generations * max(prices), ""


def _working(hosts: Sequence[HostFacts], policy: Policy) -> Sequence[HostFacts]:
    if policy == "fastest":
        return hosts
    if policy == "failover":
        return hosts[:1]
    priced = [host for host in hosts if host.usd_per_image is not None]
    return [min(priced, key=lambda host: host.usd_per_image or Decimal(0))] if priced else hosts[:1]


def _eta_s(generations: int, hosts: Sequence[HostFacts]) -> float:
    if generations == 0:
        return 0.0
    together = sum(host.takes_per_s() for host in hosts)
    last = max(host.latency_s for host in hosts)
    # the last one starts when all others have, and then takes its own time
    return round((generations - 1) / together + last, 1)
