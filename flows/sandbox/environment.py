"""The variables that point a client at the sandbox, and the accounts file of a fast clock."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flows.sandbox.hosts import HostModule
from flows.sandbox.limits import Limits
from flows.sandbox.world import World

_SPELLED = {"all": "requests", "create": "creates", "image": "images"}


def variables(base: str, speaking: Iterable[HostModule]) -> dict[str, str]:
    """Addresses, keys and webhook secrets by variable; `base` is the server's address."""
    return {name: value for module in speaking for name, value in module.environment(base).items()}


def write_accounts(world: World, path: Path) -> None:
    """Write what a fast clock changes for a client: shorter windows, shorter latencies, as YAML."""
    import yaml

    document = {
        name: _account(desk.gate.limits, world.clock.speed, desk.host.latency_s)
        for name, desk in sorted(world.desks.items())
    }
    path.write_text(
        "# limits of the sandbox's hosts in real seconds\n" + yaml.safe_dump(document),
        encoding="utf-8",
    )


def _account(limits: Limits, speed: float, latency_s: float) -> dict[str, object]:
    account: dict[str, object] = {"latency_s": round(latency_s / speed, 4)}
    windows = [
        {_SPELLED[window.counted]: window.most, "per_s": round(window.per_s / speed, 6)}
        for window in limits.windows
        if window.counted in _SPELLED
    ]
    if windows:
        account["windows"] = windows
    if limits.running is not None:
        account["running"] = limits.running
    return account
