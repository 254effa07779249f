from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli import terminal

if TYPE_CHECKING:
    from flows.jobs.overview import Overview
    from flows.jobs.unsettled import Unsettled
    from flows.ledger import Refusal

MOST_SHOWN = 20
MOST_LETTERS = 100
UNBROKEN = frozenset({"at work: run", "campaign", "host", "no picture: host", "realm", "state"})


def status(
    spec: str | None = None,
    /,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say what the ledger knows: takes by state, money, what is unsettled and what to do about it,
    who is at work, how long hosts take and why they refuse, the last runs.

    Args:
        spec: a campaign file: its workspace is meant, and its runs and money alone.
        json: print it as one JSON document.
    """
    from flows.jobs.overview import NOTHING, overview
    from flows.ledger import open_ledger
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    workspace = Workspace.of(Path(spec), Path.cwd()) if spec else Workspace(Path.cwd())
    settings = Settings.load(workspace)
    if not settings.ledger_is_there():
        if json:
            terminal.document(NOTHING)
        else:
            terminal.result(f"no ledger yet in {workspace.root}: nothing was made here")
        return 0
    with open_ledger(settings.ledger_url) as book:
        told = overview(book, spec)
    if json:
        terminal.document(told.document())
    else:
        _show(told)
    return 0


def _show(told: Overview) -> None:
    terminal.tables().print(f"ledger: {told.ledger}", markup=False, soft_wrap=True)
    _table(
        ("realm", "host", "state", "takes", "spent"),
        [
            (realm, host, state, f"{count:,}", terminal.money(usd))
            for realm, host, state, count, usd in told.tally
        ],
        numbers=("takes", "spent"),
    )
    if not told.tally:
        terminal.result("no takes yet")
    _show_unsettled(told.unsettled)
    _table(
        ("at work: run", "host", "process", "machine"),
        [(one.run, one.host, str(one.pid), one.machine.partition(" ")[0]) for one in told.at_work],
    )
    _table(
        ("campaign", "realm", "latest run", "this month", "in all"),
        [
            (
                one.campaign,
                one.realm,
                terminal.money(one.run_usd),
                terminal.money(one.month_usd),
                terminal.money(one.total_usd),
            )
            for one in told.spending
        ],
        numbers=("latest run", "this month", "in all"),
    )
    _table(
        ("host", "made from", "size", "took on average", "of the last"),
        [
            (one.host, one.mode, one.tier, f"{one.mean_s:,.1f} s", f"{one.takes:,}")
            for one in told.latencies
        ],
        numbers=("took on average", "of the last"),
    )
    _table(
        ("no picture: host", "realm", "became", "times", "why"),
        [(one.host, one.realm, one.state, f"{one.times:,}", _why(one)) for one in told.refusals],
        numbers=("times",),
    )
    at_work = {one.run for one in told.at_work}
    for run in told.runs:
        terminal.result(
            f"run {run['id']}  {run['campaign']}  {run['realm']}  {_minute(run['started_at'])}"
        )
        terminal.result(f"  {_became(run, is_at_work=run['id'] in at_work)}")


def _minute(at: str) -> str:
    """`2026-11-21T13:52:07.312Z` to `2026-11-21 13:52 UTC`."""
    return f"{at[:10]} {at[11:16]} UTC"


def _became(run: Mapping[str, Any], *, is_at_work: bool) -> str:
    """What became of a run, for people."""
    if is_at_work:
        return "at work"
    if run["ended_at"] is None:
        return "running, or killed: then the next run goes on"
    began, ended = (datetime.fromisoformat(run[at]) for at in ("started_at", "ended_at"))
    took = f"took {terminal.duration((ended - began).total_seconds())}"
    if run["outcome"] == "ended":
        return f"{run['told'] or 'ended'}; {took}"
    why = f": {run['told']}" if run["told"] else ""
    return f"{run['outcome']}{why}; {took}; the next run goes on"


def _show_unsettled(unsettled: Sequence[Unsettled]) -> None:
    for one in unsettled[:MOST_SHOWN]:
        sent = f", sent {_minute(one.sent_at)}" if one.sent_at else ""
        terminal.result(
            f"{one.take.state}: {one.told}{sent}, price {terminal.money(one.take.price_usd)}"
        )
        terminal.result(f"  {one.remedy}")
    if len(unsettled) > MOST_SHOWN:
        left = len(unsettled) - MOST_SHOWN
        terminal.result(f"… and {left:,} more that are not settled (--json)")


def _why(refusal: Refusal) -> str:
    text = " ".join(refusal.reason.split()) or "no reason was given"
    return f"{text[: MOST_LETTERS - 1]}…" if len(text) > MOST_LETTERS else text


def _table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()
) -> None:
    """Nothing at all where there are no rows."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(
            heading,
            justify="right" if heading in numbers else "left",
            overflow="fold",
            no_wrap=heading in UNBROKEN,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    if table.row_count:
        terminal.tables().print(table)
        terminal.tables().print()
