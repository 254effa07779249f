"""Document: a judgement as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.results.judge import Judgement
from flows.results.metric import Metric
from flows.results.rates import Rate
from flows.results.winner import LIFT, POWER, PROMISED, Contest

SCHEMA = "shotlist/results/1"


def document(campaign: str, judgement: Judgement) -> dict[str, Any]:
    """`{"schema", "campaign", "goal", "winner", "would_win", "but", "why", "false_winners_below",
    "metrics": [...], "sample_ratio", "missing", "unknown", "strangers", "columns", "warnings",
    "next", "notes"}`.

    `winner` is null where `but` says why the numbers are not to be trusted; `would_win` is then
    who would have won. `strangers`: impressions of products that the campaign does not have.

    A metric, the deciding one first: `{"metric": ctr | cvr | conversions_per_impression, "decides",
    "dispersion", "variants": [{"variant", "levels", RATE}], "contest", "factors": [{"factor",
    "levels": [{"level", RATE}], "contest", "why"}]}`.

    RATE: `trials`, `successes`, `rate` (the one by the other, 0 to 1; null without trials),
    `interval` [low, high] at 95 %, `chance_best`, `expected_loss` (a rate). A level has `adjusted`
    besides: its rate on the same mix of all other factors, which its interval, chance and loss are
    of. These four are null for a factor of which `why` says that nothing can be told.

    `contest`, null where nothing is decided: `{"best", "winner", "lead", "p_value", "alpha",
    "detectable_lift", "needed": {"lift", "power", "trials_each"}, "too_few"}`, of variant ids or
    levels; a winner has `p_value` <= `alpha`, its share of what all families of the report have.
    `lead`, null where nobody can say: `{"over", "lift", "interval"}`, the best's over the one that
    is nearest to it, as a share of that one's rate.
    `sample_ratio`: `{"p_value", "mismatch", "found", "wanted"}`, shares by variant.
    """
    unequal = judgement.mismatch
    return {
        "schema": SCHEMA,
        "campaign": campaign,
        "goal": judgement.goal,
        "winner": judgement.winner,
        "would_win": judgement.would_win,
        "but": judgement.but,
        "why": judgement.why,
        "false_winners_below": PROMISED,
        "metrics": [
            _metric(metric, decides=number == 0) for number, metric in enumerate(judgement.metrics)
        ],
        "sample_ratio": unequal
        and {
            "p_value": unequal.p_value,
            "mismatch": unequal.is_there,
            "found": dict(unequal.found),
            "wanted": dict(unequal.wanted),
        },
        "missing": list(judgement.counts.missing),
        "unknown": dict(judgement.counts.unknown),
        "strangers": dict(judgement.counts.strangers),
        "columns": dict(judgement.counts.columns),
        "warnings": list(judgement.warnings),
        "next": list(judgement.steps),
        "notes": list(judgement.counts.notes),
    }


def _metric(metric: Metric, *, decides: bool) -> dict[str, Any]:
    ids = [arm.id for arm in metric.arms]
    return {
        "metric": metric.name,
        "decides": decides,
        "dispersion": metric.spread.factor if metric.spread.degrees is not None else None,
        "variants": [
            {"variant": arm.id, "levels": dict(arm.levels), **_rate(rate)}
            for arm, rate in zip(metric.arms, metric.rates, strict=True)
        ],
        "contest": _contest(metric.contest, ids),
        "factors": [
            {
                "factor": factor.name,
                "levels": [
                    {
                        "level": level,
                        **(_level(rate) if factor.contest else {**_counts(rate), **_UNSAID}),
                    }
                    for level, rate in zip(factor.levels, factor.rates, strict=True)
                ],
                "contest": _contest(factor.contest, list(factor.levels)),
                "why": factor.why,
            }
            for factor in metric.factors
        ],
    }


_UNSAID: Mapping[str, Any] = dict.fromkeys(("interval", "chance_best", "expected_loss", "adjusted"))


def _counts(rate: Rate) -> dict[str, Any]:
    return {"trials": rate.trials, "successes": rate.successes, "rate": rate.rate}


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        **_counts(rate),
        "interval": [rate.low, rate.high],
        "chance_best": rate.chance_best,
        "expected_loss": rate.expected_loss,
    }


def _level(rate: Rate) -> dict[str, Any]:
    return {**_rate(rate), "adjusted": rate.adjusted}


def _contest(held: Contest | None, names: list[str]) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "best": names[held.best],
        "winner": None if held.winner is None else names[held.winner],
        "lead": held.lead
        and {
            "over": names[held.nearest],
            "lift": held.lead.lift,
            "interval": [held.lead.low, held.lead.high],
        },
        "p_value": held.p_value,
        "alpha": held.alpha,
        "detectable_lift": held.detectable,
        "needed": {"lift": LIFT, "power": POWER, "trials_each": held.needed},
        "too_few": [names[at] for at in held.too_few],
    }
