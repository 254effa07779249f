"""Judging a report: rates, chances, winners, and when none is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from flows.errors import BadInput
from flows.results import Arm, judge
from flows.results.counts import Count, Counts
from flows.results.document import document
from flows.results.plot import plot
from tests.bench.null_sets import (
    FULL,
    SAMPLED,
    SHAPES,
    TRUE,
    arms,
    crossed,
    named,
    reports,
    share_found,
    share_named,
)

WHY = "statsmodels and scipy are not installed (pip install 'shotlist[results]')"
pytest.importorskip("statsmodels", reason=WHY)


def report(
    chosen: Sequence[Arm],
    *said: tuple[int, int] | tuple[int, int, float],
    strata: Sequence[tuple[str, str, str]] = (),
    columns: Sequence[str] = (),
    **more: Any,
) -> Counts:
    """One row an arm, in order and round again: impressions, clicks, conversions."""
    rows = [
        Count(
            chosen[at % len(chosen)].id,
            one[0],
            one[1],
            one[2] if len(one) == 3 else 0,
            strata[at] if strata else ("", "", ""),
        )
        for at, one in enumerate(said)
    ]
    names = ("variant", "impressions", "clicks", *columns)
    return Counts(
        arms=tuple(chosen),
        rows=tuple(rows),
        has_conversions=len(said[0]) == 3,
        columns={name: name for name in names},
        **{"unknown": {}, "missing": (), "notes": (), **more},
    )


def test_a_clear_winner_is_named_with_its_chance() -> None:
    told = judge(report(arms(2), (10_000, 200), (10_000, 300)))
    assert (told.winner, told.why) == (
        "v1",
        (
            "better than every other variant, chance to be best over 99.9 %; 50.0 % more than v0"
            " (95 % between 25.7 % and 79.0 %)"
        ),
    )
    (step,) = told.steps
    assert step.startswith("keep v1, take the others out of the campaign")
    assert [rate.rate for rate in told.metrics[0].rates] == [0.02, 0.03]
    assert told.warnings == ()


def test_intervals_are_those_of_jeffreys() -> None:
    # Brown, Cai, DasGupta 2001, table 5: x of n = 10 at 95 %
    (first, second, third) = judge(report(arms(3), (10, 0), (10, 2), (10, 5))).metrics[0].rates
    assert [round(rate.low, 3) for rate in (first, second, third)] == [0.0, 0.044, 0.224]
    assert [round(rate.high, 3) for rate in (first, second, third)] == [0.217, 0.503, 0.776]


def test_chances_to_be_best_are_those_of_the_two_beliefs() -> None:
    import numpy as np

    rates = judge(report(arms(3), (1000, 20), (400, 12), (50, 0))).metrics[0].rates
    chance = np.random.default_rng(5)
    draws = np.column_stack(
        [
            chance.beta(rate.successes + 0.5, rate.trials - rate.successes + 0.5, 200_000)
            for rate in rates
        ]
    )
    firsts = np.bincount(draws.argmax(axis=1), minlength=3) / len(draws)
    losses = (draws.max(axis=1, keepdims=True) - draws).mean(axis=0)
    assert [rate.chance_best for rate in rates] == pytest.approx(firsts, abs=0.005)
    assert [rate.expected_loss for rate in rates] == pytest.approx(losses, abs=2e-4)
    assert sum(rate.chance_best for rate in rates) == pytest.approx(1)


def test_two_that_are_alike_leave_no_winner_and_say_what_would_tell() -> None:
    told = judge(report(arms(2), (10_000, 200), (10_000, 205)))
    assert told.winner is None
    assert told.why == (
        "v1 leads with a chance of 59.9 % to be best. It has 2.50 % more than v0 (95 % between"
        " -15.5 % and 24.3 %). A difference below 31.8 % is missed with these numbers more often"
        " than one time in five"
    )
    held = told.metrics[0].contest
    assert held is not None
    assert held.needed is not None
    assert told.warnings == (
        "to tell a difference of 10 %, each variant needs about 92,000 impressions",
    )
    assert told.steps == (
        (
            "go on until each variant has about 92,000 impressions (the least has 10,000), or stop"
            " here with v1: if another one is better, it gives away about 2.78 % of the clicks"
        ),
    )
    # 2.025 % and 2.2275 %, one-sided 1.5 %, power 80 %, by the textbook for two proportions:
    # (2.1701 + 0.8416)² (0.01984 + 0.02178) / 0.002025²
    assert held.needed == pytest.approx(92_060, rel=0.002)


def test_few_data_name_no_winner_however_far_apart_they_are() -> None:
    told = judge(report(arms(2), (90, 0), (90, 30)))
    assert told.winner is None
    assert told.why == "too few data; v1 leads with a chance of over 99.9 % to be best"
    assert told.warnings[0].startswith("too few data for 'v0', 'v1': to tell a difference of 10 %")
    assert told.steps[0].startswith("go on until each variant has about ")
    assert "stop" not in told.steps[0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([(1000, 0), (1000, 0)], "all variants have the same clicks per impression (CTR)"),
        ([(10, 10), (10, 10)], "all variants have the same clicks per impression (CTR)"),
        ([(1000, 20), (0, 0)], "there is only one variant to look at"),
    ],
)
def test_what_cannot_be_compared_is_not(said: list[tuple[int, int]], why: str) -> None:
    told = judge(report(arms(2), *said))
    assert told.winner is None
    assert told.why.startswith(why)


def test_a_report_without_any_impressions_is_refused() -> None:
    with pytest.raises(BadInput, match="no variant has any impressions"):
        judge(report(arms(2), (0, 0), (0, 0)))


def test_levels_that_win_are_named_beside_the_variant() -> None:
    lifts = [1.0, 1.0, 1.3, 1.4, 1.4, 1.82]
    told = judge(report(FULL, *((40_000, round(800 * lift)) for lift in lifts)))
    assert named(told) == ["bold-eye", "f0=bold", "f1=eye"]
    mood = told.metrics[0].factors[0]
    assert mood.levels == ("calm", "bold")
    assert mood.rates[1].rate == pytest.approx(mood.rates[0].rate * 1.4, rel=0.02)
    assert mood.contest is not None
    assert mood.contest.lead is not None
    assert mood.contest.lead.lift == pytest.approx(0.4, abs=0.01)
    assert mood.levels[mood.contest.nearest] == "calm"


def test_a_level_that_is_decided_is_kept_while_the_rest_goes_on() -> None:
    chosen = crossed(("calm", "low"), ("calm", "eye"), ("bold", "low"), ("bold", "eye"))
    days = [(f"2026-11-{day:02d}", "", "") for day in (1, 2) for _ in chosen]
    said = [(10_000, clicks) for clicks in (200, 300, 202, 304)] * 2
    told = judge(report(chosen, *said, strata=days, columns=["date"]))
    assert named(told) == ["f1=eye"]
    assert told.steps[0] == "keep 'f1: eye' in all variants: that is decided"
    assert re.fullmatch(
        r"go on until each variant has about \d+,000 impressions \(the least has 20,000: about \d+"
        r" more days at this pace\), or stop here with bold-eye: .*",
        told.steps[1],
    )


def test_a_level_is_not_credited_with_its_company() -> None:
    # bold does nothing: it was shown with eye more often, and eye is what works
    chosen = crossed(("calm", "low"), ("calm", "eye"), ("bold", "low"), ("bold", "eye"))
    said = [(90_000, 1800), (10_000, 400), (10_000, 200), (90_000, 3600)]
    mood, angle = judge(report(chosen, *said)).metrics[0].factors
    assert [rate.successes / rate.trials for rate in mood.rates] == [0.022, 0.038]
    assert [rate.rate for rate in mood.rates] == [0.022, 0.038]
    assert mood.rates[0].adjusted == pytest.approx(mood.rates[1].adjusted)
    assert mood.contest is not None
    assert mood.contest.winner is None
    assert angle.contest is not None
    assert angle.contest.winner == angle.levels.index("eye")


def test_levels_that_met_all_else_alike_have_the_rate_of_their_counts() -> None:
    chosen = crossed(("calm", "low"), ("calm", "eye"), ("bold", "low"), ("bold", "eye"))
    said = [(20_000, 120), (20_000, 180), (20_000, 100), (20_000, 150)]
    for factor in judge(report(chosen, *said)).metrics[0].factors:
        assert [rate.adjusted for rate in factor.rates] == pytest.approx(
            [rate.rate for rate in factor.rates], rel=1e-6
        )
        for rate in factor.rates:
            error = (rate.successes**0.5) / rate.trials
            assert rate.low == pytest.approx(rate.believed - 1.96 * error, rel=0.02)
            assert rate.high == pytest.approx(rate.believed + 1.96 * error, rel=0.02)


def test_a_level_of_which_the_variants_have_too_few_data_would_only_win() -> None:
    chosen = crossed(*[(mood, angle) for mood in ("calm", "bold") for angle in "abcdefgh"])
    told = judge(report(chosen, *[(2000, 2)] * 8, *[(2000, 12)] * 8))
    assert named(told) == ["f0=bold"]
    assert told.but.startswith("there are too few data for 'calm-a', ")
    assert not any("that is decided" in step for step in told.steps)
    assert "f0: bold would win" in plot("mugs", told).decode()


def test_levels_that_no_shown_variant_parts_are_not_judged() -> None:
    chosen = crossed(("calm", "low"), ("bold", "eye"))
    told = judge(report(chosen, (10_000, 200), (10_000, 300)))
    why = "the variants that were shown do not part its levels from those of other factors"
    assert [(one.contest, one.why) for one in told.metrics[0].factors] == [(None, why)] * 2
    assert named(told) == ["bold-eye"]


def test_a_level_without_a_single_click_is_not_judged() -> None:
    chosen = crossed(("calm",), ("bold",))
    (mood,) = judge(report(chosen, (10_000, 0), (10_000, 300))).metrics[0].factors
    assert mood.why.startswith("level calm has none")
    levels = document("mugs", judge(report(chosen, (10_000, 0), (10_000, 300))))["metrics"][0][
        "factors"
    ][0]["levels"]
    assert levels[0] == {
        "level": "calm", "trials": 10_000, "successes": 0, "rate": 0.0,
        "interval": None, "chance_best": None, "expected_loss": None, "adjusted": None,
    }  # fmt: skip


def test_levels_that_work_together_are_told() -> None:
    chosen = crossed(("calm", "low"), ("calm", "eye"), ("bold", "low"), ("bold", "eye"))
    told = judge(report(chosen, (50_000, 1000), (50_000, 1500), (50_000, 1500), (50_000, 1000)))
    assert any("the levels work together" in one for one in told.warnings)


def test_a_sampled_design_judges_each_factor_it_can_part() -> None:
    counts = next(iter(reports(SHAPES[7], 1)))
    assert counts.arms == tuple(SAMPLED)
    assert [one.why for one in judge(counts).metrics[0].factors] == ["", "", ""]


def test_conversions_decide_where_there_are_any_and_clicks_where_they_are_asked() -> None:
    counts = report(arms(2), (50_000, 2000, 50), (50_000, 1000, 150))
    told = judge(counts)
    assert (told.goal, told.winner) == ("conversions", "v1")
    assert [one.name for one in told.metrics] == ["conversions_per_impression", "ctr", "cvr"]
    assert [one.contest is None for one in told.metrics] == [False, True, True]
    asked = judge(counts, "clicks")
    assert (asked.goal, asked.winner) == ("clicks", "v0")
    with pytest.raises(BadInput, match="no column of conversions"):
        judge(report(arms(2), (100, 1), (100, 2)), "conversions")


def test_more_conversions_than_clicks_leave_out_their_ratio() -> None:
    told = judge(report(arms(2), (5000, 10, 20), (5000, 30, 25)))
    assert [one.name for one in told.metrics] == ["conversions_per_impression", "ctr"]
    assert told.warnings[0].startswith("more conversions than clicks ('v0')")


def test_shares_that_do_not_follow_the_weights_are_told() -> None:
    told = judge(report(arms(2, (3, 1)), (5000, 100), (5000, 100)))
    assert told.mismatch is not None
    assert told.mismatch.wanted == {"v0": 0.75, "v1": 0.25}
    assert told.mismatch.is_there
    assert any("v0 50.0 % where 75.0 % were meant" in one for one in told.warnings)
    assert told.steps == (
        "find out why impressions do not follow the weights; until then nothing else counts",
    )
    won = judge(report(arms(2, (3, 1)), (50_000, 1000), (50_000, 1500)))
    assert (won.winner, won.would_win) == (None, "v1")
    assert won.but == "impressions do not follow the weights: find out why before you act on it"
    assert "v1 would win; " not in plot("mugs", won).decode()
    assert ">mugs: v1 would win<" in plot("mugs", won).decode()


def test_a_variant_without_a_weight_is_held_against_no_share() -> None:
    chosen = [*arms(2), Arm("old", 0.0)]
    told = judge(report(chosen, (5000, 100), (5000, 100), (9000, 300)))
    assert told.mismatch is not None
    assert told.mismatch.wanted == {"v0": 0.5, "v1": 0.5}
    assert told.winner == "old"


def test_a_variant_that_left_says_nothing_of_factors_but_may_win() -> None:
    chosen = [*crossed(("calm",), ("bold",)), Arm("old", 0.0)]
    told = judge(report(chosen, (20_000, 400), (20_000, 600), (20_000, 900)))
    assert named(told) == ["old", "f0=bold"]
    (mood,) = told.metrics[0].factors
    assert [rate.trials for rate in mood.rates] == [20_000, 20_000]
    fair = judge(report(arms(2, (3, 1)), (7500, 150), (2500, 50)))
    assert fair.mismatch is not None
    assert fair.mismatch.p_value == pytest.approx(1)


def test_shares_that_only_jump_from_day_to_day_are_no_mismatch() -> None:
    days = [(f"2026-11-{day:02d}", "", "") for day in range(1, 9) for _ in range(2)]
    shown = [5200, 4900, 4700, 5000, 5300, 4800, 5100, 5000, 4900, 5250, 5250, 4600, 5150, 4850] * 2
    said = [(count, count // 50) for count in shown[: len(days)]]
    dated = judge(report(arms(2), *said, strata=days, columns=["date"])).mismatch
    bare = judge(report(arms(2), *said)).mismatch
    assert dated is not None
    assert bare is not None
    assert (bare.is_there, dated.is_there) == (True, False)


def test_what_the_report_leaves_out_or_adds_is_told() -> None:
    told = judge(report(arms(3)[:2], (500, 10), (500, 10), missing=("v2",), unknown={"old": 70}))
    assert told.warnings[:2] == (
        "the report says nothing of 'v2': what follows is about the others alone",
        "the campaign has no variant for 'old': 70 impressions left out",
    )


def test_a_lead_that_is_only_an_unlike_mix_of_channels_wins_nothing() -> None:
    # within each channel v0 is better; v1 was shown where everybody clicks
    told = judge(
        report(
            arms(2),
            *[(90_000, 990), (10_000, 100), (10_000, 550), (90_000, 4500)],
            strata=[("", "", one) for one in ("feed", "feed", "story", "story")],
            columns=["channel"],
        )
    )
    assert told.winner is None
    assert told.why == "v1 leads, but not on the same mix of channels"
    assert any("compare within each channel" in one for one in told.warnings)
    assert named(told) == []


def test_days_that_jump_widen_what_is_believed() -> None:
    days = [f"2026-11-{day:02d}" for day in range(1, 9)]
    strata = [(day, "", "") for day in days for _ in range(2)]
    # each arm has 2 % and 3 % in all, but one day 1 %, another 5 %
    jumping = [
        (1000, clicks) for pair in zip([5, 35] * 4, [50, 10] * 4, strict=True) for clicks in pair
    ]
    steady = [(1000, clicks) for _ in days for clicks in (20, 30)]
    wild = judge(report(arms(2), *jumping, strata=strata, columns=["date"])).metrics[0]
    calm = judge(report(arms(2), *steady, strata=strata, columns=["date"])).metrics[0]
    assert [rate.rate for rate in wild.rates] == [rate.rate for rate in calm.rates] == [0.02, 0.03]
    assert (calm.spread.factor, calm.spread.degrees) == (1.0, 7)
    assert wild.spread.factor > 10
    assert wild.rates[0].high - wild.rates[0].low > 3 * (calm.rates[0].high - calm.rates[0].low)
    assert wild.contest is not None
    assert wild.contest.winner is None
    assert calm.contest is not None
    assert calm.contest.winner == 1


@pytest.mark.parametrize(
    "shape", [SHAPES[0], SHAPES[2], SHAPES[5], SHAPES[10]], ids=lambda s: s.told
)
def test_reports_without_a_best_name_few_false_winners(shape: Any) -> None:
    # 3 % are let through: ten of a hundred come up once in some eight hundred such tests
    assert share_named(shape, 100, seed=11) <= 0.1


def test_a_known_winner_is_found_in_most_reports_that_are_large_enough() -> None:
    assert share_found(TRUE[0], 40, seed=3) >= 0.6


def test_the_same_report_is_judged_the_same() -> None:
    counts = next(iter(reports(SHAPES[5], 1)))
    assert document("mugs", judge(counts)) == document("mugs", judge(counts))


def test_the_document_says_all_of_it() -> None:
    told = document("mugs", judge(report(arms(2), (10_000, 200), (10_000, 300))))
    assert list(told) == [
        "schema", "campaign", "goal", "winner", "would_win", "but", "why", "false_winners_below",
        "metrics", "sample_ratio", "missing", "unknown", "strangers", "columns", "warnings", "next",
        "notes",
    ]  # fmt: skip
    assert (told["schema"], told["goal"], told["winner"]) == ("shotlist/results/1", "clicks", "v1")
    (metric,) = told["metrics"]
    assert list(metric) == ["metric", "decides", "dispersion", "variants", "contest", "factors"]
    assert (metric["metric"], metric["decides"], metric["dispersion"]) == ("ctr", True, None)
    first = metric["variants"][0]
    assert (first["variant"], first["trials"], first["successes"]) == ("v0", 10_000, 200)
    assert (metric["contest"]["best"], metric["contest"]["winner"]) == ("v1", "v1")
    assert metric["contest"]["p_value"] <= metric["contest"]["alpha"] == 0.015
    # ln 1.5 ± 1.96 √(1/300 - 1/10,000 + 1/200 - 1/10,000), by hand
    assert metric["contest"]["lead"] == {
        "over": "v0",
        "lift": pytest.approx(0.5),
        "interval": [pytest.approx(0.2570, abs=1e-4), pytest.approx(0.7900, abs=1e-4)],
    }


def test_the_plot_is_one_picture_that_needs_nothing_else() -> None:
    chosen = [Arm("calm"), Arm("<script>&bold")]
    drawn = plot("mugs", judge(report(chosen, (10_000, 200), (10_000, 300)))).decode()
    picture = ET.fromstring(drawn)
    names = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert names[0] == "mugs: <script>&bold wins"
    assert {"calm", "<script>&bold", "over 99.9 %", "under 0.1 %", "2.00 %"} <= set(names)
    assert re.findall(r"href|url\(|<script", drawn) == []
    at = [float(node.attrib["cx"]) for node in picture.iter("{http://www.w3.org/2000/svg}circle")]
    bars = [
        (float(node.attrib["x1"]), float(node.attrib["x2"]))
        for node in picture.iter("{http://www.w3.org/2000/svg}line")
        if "stroke-width" in node.attrib
    ]
    assert at[0] > at[1]  # the likeliest comes first
    assert all(low < middle < high for middle, (low, high) in zip(at, bars, strict=True))


def test_what_is_drawn_of_one_rate_has_one_scale() -> None:
    drawn = plot("mugs", judge(report(FULL, *[(40_000, 800 + 9 * n) for n in range(6)]))).decode()
    ticks = re.findall(
        r'y="([0-9.]+)" text-anchor="middle" font-size="11" fill="#555555">(.*?)<', drawn
    )
    panels: dict[str, list[str]] = {}
    for y, label in ticks:
        panels.setdefault(y, []).append(label)
    assert len(panels) == 3
    assert len({tuple(labels) for labels in panels.values()}) == 1


def test_a_plot_of_many_variants_shows_the_likeliest_and_counts_the_rest() -> None:
    drawn = plot("mugs", judge(report(arms(100), *[(1000, 20 + n % 7) for n in range(100)])))
    assert drawn.count(b"<circle") == 60
    assert b"and 40 more" in drawn
