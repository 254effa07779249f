"""Bought once, the long way: a hundred kills, and a storm over hundreds of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flows.sandbox.faults import Faults
from tests.conftest import Shotlist
from tests.journeys.test_once import (
    CALM,
    CAMPAIGN,
    CAN_BE_ASKED,
    FEW_AT_ONCE,
    PRICES,
    STORM_HOSTS,
    Begin,
    accounted,
    begin,
    free_port,
    injected_at,
    killed,
    moments,
    place,
    run_at,
    slow,
    storm,
    stormed,
    told,
    wait,
)

__all__ = ["begin"]  # a fixture

pytestmark = [pytest.mark.journey, pytest.mark.slow]

RATIOS = 'aspect_ratios: ["1:1", "4:5", "9:16", "16:9"]'
MANY = CAMPAIGN.replace('aspect_ratios: ["1:1", "4:5"]', RATIOS).replace(
    '{{ aspect_ratio }}."', '{{ aspect_ratio }}, {{ mood }}."'
)
EDITED = (
    f"{MANY}variants: [{{id: a, vars: {{mood: calm}}}}, {{id: b, vars: {{mood: bold}}}}]\n"
    "references:\n  - {from: '{{ product.image }}', role: product}\n"
)
WANTED = 48
KILLS = 25
"""A host: a hundred at four of them."""

MOODS = [f"{{id: v{number}, vars: {{mood: mood {number}}}}}" for number in range(14)]
STORMY = (
    f"{MANY}variants: [{', '.join(MOODS)}]\n"
    f"providers: {{use: [{', '.join(STORM_HOSTS)}], policy: fastest}}\n"
)
STORM_WANTED = 336


@pytest.mark.parametrize("host", [*CAN_BE_ASKED, "freepik"])
def test_a_run_that_is_killed_at_many_moments_buys_each_picture_once(
    host: str, begin: Begin, tmp_path: Path, repository: Path
) -> None:
    few: dict[str, Any] = {"limits": {host: FEW_AT_ONCE}}
    with place(tmp_path / "cut", repository, EDITED, faults=slow(host), **few) as there:
        kills = killed(there, begin, host, moments(KILLS, WANTED, f"long {host}"))
        ended = wait(begin(there, *run_at(host)))
        page, twice = there.page(host), there.twice()
    manifest = there.manifest()
    assert kills >= 0.8 * KILLS
    assert (page["duplicates"], twice) == (0, [])
    if host in CAN_BE_ASKED:
        assert manifest["failures"] == []
        assert (ended, page["made"], page["billed"]) == (0, WANTED, WANTED)
        with place(tmp_path / "whole", repository, EDITED, **few) as calm:
            assert wait(begin(calm, *run_at(host))) == 0
        assert told(manifest) == told(calm.manifest())
    else:
        accounted(manifest, page["made"], WANTED)
        assert {one["stage"] for one in manifest["failures"]} <= {"parked"}
        assert ended == (1 if manifest["failures"] else 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_long_storm_every_shot_is_published_or_listed_and_none_is_bought_twice(
    seed: int, shotlist: Shotlist, tmp_path: Path, repository: Path
) -> None:
    faults = Faults.of(storm(seed), sorted(PRICES))
    with place(tmp_path, repository, STORMY, faults=faults, speed=CALM) as there:
        stormed(there, shotlist, f"http://127.0.0.1:{free_port()}", STORM_WANTED)
        injected = injected_at(there)
    expected = {"status", "accept_then_drop", "moderation", "truncated", "lost", "duplicate"}
    assert expected <= injected.keys()
