"""Storms: what goes wrong at every host at once, and what must be true of a run in it."""

from __future__ import annotations

import socket
from collections import Counter

from tests.conftest import Shotlist
from tests.journeys.once import CAMPAIGN, PRICES, Place, accounted

STORM_HOSTS = ("eachlabs", "fal", "replicate", "freepik", "evolink")
RATIOS = """aspect_ratios: ["1:1", "4:5", "9:16", "16:9"]"""
STORMY = CAMPAIGN.replace('aspect_ratios: ["1:1", "4:5"]', RATIOS) + (
    f"providers: {{use: [{', '.join(STORM_HOSTS)}], policy: fastest}}\n"
)
STORM_WANTED = 24


def storm(seed: int, times: float = 1.0) -> dict[str, object]:
    """What goes wrong at every host, as a faults file says it; so many times as often."""
    rules: list[dict[str, object]] = [
        {"at": "create", "kind": "status", "status": 503, "share": 0.1 * times},
        {"at": "poll", "kind": "status", "status": 503, "share": 0.1 * times},
        {"at": "create", "kind": "accept_then_drop", "share": 0.05 * times},
        {"at": "create", "kind": "moderation", "share": 0.03 * times},
        {"at": "link", "kind": "truncated", "share": 0.05 * times},
        {"at": "webhook", "kind": "lost", "share": 0.05 * times},
        {"at": "webhook", "kind": "duplicate", "share": 0.05 * times},
    ]
    crowded = [
        {"host": host, "at": "create", "kind": "status", "status": 429, "first": 5}
        for host in STORM_HOSTS
    ]
    return {"seed": seed, "faults": [*crowded, *({"host": "*", **rule} for rule in rules)]}


def stormed(there: Place, shotlist: Shotlist, callback: str, wanted: int) -> None:
    """Run in a storm, and once more when it is known what failed."""
    given = {**there.environment, "SHOTLIST_CALLBACK_URL": callback}
    run = ("run", "campaigns/once.yaml", "--yes")
    for _ in range(2):
        ended = shotlist(*run, cwd=there.folder, **given)
        assert "Traceback" not in ended.err
        manifest, totals = there.manifest(), there.bill()["totals"]
        accounted(manifest, totals["made"], wanted)
        assert ended.code == (1 if manifest["failures"] else 0), ended.err
        assert there.twice() == []
        status = shotlist("status", "--json", cwd=there.folder).document
        parked = {one["shot_id"] for one in manifest["failures"] if one["stage"] == "parked"}
        named = {shot["shot_id"] for one in status["unsettled"] for shot in one["shots"]}
        assert parked == named
        for one in status["unsettled"]:
            assert float(one["price_usd"]) == PRICES[one["provider"]]
    assert totals["made"] >= 0.8 * wanted


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def injected_at(there: Place) -> Counter[str]:
    """How often each fault was acted out; the client itself made none."""
    injected: Counter[str] = Counter()
    for page in there.bill()["hosts"].values():
        injected.update(page["injected"])
        assert page["client_faults"] == 0
    return injected
