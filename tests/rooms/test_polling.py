"""Polling: what is learned from answers, and when and in which order jobs are asked for."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.providers.base import Window
from flows.shoot.latencies import Belief, Latencies, Latency
from flows.shoot.polling import Schedule
from tests.bench.polling_model import (
    AtSteps,
    Known,
    Run,
    Scheduled,
    Setting,
    latencies,
    scheduled,
    zero_delay_s,
)

MINUTE = (Window(amount=100, per_s=60.0),)


def schedule(
    mean_s: float = 20.0,
    cv: float = 0.3,
    *,
    windows: tuple[Window, ...] = MINUTE,
    running: int = 10,
) -> Schedule:
    return Schedule(Known(Latency.of(mean_s, cv)), windows, running=running)


def polled(known: Latencies, took_s: float, ages: list[float], kind: str | None = None) -> None:
    """Tell what polls at these ages would have found of a job that took so long."""
    last = 0.0
    for age in ages:
        if age >= took_s:
            known.done(age, last, kind)
            return
        known.still_running(age, last, kind)
        last = age
    raise AssertionError(f"no poll after {took_s} s")


def relative(found: float, true: float) -> float:
    return abs(found / true - 1)


# -- what a run reaches ------------------------------------------------------------------------


@pytest.mark.parametrize(("cv", "least"), [(0.1, 0.932), (0.3, 0.88), (0.6, 0.836)])
@pytest.mark.parametrize(("off_by", "seeds"), [(1.5, 5), (1 / 1.5, 1)])
def test_a_schedule_that_learns_comes_near_the_best_that_polling_can_do(cv, least, off_by, seeds):
    """Mean of the seeds, against a client that knows each end at once."""
    runs = [
        scheduled(Setting(), latencies(cv, seed=seed), declared_s=20 * off_by)
        for seed in range(1, seeds + 1)
    ]
    assert [(result.over, result.most) for _, result in runs] == [(0, 100)] * seeds
    assert sum(share for share, _ in runs) / seeds >= least


def test_the_model_counts_what_a_client_without_a_pace_sends_too_much():
    setting = Setting()
    took_s = latencies(0.3, seed=1, takes=100)
    unpaced = Run(setting, took_s, AtSteps(1.0), is_paced=False).finished()
    paced = Run(setting, took_s, AtSteps(1.0), is_paced=True).finished()
    assert unpaced.over > 1000
    assert (paced.over, paced.most) == (0, 100)


def test_the_model_agrees_with_arithmetic_where_nothing_is_scarce():
    """Six takes of 10 s on two slots, each found at once by polls a second apart."""
    setting = Setting(amount=1000, running=2, round_trip_s=0.0)
    result = Run(setting, [10.0] * 6, AtSteps(1.0), is_paced=True).finished()
    assert zero_delay_s(setting, [10.0] * 6) == 30.0
    assert (result.makespan_s, result.requests, result.over) == (30.0, 6 + 6 * 10, 0)


def test_a_client_without_delay_waits_for_its_creates_alone():
    setting = Setting(amount=2, per_s=60.0, running=10)
    assert zero_delay_s(setting, [5.0] * 5) == 125.0


def test_fetching_that_counts_is_paid_for_with_fewer_polls():
    plain, counted = (
        Schedule(Known(Latency.of(20.0)), MINUTE, running=10, extra_per_take=extra).forecast()
        for extra in (0, 1)
    )
    assert counted.polls_per_take < plain.polls_per_take - 0.5
    assert counted.lag_s > plain.lag_s


@pytest.mark.parametrize("cv", [0.1, 0.3, 0.6])
def test_where_requests_hardly_suffice_for_one_poll_a_take_the_window_never_stands_idle(cv):
    """20 running at 60 a minute: create and poll, so that 30 takes a minute are the most."""
    setting = Setting(amount=60, running=20)
    share, result = scheduled(setting, latencies(cv, seed=1), declared_s=20.0)
    assert result.over == 0
    assert share > 0.44


# -- what is learned ---------------------------------------------------------------------------


@pytest.mark.parametrize("cv", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("declared_s", [10.0, 20.0, 40.0])
def test_thirty_polled_takes_tell_the_latency_whatever_was_declared(cv, declared_s):
    """What a run of thirty takes, asked by its own schedule, leaves in the belief."""
    setting = Setting()
    way = Scheduled(setting, Latencies(declared_s))
    took_s = latencies(cv, seed=3, takes=30)
    Run(setting, took_s, way, is_paced=True).finished()
    logs = [math.log(one) for one in took_s]
    median_s = math.exp(sum(logs) / 30)
    assert relative(way.latencies.of().median_s, median_s) < 0.1
    assert 0.6 * cv < way.latencies.of().cv < 1.7 * cv


def test_many_takes_tell_mean_and_variation_closely():
    known = Latencies(30.0)
    for took_s in latencies(0.3, seed=5, takes=400):
        polled(known, took_s, [12.0, 16.0, 18.0, 20.0, 22.0, 25.0, 30.0, 40.0, 80.0])
    assert relative(known.of().mean_s, 20.0) < 0.08
    assert relative(known.of().cv, 0.3) < 0.2


def test_callbacks_tell_the_latency_exactly():
    known = Latencies(60.0)
    for took_s in latencies(0.1, seed=6, takes=100):
        known.took(took_s)
    assert relative(known.of().mean_s, 20.0) < 0.015
    assert relative(known.of().cv, 0.1) < 0.25


def test_a_callback_after_polls_counts_from_the_last_of_them():
    asked, unasked = Latencies(20.0), Latencies(20.0)
    asked.still_running(15.0)
    asked.took(18.0, 15.0)
    unasked.took(18.0)
    assert asked.of().median_s == pytest.approx(unasked.of().median_s, rel=1e-6)
    assert asked.of().spread == pytest.approx(unasked.of().spread, rel=1e-6)


def test_jobs_that_still_run_count_so_that_the_quick_ones_do_not_mislead():
    known = Latencies(10.0)
    for _ in range(9):
        known.still_running(30.0)
    known.done(12.0, 10.0)
    quick = Latencies(10.0)
    quick.done(12.0, 10.0)
    assert quick.of().mean_s < 13 < 20 < known.of().mean_s


@pytest.mark.parametrize(("before", "after"), [(20.0, 30.0), (30.0, 20.0)])
def test_a_host_that_becomes_slower_or_quicker_is_followed(before, after):
    setting = Setting()
    way = Scheduled(setting, Latencies(before))
    slow_change = [
        one * (before + (after - before) * min(1.0, i / 200)) / 20.0
        for i, one in enumerate(latencies(0.3, seed=8, takes=400))
    ]
    Run(setting, slow_change, way, is_paced=True).finished()
    assert relative(way.latencies.of().mean_s, after) < 0.12


def test_a_host_that_suddenly_takes_fifteen_times_as_long_is_followed():
    known = Latencies(4.0)
    dice = random.Random(9)
    for mean in [4.0] * 50 + [60.0] * 150:
        known.took(mean * dice.uniform(0.8, 1.2))
    assert relative(known.of().mean_s, 60.0) < 0.1


def test_a_few_strays_do_not_move_what_is_expected():
    clean, stray = Latencies(20.0), Latencies(20.0)
    for i, took_s in enumerate(latencies(0.1, seed=10, takes=150)):
        clean.took(took_s)
        stray.took(300.0 if i % 50 == 25 else took_s)
    assert relative(stray.of().median_s, clean.of().median_s) < 0.02
    assert stray.of().spread < 1.5 * clean.of().spread


def test_a_kind_that_nobody_has_seen_is_expected_as_the_host_is():
    known = Latencies(20.0)
    for took_s in latencies(0.1, seed=11, takes=60, mean_s=35.0):
        known.took(took_s, kind="text 2K")
        known.took(took_s + 5.0, kind="text 4K")
    assert known.of("edit 4K") == known.of()
    assert known.of("text 2K").mean_s < 36.0 < known.of("edit 4K").mean_s < 39.0
    assert relative(known.of("text 4K").mean_s - known.of("text 2K").mean_s, 5.0) < 0.2


def test_kinds_are_told_apart_and_weighed_by_what_came_last():
    known = Latencies(20.0)
    pairs = zip(
        latencies(0.1, seed=12, takes=80, mean_s=10.0),
        latencies(0.1, seed=13, takes=80, mean_s=40.0),
        strict=True,
    )
    for text, edit in pairs:
        known.took(text, kind="text")
        known.took(edit, kind="edit")
    assert relative(known.of("text").mean_s, 10.0) < 0.05
    assert relative(known.of("edit").mean_s, 40.0) < 0.05
    assert [round(share, 1) for share, _ in known.mix()] == [0.5, 0.5]


@pytest.mark.parametrize("answer", [(0.0, 0.0), (-1.0, 0.0), (3.0, 3.0), (3.0, 9.0)])
def test_an_answer_that_says_nothing_new_changes_nothing(answer):
    belief = Belief(Latency.of(20.0))
    belief.learn(*answer, done=False)
    assert belief.latency == Latency.of(20.0)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.booleans()), min_size=1, max_size=6)
)
def test_no_answer_breaks_a_belief(answers):
    belief = Belief(Latency.of(20.0))
    for age_s, last_age_s, done in answers:
        belief.learn(age_s, last_age_s, done=done)
        assert 0 < belief.latency.median_s < math.inf
        assert 0 < belief.latency.spread < math.inf


def test_mean_and_variation_are_what_a_latency_was_made_of():
    assert Latency.of(20.0, 0.3).mean_s == pytest.approx(20.0)
    assert Latency.of(20.0, 0.3).cv == pytest.approx(0.3)


# -- when to ask -------------------------------------------------------------------------------

means = st.floats(0.05, 600.0)
cvs = st.floats(0.05, 0.9)
amounts = st.integers(5, 3000)


@given(means, cvs, amounts, st.integers(1, 50), st.lists(st.floats(0, 1e5), min_size=2))
def test_the_next_age_is_later_finite_and_grows_with_the_last(mean_s, cv, amount, running, ages):
    when = schedule(mean_s, cv, windows=(Window(amount=amount, per_s=60.0),), running=running)
    ages.sort()
    found = [when.next_age_s(age) for age in ages]
    polite_s = max(0.02 * mean_s, 0.05)
    assert all(then >= (age + polite_s) * (1 - 1e-9) for age, then in zip(ages, found, strict=True))
    assert all(a <= b * (1 + 1e-9) for a, b in pairwise(found))
    assert max(found) < math.inf


def test_the_first_poll_waits_until_a_job_may_have_ended_and_those_after_are_closer():
    when = schedule(20.0, 0.1)
    first = when.next_age_s(0.0)
    second = when.next_age_s(first)
    assert 18.0 < first < 22.0
    assert 0.5 < second - first < 3.0


def test_the_budget_of_the_windows_is_spent_and_not_passed():
    for cv in (0.1, 0.3, 0.6):
        found = schedule(20.0, cv).forecast()
        assert 0.93 * 100 / 60 < found.requests_per_s <= 100 / 60


def test_scarcer_requests_mean_later_and_fewer_polls():
    rates = (3000, 200, 100, 60, 30)
    found = [schedule(windows=(Window(amount=rate, per_s=60.0),)).forecast() for rate in rates]
    polls = [one.polls_per_take for one in found]
    lags = [one.lag_s for one in found]
    assert polls == sorted(polls, reverse=True)
    assert lags == sorted(lags)
    assert polls[-1] < 1.2


def test_without_windows_a_job_is_asked_for_often_but_politely():
    when = schedule(20.0, 0.3, windows=())
    age, gaps = when.next_age_s(0.0), []
    while age < 30.0:
        gaps.append(when.next_age_s(age) - age)
        age += gaps[-1]
    assert min(gaps) >= 0.02 * 20.0 * (1 - 1e-9)
    assert max(gaps) < 1.2


def test_windows_of_creates_alone_leave_polls_free():
    creates = (Window(amount=600, per_s=60.0, counts="creates"),)
    assert schedule(windows=creates).forecast() == schedule(windows=()).forecast()


def test_few_creates_a_minute_leave_more_requests_for_each_take():
    creates = Window(amount=10, per_s=60.0, counts="creates")
    few = schedule(windows=(*MINUTE, creates)).forecast()
    assert few.takes_per_s == pytest.approx(10 / 60)
    assert few.polls_per_take > 2 * schedule().forecast().polls_per_take


def test_the_tightest_window_decides():
    loose = Window(amount=10, per_s=1.0)
    assert schedule(windows=(loose, *MINUTE)).forecast() == schedule().forecast()


def test_new_limits_change_what_is_asked():
    when = schedule()
    at_first = when.forecast()
    when.allow((Window(amount=50, per_s=60.0),))
    assert when.forecast() == schedule(windows=(Window(amount=50, per_s=60.0),)).forecast()
    assert when.forecast().polls_per_take < at_first.polls_per_take
    when.allow(MINUTE, running=2)
    assert when.forecast() == schedule(running=2).forecast()
    assert when.forecast().polls_per_take > at_first.polls_per_take


def test_what_was_learned_moves_the_next_age():
    known = Latencies(20.0)
    when = Schedule(known, MINUTE, running=10)
    assert when.next_age_s(0.0) < 20.0
    for took_s in latencies(0.1, seed=14, takes=60, mean_s=60.0):
        known.took(took_s)
    assert 45.0 < when.next_age_s(0.0) < 66.0


def test_a_poll_is_worth_the_same_whatever_it_asks_for():
    known = Latencies(20.0)
    for text, edit in zip(
        latencies(0.2, seed=15, takes=60, mean_s=10.0),
        latencies(0.2, seed=16, takes=60, mean_s=40.0),
        strict=True,
    ):
        known.took(text, kind="text")
        known.took(edit, kind="edit")
    when = Schedule(known, MINUTE, running=10)
    assert 8.0 < when.next_age_s(0.0, "text") < 12.0
    assert 28.0 < when.next_age_s(0.0, "edit") < 48.0
    assert when.forecast().requests_per_s <= 100 / 60


# -- who goes first ----------------------------------------------------------------------------


def test_a_create_goes_before_every_poll_and_the_likeliest_poll_before_the_others():
    when = schedule()
    polls = [when.poll_priority(age, 15.0) for age in (60.0, 30.0, 20.0, 16.0, 15.0)]
    assert polls == sorted(polls)
    assert when.create_priority() < polls[0]
    assert (round(polls[0], 1), polls[-1]) == (0.0, 1.0)


def test_of_two_jobs_of_an_age_the_one_asked_longer_ago_goes_first():
    when = schedule()
    assert when.poll_priority(25.0, 10.0) < when.poll_priority(25.0, 24.0)


@given(means, cvs, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_priority_is_a_probability(mean_s, cv, age_s, last_age_s):
    assert 0 <= schedule(mean_s, cv).poll_priority(age_s, last_age_s) <= 1
