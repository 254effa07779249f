from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli import terminal

if TYPE_CHECKING:
    from flows.providers import Account, Provider
    from flows.providers.base import ReferenceLimits, Window


def providers(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """List the hosts: configured or not, limits, prices, and what becomes of each parameter.

    Args:
        json: print it as one JSON document.
    """
    from flows import providers as hosts
    from flows.jobs.accounts import accounts
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    settings = Settings.load(Workspace(Path.cwd()))
    known = [hosts.host(name) for name in hosts.names()]
    rows = [_row(host, accounts(host, settings)) for host in known]
    if json:
        # the free one is no host that sells: scripts that count hosts want the eight
        terminal.document(
            {
                "providers": [row for row in rows if row["key_variable"]],
                "proof": next(row for row in rows if not row["key_variable"]),
            }
        )
        return 0
    _show(rows)
    return 0


def _row(host: type[Provider], accounts: list[Account]) -> dict[str, Any]:
    account, can = accounts[0], host.capabilities
    return {
        "name": host.name,
        "title": host.title,
        "model": host.model,
        "configured": host.key_variable is None or bool(account.key),
        "accounts": len(accounts) if account.key else 0,
        "realm": account.realm.value,
        "key_variable": host.key_variable,
        "secret_variable": host.secret_variable,
        "addresses": dict(account.addresses),
        "auth": account.auth or next(iter(host.auth_ways), None),
        "auth_ways": list(host.auth_ways),
        "synchronous": host.is_synchronous,
        "latency_s": account.latency_s,
        "usd_per_image": account.usd_per_image,
        "price_note": host.price_note,
        "limits": {
            "windows": [_window(window) for window in account.limits.windows],
            "running": account.limits.running,
            "note": host.limits_note,
        },
        "references": _references(can.references),
        "parameters": {
            name: {"treatment": one.way.value, "native": one.native, "note": one.note}
            for name, one in can.treatments.items()
        },
    }


def _window(window: Window) -> dict[str, Any]:
    return {window.counts: window.amount, "per_s": window.per_s}


def _references(limits: ReferenceLimits) -> dict[str, Any]:
    return {
        "count": limits.count,
        "by": limits.by,
        "most_bytes": limits.most_bytes,
        "least_side": limits.least_side,
        "most_side": limits.most_side,
        "most_ratio": limits.most_ratio,
        "formats": list(limits.formats),
    }


def _show(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    console = terminal.tables()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("host", "what", "configured", "USD an image", "limits"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "host")
    for row in rows:
        price = row["usd_per_image"]
        table.add_row(
            row["name"],
            row["title"],
            "yes" if row["configured"] else f"set {row['key_variable']}",
            "not known" if price is None else str(price),
            _limits(row["limits"]),
        )
    console.print(table)
    console.print()
    matrix = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    matrix.add_column("parameter", no_wrap=True)
    for row in rows:
        matrix.add_column(row["name"], overflow="fold")
    for name in rows[0]["parameters"]:
        matrix.add_row(name, *(row["parameters"][name]["treatment"] for row in rows))
    console.print(matrix)
    console.print("what each means, and the hosts' own fields: shotlist providers --json")


def _limits(limits: dict[str, Any]) -> str:
    told = []
    for window in limits["windows"]:
        counts = next(name for name in window if name != "per_s")
        told.append(f"{window[counts]:,} {counts} in {window['per_s']:g} s")
    if limits["running"] is not None:
        told.append(f"{limits['running']} running")
    return ", ".join(told) or "none stated"
