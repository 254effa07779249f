"""Rate headers: read in every spelling that is about; obeyed, never beyond what is declared."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from flows.providers.base import Window
from flows.providers.base.rate_headers import Rate, rate
from flows.shoot.heeding import Advice, Told

NOW = 1_760_000_000.0
MINUTE = (Window(amount=100, per_s=60.0),)


def said(*headers: tuple[str, str]) -> Rate | None:
    return rate(httpx.Headers(list(headers)), now=NOW)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (
            {
                "X-RateLimit-Limit": "50",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "27",
            },
            Rate(limit=50, remaining=0, reset_s=27.0),
        ),
        (
            # as Replicate answers
            {"ratelimit-remaining": "59999", "ratelimit-reset": "1"},
            Rate(remaining=59999, reset_s=1.0),
        ),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str(int(NOW) + 12)},
            Rate(remaining=3, reset_s=12.0),
        ),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": f"{int(NOW) + 12}500"},
            Rate(remaining=3, reset_s=12.5),
        ),
        (
            {"x-ratelimit-remaining": "3", "x-ratelimit-reset": str(int(NOW) - 5)},
            Rate(remaining=3, reset_s=0.0),
        ),
        (
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-reset-requests": "1m0.5s",
                "x-ratelimit-limit-tokens": "150000",
            },
            Rate(limit=60, remaining=59, reset_s=60.5),
        ),
        ({"x-ratelimit-reset": "1s"}, Rate(reset_s=1.0)),
        ({"x-ratelimit-reset": "250ms"}, Rate(reset_s=0.25)),
        (
            {"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "7"},
            Rate(limit=100, remaining=7, per_s=60.0),
        ),
        (
            {"RateLimit": "limit=100, remaining=0, reset=5", "RateLimit-Policy": "100;w=60"},
            Rate(limit=100, remaining=0, reset_s=5.0, per_s=60.0),
        ),
        (
            {"RateLimit": '"default";r=50;t=30', "RateLimit-Policy": '"default";q=100;w=60'},
            Rate(limit=100, remaining=50, reset_s=30.0, per_s=60.0),
        ),
        ({"x-ratelimit-limit": "0", "x-ratelimit-remaining": "many"}, None),
        ({"x-ratelimit-reset": "99999999"}, None),  # years are not believed
        ({"retry-after": "3"}, None),
        ({}, None),
    ],
)
def test_what_answers_say_of_their_limits_is_read(
    headers: dict[str, str], found: Rate | None
) -> None:
    assert said(*headers.items()) == found


NAMES = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit",
    "ratelimit-policy",
]
TEXTS = some.one_of(
    some.text(alphabet='0123456789.;=,wqrt "smhd-e', max_size=30),
    some.text(alphabet=some.characters(max_codepoint=255), max_size=30),
)


@given(some.dictionaries(some.sampled_from(NAMES), TEXTS))
def test_nothing_that_a_host_may_write_there_stops_a_run(headers: dict[str, str]) -> None:
    found = rate(headers, now=NOW)
    if found is not None:
        assert found.limit is None or found.limit >= 1
        assert found.reset_s is None or 0 <= found.reset_s <= 86_400
        Told(MINUTE).advice(found, creates=True)


def test_where_nothing_is_left_it_is_waited_until_the_reset() -> None:
    told = Told(MINUTE)
    assert told.advice(Rate(remaining=1, reset_s=9.0), creates=False) == Advice()
    assert told.advice(Rate(remaining=0, reset_s=9.0), creates=False) == Advice(pause_s=9.0)


def test_where_creates_have_a_window_of_their_own_only_they_wait_for_it() -> None:
    told = Told((*MINUTE, Window(amount=10, per_s=60.0, counts="creates")))
    rate_said = Rate(limit=6, remaining=0, reset_s=9.0, per_s=60.0)
    assert told.advice(rate_said, creates=True) == Advice(
        windows=(*MINUTE, Window(amount=6, per_s=60.0, counts="creates")),
        pause_s=9.0,
        creates_alone=True,
    )


def test_a_lower_limit_is_kept_from_then_on_and_told_once() -> None:
    told = Told(MINUTE)
    low = Rate(limit=50, remaining=49, reset_s=59.0)
    assert told.advice(low, creates=True).windows == (Window(amount=50, per_s=60.0),)
    assert told.advice(low, creates=False).windows is None


def test_a_higher_limit_changes_nothing_neither_at_first_nor_after_a_lower_one() -> None:
    told = Told(MINUTE)
    high = Rate(limit=5000, reset_s=59.0)
    assert told.advice(high, creates=False).windows is None
    assert told.advice(Rate(limit=50, reset_s=59.0), creates=False).windows is not None
    assert told.advice(high, creates=False).windows is None


def test_a_limit_of_an_unknown_period_counts_once_its_reset_shows_that_it_is_like_ours() -> None:
    told = Told(MINUTE)
    assert told.advice(Rate(limit=10, reset_s=1.0), creates=False).windows is None
    assert told.advice(Rate(limit=10), creates=False).windows is None
    assert told.advice(Rate(limit=10, reset_s=31.0), creates=False).windows == (
        Window(amount=10, per_s=60.0),
    )


@pytest.mark.parametrize(
    ("limit", "per_s", "amount"),
    [
        (1, 1.0, 60),  # one a second is sixty a minute
        (10, 1.0, 100),
        (90, 120.0, 90),
        (1000, 3600.0, 100),  # an hour's may be spent in ten minutes
    ],
)
def test_a_limit_of_another_period_is_counted_in_ours(
    limit: int, per_s: float, amount: int
) -> None:
    told = Told(MINUTE)
    found = told.advice(Rate(limit=limit, per_s=per_s), creates=False).windows or MINUTE
    assert found == (Window(amount=amount, per_s=60.0),)
