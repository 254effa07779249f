"""Overlays in a plan: what they say in each shot, where they may stand, and what they cost."""

from __future__ import annotations

import pytest

from flows.errors import BadInput
from flows.nouns.overlay import BrandKit, FontFile, LaidOverlay
from flows.nouns.said_overlay import SaidOverlay, on_output
from tests.rooms.lettering_scenes import LOGO, built_in_font
from tests.rooms.plan_factory import Ledger, faults, ids, planned, product, reading

KIT = BrandKit(fonts=(built_in_font(),), palette=("#0F4C81",), logo=LOGO)


def said(plan):
    return {shot.shot_id: [(one.index, one.text) for one in shot.overlays] for shot in plan.shots}


def refused(*args, **spec):
    with pytest.raises(BadInput) as caught:
        planned(reading(*args, **spec))
    return faults(caught.value)


def test_each_shot_has_its_words_in_its_variant_and_locale():
    plan = planned(
        reading(
            [product("A", price="9.90"), product("B", price="")],
            variants=[{"id": "a", "vars": {"call": "Now"}}, {"id": "b", "vars": {"call": "Soon"}}],
            locales={"en": {}, "de": {"vars": {"new": "Neu"}}},
            vars={"new": "New"},
            aspect_ratios=["1:1"],
            overlays=[
                {"text": "{{ new }}: {{ product.title }}"},
                {"text": "{{ product.price }}", "role": "price", "locales": ["de"]},
                {"text": " {{ call }}", "locales": ["en"]},
            ],
        )
    )
    assert said(plan) == {
        "A/a/en/1x1": [(0, "New: Mug A"), (2, "Now")],
        "A/a/de/1x1": [(0, "Neu: Mug A"), (1, "9.90")],
        "A/b/en/1x1": [(0, "New: Mug A"), (2, "Soon")],
        "A/b/de/1x1": [(0, "Neu: Mug A"), (1, "9.90")],
        "B/a/en/1x1": [(0, "New: Mug B"), (2, "Now")],
        "B/a/de/1x1": [(0, "Neu: Mug B")],
        "B/b/en/1x1": [(0, "New: Mug B"), (2, "Soon")],
        "B/b/de/1x1": [(0, "Neu: Mug B")],
    }


def test_words_may_speak_of_the_shape():
    plan = planned(
        reading(aspect_ratios=["1:1", "4:5"], overlays=[{"text": "{{ aspect_ratio }}, {{ name }}"}])
    )
    assert said(plan) == {"MUG-01/1x1": [(0, "1:1, 1x1")], "MUG-01/4x5": [(0, "4:5, 4x5")]}


def test_a_logo_stands_without_words():
    plan = planned(reading(aspect_ratios=["1:1"], overlays=[{"logo": True}, {"text": "x"}]))
    assert said(plan) == {"MUG-01/1x1": [(0, ""), (1, "x")]}


def test_a_fault_in_the_words_is_told_with_its_product_and_place():
    assert refused(
        aspect_ratios=["1:1"],
        overlays=[{"text": "{{ product.prise }}"}],
        places={"overlays.0.text": "campaigns/mugs.yaml:9:18"},
    ) == [
        (
            "campaigns/mugs.yaml:9:18: product MUG-01: product has no field 'prise';"
            " known here: category, image, images, key, row, title"
        )
    ]


def test_other_words_cost_no_other_take():
    before = planned(reading(aspect_ratios=["1:1", "4:5"]))
    book = Ledger.after(before.shots)
    after = planned(
        reading(aspect_ratios=["1:1", "4:5"], overlays=[{"text": "Sale"}, {"logo": True}]),
        book=book,
    )
    assert [one.recipes for one in after.shots] == [one.recipes for one in before.shots]
    assert [one.state for one in after.shots] == ["kept", "kept"]
    assert after.estimate.generations == 0


def test_words_on_a_channel_that_takes_none_are_a_fault_with_a_remedy():
    spec = {
        "channels": ["no-text", "mark", "feed-4x5"],
        "overlays": [{"text": "Sale"}, {"logo": True}],
        "places": {"overlays.0": "m.yaml:7:5", "overlays.1": "m.yaml:8:5"},
    }
    remedy = (
        "name its other outputs under its `channels`, or set `strict: false` to leave it out there"
    )
    assert refused(**spec) == [
        f"m.yaml:7:5: no-text, mark take no words over a picture; {remedy}",
        f"m.yaml:8:5: no-text takes no logo over a picture; {remedy}",
    ]
    spec["overlays"] = [{"text": "Sale", "channels": ["mark"]}]
    assert refused(**spec) == [f"m.yaml:7:5: mark takes the logo alone, no words; {remedy}"]
    spec["overlays"] = [{"text": "Sale", "channels": ["feed-4x5"]}]
    assert ids(planned(reading(**spec))) == ["MUG-01/no-text", "MUG-01/mark", "MUG-01/feed-4x5"]


def test_words_that_say_nothing_break_no_rule():
    plan = planned(reading(channels=["no-text"], overlays=[{"text": "{{ product.sale or '' }}"}],
                           products=[product(sale="")]))  # fmt: skip
    assert plan.shots[0].overlays == ()


