"""The bill: what was asked, made, charged, delivered and refused, host by host."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.sandbox.refused import Refused


def account(key: str) -> str:
    """The name under which the report tells an account: a mark of the key, never the key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def fingerprint(body: bytes) -> str:
    """Sha256 of a request's body: two creates with the same one are a purchase made twice."""
    return hashlib.sha256(body).hexdigest()


@dataclass(slots=True)
class _Page:
    """What one host wrote down."""

    asked: Counter[str] = field(default_factory=Counter)
    made: list[dict[str, Any]] = field(default_factory=list)
    delivered: set[tuple[str, int]] = field(default_factory=set)
    downloads: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    bodies: Counter[tuple[str, str]] = field(default_factory=Counter)
    created: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    peak_per_window: int = 0
    peak_running: int = 0


class Bill:
    """Filled by the core while it serves; read by the report. In memory only."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._pages: dict[str, _Page] = defaultdict(_Page)

    def open(self, host: str) -> None:
        """Give the host a page, so that the report names it even when nobody called."""
        self._pages[host]

    def asked(self, host: str, at: str) -> None:
        """Count a request: create, poll, result, link, upload, list, cancel or other."""
        self._pages[host].asked[at] += 1

    def created(self, host: str, key: str, body: bytes) -> None:
        """A create was accepted; the same body of the same account again is a duplicate."""
        page = self._pages[host]
        page.created += 1
        page.bodies[account(key), fingerprint(body)] += 1

    def made(
        self,
        host: str,
        key: str,
        *,
        task: str,
        prompt: str,
        size: str,
        n: int,
        usd: float,
        at: str,
    ) -> None:
        """`n` images were made and charged with `usd` in all; `at` in sandbox time, RFC 3339."""
        self._pages[host].made.append(
            {
                "key": account(key),
                "task": task,
                "prompt_sha256": hashlib.sha256(prompt.encode()).hexdigest(),
                "size": size,
                "n": n,
                "usd": round(usd, 6),
                "at": at,
            }
        )

    def delivered(self, host: str, task: str, image: int) -> None:
        """Image number `image` (from 0) of a task reached the client whole."""
        page = self._pages[host]
        page.downloads += 1
        page.delivered.add((task, image))

    def refused(self, host: str, method: str, path: str, refused: Refused, at: str) -> None:
        """A request was refused. Whose fault: `client`, `injected` or `sandbox`."""
        whose = {"injected": "injected", "defect": "sandbox"}.get(refused.reason, "client")
        self._pages[host].refused.append(
            {
                "host": host,
                "method": method,
                "path": path,
                "status": refused.status,
                "reason": refused.reason,
                "message": refused.message,
                "field": refused.field,
                "whose": whose,
                "at": at,
            }
        )

    def injected(self, host: str, kind: str) -> None:
        """A fault of the faults file was acted out."""
        self._pages[host].injected[kind] += 1

    def called(self, host: str, delivery: Mapping[str, object]) -> None:
        """One attempt to deliver a webhook, with its outcome."""
        self._pages[host].webhooks.append(dict(delivery))

    def window_held(self, host: str, count: int) -> None:
        """So many are in a window; the report tells the most."""
        page = self._pages[host]
        page.peak_per_window = max(page.peak_per_window, count)

    def running_held(self, host: str, count: int) -> None:
        """So many are running for one account; the report tells the most."""
        page = self._pages[host]
        page.peak_running = max(page.peak_running, count)

    def report(self) -> dict[str, Any]:
        """The bill as a JSON document: `speed`, `hosts` by name, `totals`, `images`."""
        hosts = {host: _summary(page) for host, page in sorted(self._pages.items())}
        counted = (
            "requests",
            "creates",
            "polls",
            "made",
            "billed",
            "usd",
            "delivered",
            "client_faults",
            "over_limit",
            "duplicates",
        )
        totals = {name: round(sum(page[name] for page in hosts.values()), 6) for name in counted}
        images = {host: list(page.made) for host, page in sorted(self._pages.items()) if page.made}
        return {"speed": self._speed, "hosts": hosts, "totals": totals, "images": images}


def _summary(page: _Page) -> dict[str, Any]:
    made = sum(line["n"] for line in page.made)
    return {
        "requests": page.asked.total(),
        "creates": page.created,
        "polls": page.asked["poll"],
        "asked": dict(sorted(page.asked.items())),
        "made": made,
        "billed": sum(line["n"] for line in page.made if line["usd"] > 0),
        "usd": round(sum(line["usd"] for line in page.made), 6),
        "delivered": len(page.delivered),
        "downloads": page.downloads,
        "refused": list(page.refused),
        "client_faults": sum(1 for line in page.refused if line["whose"] == "client"),
        "over_limit": sum(1 for line in page.refused if line["reason"] == "limit"),
        "peak_per_window": page.peak_per_window,
        "peak_running": page.peak_running,
        "duplicates": sum(count - 1 for count in page.bodies.values()),
        "injected": dict(sorted(page.injected.items())),
        "webhooks": list(page.webhooks),
    }
