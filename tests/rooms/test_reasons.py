"""Why a shot is another one than before, told from the manifest that lies at the destination."""

# ruff: noqa: E501  (a case stands here on one line)
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading, ShotState
from flows.plan.reasons import UNTOLD
from tests.rooms.manifest_factory import manifest, rendition, take
from tests.rooms.plan_factory import Ledger, planned, product, reading

SPEC: dict[str, Any] = {
    "aspect_ratios": ["1:1"],
    "prompt_text": "{{ product.title }} on a {{ surface }}, {{ mood|d('plain') }}.",
    "vars": {"surface": "table"},
    "references": [{"from": "{{ product.image }}"}],
}


def published(asked: Reading, realm: str = "proof") -> tuple[Ledger, Manifest]:
    """Ledger and manifest as a run leaves them."""
    shots = planned(asked).shots
    made = [(shot.shot_id, recipe) for shot in shots for recipe in shot.recipes]
    lying = manifest(
        *(rendition(one, prompt=recipe.prompt, recipe=recipe.sha256) for one, recipe in made),
        realm=realm,
        takes=[
            take(
                one,
                recipe=recipe.sha256,
                references=[
                    {"role": role, "from": "x", "sha256": sha256}
                    for role, sha256 in recipe.references
                ],
            )
            for one, recipe in made
        ],
    )
    return Ledger.after(shots), lying


def why(before: Reading, after: Reading, **more: Any) -> list[str]:
    book, lying = published(before)
    plan = planned(after, book=book, former=lying, **more)
    assert {shot.state for shot in plan.shots} == {ShotState.CHANGED}
    return [shot.why for shot in plan.shots]


def mug(**fields: str) -> Any:
    return product(**{"title": "Fjörd Mug", "color": "blue", **fields})


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (mug(), mug(title="Lagoon Mug"), "title changed: Fjörd Mug -> Lagoon Mug"),
        (mug(), mug(image="photos/new.jpg"), "photo changed"),
        (
            mug(),
            mug(title="Lagoon Mug", image="photos/new.jpg"),
            "title changed: Fjörd Mug -> Lagoon Mug; photo changed",
        ),
        (mug(image="a.jpg|b.jpg"), mug(image="a.jpg"), "photo changed"),
    ],
)
def test_what_changed_about_a_product_is_named(before: Any, after: Any, told: str):
    spec = {**SPEC, "references": [{"from": "{{ product.images|join('|') }}"}]}
    assert why(reading([before], **spec), reading([after], **spec)) == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"vars": {"surface": "shelf"}}, "surface changed: table -> shelf"),
        ({"vars": {"surface": "table", "mood": "calm"}}, "mood changed: plain -> calm"),
        ({"prompt_text": "{{ product.title }} on a red {{ surface }}, plain."}, 'prompt changed: "red" came'),
        ({"prompt_text": "{{ product.title }} on a {{ surface }}"}, 'prompt changed: "table, plain." -> "table"'),
        ({"prompt_text": "{{ product.title }}, plain."}, 'prompt changed: "Mug on a table," -> "Mug,"'),
        ({"prompt_text": "Fjörd plain."}, 'prompt changed: "Mug on a table," left'),
        ({"references": []}, "photo left"),
        ({"references": [{"from": "{{ product.image }}", "role": "hero"}]}, "photo left; hero reference came"),
        ({"model": {"resolution": "4K"}}, "its shape, resolution, seed or a setting of the model changed"),
        ({"seed": 5}, "its shape, resolution, seed or a setting of the model changed"),
    ],
)  # fmt: skip
def test_what_changed_about_a_campaign_is_named(change: dict[str, Any], told: str):
    assert why(reading([mug()], **SPEC), reading([mug()], **{**SPEC, **change})) == [told]


def test_a_style_reference_and_a_locales_words_are_named():
    style = {**SPEC, "references": [{"from": "brand/a.png", "role": "style"}]}
    other = {**SPEC, "references": [{"from": "brand/b.png", "role": "style"}]}
    assert why(reading([mug()], **style), reading([mug()], **other)) == ["style reference changed"]

    def spoken(greeting: str) -> Reading:
        locales = {"en": {"vars": {"mood": "calm"}}, "de": {"vars": {"mood": greeting}}}
        return reading([mug()], **{**SPEC, "locales": locales})

    book, lying = published(spoken("ruhig"))
    plan = planned(spoken("still"), book=book, former=lying)
    assert [(shot.locale, shot.state.value, shot.why) for shot in plan.shots] == [
        ("en", "kept", "its take is in the ledger"),
        ("de", "changed", "mood changed: ruhig -> still"),
    ]


