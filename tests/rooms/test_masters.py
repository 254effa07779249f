from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.nouns.output import Output, ratio_text
from flows.nouns.recipe import TIERS, master_size
from flows.plan.masters import (
    crop_loss,
    crop_size,
    is_same_shape,
    masters,
    planned_size,
    without,
)


def ratio(text: str) -> Output:
    width, _, height = text.partition(":")
    return Output(
        name=text.replace(":", "x"),
        aspect_ratio=text,
        shape=Fraction(width) / Fraction(height),
        formats=("jpeg",),
    )


def sized(name: str, width: int, height: int) -> Output:
    return Output(
        name=name,
        aspect_ratio=ratio_text(width, height),
        shape=Fraction(width, height),
        formats=("jpeg",),
        width=width,
        height=height,
    )


def grouped(outputs: list[Output], tolerance: float = 0.0) -> list[tuple[str, list[str]]]:
    return [
        (one.namer.name, [output.name for output in one.outputs])
        for one in masters(outputs, tolerance=tolerance)
    ]


def test_outputs_of_equal_shape_share_one_master_that_the_first_names():
    outputs = [ratio("1:1"), ratio("4:5"), sized("feed", 1440, 1800), sized("square", 600, 600)]
    assert grouped(outputs) == [("1x1", ["1x1", "square"]), ("4x5", ["4x5", "feed"])]


def test_shapes_are_equal_when_the_crop_takes_less_than_a_pixel():
    assert is_same_shape(ratio("1.91:1"), sized("landscape", 1200, 628))
    assert is_same_shape(sized("landscape", 1200, 628), ratio("1.91:1"))
    assert is_same_shape(sized("feed", 1440, 754), sized("landscape", 1200, 628))
    assert not is_same_shape(ratio("2:1"), sized("landscape", 1200, 628))
    assert not is_same_shape(sized("wide", 101, 100), sized("square", 100, 100))


def test_unlike_shapes_keep_their_own_masters_without_a_tolerance():
    assert grouped([ratio("1:1"), ratio("9:8")]) == [("1x1", ["1x1"]), ("9x8", ["9x8"])]


def test_a_tolerance_takes_the_fewest_masters_and_names_them_by_their_shape():
    outputs = [ratio("1:1"), ratio("9:8"), ratio("5:4"), ratio("9:16")]
    assert grouped(outputs, 0.12) == [
        ("9x8", ["1x1", "9x8", "5x4"]),
        ("9x16", ["9x16"]),
    ]


def test_leaving_an_output_out_renames_no_other_master():
    outputs = [ratio("1:1"), sized("a", 500, 500), sized("b", 300, 300), ratio("4:5")]
    whole = masters(outputs)
    left = without(whole, {"1x1", "b", "4x5"})
    assert [(one.namer.name, [o.name for o in one.outputs]) for one in left] == [
        ("1x1", ["1x1", "b"]),
        ("4x5", ["4x5"]),
    ]
    nameless = without(whole, {"a", "b"})
    assert [(one.namer.name, [o.name for o in one.outputs]) for one in nameless] == [
        ("a", ["a", "b"])
    ]


def test_the_tier_is_2k_and_rises_only_where_an_output_needs_it():
    small, large = masters([ratio("1:1"), sized("hero", 2400, 1000)])
    assert (small.tier, large.tier) == ("2K", "2K")
    (huge,) = masters([sized("hero", 3600, 1500)])
    assert (huge.tier, huge.notes) == ("4K", ())


def test_a_written_tier_is_kept_and_says_what_will_be_upscaled():
    (one,) = masters([sized("hero", 2400, 1000)], tier="1K")
    assert one.tier == "1K"
    assert one.size == (1584, 660)
    assert one.notes == (
        (
            "hero (2400x1000) will be upscaled: a 1K master gives it 1584x660;"
            " a larger model.resolution, or none, would help"
        ),
    )


def test_what_no_tier_covers_is_said_too():
    (one,) = masters([sized("wall", 9000, 9000)])
    assert (one.tier, one.notes) == (
        "4K",
        ("wall (9000x9000) will be upscaled: a 4K master gives it 4096x4096",),
    )


def test_master_sizes_are_exact_for_small_terms():
    assert master_size(Fraction(1), "1K") == (1024, 1024)
    assert master_size(Fraction(4, 5), "2K") == (1824, 2280)
    assert master_size(Fraction(9, 16), "4K") == (3060, 5440)
    assert master_size(Fraction(191, 100), "2K") == (2830, 1482)


def test_a_ratio_output_is_planned_at_the_size_of_its_part_of_the_master():
    assert planned_size(ratio("1:1"), Fraction(1), "2K") == (2048, 2048)
    assert planned_size(ratio("4:5"), Fraction(1), "2K") == (1638, 2048)
    assert planned_size(sized("hero", 600, 300), Fraction(1), "2K") == (600, 300)


sizes = st.tuples(st.integers(50, 4000), st.integers(50, 4000))


@given(st.fractions(min_value="1/16", max_value=16, max_denominator=500), st.sampled_from([*TIERS]))
def test_a_master_is_even_near_its_shape_and_never_above_the_tier(shape, tier):
    width, height = master_size(shape, tier)
    area = TIERS[tier] ** 2
    assert width % 2 == height % 2 == 0
    assert 0.85 * area < width * height <= area
    assert abs(width - height * shape) <= 2 * max(1, shape)
    if max(shape.numerator, shape.denominator) <= 32:
        assert Fraction(width, height) == shape


@settings(max_examples=150)
@given(
    st.lists(sizes, min_size=1, max_size=16, unique=True),
    st.sampled_from([0.0, 0.05, 0.2, 0.5]),
)
def test_masters_cover_every_output_once_and_within_the_tolerance(pixels, tolerance):
    outputs = [sized(f"s{at}", *one) for at, one in enumerate(pixels)]
    made = masters(outputs, tolerance=tolerance)
    assert sorted(one.name for each in made for one in each.outputs) == sorted(
        one.name for one in outputs
    )
    assert len(made) <= len(masters(outputs))
    for master in made:
        assert master.namer in master.outputs
        for output in master.outputs:
            assert (
                is_same_shape(master.namer, output)
                or crop_loss(master.namer.shape, output.shape) <= tolerance
            )
            width, height = crop_size(*master.size, output.shape)
            is_covered = width >= output.width - 1 and height >= output.height - 1
            assert is_covered or any(note.startswith(f"{output.name} (") for note in master.notes)


@given(st.lists(sizes, min_size=2, max_size=8, unique=True), st.data())
def test_without_keeps_the_names_of_masters_whose_namer_stays(pixels, data):
    outputs = [sized(f"s{at}", *one) for at, one in enumerate(pixels)]
    kept = set(data.draw(st.lists(st.sampled_from([one.name for one in outputs]), unique=True)))
    whole = masters(outputs, tolerance=0.3)
    left = without(whole, kept, tolerance=0.3)
    names = {one.namer.name for one in left}
    assert {one.namer.name for one in whole} & kept <= names
    assert {output.name for one in left for output in one.outputs} == kept
