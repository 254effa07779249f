from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault

if TYPE_CHECKING:
    from flows.jobs.assigned import Assigned
    from flows.results import Judgement
    from flows.results.counts import Counts


def results(
    spec: str,
    file: str,
    /,
    *,
    goal: Literal["clicks", "conversions"] | None = None,
    plot: Path | None = None,
    to: str | None = None,
    defaults: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say which variant of an A/B test does better, how sure that is, and what is missing.

    Args:
        spec: the campaign file, YAML or CSV.
        file: what the ads brought, CSV or TSV: a variant's id, utm_content or ad name, impressions,
            clicks, and if you have them conversions, date, product, channel.
        goal: what decides; conversions where the file has them, else clicks.
        plot: write a picture (SVG) of the rates here.
        to: another destination than the campaign's, where variants/assignments.csv lies.
        defaults: a YAML that gives a CSV of briefs what it does not say.
        json: print it as one JSON document.
    """
    _refuse_without_statistics()
    from flows.jobs.assigned import assigned
    from flows.jobs.job import Request
    from flows.results import judge
    from flows.results.document import document
    from flows.results.plot import plot as drawn

    if plot is not None and plot.suffix.lower() != ".svg":
        raise BadInput(
            "the picture cannot be drawn",
            [Fault("--plot", f"'{plot}'", "a name that ends in .svg")],
        )
    test = assigned(Request(spec=spec, to=to, defaults=defaults))
    for said in test.notes:
        terminal.note(said)
    campaign = test.campaign
    judgement = judge(_counts(file, test), goal)
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


def _counts(file: str, test: Assigned) -> Counts:
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
        test.arms,
        name=file,
        header=table.columns,
        lines=[Line(row.number, row.cells) for row in table.rows],
        bad=bad,
        products=test.products,
    )


def _show(campaign: str, judgement: Judgement) -> None:
    from flows.cli import results_shown

    results_shown.tables(judgement)
    for said in (*results_shown.notes(judgement), *judgement.counts.notes):
        terminal.note(said)
    for said in judgement.warnings:
        terminal.say(f"warning: {said}")
    for said in results_shown.verdicts(campaign, judgement):
        terminal.result(said)