def test_long_words_are_cut():
    spec = {**SPEC, "prompt_text": "{{ product.title }}"}
    (told,) = why(reading([mug(title="a " * 90)], **spec), reading([mug(title="b " * 90)], **spec))
    assert told == f"title changed: {'a ' * 29}a… -> {'b ' * 29}b…"


def test_without_a_manifest_of_this_realm_the_change_is_told_in_general():
    book, lying = published(reading([mug()], **SPEC), realm="live")
    after = reading([mug(title="Lagoon Mug")], **SPEC)
    for former in (None, lying):
        (shot,) = planned(after, book=book, former=former).shots
        assert (shot.state, shot.why) == (ShotState.CHANGED, UNTOLD)


def test_a_new_product_is_told_from_a_new_shape_of_an_old_one():
    book, lying = published(reading([product("A/1")], **SPEC))
    more = {**SPEC, "aspect_ratios": ["1:1", "4:5"]}
    plan = planned(reading([product("A/1"), product("A")], **more), book=book, former=lying)
    assert {shot.shot_id: shot.why for shot in plan.shots} == {
        "A/1/1x1": "its take is in the ledger",
        "A/1/4x5": "never made",
        "A/1x1": "never made",
        "A/4x5": "never made",
    }
    plan = planned(reading([product("A/1"), product("B")], **SPEC), book=book, former=lying)
    assert plan.shots[1].why == "its product is new"


TEXT = st.text("ab .", max_size=12)


@given(before=TEXT, after=TEXT, frame=st.lists(TEXT, min_size=2, max_size=4))
def test_a_named_change_is_true(before: str, after: str, frame: list[str]):
    """Put back what is said to have stood there, and the former prompt is there again."""
    from flows.plan.reasons import _replaced

    old, new = before.join(frame), after.join(frame)
    was = _replaced(old, new, after)
    if was is not None:
        assert new.replace(after, was) == old


@pytest.mark.parametrize(
    ("prompt", "before", "after", "told"),
    [
        ("{{ product.title|shorten(16) }} on a table.", "Fjörd Stoneware Mug of clay", "Lagoon Stoneware Mug of clay", "title changed: Fjörd Stoneware… -> Lagoon…"),
        ("{{ product.title|shorten(16) }} on a table.", "Fjörd Mug", "Lagoon Stoneware Mug of clay", "title changed: Fjörd Mug -> Lagoon…"),
        ("{{ product.title|shorten(16) }} on a table.", "Fjörd Stoneware Mug of clay", "Lagoon Mug", "title changed: Fjörd Stoneware… -> Lagoon Mug"),
        ("{{ product.title|shorten(17, '') }} on a table.", "Fjörd Stoneware Mug of clay", "Lagoon Stoneware Mug of clay", "title changed: Fjörd Stoneware -> Lagoon Stoneware"),
        ("{{ product.title|upper }} on a table.", "Fjörd Mug", "Lagoon Mug", "title changed: FJÖRD MUG -> LAGOON MUG"),
    ],
)  # fmt: skip
def test_a_title_is_named_though_the_prompt_has_it_shortened_or_in_capitals(
    prompt: str, before: str, after: str, told: str
):
    spec = {**SPEC, "prompt_text": prompt}
    assert why(reading([mug(title=before)], **spec), reading([mug(title=after)], **spec)) == [told]


def test_a_value_that_only_begins_like_the_words_that_changed_is_not_named():
    before = {**SPEC, "prompt_text": "{{ product.title }} in a lake."}
    after = {**SPEC, "prompt_text": "{{ product.title }} in a lagoon."}
    dyed = mug(color="lagoon blue")
    assert why(reading([dyed], **before), reading([dyed], **after)) == [
        'prompt changed: "lake." -> "lagoon."'
    ]
