from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal


def channels(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """List the channel presets: id, pixels, formats, largest file, rules, and where each is from.

    Those of this project come first, then those of a file channels.yaml in the current folder.

    Args:
        json: print them as one JSON document.
    """
    from pathlib import Path

    from flows.presets import channels as presets

    found = presets(Path.cwd()).values()
    if json:
        terminal.document({"channels": [asdict(channel) for channel in found]})
        return 0
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("channel", no_wrap=True)
    table.add_column("pixels", no_wrap=True)
    table.add_column("ratio", no_wrap=True)
    table.add_column("formats")
    table.add_column("largest", justify="right", no_wrap=True)
    table.add_column("text", no_wrap=True)
    table.add_column("verified", no_wrap=True)
    has_own = any(channel.origin != "shotlist" for channel in found)
    if has_own:
        table.add_column("from")
    for channel in found:
        table.add_row(
            channel.id,
            f"{channel.width}x{channel.height}" if not channel.retired else "retired",
            channel.ratio,
            ", ".join(channel.formats),
            f"{channel.max_bytes / 1000:,.0f} kB" if channel.max_bytes else "-",
            channel.text,
            channel.verified or "-",
            *([channel.origin] if has_own else []),
        )
    terminal.tables().print(table)
    return 0
