from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal


def providers(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """List the hosts: configured or not, limits, prices.

    Args:
        json: print it as one JSON document.
    """
    from flows import providers as hosts
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    settings = Settings.load(Workspace(Path.cwd()))
    rows = []
    for name in hosts.names():
        host = hosts.provider(name)
        rows.append(
            {
                "name": name,
                "title": host.title,
                "model": host.model,
                "configured": host.key_variable is None or name in settings.keys,
                "key_variable": host.key_variable,
                "usd_per_image": host.usd_per_image,
                "price_note": host.price_note,
                "limits": {
                    "windows": [
                        {"requests": window.requests, "per_s": window.per_s}
                        for window in host.limits.windows
                    ],
                    "running": host.limits.running,
                },
            }
        )
    if json:
        terminal.document({"providers": rows})
        return 0
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("host", "what", "model", "configured", "USD an image"):
        table.add_column(heading)
    for row in rows:
        price = row["usd_per_image"]
        table.add_row(
            str(row["name"]),
            str(row["title"]),
            str(row["model"]),
            "yes" if row["configured"] else f"set {row['key_variable']}",
            "not known" if price is None else str(price),
        )
    terminal.tables().print(table)
    return 0
