"""Verdict: what the numbers come to in words, and what a person does next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.results.factors import Factor
from flows.results.metric import Metric
from flows.results.spoken import chance, percent
from flows.results.trust import Mismatch
from flows.results.winner import Contest

_LONG_DAYS = 365
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`winner` is a variant id, or None and `why` says why; `steps` are what to do next.

    Where `but` is not empty, `would_win` is who has the numbers for it.
    """

    winner: str | None
    why: str
    warnings: tuple[str, ...]
    steps: tuple[str, ...]
    would_win: str | None = None
    but: str = ""


def verdict(metric: Metric, over: str, unequal: Mismatch | None, days: int) -> Verdict:
    """Of the metric that decides. `over` is the dimension whose unlike mix turned the order over,
    if any, `days` how many the report has, 0 where it has no dates.
    """
    held = metric.contest
    if held is None:
        if len(metric.arms) < 2:
            why = "there is only one variant to look at"
        else:
            why = f"all variants have the same {metric.title}: none or all"
        return Verdict(winner=None, why=why, warnings=(), steps=("let the test run on",))
    is_unequal = unequal is not None and unequal.is_there
    best = metric.arms[held.best].id
    wins = held.winner is not None
    few = [metric.arms[at].id for at in held.too_few]
    but = _UNEQUAL if is_unequal else f"there are too few data for {listed(few)}" if few else ""
    return Verdict(
        winner=best if wins and not but else None,
        would_win=best if wins and but else None,
        but=but,
        why=_why(metric, held, over),
        warnings=tuple(_warnings(metric, held, is_decided=wins or bool(over))),
        steps=tuple(_steps(metric, held, over, is_unequal=is_unequal, days=days)),
    )


_UNEQUAL = "impressions do not follow the weights: find out why before you act on it"


def _why(metric: Metric, held: Contest, over: str) -> str:
    best = metric.arms[held.best].id
    likely = chance(metric.rates[held.best].chance_best)
    lead = lead_of(held, [arm.id for arm in metric.arms])
    if held.winner is not None:
        why = f"better than every other variant, chance to be best {likely}"
        return f"{why}; {lead}" if lead else why
    if over:
        return f"{best} leads, but not on the same mix of {over}s"
    if held.too_few:
        return f"too few data; {best} leads with a chance of {likely} to be best"
    why = f"{best} leads with a chance of {likely} to be best"
    if lead:
        why += f". It has {lead}"
    if held.detectable is not None:
        why += (
            f". A difference below {percent(held.detectable)} is missed with these numbers more"
            " often than one time in five"
        )
    return why


def _warnings(metric: Metric, held: Contest, *, is_decided: bool) -> Iterator[str]:
    if held.too_few:
        few = f"too few data for {listed([metric.arms[at].id for at in held.too_few])}"
        yield f"{few}: {_needed(held.needed)}" if held.needed else few
    elif not is_decided and held.needed and _fewest(metric) < held.needed:
        yield _needed(held.needed)


def _steps(
    metric: Metric, held: Contest, over: str, *, is_unequal: bool, days: int
) -> Iterator[str]:
    if is_unequal:
        yield "find out why impressions do not follow the weights; until then nothing else counts"
        return
    if over:
        yield f"show all variants on the same mix of {over}s, or judge each {over} by itself"
        return
    if held.winner is not None:
        yield (
            f"keep {metric.arms[held.winner].id}, take the others out of the campaign and run it;"
            " expect less than the lead told here: who wins has been lucky, too"
        )
        return
    levels = [] if held.too_few else [*_levels_that_win(metric.factors)]
    if levels:
        yield f"keep {listed(levels)} in all variants: that is decided"
    if held.needed is None:
        return
    fewest = _fewest(metric)
    loss = metric.rates[held.best].expected_loss / (metric.rates[held.best].rate or 1.0)
    best = metric.arms[held.best].id
    stop = f"{best}: if another one is better, it gives away {_part(loss)} of the {metric.what}"
    if fewest >= held.needed:
        yield f"a lead of a tenth would have shown: take what costs least, or {stop}"
        return
    left = _days_left(fewest, held.needed, days)
    yield (
        f"go on until each variant has about {rounded(held.needed):,} impressions (the least has"
        f" {fewest:,}{left})" + ("" if held.too_few else f", or stop here with {stop}")
    )


def _levels_that_win(factors: Sequence[Factor]) -> Iterator[str]:
    for factor in factors:
        if factor.contest is not None and factor.contest.winner is not None:
            yield f"{factor.name}: {factor.levels[factor.contest.winner]}"


def _days_left(fewest: int, wanted: int, days: int) -> str:
    if not days or not fewest:
        return ""
    left = math.ceil((wanted - fewest) / (fewest / days))
    if left > _LONG_DAYS:
        return ": more than a year at this pace, so try bolder differences"
    return f": about {left} more {'day' if left == 1 else 'days'} at this pace"


def _fewest(metric: Metric) -> int:
    return min(rate.trials for rate in metric.rates)


def _needed(wanted: int) -> str:
    return f"to tell a difference of 10 %, each variant needs about {rounded(wanted):,} impressions"


def lead_of(held: Contest, names: Sequence[str]) -> str:
    """By how much the best leads the one that is nearest to it; empty where nobody can say."""
    lead = held.lead
    if lead is None:
        return ""
    way = "more" if lead.lift >= 0 else "less"
    return (
        f"{percent(abs(lead.lift))} {way} than {names[held.nearest]} (95 % between"
        f" {percent(lead.low)} and {percent(lead.high)})"
    )


def _part(part: float) -> str:
    return "under 0.1 %" if part < 0.001 else f"about {percent(part)}"


def rounded(count: int) -> int:
    """Two digits of it: nobody knows more of a sample size."""
    return round(count, 2 - len(str(count)))


def listed(names: Sequence[str]) -> str:
    """Some of the names, and how many more there are."""
    shown = ", ".join(f"'{' '.join(name.split())[:60]}'" for name in names[:_MOST_LISTED])
    left = len(names) - _MOST_LISTED
    return f"{shown} and {left:,} more" if left > 0 else shown
