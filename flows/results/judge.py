"""Judge: what a report says of variants and factors, what it cannot say, and who has won."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Scalar
from flows.results.arms import Arm
from flows.results.counts import Count, Counts
from flows.results.dispersion import dispersion
from flows.results.factors import factors
from flows.results.metric import Metric, MetricName
from flows.results.rates import rates
from flows.results.trust import Mismatch, mismatch, turned_over
from flows.results.verdict import listed, verdict
from flows.results.winner import ALPHA, contest

Goal = Literal["clicks", "conversions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a report says. `winner` is a variant id, or None and `why` says why.

    `but` says why a winner or a level that the numbers show is not named all the same, empty where
    nothing speaks against it; `would_win` is the variant that it is of.
    `metrics` begin with the one that decides; `steps` are what a person does next.
    """

    goal: Goal
    winner: str | None
    why: str
    metrics: tuple[Metric, ...]
    mismatch: Mismatch | None
    warnings: tuple[str, ...]
    steps: tuple[str, ...]
    counts: Counts
    would_win: str | None = None
    but: str = ""


def judge(counts: Counts, goal: Goal | None = None) -> Judgement:
    """Rates with 95 % intervals, chances to be best, and a winner where the data show one.

    Whatever the true rates are, a variant or a level that is not the best of its kind is named in
    fewer than 5 % of reports, all families of one report together; so it is for a report that is
    judged once. Without a goal the conversions decide where the report has them, else the clicks.

    Raises:
        BadInput: the goal is conversions and the report has none, or nothing was shown at all.

    """
    goal = _goal(counts, goal)
    seen = {row.variant for row in counts.rows if row.impressions}
    arms = tuple(arm for arm in counts.arms if arm.id in seen)
    if not arms:
        what = "no variant has any impressions"
        raise BadInput("the report cannot be judged", [Fault("", what)])
    deciding: MetricName = "ctr" if goal == "clicks" else "conversions_per_impression"
    warnings = _told_of_file(counts, arms)
    every: tuple[MetricName, ...] = ("conversions_per_impression", "ctr", "cvr")
    others = [name for name in every if name != deciding] if counts.has_conversions else []
    found = [
        _metric(counts, arms, name, decides=name == deciding, warnings=warnings)
        for name in (deciding, *others)
    ]
    metrics = [metric for metric in found if metric is not None]
    unequal = mismatch(counts, arms)
    if unequal and unequal.is_there:
        warnings.append(unequal.told)
    metrics[0], over = _held_against_one_mix(counts, metrics[0])
    if over:
        warnings.append(
            f"the variants were not shown on the same mix of {over}s, and held against one mix"
            f" another one leads: no winner is named; compare within each {over}"
        )
    days = len({row.strata[0] for row in counts.rows}) if "date" in counts.columns else 0
    found_out = verdict(metrics[0], over, unequal, days)
    return Judgement(
        goal=goal,
        winner=found_out.winner,
        why=found_out.why,
        metrics=tuple(metrics),
        mismatch=unequal,
        warnings=(*warnings, *found_out.warnings),
        steps=found_out.steps,
        counts=counts,
        would_win=found_out.would_win,
        but=found_out.but,
    )


def _goal(counts: Counts, goal: Goal | None) -> Goal:
    if goal == "conversions" and not counts.has_conversions:
        raise BadInput(
            "the report cannot be judged by conversions",
            [Fault("--goal", "the file has no column of conversions", "clicks")],
        )
    return goal or ("conversions" if counts.has_conversions else "clicks")


_PARTS: dict[MetricName, tuple[Callable[[Count], float], Callable[[Count], float]]] = {
    "ctr": (lambda row: row.impressions, lambda row: row.clicks),
    "cvr": (lambda row: row.clicks, lambda row: row.conversions),
    "conversions_per_impression": (lambda row: row.impressions, lambda row: row.conversions),
}


