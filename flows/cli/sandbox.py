from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal


def sandbox(
    *,
    port: int = 0,
    speed: float = 1.0,
    faults: Annotated[Path | None, Parameter(negative="")] = None,
    report: Annotated[Path | None, Parameter(negative="")] = None,
) -> int:
    """Serve all hosts' APIs on this machine: no money, no network, documented limits and faults.

    Prints the environment lines that point at it (`set -a; source <file>`), then serves until
    Ctrl-C.

    Args:
        port: the port on this machine; 0: any free one.
        speed: how many times faster than real its clock runs.
        faults: a YAML or JSON file of what shall go wrong.
        report: write the bill and every refused request to this JSON file.
    """
    from flows import sandbox as room

    def announce(lines: str) -> None:
        terminal.result(lines)
        terminal.say("sandbox: serving; stop it with Ctrl-C")

    room.serve(room.Options(port=port, speed=speed, faults=faults, report=report), announce)
    if report is not None:
        terminal.say(f"sandbox: the report is in {report}")
    return 0
