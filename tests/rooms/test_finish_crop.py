"""Cutting: what of a focus a crop keeps, and where it lies in the cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.finish.crop import cut, cut_off
from flows.finish.focus import CENTRE, Focus, focus_of
from flows.nouns.output import Output
from tests.rooms.crop_scenes import SIZE, scene

shares = st.floats(0, 1)
boxes = st.tuples(shares, shares, shares, shares).map(
    lambda four: (*map(min, four[:2], four[2:]), *map(max, four[:2], four[2:]))
)
edges = st.integers(1, 3000)


def output(width=None, height=None, shape=None):
    shape = shape or Fraction(width, height)
    text = f"{shape.numerator}:{shape.denominator}"
    return Output(
        name="x", aspect_ratio=text, shape=shape, formats=("png",), width=width, height=height
    )


def given_box(*box, **more):
    return Focus(box, "given", **more)


def measured(part, take, box):
    """Share of a box's area that a cut holds, counted apart from the cut's own measure."""
    left, top, right, bottom = (
        min(max(place * take[at % 2], part.box[at % 2]), part.box[at % 2 + 2])
        for at, place in enumerate(box)
    )
    whole = (box[2] - box[0]) * take[0] * (box[3] - box[1]) * take[1]
    return (right - left) * (bottom - top) / whole


@given(take=st.tuples(edges, edges), size=st.tuples(edges, edges), box=boxes)
def test_a_focus_that_fits_is_kept_whole_and_none_is_left_for_no_reason(take, size, box):
    part = cut(take, output(*size), given_box(*box))
    left, top, right, bottom = part.box
    for low, high, first, last, edge in (
        (left, right, box[0] * take[0], box[2] * take[0], take[0]),
        (top, bottom, box[1] * take[1], box[3] * take[1], take[1]),
    ):
        # nothing is resampled at a cut's own size, so it lies on whole pixels there
        slack = 0.5 + 1e-6 if part.scale == 1 else 1e-6
        assert -1e-6 <= low < high <= edge + 1e-6
        if last - first <= high - low:
            assert low - slack <= first
            assert last <= high + slack
        else:
            assert first - slack <= low
            assert high <= last + slack


@given(take=st.tuples(edges, edges), size=st.tuples(edges, edges), box=boxes)
def test_what_is_kept_is_the_share_of_the_area(take, size, box):
    part = cut(take, output(*size), given_box(*box))
    if (box[2] - box[0]) * take[0] >= 1 and (box[3] - box[1]) * take[1] >= 1:
        assert part.kept == pytest.approx(measured(part, take, box), abs=1e-6)
    assert 0 <= part.clear <= part.kept + 1e-9 <= 1 + 1e-9


@pytest.mark.parametrize(
    ("box", "left"),
    [
        ((0.4, 0.1, 0.5, 0.2), 350),  # in the middle of the cut
        ((0.05, 0.0, 0.1, 1.0), 0),  # as near to it as the edge allows
        ((0.2, 0.0, 0.8, 1.0), 400),  # larger than the cut: its middle stays
        ((0.0, 0.0, 0.6, 1.0), 200),
    ],
)
def test_the_focus_lies_in_the_middle_as_well_as_edges_allow(box, left):
    part = cut((1000, 200), output(200, 200), given_box(*box))
    assert part.box == (left, 0, left + 200, 200)


def test_the_focus_lies_in_what_the_safe_zone_leaves_free():
    take, story = (1000, 1000), output(500, 1000)
    focus = given_box(0.4, 0.1, 0.6, 0.3)
    # the right two fifths of the canvas are the channel's own
    part = cut(take, story, focus, (0.0, 0.4, 0.0, 0.0))
    assert (part.box, part.kept, part.clear) == ((350, 0, 850, 1000), 1, 1)
    assert cut(take, story, focus).box == (250, 0, 750, 1000)


def test_a_focus_that_cannot_be_clear_is_kept_whole_all_the_same():
    part = cut((1000, 1000), output(500, 1000), given_box(0.3, 0, 0.7, 1), (0, 0.4, 0, 0))
    # of its 400 pixels 300 have room, and no further than to its left edge may the cut begin
    assert (part.kept, part.clear) == (1, pytest.approx(0.75))
    assert part.box[0] == 300


def test_nothing_known_is_not_moved_for_a_safe_zone():
    part = cut((1000, 1000), output(500, 1000), CENTRE, (0.0, 0.4, 0.0, 0.0))
    assert part.box == (250, 0, 750, 1000)


def test_a_channel_bar_over_the_focus_is_measured_where_the_take_leaves_no_choice():
    focus = given_box(0.4, 0.7, 0.6, 0.9)
    part = cut((900, 1600), output(900, 1600), focus, (0.14, 0.06, 0.2, 0.06))
    assert (part.kept, part.clear) == (1, pytest.approx(0.5))
    assert cut_off(part, focus) == "keeps 50 % of the given focus clear of the safe zone"


def test_of_several_parts_those_stay_that_fit_together():
    large, near, far = (0.5, 0.2, 0.6, 0.5), (0.62, 0.2, 0.68, 0.4), (0.0, 0.2, 0.05, 0.4)
    focus = Focus((0.0, 0.2, 0.68, 0.5), "face", (large, near, far))
    part = cut((1000, 200), output(200, 200), focus)
    assert part.box == (490, 0, 690, 200)
    assert part.kept == pytest.approx(42 / 52)
    assert cut_off(part, focus) == "keeps 80 % of the faces"
    whole = cut((1000, 200), output(800, 200), focus)
    assert (whole.box, whole.kept, cut_off(whole, focus)) == ((0, 0, 800, 200), 1, "")


def test_of_a_person_larger_than_the_cut_the_face_stays():
    focus = given_box(0.2, 0.05, 0.8, 1.0, core=(0.4, 0.1, 0.6, 0.35))
    part = cut((1000, 1000), output(900, 300), focus)
    assert part.box[1] <= 100 < 350 <= part.box[3]
    without = cut((1000, 1000), output(900, 300), given_box(0.2, 0.05, 0.8, 1.0))
    assert without.box[1] == pytest.approx(525 - 1000 / 6)


def test_a_cut_at_its_own_size_lies_on_whole_pixels():
    part = cut((1001, 777), output(shape=Fraction(4, 5)), given_box(0.11, 0.2, 0.347, 0.9))
    assert part.scale == 1
    assert [place.denominator for place in (part.left, part.top)] == [1, 1]
    assert part.kept == 1


def test_a_point_is_kept_or_not():
    part = cut((1000, 200), output(200, 200), given_box(0.0, 0.5, 0.0, 0.5), (0, 0, 0, 0.2))
    assert (part.box, part.kept, part.clear) == ((0, 0, 200, 200), 1, 0)


def shares_kept(seeds, hint):
    kept = []
    for seed in seeds:
        take, box, reference = scene(seed)
        shares = [place / SIZE[at % 2] for at, place in enumerate(box)]
        focus = focus_of(take, shares) if hint == "box" else focus_of(take, "auto", [reference])
        kept.append(measured(cut(SIZE, output(480, 600), focus), SIZE, shares))
    return np.array(kept)


def test_with_the_focus_given_scenes_keep_their_subject():
    assert shares_kept(range(12), "box").min() >= 0.9


def test_with_the_reference_alone_scenes_keep_their_subject():
    pytest.importorskip("cv2", reason="products are matched by OpenCV")
    assert np.mean(shares_kept(range(12), "reference") >= 0.9) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("hint", "least"), [("box", 0.98), ("reference", 0.9)])
def test_128_scenes_keep_their_subject(hint, least):
    pytest.importorskip("cv2", reason="products are matched by OpenCV")
    kept = shares_kept(range(128), hint)
    share = np.mean(kept >= 0.9)
    assert share >= least, f"{hint}: {share:.1%} of scenes, mean {kept.mean():.3f}"
