from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.nouns.shot import Reading
    from flows.results import Arm, Judgement
    from flows.results.counts import Counts
    from flows.results.rates import Rate
    from flows.results.winner import Contest

ROWS = 30


def results(
    spec: str,
    file: str,
    /,
    *,
    goal: Literal["clicks", "conversions"] | None = None,
    plot: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say which variant of an A/B test does better, how sure that is, and what is missing.

    Args:
        spec: the campaign file, YAML or CSV.
        file: what the ads brought, CSV or TSV: a variant's id, utm_content or ad name, impressions,
            clicks, and if you have them conversions, date, product, channel.
        goal: what decides; conversions where the file has them, else clicks.
        plot: write a picture (SVG) of the rates here.
        json: print it as one JSON document.
    """
    from flows import read

    _refuse_without_statistics()
    from flows.results import judge
    from flows.results.document import document
    from flows.results.plot import plot as drawn

    if plot is not None and plot.suffix.lower() != ".svg":
        raise BadInput(
            "the picture cannot be drawn",
            [Fault("--plot", f"'{plot}'", "a name that ends in .svg")],
        )
    reading = read.campaign(Path(spec))
    counts = _counts(file, _arms(reading))
    judgement = judge(counts, goal)
    campaign = reading.campaign.campaign
    if plot is not None:
        try:
            plot.write_bytes(drawn(campaign, judgement))
        except OSError as error:
            raise EnvironmentFault(f"{plot}: cannot be written: {error.strerror}") from error
    if json:
        terminal.document(document(campaign, judgement), indent=1)
        return 0
    _show(campaign, judgement)
    if plot is not None:
        terminal.say(f"drawn: {plot}")
    return 0


def _refuse_without_statistics() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("scipy", "statsmodels") if find_spec(name) is None]
    if missing:
        raise EnvironmentFault(
            f"`shotlist results` needs {' and '.join(missing)}: pip install 'shotlist[results]'"
        )


def _arms(reading: Reading) -> tuple[Arm, ...]:
    from flows.plan import variants
    from flows.results import arms_of

    arms = arms_of(reading.campaign, variants(reading), reading.rows)
    if len(arms) < 2:
        found = "it has no variants" if not arms else f"its only variant is {arms[0].id}"
        raise BadInput(
            f"{reading.spec_path} is no test",
            [Fault(reading.spec_path, found, "two or more", "write `variants:` or `experiment:`")],
        )
    return arms


def _counts(file: str, arms: Sequence[Arm]) -> Counts:
    from flows.read.tables import delimited
    from flows.read.tables.text import decoded
    from flows.results.columns import without_preamble
    from flows.results.counts import Line, counted

    path = Path(file)
    if not path.is_file():
        found = "a folder, not a file" if path.is_dir() else "there is no such file"
        raise BadInput(f"{file} cannot be read", [Fault(file, found, "CSV or TSV")])
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EnvironmentFault(f"{file}: cannot be read: {error.strerror}") from error
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BadInput(
            f"{file} cannot be read",
            [Fault(file, "a workbook", "CSV or TSV", "save the sheet as CSV")],
        )
    text, note = decoded(data, file)
    text = without_preamble(text)
    told = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(told) < 2:
        found = "there is no line below the header" if told else "the file is empty"
        remedy = "it needs a line of column names and a line for each ad (and day)"
        raise BadInput(f"{file} cannot be read", [Fault(file, found, remedy=remedy)])
    table = delimited.table(text, file)
    for said in filter(None, [note, *table.notes]):
        terminal.note(said)
    bad = [
        Fault(table.place(one.number, one.column), one.found, remedy=one.remedy)
        for one in table.bad
    ]
    return counted(
        arms,
        name=file,
        header=table.columns,
        lines=[Line(row.number, row.cells) for row in table.rows],
        bad=bad,
    )


def _show(campaign: str, judgement: Judgement) -> None:
    for metric in judgement.metrics:
        names = [arm.id for arm in metric.arms]
        _table("variant", metric.title, names, metric.rates, metric.contest)
        for factor in metric.factors:
            title = f"{metric.title}, by {factor.name}"
            if factor.contest is None:
                terminal.note(f"{factor.name}: {factor.why}")
            else:
                _table(factor.name, title, factor.levels, factor.rates, factor.contest)
    spread = judgement.metrics[0].spread
    if spread.degrees is None:
        terminal.note(
            "the file has no dates to tell by how much days differ: impressions are taken as"
            " independent of each other"
        )
    terminal.note(
        "decide once, when the test has run for as long as it was meant to: whoever looks every"
        " day and stops at the first winner names false ones"
    )
    for said in judgement.counts.notes:
        terminal.note(said)
    for said in judgement.warnings:
        terminal.say(f"warning: {said}")
    for factor in judgement.metrics[0].factors:
        if factor.contest is not None:
            at = factor.contest.winner
            won = "no winning level" if at is None else f"{factor.levels[at]} wins"
            terminal.result(f"{campaign}, {factor.name}: {won}")
    won = f"{judgement.winner} wins" if judgement.winner else "no winner"
    terminal.result(f"{campaign}: {won}: {judgement.why}")


def _table(
    heading: str,
    title: str,
    names: Sequence[str],
    rates: Sequence[Rate],
    held: Contest | None,
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from flows.results.judge import percent

    order = sorted(range(len(names)), key=lambda at: -rates[at].chance_best)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(heading, overflow="fold")
    for column in (title, "rate", "95 % between", "chance to be best", "loss if chosen"):
        table.add_column(column, justify="right")
    for at in order[:ROWS]:
        rate = rates[at]
        is_winner = held is not None and held.winner == at
        table.add_row(
            Text(names[at], style="bold green" if is_winner else ""),
            f"{rate.successes:,.10g} of {rate.trials:,}",
            "-" if rate.rate is None else percent(rate.rate),
            f"{percent(rate.low)} and {percent(rate.high)}",
            percent(rate.chance_best),
            percent(rate.expected_loss),
        )
    console = terminal.tables()
    console.print(table)
    if len(names) > ROWS:
        console.print(f"… and {terminal.counted(len(names) - ROWS, 'more')} (--json)")
    console.print()
