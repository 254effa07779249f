"""Bought once, the long way: over a hundred kills, and storms over hundreds of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.sandbox.faults import Faults
from flows.sandbox.limits import Limits, Window
from tests.conftest import Shotlist
from tests.journeys.once import (
    CAMPAIGN,
    CAN_BE_ASKED,
    PRICES,
    Begin,
    killed,
    place,
    run_at,
    slow,
    survived,
    told,
    wait,
)
from tests.journeys.storm import (
    STORM_HOSTS,
    STORM_WANTED,
    STORMY,
    free_port,
    injected_at,
    storm,
    stormed,
)

pytestmark = [pytest.mark.journey, pytest.mark.slow]

RATIOS = 'aspect_ratios: ["1:1", "4:5", "9:16", "16:9"]'
MANY = CAMPAIGN.replace('aspect_ratios: ["1:1", "4:5"]', RATIOS).replace(
    '{{ aspect_ratio }}."', '{{ aspect_ratio }}, {{ mood }}."'
)


def moods(count: int) -> str:
    named = (f"{{id: v{number}, vars: {{mood: mood {number}}}}}" for number in range(count))
    return f"variants: [{', '.join(named)}]\n"


EDITED = f"{MANY}{moods(5)}references: [{{from: '{{{{ product.image }}}}', role: product}}]\n"
WANTED = 120
TWO_AT_ONCE = Limits((Window(300, 60.0),), running=2)
KILLS = {"eachlabs": 34, "fal": 34, "replicate": 34, "freepik": 25}

USED = f"providers: {{use: [{', '.join(STORM_HOSTS)}], policy: fastest}}\n"
LONG_STORMY = f"{MANY}{moods(8)}{USED}"
LONG_STORM_WANTED = 192
SLOWER = 8.0
"""Sandbox seconds in a real one: a host that deletes what it made after an hour must not be done
with that while the two cores of a machine draw all these pictures."""


@pytest.mark.parametrize("host", KILLS)
def test_a_run_that_is_killed_at_many_moments_buys_each_picture_once(
    host: str, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    few: dict[str, Any] = {"limits": {host: TWO_AT_ONCE}}
    with place(tmp_path / "cut", repository, EDITED, faults=slow(host), **few) as there:
        kills = killed(there, begin, host, KILLS[host], f"long {host}")
        manifest = survived(kills, there, begin, host, WANTED)
    assert kills == KILLS[host]
    if host in CAN_BE_ASKED:
        with place(tmp_path / "whole", repository, EDITED, **few) as calm:
            assert wait(begin(calm, *run_at(host))) == 0
        assert told(manifest) == told(calm.manifest())


def test_in_a_storm_every_shot_is_published_or_listed_and_none_is_bought_twice(
    shotlist: Shotlist, tmp_path: Path, repository: Path
) -> None:
    # few orders: everything goes wrong more often, so that each thing does
    faults = Faults.of(storm(3, times=2), STORM_HOSTS)
    limits = dict.fromkeys(STORM_HOSTS, Limits((Window(200, 60.0),), running=2))
    with place(tmp_path, repository, STORMY, faults=faults, limits=limits) as there:
        stormed(there, shotlist, f"http://127.0.0.1:{free_port()}", STORM_WANTED)
        injected = injected_at(there)
    assert {"status", "accept_then_drop", "truncated", "lost"} <= injected.keys()


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_long_storm_every_shot_is_published_or_listed_and_none_is_bought_twice(
    seed: int, shotlist: Shotlist, tmp_path: Path, repository: Path
) -> None:
    faults = Faults.of(storm(seed), sorted(PRICES))
    with place(tmp_path, repository, LONG_STORMY, faults=faults, speed=SLOWER) as there:
        stormed(there, shotlist, f"http://127.0.0.1:{free_port()}", LONG_STORM_WANTED)
        injected = injected_at(there)
    expected = {"status", "accept_then_drop", "moderation", "truncated", "lost", "duplicate"}
    assert expected <= injected.keys()
