"""What a plan says is pinned: a plan that is made quicker must say the same to the last digit."""

from __future__ import annotations

import hashlib
import json

from flows.nouns.shot import ShotList
from flows.nouns.take import Realm, TakeState
from tests.rooms.plan_factory import Ledger, planned, product, reading

PRODUCTS = (
    product(),
    product("CUP/02", title='Tasse "Grüße" 🍵', image="a.jpg|b.jpg", colour=" blue  steel "),
    product("Bowl 3", title="Bowl\nof two lines"),
)
SPEC = {
    "prompt_text": "{{ product.title }}, {{ mood }} for {{ name }} in {{ locale }}",
    "variants": [
        {"id": "calm", "vars": {"mood": "calm"}},
        {
            "id": "bold",
            "vars": {"mood": "bold"},
            "prompt_text": "{{ mood|upper }}! {{ product.key }}",
        },
    ],
    "locales": {"en": {}, "de": {"vars": {"mood": "ruhig"}}},
    "aspect_ratios": ["1:1", "4:5"],
    "channels": ["landscape", "feed-4x5"],
    "references": [
        {"from": "{{ product.image }}", "role": "product"},
        {"from": "brand/style.jpg", "role": "style"},
    ],
    "alt": "{{ product.title }} ({{ variant }}, {{ aspect_ratio }})",
    "tags": ["spring", "{{ product.category }}", "{{ name }}"],
    "takes": 2,
    "brand": {"palette": ["#0F4C81"]},
    "model": {"guidance": 2.5},
}
PATH = (
    "{{ locale }}/{{ product.title|slug }}/{{variant}}-{{ name }}_{{ width }}-{{ take }}.{{ ext }}"
)

PROOF_RECIPES = ["963cdbf7d52a2c93", "8e0a67c7eb1ff35a", "94fedff399c2f571", "2b80afae7d690a73"]
LIVE_RECIPES = ["79a820cceacfebe7", "ff825994c6baa448", "63920305bae26248", "e7c35987a8409dc0"]
PROOF_TOLD = "22fd2216122f9d53b8525aea604fad8005e0a86419b030a57ab6ff48afa23541"
LIVE_TOLD = "62ce430e64f87109e0fce2471428abb2496f7e763362d1242d2b5dc9ed683564"
KEPT_TOLD = "dee439dd9ee9ea7b8e70a7766c165328f2e5ebebaf4bd1ca5e4ab2796d1bc2bc"
ALL_TAKES_TOLD = "f073adfa5a7de906aa0f5b43224ebdf3e7b45365640f54975367c583e2ee379d"
ALL_TAKES_PATHS = (
    "en/mug-mug-01/calm-4x5_1824-1.jpg",
    "en/mug-mug-01/calm-4x5_1824-2.jpg",
    "en/mug-mug-01/calm-feed-4x5_1440-1.jpg",
    "en/mug-mug-01/calm-feed-4x5_1440-2.jpg",
)


def told(plan: ShotList) -> str:
    """Digest of all that a plan says of its shots."""
    rows = [
        [
            shot.shot_id, shot.variant, shot.locale, shot.name, shot.aspect_ratio, shot.prompt,
            [[one.role, one.source, one.location, one.sha256] for one in shot.references],
            [[one.name, one.formats, one.width, one.height] for one in shot.outputs],
            shot.paths, [one.sha256 for one in shot.recipes], shot.alt, shot.tags, shot.title,
            shot.state, shot.why,
        ]
        for shot in plan.shots
    ]  # fmt: skip
    return hashlib.sha256(json.dumps([rows, plan.notes]).encode()).hexdigest()


def recipes(plan: ShotList) -> list[str]:
    return [shot.recipes[0].sha256[:16] for shot in plan.shots[::11]]


def test_a_proof_is_pinned():
    plan = planned(reading(PRODUCTS, **SPEC))
    assert len(plan.shots) == 36
    assert recipes(plan) == PROOF_RECIPES
    assert told(plan) == PROOF_TOLD


def test_a_live_plan_is_pinned():
    plan = planned(reading(PRODUCTS, **SPEC), realm=Realm.LIVE)
    assert recipes(plan) == LIVE_RECIPES
    assert told(plan) == LIVE_TOLD


def test_a_plan_after_its_run_is_pinned():
    first = planned(reading(PRODUCTS, **SPEC)).shots
    plan = planned(reading(PRODUCTS, **SPEC), book=Ledger.after(first, TakeState.DONE))
    assert told(plan) == KEPT_TOLD


def test_a_path_of_its_own_and_all_takes_are_pinned():
    plan = planned(reading(PRODUCTS, **SPEC, publish={"path": PATH, "takes": "all"}))
    assert plan.shots[1].paths == ALL_TAKES_PATHS
    assert told(plan) == ALL_TAKES_TOLD
