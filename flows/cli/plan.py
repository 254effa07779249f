from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

from flows.cli import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from flows.jobs import Job

ROWS = 30
_LEAST_WHY = 30
"""Letters of a line that a longer reason needs, to stand beside its shot."""
_COLOURS = {
    "new": "green",
    "changed": "yellow",
    "failed": "red",
    "parked": "magenta",
    "retired": "cyan",
}


def plan(
    spec: str,
    /,
    *,
    provider: Annotated[list[str] | None, Parameter(negative="")] = None,
    only: Annotated[list[str] | None, Parameter(negative="")] = None,
    to: str | None = None,
    defaults: str | None = None,
    all_rows: Annotated[bool, Parameter(name="--all", negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Show what a run would make, why, what it costs and how long it takes. Spends nothing.

    Args:
        spec: a campaign file, YAML or CSV.
        provider: a host that may make the images; may be given several times.
        only: shots to make, as a glob over shot ids such as 'MUG-*'; may be given several times.
        to: another destination than the campaign's.
        defaults: a YAML that gives a CSV of briefs what it does not say.
        all_rows: show every shot, also those that stay as they are.
        json: print the whole plan as one JSON document.
    """
    from flows import jobs
    from flows.plan import document

    if not json:
        terminal.say(f"reading {spec}")
    job = jobs.prepare(
        jobs.Request(
            spec=spec,
            providers=tuple(provider or ()),
            only=tuple(only or ()),
            to=to,
            defaults=defaults,
        )
    )
    if json:
        shots = job.shot_list.shots
        by_shot = {shot.shot_id: paths for shot, paths in zip(shots, job.paths, strict=True)}
        said = document(job.shot_list, by_shot, anew=job.anew)
        said["totals"]["unseen"] = len(job.unseen)
        if found := jobs.leaving(job):
            said["notes"].append(found.told)
        terminal.document(said)
        return 0
    show(job, rows=None if all_rows else ROWS)
    if found := jobs.leaving(job):
        terminal.note(found.told)
    return 0


class _Line(NamedTuple):
    """A row of the plan's table."""

    shot_id: str
    state: str
    files: str
    why: str


def _all(job: Job) -> Iterator[_Line]:
    """Every shot, then those that are wanted no more."""
    for shot, paths in zip(job.shot_list.shots, job.paths, strict=True):
        why = shot.why
        if shot.state == "kept" and shot.shot_id in job.anew:
            why = f"cut anew from its take: {job.anew[shot.shot_id]}"
        yield _Line(shot.shot_id, shot.state.value, str(len(paths)), why)
    for one in job.shot_list.retired:
        yield _Line(one.shot_id, "retired", "", one.why)


def _changes(job: Job) -> Iterator[_Line]:
    """What is not as it was: all that a person has to look at."""
    return (line for line in _all(job) if line.state != "kept" or line.shot_id in job.anew)


def show(job: Job, *, rows: int | None) -> None:
    """The plan for a person: what changed, the sums, and what is worth knowing."""
    lines = list(_changes(job))
    kept = len(job.shot_list.shots) + len(job.shot_list.retired) - len(lines)
    if rows is None and kept:
        lines = list(_all(job))
        kept = 0
    console = terminal.tables()
    if lines:
        _print(lines[:rows], console)
    if rows is not None and len(lines) > rows:
        console.print(f"… and {terminal.counted(len(lines) - rows, 'shot')} more (--all)")
    if kept:
        console.print(f"{terminal.counted(kept, 'shot')} as before (--all)")
    for summed in sums(job):
        terminal.result(summed)
    told(job)


def _print(lines: Sequence[_Line], console: Console) -> None:
    """As a table; where reasons have no room beside their shots each stands below its own. A shot's
    id is never broken: it is there to be copied.
    """
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    longest = max(len(line.shot_id) for line in lines)
    state_and_files = max(len(line.state) for line in lines) + len("files") + 9
    longest_why = max(len(line.why) for line in lines)
    if console.width - longest - state_and_files < min(_LEAST_WHY, longest_why):
        for line in lines:
            state = Text(line.state, style=_COLOURS.get(line.state, ""))
            files = f"  {terminal.counted(int(line.files), 'file')}" if line.files else ""
            told = Text.assemble((line.shot_id, "bold"), "  ", state, files)
            console.print(told, soft_wrap=True)
            console.print(Padding(Text(line.why, style="dim"), (0, 0, 0, 4)))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, style in (("shot", "bold"), ("state", ""), ("files", "")):
        table.add_column(heading, style=style, no_wrap=True)
    table.add_column("why", style="dim", overflow="fold")
    for line in lines:
        state = Text(line.state, style=_COLOURS.get(line.state, ""))
        table.add_row(Text(line.shot_id), state, line.files, Text(line.why))
    console.print(table)


def sums(job: Job) -> list[str]:
    """The totals of a plan, a line each."""
    shots, estimate = job.shot_list.shots, job.shot_list.estimate
    states: dict[str, int] = {}
    for shot in shots:
        states[shot.state.value] = states.get(shot.state.value, 0) + 1
    if job.shot_list.retired:
        states["retired"] = len(job.shot_list.retired)
    products = len({shot.product.key for shot in shots})
    cost = terminal.money(estimate.cost_usd_low)
    if estimate.cost_usd_high != estimate.cost_usd_low:
        cost += f" to {terminal.money(estimate.cost_usd_high)}"
    if estimate.cost_usd_low is None:
        cost = f"not known ({estimate.unknown})"
    anew = f", {len(job.anew):,} of them cut anew" if job.anew else ""
    counts = ", ".join(
        f"{count:,} {state}{anew if state == 'kept' else ''}" for state, count in states.items()
    )
    of_what = (
        f"{terminal.counted(products, 'product')}, {terminal.counted(len(shots), 'shot')} "
        f"({counts}), {terminal.counted(sum(len(paths) for paths in job.paths), 'file')}"
        f"{_skipped(job)}"
    )
    to_make = (
        f"to generate: {terminal.counted(estimate.generations, 'take')}, cost {cost}, "
        f"about {terminal.duration(estimate.eta_s)}"
    )
    return [
        f"{job.campaign.campaign} with {job.hosts} ({job.realm.value}) to {job.place.shown}",
        of_what,
        to_make,
    ]


def _skipped(job: Job) -> str:
    """Rows that could not be read, and what becomes of what was published of their products."""
    skipped = len(job.shot_list.skipped)
    if not skipped:
        return ""
    said = f"; {terminal.counted(skipped, 'row')} skipped"
    if job.unseen:
        said += (
            f", and {terminal.counted(len(job.unseen), 'published shot')} of such left as before"
        )
    return said


def told(job: Job) -> None:
    """Notes and skipped rows."""
    for said in job.notes:
        terminal.note(said)
    for row in job.shot_list.skipped:
        terminal.note(f"{row.place}: skipped: {row.reason}")
