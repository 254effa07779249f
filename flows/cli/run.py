from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.cli import asking, terminal
from flows.errors import BadInput, EnvironmentFault, Fault

if TYPE_CHECKING:
    from flows.jobs import Job, Summary

MOST_NAMED = 3
"""Shots of one failure that are named; the manifest names all."""


def run(
    spec: str,
    /,
    *,
    provider: Annotated[list[str] | None, Parameter(negative="")] = None,
    max_cost: Annotated[float | None, Parameter(validator=Number(gte=0))] = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    only: Annotated[list[str] | None, Parameter(negative="")] = None,
    to: str | None = None,
    defaults: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Plan a campaign, then make it: what is there already is neither bought nor drawn again.

    Args:
        spec: a campaign file, YAML or CSV.
        provider: a host that may make the images; may be given several times.
        max_cost: stop buying at so many USD.
        yes: do not ask, whatever the plan costs. What it retires is asked about all the same.
        only: shots to make, as a glob over shot ids such as 'MUG-*'; may be given several times.
        to: another destination than the campaign's.
        defaults: a YAML that gives a CSV of briefs what it does not say.
        json: print the run's summary as one JSON document.
    """
    from flows import jobs

    if max_cost is not None and math.isnan(max_cost):
        raise BadInput("the run was not started", [Fault("--max-cost", "nan is no amount")])
    terminal.say(f"reading {spec}")
    request = jobs.Request(
        spec=spec,
        providers=tuple(provider or ()),
        max_cost=None if max_cost is None else Decimal(str(max_cost)),
        only=tuple(only or ()),
        to=to,
        defaults=defaults,
    )
    job = jobs.prepare(request)
    _tell_plan(job)
    was_shown = asking.about_leaving(job, is_shown=not json) or json
    if job.work:
        jobs.require_keys(job.accounts)
    _ask(job, yes=yes, was_shown=was_shown)
    summary = jobs.nothing_to_do(job) if job.is_done else _make(job)
    if json:
        terminal.document(summary.document())
    else:
        _tell_end(job, summary)
    return summary.exit_code


def _tell_plan(job: Job) -> None:
    from flows.cli.plan import sums, told

    for line in sums(job):
        terminal.say(line)
    told(job)


def _ask(job: Job, *, yes: bool, was_shown: bool) -> None:
    cost = job.shot_list.estimate.cost_usd_high
    limit = job.campaign.ask_above_usd
    if yes or (cost is not None and cost <= limit) or not job.work:
        return
    if not asking.is_possible():
        raise BadInput(
            "the run was not started",
            [
                Fault(
                    "--yes",
                    f"the plan may cost {terminal.money(cost)}, more than ask_above_usd "
                    f"({terminal.money(limit)}), and there is no terminal to ask at",
                    remedy="look at `shotlist plan`, then run with --yes",
                )
            ],
        )
    from flows.cli.plan import ROWS, show

    if not was_shown:
        show(job, rows=ROWS)
    asking.confirm(f"Buy for up to {terminal.money(cost)}?")


def _make(job: Job) -> Summary:
    from flows import jobs
    from flows.cli.checkup.prefect_server import unreachable
    from flows.cli.progress import watching
    from flows.settings import quiet_prefect

    request, api_url = job.request, job.settings.prefect_api_url
    if api_url is not None and (fault := unreachable(api_url)):
        raise EnvironmentFault(fault)
    jobs.ready(job)
    with watching(job) as watcher, _interruptible():
        quiet_prefect(api_url, verbose=terminal.is_verbose())
        jobs.entrust(job, watcher)
        from flows.campaign import campaign

        return campaign(
            request.spec,
            providers=list(request.providers),
            max_cost=None if request.max_cost is None else float(request.max_cost),
            only=list(request.only),
            to=request.to,
            defaults=request.defaults,
        )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C once: settle what runs and stop. Twice: leave at once; nothing is lost either way."""
    pressed = False

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal pressed
        if pressed:
            os._exit(130)
        pressed = True
        terminal.say("stopping: what runs is settled first; Ctrl-C again leaves at once")
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _tell_failures(summary: Summary) -> None:
    """Each failed shot with its reason; many of one reason in one line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for failure in summary.failures:
        alike.setdefault((failure["stage"], failure["reason"]), []).append(failure["shot_id"])
    for (stage, reason), shots in alike.items():
        named = ", ".join(shots[:MOST_NAMED])
        more = len(shots) - MOST_NAMED
        others = f" and {terminal.counted(more, 'more shot')}" if more > 0 else ""
        terminal.error(f"{named}{others}: {stage}: {reason}")


def _unseen(job: Job) -> str:
    """Shots that are counted as published though nobody could say what is wanted of them."""
    return f", {len(job.unseen):,} of them of skipped rows" if job.unseen else ""


def _tell_end(job: Job, summary: Summary) -> None:
    _tell_failures(summary)
    for row in summary.remarks:
        terminal.note(row)
    if summary.made_files == 0 and not summary.failures and not summary.retired:
        terminal.result(
            f"nothing to do: {terminal.counted(summary.published, 'shot')} "
            f"({terminal.counted(summary.files, 'file')}) already there{_unseen(job)}; "
            f"bought 0, drew 0, spent {terminal.money(0)}"
        )
    else:
        verb = "drew" if job.realm.value == "proof" else "bought"
        terminal.result(
            f"published {summary.published:,} of {terminal.counted(summary.shots, 'shot')} "
            f"({terminal.counted(summary.files, 'file')}); "
            f"{verb} {terminal.counted(summary.bought, 'take')}, "
            f"{terminal.counted(summary.kept, 'shot')} from takes that were there, "
            f"spent {terminal.money(summary.spent_usd)}"
            + (f", retired {summary.retired:,}" if summary.retired else "")
            + _unseen(job)
        )
    terminal.result(f"manifest: {summary.manifest}")
    terminal.result(f"gallery:  {summary.gallery}")
