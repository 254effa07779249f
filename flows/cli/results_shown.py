"""A judgement for a person: tables that fit a terminal, notes, and the verdict last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flows.cli import terminal

if TYPE_CHECKING:
    from flows.results import Judgement
    from flows.results.rates import Rate
    from flows.results.winner import Contest

ROWS = 30
_LEAST_P = 0.0001


def tables(judgement: Judgement) -> None:
    """Each rate by variant and by the levels of each factor, the likeliest first."""
    but = bool(judgement.but)
    for metric in judgement.metrics:
        names = [arm.id for arm in metric.arms]
        _table("variant", metric.title, names, metric.rates, metric.contest, but)
        for factor in metric.factors:
            if factor.contest is None:
                terminal.note(f"{factor.name}: {factor.why}")
            else:
                title = f"{metric.title}, by {factor.name}"
                _table(factor.name, title, factor.levels, factor.rates, factor.contest, but)


def notes(judgement: Judgement) -> Iterator[str]:
    """How far the numbers can be trusted, whatever they say."""
    metric = judgement.metrics[0]
    if any(_is_adjusted(factor.rates) for factor in metric.factors if factor.contest):
        yield (
            "adjusted: what the rate would be had all levels been shown on the same mix of all"
            " other factors; range, chance and what it gives away are of this"
        )
    yield "gives away: how much of the best rate is lost on average by choosing this one"
    if metric.spread.degrees is None:
        yield (
            "the file has no dates to tell by how much days differ: impressions are taken as"
            " independent of each other"
        )
    if metric.contest is not None:
        told = sum(factor.contest is not None for factor in metric.factors)
        questions = f"; {1 + told} questions share that" if told else ""
        yield (
            "a winner beats each other one with p at most"
            f" {metric.contest.alpha:.2g} (one-sided; here it is {_p(metric.contest.p_value)}), so"
            f" that fewer than 5 % of reports name a false one{questions}"
        )
    yield (
        "decide once, when the test has run for as long as it was meant to: whoever looks every"
        " day and stops at the first winner names false ones"
    )


def verdicts(campaign: str, judgement: Judgement) -> Iterator[str]:
    """Each factor, then the variants, then what to do."""
    from flows.results.verdict import lead_of

    for factor in judgement.metrics[0].factors:
        held = factor.contest
        if held is not None:
            best, lead = factor.levels[held.best], lead_of(held, factor.levels)
            if held.winner is None:
                won = f"no winning level: {best} has {lead}" if lead else "no winning level"
            else:
                won = f"{best} would win, but {judgement.but}" if judgement.but else f"{best} wins"
                won += f"{'; it has' if judgement.but else ':'} {lead}" if lead else ""
            yield f"{campaign}, {factor.name}: {won}, p {_p(held.p_value)}"
    won = f"{judgement.winner} wins" if judgement.winner else "no winner"
    if judgement.would_win:
        won = f"{judgement.would_win} would win, but {judgement.but}"
    yield f"{campaign}: {won}{'.' if judgement.would_win else ':'} {judgement.why}"
    for step in judgement.steps:
        yield f"next: {step}"


def _p(value: float) -> str:
    return f"under {_LEAST_P}" if value < _LEAST_P else f"{value:.2g}"


def _is_adjusted(rates: Sequence[Rate]) -> bool:
    """Whether a person can see a difference."""
    from flows.results.spoken import percent

    return any(percent(one.believed) != percent(one.rate or 0.0) for one in rates)


def _table(
    heading: str,
    title: str,
    names: Sequence[str],
    rates: Sequence[Rate],
    held: Contest | None,
    but: bool,
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from flows.results.spoken import percent

    order = sorted(range(len(names)), key=lambda at: -rates[at].chance_best)
    top = max((rate.believed for rate in rates), default=0.0)
    is_adjusted = _is_adjusted(rates)
    winner = None if held is None or but else held.winner
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column(heading, no_wrap=True)
    columns = ["count", "of", "rate", *(["adjusted"] if is_adjusted else []), "95 % between"]
    for column in (*columns, "chance\nbest", "gives\naway"):
        table.add_column(column, justify="right", no_wrap=True)
    if winner is not None:
        table.add_column("")
    for at in order[:ROWS]:
        rate = rates[at]
        row = [
            f"{rate.successes:,.10g}",
            f"{rate.trials:,}",
            "-" if rate.rate is None else percent(rate.rate),
            *([percent(rate.believed)] if is_adjusted else []),
            f"{percent(rate.low).removesuffix(' %')} – {percent(rate.high)}",
            _short(rate.chance_best),
            _short(rate.expected_loss / top) if top else "-",
        ]
        if winner is not None:
            row.append("wins" if winner == at else "")
        table.add_row(Text(names[at], style="bold green" if winner == at else ""), *row)
    console = terminal.fitting(table)
    console.print(title, markup=False)
    console.print(table)
    if len(names) > ROWS:
        console.print(f"… and {terminal.counted(len(names) - ROWS, 'more')} (--json)")
    console.print()


def _short(share: float) -> str:
    from flows.results.spoken import chance

    return chance(max(share, 1e-9)).replace("over", ">").replace("under", "<")
