"""What channels say of pictures: their rules at plan, and what finishing is handed of them."""

from __future__ import annotations

import pytest

from flows.errors import BadInput
from flows.nouns.output import clear_of
from flows.presets import channels
from tests.rooms.plan_factory import faults, planned, product, reading


def test_a_generated_picture_where_a_channel_wants_photos_is_told_at_plan():
    with pytest.raises(BadInput) as caught:
        planned(reading(channels=["photos"], places={"channels.0": "m.yaml:5:12"}))
    assert faults(caught.value) == [
        (
            "m.yaml:5:12: channel 'photos' takes no generated picture: a photo of the item;"
            " use another channel, or set `strict: false` to take the risk"
        )
    ]
    risked = planned(
        reading(channels=["photos"], strict=False, places={"channels.0": "m.yaml:5:12"})
    )
    assert risked.notes == (
        (
            "m.yaml:5:12: channel 'photos' takes no generated picture: a photo of the item;"
            " it is made at your risk"
        ),
    )
    assert [shot.name for shot in risked.shots] == ["photos"]


def test_amazon_takes_no_generated_main_image():
    refusing = [one.id for one in channels().values() if one.generated == "refused"]
    assert refusing == ["amazon-main"]


def test_a_channel_that_ranks_generated_pictures_lower_is_a_note():
    assert planned(reading(channels=["covered"])).notes == (
        "channel covered advises against generated pictures: generated ones rank lower",
    )


def test_an_output_carries_what_finishing_needs_of_its_channel():
    plan = planned(reading(aspect_ratios=["1:1"], channels=["covered", "mark"]))
    covered, mark, plain = (
        {shot.name: shot.outputs[0] for shot in plan.shots}[name]
        for name in ("covered", "mark", "1x1")
    )
    assert covered.safe_zone == (0.1, 0.06, 0.35, 0.06)
    assert covered.keep_out == ((0.85, 0.55, 1.0, 1.0),)
    assert covered.clear_zone == pytest.approx((0.1, 0.15, 0.35, 0.06))
    assert (mark.text, mark.colour, mark.safe_zone, mark.keep_out) == ("logo", "srgb", None, ())
    assert (plain.text, plain.colour, plain.clear_zone) == ("ok", "srgb", None)


def test_a_clear_zone_leaves_out_what_is_covered_and_loses_the_least():
    assert clear_of(None, [(0.84, 0.84, 1.0, 1.0)]) == pytest.approx((0, 0.16, 0, 0))
    assert clear_of(None, [(0.0, 0.84, 0.8, 1.0)]) == pytest.approx((0, 0, 0.16, 0))
    assert clear_of((0.1, 0, 0, 0.2), [(0.0, 0.0, 0.2, 1.0)]) == (0.1, 0, 0, 0.2)
    assert clear_of(None, [(0.0, 0.0, 0.1, 1.0), (0.0, 0.0, 1.0, 0.2)]) == (0.2, 0, 0, 0.1)


def test_what_each_preset_covers_lies_outside_its_clear_zone():
    covered = [one for one in channels().values() if one.keep_out]
    assert [one.id for one in covered] == [
        "x-card", "x-website-card", "snapchat-ad-9x16", "youtube-thumbnail",
        "vertical-universal-9x16",
    ]  # fmt: skip
    for channel in covered:
        top, right, bottom, left = clear_of(channel.safe_zone, channel.keep_out)
        for box in channel.keep_out:
            is_left, is_right = box[2] <= left, box[0] >= 1 - right - 1e-9
            is_above, is_below = box[3] <= top, box[1] >= 1 - bottom - 1e-9
            assert is_left or is_right or is_above or is_below, channel.id
        assert (1 - top - bottom) * (1 - left - right) > 0.3, channel.id


@pytest.mark.parametrize(
    ("cell", "wish"),
    [
        ("", [0.5, 0.4]),
        ("center", "center"),
        ("0.2 0.3", [0.2, 0.3]),
        ("0.1, 0.2, 0.6, 0.9", [0.1, 0.2, 0.6, 0.9]),
    ],
)
def test_a_product_may_have_a_focus_of_its_own(cell, wish):
    plan = planned(
        reading([product(focus=cell)], aspect_ratios=["1:1"], finish={"focus": [0.5, 0.4]})
    )
    assert plan.shots[0].focus == wish


def test_a_focus_that_is_none_is_told_with_product_and_column():
    cells = {"A": "0.5 0.4", "B": "centr", "C": "1.5 0.5"}
    with pytest.raises(BadInput) as caught:
        planned(
            reading(
                [product(key, focus=cell) for key, cell in cells.items()],
                aspect_ratios=["1:1", "4:5"],
            )
        )
    allowed = "auto, center, a point such as 0.5 0.4, or a box such as 0.2 0.1 0.8 0.9"
    place = "data/products.csv, row 2, column focus"
    assert faults(caught.value) == [
        f"{place}: product B: 'centr' (allowed: {allowed}); did you mean 'center'?",
        (
            f"{place}: product C: '1.5 0.5': shares lie between 0 and 1 (allowed: {allowed});"
            " mend or empty the cell; where the column means something else, rename it"
        ),
    ]


def test_a_focus_is_in_no_recipe():
    moved = planned(reading([product(focus="0.1 0.1")], aspect_ratios=["1:1"]))
    still = planned(reading(aspect_ratios=["1:1"]))
    assert moved.shots[0].recipes == still.shots[0].recipes
