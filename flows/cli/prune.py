from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from flows.cli import terminal

MOST_SHOWN = 100


def prune(
    spec: str,
    /,
    *,
    yes: Annotated[bool, Parameter(negative="")] = False,
    to: str | None = None,
    defaults: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """List what lies at the destination and no manifest names; with --yes, remove it.

    Args:
        spec: a campaign file, YAML or CSV.
        yes: remove what is listed.
        to: another destination than the campaign's.
        defaults: a YAML that gives a CSV of briefs what it does not say.
        json: print the list as one JSON document.
    """
    from flows.jobs.job import Request
    from flows.jobs.pruning import prune as pruned

    found = pruned(Request(spec=spec, to=to, defaults=defaults), remove=yes)
    for said in found.notes:
        terminal.note(said)
    if json:
        terminal.document({**asdict(found), "bytes": found.bytes})
        return 0
    for one in found.files[:MOST_SHOWN]:
        terminal.result(f"{one.path}  {one.bytes:,} bytes  {one.why}")
    if len(found.files) > MOST_SHOWN:
        terminal.result(f"… and {len(found.files) - MOST_SHOWN:,} more (--json lists all)")
    size = f"{terminal.counted(len(found.files), 'file')}, {found.bytes / 1e6:,.1f} MB"
    if not found.files:
        terminal.result(f"{found.destination}: nothing lies there that no manifest names")
    elif found.removed:
        terminal.result(f"{found.destination}: removed {size}")
    else:
        terminal.result(f"{found.destination}: {size}; --yes removes them")
    return 0
