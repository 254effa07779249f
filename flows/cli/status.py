from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from flows.cli import terminal


def status(
    spec: str | None = None,
    /,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say what the ledger knows: takes by state, what was spent, what is unsettled, the last runs.

    Args:
        spec: a campaign file whose workspace is meant; default: the current folder's.
        json: print it as one JSON document.
    """
    from flows.ledger import open_ledger
    from flows.nouns.take import Realm
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    workspace = Workspace.of(Path(spec), Path.cwd()) if spec else Workspace(Path.cwd())
    settings = Settings.load(workspace)
    name = _campaign(spec) if spec else None
    if not settings.ledger_is_there():
        if json:
            terminal.document({"ledger": None, "takes": [], "unsettled": [], "runs": []})
        else:
            terminal.result(f"no ledger yet in {workspace.root}: nothing was made here")
        return 0
    with open_ledger(settings.ledger_url) as book:
        tally = book.tally()
        paid = [realm for realm in Realm if realm is not Realm.PROOF]
        unsettled = [take for realm in paid for take in book.unsettled(realm)]
        runs = book.runs(name)
    if json:
        terminal.document(
            {
                "ledger": book.shown,
                "takes": [
                    {"realm": realm, "provider": host, "state": state, "takes": n, "usd": usd}
                    for realm, host, state, n, usd in tally
                ],
                "unsettled": [
                    {
                        "recipe": take.recipe,
                        "realm": take.realm.value,
                        "provider": take.provider,
                        "state": take.state.value,
                        "reason": take.reason,
                    }
                    for take in unsettled
                ],
                "runs": [dict(run) for run in runs],
            }
        )
        return 0
    _show(book.shown, tally, runs)
    for take in unsettled:
        terminal.result(f"unsettled: {take.recipe[:12]} at {take.provider}: {take.state.value}")
    return 0


def _campaign(spec: str) -> str:
    from flows import read

    return read.campaign(Path(spec)).campaign.campaign


def _show(ledger: str, tally: Any, runs: Any) -> None:
    from rich import box
    from rich.table import Table

    console = terminal.tables()
    takes = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("realm", "host", "state"):
        takes.add_column(heading)
    takes.add_column("takes", justify="right")
    takes.add_column("spent", justify="right")
    for realm, host, state, count, usd in tally:
        takes.add_row(realm, host, state, f"{count:,}", terminal.money(usd))
    console.print(f"ledger: {ledger}", markup=False, soft_wrap=True)
    console.print(takes if tally else "no takes yet")
    if not runs:
        return
    last = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("run", "campaign", "realm", "began", "ended", "outcome"):
        last.add_column(heading, overflow="fold", no_wrap=heading == "run")
    for run in runs:
        last.add_row(
            run["id"],
            run["campaign"],
            run["realm"],
            run["started_at"],
            run["ended_at"] or "-",
            run["outcome"] or "running or killed",
        )
    console.print(last)
