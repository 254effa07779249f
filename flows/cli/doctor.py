from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import EnvironmentFault, ShotlistError

if TYPE_CHECKING:
    from flows.cli.checkup import Finding

_MARKS = {True: "ok", None: "-", False: "BAD"}
_NO_KEY = "no key: "


def doctor(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Check Python, Prefect, network, fonts, signing, hosts, storage, and say what to do.

    No host is asked: whether a key is still good shows when it is used.

    Args:
        json: print the findings as one JSON document.
    """
    findings = list(_findings())
    if json:
        terminal.document({"findings": [finding._asdict() for finding in findings]})
    else:
        _show(findings)
    return EnvironmentFault.exit_code if any(one.ok is False for one in findings) else 0


def _findings() -> Iterator[Finding]:
    from flows.cli import checkup
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings, hand_to_storages, left_in_file

    workspace = Workspace(Path.cwd())
    try:
        hand_to_storages(workspace)
        settings = Settings.load(workspace)
        left = left_in_file(workspace)
    except ShotlistError as error:
        yield checkup.Finding("settings", False, str(error))
        return
    yield from checkup.machine(settings, workspace)
    yield checkup.prefect(settings.prefect_api_url)
    yield from checkup.hosts(settings)
    yield from checkup.keeping(settings, workspace)
    yield from checkup.campaigns(settings, workspace)
    if left:
        said = f"{', '.join(left)}: not taken from there; set it in the environment itself"
        yield checkup.Finding(".env", None, said)


def _show(findings: Sequence[Finding]) -> None:
    """A table, the hosts without a key in one row of it; then what is to be mended."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    without = [one.what for one in findings if one.said.startswith(_NO_KEY)]
    for one in findings:
        if one.what in without:
            continue
        if one.what == "no host named" and without:
            said = f"{', '.join(without)}; `shotlist providers` says what to set in .env"
            table.add_row(_MARKS[None], "no key", said)
        table.add_row(_MARKS[one.ok], one.what, one.said)
    terminal.tables().print(table)
    bad = [one.what for one in findings if one.ok is False]
    terminal.result(f"to be mended: {', '.join(bad)}" if bad else "nothing is to be mended")