def _metric(
    counts: Counts,
    arms: Sequence[Arm],
    name: MetricName,
    *,
    decides: bool,
    warnings: list[str],
) -> Metric | None:
    trials_of, successes_of = _PARTS[name]
    trials = dict.fromkeys((arm.id for arm in arms), 0.0)
    successes = dict.fromkeys((arm.id for arm in arms), 0.0)
    for row in counts.rows:
        if row.variant in trials:
            trials[row.variant] += trials_of(row)
            successes[row.variant] += successes_of(row)
    if name == "cvr":
        if over := [arm.id for arm in arms if successes[arm.id] > trials[arm.id]]:
            warnings.append(
                f"more conversions than clicks ({listed(over)}): some came without a click, so"
                " there is no rate of conversions per click"
            )
            return None
        arms = [arm for arm in arms if trials[arm.id]]
        if not arms:
            return None
    n = [int(trials[arm.id]) for arm in arms]
    s = [successes[arm.id] for arm in arms]
    spread = dispersion(*_by_day(counts, arms, trials_of, successes_of))
    metric = Metric(
        name=name, arms=tuple(arms), rates=tuple(rates(n, s, spread.factor)), spread=spread
    )
    if not decides or len(arms) < 2 or not sum(s) or sum(s) == sum(n):
        return metric
    # a variant that left the campaign may have no levels: it says nothing of factors
    levelled = [at for at, arm in enumerate(arms) if arm.levels]
    levels: list[dict[str, Scalar]] = [dict(arms[at].levels) for at in levelled]
    families = 1 + sum(
        len({repr(each[factor]) for each in levels}) > 1 for factor in (levels[0] if levels else ())
    )
    alpha = ALPHA / families
    told, together = factors(
        levels, [n[at] for at in levelled], [s[at] for at in levelled], alpha, spread
    )
    if together:
        warnings.append(together)
    return Metric(
        name=name,
        arms=metric.arms,
        rates=metric.rates,
        spread=spread,
        contest=contest(n, s, alpha, spread),
        factors=tuple(told),
    )


def _by_day(
    counts: Counts,
    arms: Sequence[Arm],
    trials_of: Callable[[Count], float],
    successes_of: Callable[[Count], float],
) -> tuple[list[list[int]], list[list[float]]]:
    """Trials and successes, days in order by arms; empty where the report has no dates."""
    if "date" not in counts.columns:
        return [], []
    at = {arm.id: number for number, arm in enumerate(arms)}
    days = sorted({row.strata[0] for row in counts.rows})
    trials = {day: [0] * len(arms) for day in days}
    successes = {day: [0.0] * len(arms) for day in days}
    for row in counts.rows:
        if row.variant in at:
            trials[row.strata[0]][at[row.variant]] += int(trials_of(row))
            successes[row.strata[0]][at[row.variant]] += successes_of(row)
    return list(trials.values()), list(successes.values())


def _told_of_file(counts: Counts, arms: Sequence[Arm]) -> list[str]:
    warnings = []
    if counts.missing:
        warnings.append(
            f"the report says nothing of {listed(counts.missing)}:"
            " what follows is about the others alone"
        )
    named = {row.variant for row in counts.rows} - {arm.id for arm in arms}
    silent = [arm.id for arm in counts.arms if arm.id in named]
    if silent:
        warnings.append(f"no impressions of {listed(silent)}: what follows is about the others")
    if counts.unknown:
        total = sum(counts.unknown.values())
        warnings.append(
            f"the campaign has no variant for {listed(tuple(counts.unknown))}:"
            f" {total:,} impressions left out"
        )
    if counts.strangers:
        total = sum(counts.strangers.values())
        warnings.append(
            f"{listed(tuple(counts.strangers))}: no product of the campaign by its assignments;"
            f" {total:,} impressions count all the same"
        )
    return warnings


def _held_against_one_mix(counts: Counts, metric: Metric) -> tuple[Metric, str]:
    """The metric without winners where an unlike mix of days, products or channels made them."""
    held = metric.contest
    if held is None or held.winner is None:
        return metric, ""
    ids = [arm.id for arm in metric.arms]
    over = turned_over(counts, ids, ids[held.best], metric.name)
    if not over:
        return metric, ""
    told = tuple(
        replace(factor, contest=factor.contest and replace(factor.contest, winner=None))
        for factor in metric.factors
    )
    return replace(metric, contest=replace(held, winner=None), factors=told), over
