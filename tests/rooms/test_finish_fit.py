"""Fitting the whole take in: padded with a colour or a blur, or continued beyond its edges."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flows.errors import BadInput
from flows.finish.fit import canvas_size, extended, padded, scale
from flows.nouns.output import Output

edges = st.integers(1, 120)
WAYS = ["edge", "blur", "brand", "#336699", "extend"]


def output(width=None, height=None, shape=None):
    shape = shape or Fraction(width, height)
    text = f"{shape.numerator}:{shape.denominator}"
    return Output(
        name="x", aspect_ratio=text, shape=shape, formats=("png",), width=width, height=height
    )


def fitted(take, wanted, way):
    return extended(take, wanted) if way == "extend" else padded(take, wanted, way, ["#0F4C81"])


def noise(width, height, bands=3):
    dice = np.random.default_rng(width * height)
    return Image.fromarray(dice.integers(0, 256, (height, width, bands), np.uint8))


def levels(picture):
    return np.asarray(picture).astype(int)


@settings(max_examples=40, deadline=None)
@given(
    take=st.tuples(edges, edges),
    size=st.tuples(edges, edges),
    way=st.sampled_from(WAYS),
    bands=st.sampled_from([3, 4]),
)
def test_any_take_gives_any_size_to_the_pixel(take, size, way, bands):
    assert fitted(noise(*take, bands), output(*size), way).size == size


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("size", "at"), [((100, 60), (30, 0)), ((40, 90), (0, 15))])
def test_the_whole_take_stands_untouched_in_the_middle(way, size, at):
    take = noise(40, 60)
    left, top = at
    made = fitted(take, output(*size), way)
    part = made.crop((left, top, left + 40, top + 60))
    assert np.array_equal(levels(part), levels(take))


@pytest.mark.parametrize(
    ("shape", "size"),
    [(Fraction(1), (301, 301)), (Fraction(16, 9), (535, 301)), (Fraction(4, 5), (251, 314))],
)
def test_without_pixels_the_canvas_is_the_smallest_that_holds_the_take(shape, size):
    assert canvas_size((251, 301), output(shape=shape)) == size
    assert scale((251, 301), output(shape=shape)) == 1


def test_a_take_that_is_too_small_is_enlarged_and_the_factor_is_known():
    assert scale((100, 100), output(300, 150)) == Fraction(3, 2)


def test_each_side_has_the_colour_of_its_own_edge():
    take = Image.new("RGB", (20, 40), "red")
    take.paste("blue", (10, 0, 20, 40))
    take.paste("white", (0, 0, 2, 3))  # a few pixels are outvoted
    made = levels(padded(take, output(80, 40), "edge"))
    assert (made[:, :30] == (255, 0, 0)).all()
    assert (made[:, 50:] == (0, 0, 255)).all()


def test_the_brand_and_a_colour_fill_both_sides():
    take = Image.new("RGB", (20, 40), "red")
    brand = padded(take, output(20, 80), "brand", ["#0F4C81", "#FFFFFF"])
    named = padded(take, output(20, 80), "#0f4c81")
    assert brand.tobytes() == named.tobytes()
    assert {brand.getpixel((5, 0)), brand.getpixel((5, 79))} == {(15, 76, 129)}


@pytest.mark.parametrize(
    ("pad", "words"),
    [
        ("brand", "finish.pad: 'brand', and there is no colour of the brand; name a colour"),
        ("white", "finish.pad: 'white' .allowed: edge, blur, brand, or a colour such as #0F4C81"),
    ],
)
def test_a_pad_that_cannot_be_is_told_in_words(pad, words):
    with pytest.raises(BadInput, match=words):
        padded(noise(9, 9), output(9, 18), pad)


def test_a_blurred_ground_has_the_colours_of_the_take_and_no_detail():
    take = noise(200, 200)
    made = levels(padded(take, output(600, 200), "blur"))
    beside = made[:, :200]
    assert np.abs(beside.mean(axis=(0, 1)) - levels(take).mean(axis=(0, 1))).max() < 6
    assert np.abs(np.diff(beside, axis=1)).max() <= 6


@pytest.mark.parametrize("way", ["#ffffff", "blur"])
def test_a_transparent_take_stands_on_a_solid_ground(way):
    take = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    take.paste((200, 0, 0, 255), (10, 10, 30, 30))
    made = padded(take, output(80, 40), way)
    assert made.mode == "RGB"
    assert made.getpixel((40, 20)) == (200, 0, 0)
    assert min(made.getpixel((2, 2))) > 220 or way == "blur"


@pytest.mark.parametrize("way", ["edge", "extend"])
def test_beside_a_transparent_edge_it_stays_transparent(way):
    take = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    take.paste((200, 0, 0, 255), (15, 15, 25, 25))
    made = fitted(take, output(60, 40), way)
    assert made.mode == "RGBA"
    assert made.getpixel((1, 20))[3] == 0
    assert made.getpixel((30, 20)) == (200, 0, 0, 255)


def soft_ground(width, height):
    """Light that falls off to all sides, with the grain of a camera."""
    y, x = np.mgrid[0:height, 0:width]
    light = 215 - 60 * np.hypot(x / width - 0.4, y / height - 0.3)
    grain = np.random.default_rng(5).normal(0, 1.5, (height, width, 1))
    ground = light[..., None] * (1.0, 0.96, 0.9) + grain
    return Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [(700, 300), (300, 700)])
def test_a_soft_ground_goes_on_without_a_seam(size):
    take = soft_ground(300, 300)
    made = levels(extended(take, output(*size)))
    along = made if size[0] > size[1] else made.transpose(1, 0, 2)
    steps = np.abs(np.diff(along, axis=1)).mean(axis=(0, 2))
    within = np.abs(np.diff(levels(take), axis=1)).mean()
    # neither at the two seams nor anywhere beyond is a step larger than the take's own grain
    assert steps[[199, 499]].max() <= within * 1.25
    assert steps.max() <= within * 1.25


def test_what_stands_on_the_ground_is_not_seen_twice():
    take = soft_ground(300, 300)
    take.paste("#104080", (60, 60, 240, 240))
    made = levels(extended(take, output(1200, 300)))
    beyond = np.concatenate([made[:, :450], made[:, 750:]], axis=1)
    assert beyond.min() > levels(soft_ground(300, 300)).min() - 10


def test_what_touches_the_edge_fades_out_beyond_it():
    take = Image.new("RGB", (300, 300), "white")
    for row in range(0, 300, 20):
        take.paste("black", (0, row, 300, row + 10))
    made = levels(extended(take, output(900, 300)))[60:240, :, 0]
    contrast = made.max(axis=0) - made.min(axis=0)
    assert contrast[301] == 255
    assert contrast[0] < 40
    assert (np.diff(contrast[:300]) >= -1).all()


@pytest.mark.parametrize("way", WAYS)
def test_threads_give_the_same_pixels(way):
    take = soft_ground(200, 120)

    def digest(_):
        return hashlib.sha256(fitted(take, output(300, 300), way).tobytes()).hexdigest()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(digest, range(6))) == {digest(0)}
