"""References made ready for hosts: within every limit, with no loss that shows, each made once."""

from __future__ import annotations

import hashlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from flows.providers.base import Picture, ReferenceLimits
from flows.shoot.references import Prepared, TooSmallError, UnfitReferenceError, prepared

LIMITS = ReferenceLimits(count=10, most_bytes=10_000_000, by="upload")
NOISE = np.random.default_rng(5).integers(0, 256, (700, 700, 4), np.uint8)


def packed(picture, form="PNG", **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def limits(**changes):
    return ReferenceLimits(**{"count": 10, "most_bytes": 10_000_000, "by": "upload", **changes})


def photo(width=640, height=480):
    """Soft light over a few things: what a camera sees, without its noise."""
    y, x = np.mgrid[0:height, 0:width]
    light = np.stack([x * 255 / width, y * 255 / height, 128 + 90 * np.sin(x / 37 + y / 23)], -1)
    picture = Image.fromarray(light.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width // 4, height // 4, width // 2, height // 2), (180, 40, 30))
    draw.rectangle((width // 2, height // 3, width * 3 // 4, height * 2 // 3), (240, 240, 230))
    return picture.filter(ImageFilter.GaussianBlur(1))


def logo(size=(300, 200)):
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((20, 20, size[0] - 20, size[1] - 20), (200, 30, 40, 255))
    return picture


def of(width, height, mode):
    return Image.fromarray(NOISE[:height, :width]).convert(mode)


def ready(picture, wanted=LIMITS, **options):
    data = picture if isinstance(picture, bytes) else packed(picture, **options)
    return prepared(data, role="product", limits=wanted)


def opened(made):
    picture = Image.open(io.BytesIO(made.data))
    picture.load()
    return picture


def psnr(one, other):
    apart = np.asarray(one.convert("RGB")).astype(float) - np.asarray(other.convert("RGB"))
    return 10 * np.log10(255**2 / max(1e-9, float((apart**2).mean())))


# Whatever comes, within whatever limits

sides = st.integers(1, 700)
some_limits = st.builds(
    limits,
    least_side=st.sampled_from([1, 15, 64, 256]),
    most_side=st.sampled_from([256, 300, 500, 6000]),
    most_pixels=st.sampled_from([256 * 256, 90_000, 36_000_000]),
    most_ratio=st.sampled_from([1.0, 1.5, 3.0, 16.0]),
    most_bytes=st.sampled_from([150_000, 300_000, 10_000_000]),
    formats=st.sampled_from([("jpeg", "png"), ("jpeg",), ("jpeg", "png", "webp")]),
)


@settings(max_examples=120)
@given(
    width=sides,
    height=sides,
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"]),
    form=st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF"]),
    wanted=some_limits,
)
def test_what_is_made_is_within_every_limit_or_told_to_be_too_small(
    width, height, mode, form, wanted
):
    picture = of(width, height, mode)
    if form == "JPEG" and mode in {"RGBA", "LA", "P"}:
        form = "WEBP"
    if form in {"PNG", "WEBP"} and mode == "CMYK":
        form = "TIFF"
    data = packed(picture, form)
    refused = wanted.refuses(width, height)
    if refused:
        with pytest.raises(TooSmallError) as error:
            ready(data, wanted)
        assert str(error.value) == refused
        return
    made = ready(data, wanted)
    seen = opened(made)
    assert seen.size == (made.width, made.height)
    assert made.sha256 == hashlib.sha256(made.data).hexdigest()
    assert made.media_type == f"image/{seen.format.lower()}"
    assert seen.format.lower() in wanted.formats
    assert seen.mode in ({"RGB"} if seen.format == "JPEG" else {"RGB", "RGBA"})
    assert not seen.getexif()
    assert len(made.data) <= wanted.most_bytes
    assert wanted.least_side <= min(seen.size)
    assert max(seen.size) <= wanted.most_side
    assert seen.width * seen.height <= wanted.most_pixels
    assert max(seen.size) <= min(seen.size) * wanted.most_ratio
    # nothing is enlarged: only the shorter side may have got a border
    assert max(seen.size) <= max(width, height)
    padded = wanted.padded(width, height)
    assert seen.width <= padded[0]
    assert seen.height <= padded[1]
    # the shape is kept, to a pixel
    assert abs(seen.width * padded[1] / padded[0] - seen.height) <= 1 + padded[1] / padded[0]


@given(
    width=st.integers(1, 30_000),
    height=st.integers(1, 30_000),
    least=st.integers(1, 1024),
    most=st.integers(1024, 8192),
    ratio=st.floats(1, 20),
    area=st.integers(1024 * 1024, 40_000_000),
)
def test_sizes_of_all_kinds_end_within_the_bounds(width, height, least, most, ratio, area):
    bounds = limits(least_side=least, most_side=most, most_pixels=area, most_ratio=ratio)
    padded = bounds.padded(width, height)
    made = bounds.reduced(*padded)
    assert max(made) <= min(most, 4096)
    assert made[0] * made[1] <= area
    assert max(made) <= min(made) * ratio
    assert (min(made) >= least) is (bounds.refuses(width, height) is None)
    assert max(made) <= max(width, height)
    as_large_as_may_be = made == padded or (
        max(made) == min(most, 4096) or (max(made) + 1) * (min(made) + 1) > area * 0.99
    )
    assert as_large_as_may_be


@pytest.mark.parametrize(
    ("size", "least", "words"),
    [
        ((120, 90), 256, "120x90 pixels; at least 256 on each side"),
        ((255, 256), 256, "255x256 pixels; at least 256 on each side"),
        ((256, 256), 256, None),
        ((5000, 100), 256, None),  # padded to a third of 5000
        ((100, 5000), 256, None),
        ((600, 100), 256, "600x100 pixels; at least 256 on each side"),  # padded to 200
        ((9, 9000), 15, None),
    ],
)
def test_what_is_too_small_is_said_and_padding_counts(size, least, words):
    assert limits(least_side=least).refuses(*size) == words


# Its own bytes


@pytest.mark.parametrize(
    "data",
    [
        packed(photo(), "JPEG", quality=60),
        packed(photo(), "PNG"),
        packed(logo(), "PNG"),
    ],
)
def test_a_picture_that_is_fine_is_handed_over_with_its_own_bytes(data):
    assert ready(data).data == data


def test_a_photo_that_only_says_too_much_loses_no_pixel():
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    exif[0x013B] = "private"
    plain = packed(photo(), "JPEG", quality=60)
    assert ready(packed(photo(), "JPEG", quality=60, exif=exif.tobytes())).data == plain


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (packed(photo(), "JPEG", progressive=True), LIMITS),
        (packed(photo().convert("CMYK"), "JPEG"), LIMITS),
        (packed(photo(), "WEBP"), LIMITS),
        (packed(photo(), "PNG"), limits(formats=("jpeg",))),
        (packed(photo(), "JPEG"), limits(most_side=600)),
        (packed(photo(), "JPEG"), limits(most_ratio=1.2)),
        (packed(photo(), "JPEG", quality=100), limits(most_bytes=40_000)),
    ],
)
def test_a_picture_that_is_not_fine_is_made_anew_as_baseline_jpeg(data, wanted):
    made = ready(data, wanted)
    assert made.data != data
    assert made.media_type == "image/jpeg"
    assert b"\xff\xc0" in made.data
    assert "progressive" not in opened(made).info
    assert "icc_profile" not in opened(made).info


# What it looks like


@pytest.mark.parametrize("form", ["WEBP", "TIFF", "BMP", "AVIF"])
def test_a_photo_that_needs_no_scaling_loses_nothing_that_shows(form):
    data = packed(photo(), form)
    with Image.open(io.BytesIO(data)) as source:
        assert psnr(opened(ready(data)), source) > 38


def test_real_photos_lose_nothing_that_shows(repository):
    losses = {}
    for path in sorted((repository / "campaigns/data/photos").iterdir()):
        with Image.open(path) as source:
            as_tiff = packed(source.convert("RGB"), "TIFF")
            losses[path.name] = psnr(opened(ready(as_tiff)), source)
    assert len(losses) > 5
    assert {name: loss for name, loss in losses.items() if loss <= 38} == {}


def test_odd_pictures_are_made_ready_or_refused_by_name(test_data):
    refused = set()
    for path in sorted((test_data / "odd-inputs/images").iterdir()):
        try:
            made = ready(path.read_bytes())
        except UnfitReferenceError as error:
            refused.add(f"{path.name}: {type(error).__name__}")
        else:
            seen = opened(made)
            assert (seen.size, bool(seen.getexif())) == ((made.width, made.height), False)
            assert b"GPS" not in made.data
    assert refused == {
        "bomb-12000x12000-rgb.png: UnfitReferenceError",
        "bomb-40000x40000-1bit.png: UnfitReferenceError",
        "html-error-page.jpg: UnfitReferenceError",
        "no-end-marker.jpg: UnfitReferenceError",
        "one-pixel.png: TooSmallError",
        "truncated-half.jpg: UnfitReferenceError",
        "truncated-half.png: UnfitReferenceError",
        "vector.svg: UnfitReferenceError",
        "zero-bytes.jpg: UnfitReferenceError",
    }


def test_a_turned_photo_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = photo(400, 300).transpose(Image.Transpose.ROTATE_90)
    made = ready(lying, form="JPEG", quality=95, exif=exif.tobytes())
    assert (made.width, made.height) == (400, 300)
    assert psnr(opened(made), photo(400, 300)) > 35


def test_transparency_is_kept_where_the_host_can_and_white_elsewhere():
    kept = opened(ready(logo(), form="WEBP", lossless=True))
    assert (kept.format, kept.getpixel((0, 0))[3]) == ("PNG", 0)
    flat = opened(ready(logo(), limits(formats=("jpeg",))))
    assert (flat.format, flat.getpixel((0, 0))) == ("JPEG", (255, 255, 255))


def test_transparency_that_does_not_fit_goes_before_size_does():
    busy = of(400, 300, "RGBA")
    made = ready(busy, limits(most_bytes=350_000))
    assert len(packed(busy)) > 350_000
    assert (made.media_type, made.width, made.height) == ("image/jpeg", 400, 300)


def test_few_colours_stay_exact():
    flat = Image.new("RGB", (300, 200), (250, 250, 250))
    ImageDraw.Draw(flat).rectangle((30, 30, 90, 90), (12, 80, 160))
    made = ready(flat, form="GIF")
    assert made.media_type == "image/png"
    assert psnr(opened(made), flat) > 90


def test_too_many_bytes_cost_quality_before_pixels():
    data = packed(of(400, 400, "RGB"), "TIFF")
    best = ready(data)
    less = ready(data, limits(most_bytes=len(best.data) - 1))
    assert (less.width, less.height) == (400, 400)
    assert len(less.data) < len(best.data)
    least = ready(data, limits(most_bytes=100_000))
    assert 200 < least.width < 400
    assert 60_000 < len(least.data) <= 100_000


def test_a_long_picture_gets_its_borders_colour_and_stays_whole():
    strip = Image.new("RGB", (900, 100), (10, 120, 60))
    ImageDraw.Draw(strip).rectangle((400, 20, 500, 80), (240, 10, 10))
    made = opened(ready(strip))
    assert made.size == (900, 300)
    assert {made.getpixel(at) for at in ((0, 0), (899, 299), (450, 10))} == {(10, 120, 60)}
    assert made.crop((0, 100, 900, 200)).tobytes() == strip.tobytes()
    tall = opened(ready(strip.transpose(Image.Transpose.ROTATE_90)))
    assert tall.size == (300, 900)
    assert tall.getpixel((0, 450)) == (10, 120, 60)


def test_a_clear_border_is_continued_clear():
    made = opened(ready(logo((900, 100))))
    assert (made.size, made.getpixel((450, 5))[3]) == ((900, 300), 0)


def test_no_side_beyond_what_the_model_makes_is_sent():
    made = ready(Image.new("RGB", (5000, 2500), (9, 9, 9)))
    assert (made.width, made.height) == (4096, 2048)


def test_a_file_that_no_size_of_brings_within_bytes_is_told():
    with pytest.raises(UnfitReferenceError, match="within 500 bytes"):
        ready(of(300, 300, "RGB"), limits(most_bytes=500, least_side=256))


def test_a_host_without_jpeg_gets_png():
    made = ready(of(300, 300, "RGB"), limits(formats=("png",), most_bytes=100_000), form="TIFF")
    assert made.media_type == "image/png"
    assert made.width < 300


@pytest.mark.parametrize("role", ["product", "style", "logo", "hero"])
def test_the_role_decides_its_own_field_and_nothing_else(role):
    data = packed(photo(), "WEBP")
    made = prepared(data, role=role, limits=LIMITS)
    product = prepared(data, role="product", limits=LIMITS)
    assert (made.role, made.data, made.sha256) == (role, product.data, product.sha256)


def test_the_same_picture_gives_the_same_bytes_in_any_thread():
    data = packed(of(500, 300, "RGBA"), "TIFF")
    with ThreadPoolExecutor(4) as threads:
        made = set(threads.map(lambda _: ready(data).sha256, range(8)))
    assert made == {ready(data).sha256}


# Each once


class Source:
    """Bytes that count how often they are read."""

    def __init__(self, picture=None):
        self.data = packed(picture or photo(80, 60), "TIFF")
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        self.reads = 0

    def read(self):
        self.reads += 1
        return self.data


def asked(cache, source, *, role="product", wanted=LIMITS) -> Picture:
    return cache.picture(source.sha256, source.read, role=role, limits=wanted)


def test_a_picture_is_made_once_for_all_roles_and_once_for_each_limits():
    cache, source = Prepared(), Source()
    first, second = asked(cache, source), asked(cache, source, role="style")
    assert (source.reads, first.data, first.role, second.role) == (
        1,
        second.data,
        "product",
        "style",
    )
    small = asked(cache, source, wanted=limits(most_side=64))
    assert (source.reads, small.width) == (2, 64)


def test_the_longest_unasked_is_forgotten_first():
    cache = Prepared(most_pictures=2)
    style, *products = [Source(photo(80 + one, 60)) for one in range(5)]
    for product in products:
        asked(cache, style)
        asked(cache, product)
    assert style.reads == 1
    asked(cache, products[-1])
    asked(cache, products[0])
    assert [one.reads for one in products] == [2, 1, 1, 1]


def test_no_more_bytes_are_kept_than_allowed():
    one, other = Source(of(200, 200, "RGB")), Source(of(201, 200, "RGB"))
    size = len(ready(one.data).data)
    cache = Prepared(most_bytes=int(size * 1.5))
    for source in (one, one, other, one):
        asked(cache, source)
    assert (one.reads, other.reads) == (2, 1)


def test_threads_that_ask_for_the_same_wait_for_the_first():
    cache, source, begun, go_on = Prepared(), Source(), threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert go_on.wait(5)
        return source.read()

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(cache.picture, source.sha256, slow, role="product", limits=LIMITS)
        assert begun.wait(5)
        others = [threads.submit(asked, cache, source) for _ in range(2)]
        go_on.set()
        made = {one.result().sha256 for one in (first, *others)}
    assert (len(made), source.reads) == (1, 1)


def test_what_failed_is_not_remembered():
    cache, source = Prepared(), Source()
    for error in (OSError("away"), UnfitReferenceError("broken")):

        def away(error=error):
            raise error

        with pytest.raises(type(error)):
            cache.picture(source.sha256, away, role="product", limits=LIMITS)
    assert asked(cache, source).width == 80