def test_without_strict_what_a_channel_refuses_is_left_out_with_a_note():
    plan = planned(
        reading(
            channels=["no-text", "mark", "calm"],
            strict=False,
            overlays=[{"text": "Sale", "box": [0.0, 0.5, 1.0, 1.0]}, {"logo": True}],
            places={"overlays.0": "m.yaml:7:5", "overlays.1": "m.yaml:8:5"},
        )
    )
    assert plan.notes == (
        "overlays: calm advises against words over pictures",
        "m.yaml:7:5: no-text, mark take no words over a picture; it is left out there",
        "m.yaml:8:5: no-text takes no logo over a picture; it is left out there",
    )
    campaign = reading(
        overlays=[{"text": "Sale", "box": [0.0, 0.5, 1.0, 1.0]}, {"logo": True}]
    ).campaign
    words = LaidOverlay(text="Sale", box=(0.0, 0.5, 1.0, 1.0), place="overlays.0")
    logo = LaidOverlay(logo=True, place="overlays.1")
    assert {
        shot.name: on_output(campaign.overlays, shot.overlays, shot.outputs[0])
        for shot in plan.shots
    } == {"no-text": (), "mark": (logo,), "calm": (words, logo)}


def test_only_the_outputs_that_an_overlay_names_have_it():
    plan = planned(
        reading(
            aspect_ratios=["1:1", "4:5"], overlays=[{"text": "a", "channels": ["4x5"]}], kit=KIT
        )
    )
    campaign = reading(overlays=[{"text": "a", "channels": ["4x5"]}]).campaign
    assert [
        [one.text for one in on_output(campaign.overlays, shot.overlays, shot.outputs[0])]
        for shot in plan.shots
    ] == [[], ["a"]]


def test_a_filter_that_names_nothing_of_the_campaign_is_a_fault():
    assert refused(
        aspect_ratios=["1:1", "4:5"],
        locales=["en", "de"],
        overlays=[{"text": "a", "locales": ["de", "dee"], "channels": ["4x6"]}],
    ) == [
        (
            "campaigns/mugs.yaml, overlays.0.locales.1: this campaign has no locale 'dee'"
            " (allowed: en, de); did you mean 'de'?"
        ),
        (
            "campaigns/mugs.yaml, overlays.0.channels.0: this campaign has no output '4x6'"
            " (allowed: 1x1, 4x5); did you mean '4x5'?"
        ),
    ]


def test_letters_that_no_font_has_are_told_once_with_a_product_that_has_them():
    found = refused(
        [product("A"), product("B", title="Mug \ue0f1"), product("C", title="Cup \ue0f1")],
        aspect_ratios=["1:1", "4:5"],
        overlays=[{"text": "{{ product.title }}"}, {"text": "Now: {{ product.title }}"}],
        places={"overlays.0.text": "m.yaml:7:11"},
        kit=KIT,
    )
    assert found == [
        (
            "m.yaml:7:11: product B: no font has \ue0f1 (U+E0F1); put one that has it into"
            " brand.fonts, or leave it out"
        )
    ]


def test_letters_that_one_overlay_lacks_are_told_at_that_one():
    found = refused(
        [product("A", badge="New"), product("B", badge="\ue0f1")],
        aspect_ratios=["1:1"],
        overlays=[{"text": "{{ product.title }}"}, {"text": "{{ product.badge }}"}],
        places={"overlays.0.text": "m.yaml:7:11", "overlays.1.text": "m.yaml:8:11"},
        kit=KIT,
    )
    assert [one.partition(": no font has")[0] for one in found] == ["m.yaml:8:11: product B"]


def test_fonts_that_are_not_there_or_broken_are_told_at_their_place():
    asked = {
        "aspect_ratios": ["1:1"],
        "places": {"overlays.1.font": "m.yaml:8:30", "brand.fonts": "m.yaml:5:3"},
    }
    missing = refused(
        **asked, kit=KIT, overlays=[{"text": "a"}, {"text": "b", "font": "Nofontiscalledso"}]
    )
    assert len(missing) == 1
    assert missing[0].startswith("m.yaml:8:30: no font 'Nofontiscalledso' on this machine")
    broken = BrandKit(fonts=(FontFile(name="house.ttf", data=b"no font"),))
    told = refused(**asked, kit=broken, overlays=[{"text": "a"}, {"text": "b"}])
    assert len(told) == 1
    assert told[0].startswith("m.yaml:5:3: house.ttf: not a font that can be read")


def test_a_logo_that_cannot_be_drawn_is_told_at_its_place():
    kit = BrandKit(fonts=KIT.fonts, logo=LOGO, logo_on_dark=b"no picture")
    found = refused(
        aspect_ratios=["1:1"],
        overlays=[{"logo": True}],
        kit=kit,
        places={"brand.logo": "m.yaml:4:9", "brand.logo_on_dark": "m.yaml:5:17"},
    )
    assert [one.partition(":5:17: ")[0] for one in found] == ["m.yaml"]


def test_the_longest_words_of_an_output_and_locale_that_have_no_room_are_told():
    found = refused(
        [product("A"), product("B", title="Mug " + "with a very long title " * 30)],
        sizes=[{"name": "strip", "size": "320x50"}, {"name": "large", "size": "2000x2000"}],
        overlays=[{"text": "{{ product.title }}"}],
        places={"overlays.0": "m.yaml:7:5"},
        kit=KIT,
    )
    assert len(found) == 1
    assert found[0].startswith("m.yaml:7:5: product B: strip: 'Mug with a very long title")
    assert "has no room in" in found[0]


def test_a_plan_without_overlays_opens_no_font(monkeypatch):
    def opened(*_args):
        raise AssertionError

    monkeypatch.setattr("flows.plan.legible._Checked", opened)
    assert planned(reading(aspect_ratios=["1:1"], kit=KIT)).shots[0].overlays == ()


def test_equal_overlays_are_one_value_for_all_shots():
    plan = planned(reading(aspect_ratios=["1:1", "4:5"], overlays=[{"text": "Sale"}]))
    first, second = plan.shots
    assert first.overlays == (SaidOverlay(0, "Sale"),)
    assert first.overlays is second.overlays
