"""Webhooks: posted to the client with the host's signature, repeated as the host's page says."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flows.sandbox.faults import LATE_S

if TYPE_CHECKING:
    import httpx

    from flows.sandbox.world import World

LEAST_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to a client.

    `sign` gives the headers for the raw body and is asked anew for each attempt. `waits` are the
    sandbox seconds between attempts: two waits are three attempts. `timeout_s` in sandbox seconds,
    though never below five real ones, since the receiver does not run faster.
    """

    host: str
    task: str
    url: str
    body: bytes
    sign: Callable[[bytes], Mapping[str, str]] = lambda _: {}
    waits: tuple[float, ...] = (10.0, 10.0)
    timeout_s: float = 30.0
    redirects_are_final: bool = False


@dataclass(slots=True)
class Attempt:
    """What became of one attempt. `status` 0: no answer."""

    at: float
    status: int
    outcome: str


@dataclass(slots=True)
class History:
    """The attempts of one delivery, for hosts that show them."""

    delivery: Delivery
    attempts: list[Attempt] = field(default_factory=list)


def is_on_this_machine(url: str) -> bool:
    """Whether an address is loopback. Nothing else is ever sent to from the sandbox."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Webhooks:
    """Delivers in the background."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._client: httpx.AsyncClient | None = None
        self.histories: list[History] = []

    def send(self, delivery: Delivery) -> History:
        """Deliver, as the faults file allows: not at all, later, or twice."""
        hits = self._world.faults.strike(delivery.host, "webhook")
        for kind in hits:
            self._world.bill.injected(delivery.host, kind)
        history = History(delivery)
        self.histories.append(history)
        if "lost" in hits:
            self._note(history, 0, "lost")
            return history
        late = hits.get("late")
        wait = 0.0 if late is None else LATE_S if late.s is None else late.s
        for _ in range(2 if "duplicate" in hits else 1):
            self._world.spawn(self._deliver(history, wait))
        return history

    async def close(self) -> None:
        """Close the connections to receivers."""
        if self._client is not None:
            await self._client.aclose()

    async def _deliver(self, history: History, wait: float) -> None:
        clock, delivery = self._world.clock, history.delivery
        await clock.sleep(wait)
        if not is_on_this_machine(delivery.url):
            self._note(history, 0, "not sent: the sandbox calls this machine alone")
            return
        for pause in (*delivery.waits, None):
            status, outcome = await self._post(delivery)
            self._note(history, status, outcome)
            final = delivery.redirects_are_final and 300 <= status < 400
            if 200 <= status < 300 or final or pause is None:
                return
            await clock.sleep(pause)

    async def _post(self, delivery: Delivery) -> tuple[int, str]:
        import httpx

        if self._client is None:
            # the machine's proxies have no business between two ends on the same machine
            self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        timeout = max(LEAST_TIMEOUT_S, self._world.clock.real(delivery.timeout_s))
        headers = {"content-type": "application/json", **delivery.sign(delivery.body)}
        try:
            async with asyncio.timeout(timeout):
                answer = await self._client.post(
                    delivery.url, content=delivery.body, headers=headers, timeout=timeout
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return 0, type(error).__name__
        return answer.status_code, "delivered" if answer.is_success else "refused"

    def _note(self, history: History, status: int, outcome: str) -> None:
        clock, delivery = self._world.clock, history.delivery
        history.attempts.append(Attempt(clock.now(), status, outcome))
        line: dict[str, Any] = {
            "task": delivery.task,
            "status": status,
            "outcome": outcome,
            "at": clock.iso(),
        }
        self._world.bill.called(delivery.host, line)
