"""Drawings without a model: deterministic, exact in size, honest about what can be cut out."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw, ImageFilter

from flows.drawing import Sketch, draw
from flows.drawing.cutout import cut_out, find
from flows.drawing.lettering import readable
from flows.drawing.mood import Mood
from flows.drawing.photo import open_photo
from flows.errors import BadInput

RED = (200, 40, 30)


def packed(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def disc_on(ground: tuple[int, ...], mode: str = "RGB", side: int = 240) -> Image.Image:
    """A red disc of half the width, its edge smooth, in the middle of plain ground."""
    big = Image.new(mode, (side * 4, side * 4), ground)
    fill = (*RED, 255) if mode == "RGBA" else RED
    ImageDraw.Draw(big).ellipse((side, side, side * 3, side * 3), fill=fill)
    return big.resize((side, side), Image.Resampling.BOX)


def busy(side: int = 240) -> Image.Image:
    noise = np.random.Generator(np.random.PCG64(5)).integers(0, 255, (side, side, 3), np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3))


def test_the_same_sketch_gives_the_same_bytes_in_any_thread() -> None:
    sketches = [
        Sketch(width=300, height=200, product=packed(disc_on((255, 255, 255))), seed=seed)
        for seed in (1, 2, 1, 2, 1, 2)
    ]
    alone = [draw(sketch) for sketch in sketches[:2]]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(draw, sketches)) == alone * 3


def test_another_process_with_other_threads_draws_the_same_bytes(repository: Path) -> None:
    program = (
        "import hashlib\n"
        "from flows.drawing import Sketch, draw\n"
        "print(hashlib.sha256(draw(Sketch(width=200, height=250, label=('MUG-01',)))).hexdigest())"
    )
    here = hashlib.sha256(draw(Sketch(width=200, height=250, label=("MUG-01",)))).hexdigest()
    environment = {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
    there = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_size_of_the_picture_drawn_before_does_not_change_a_drawing() -> None:
    photo = packed(disc_on((250, 250, 250), side=700), "JPEG", quality=90)
    small = Sketch(width=200, height=250, product=photo)
    first = draw(small)
    draw(Sketch(width=900, height=500, product=photo))
    assert draw(small) == first


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"label": ("MUG-01", "b")},
        {"palette": ("#2040A0",)},
        {"product": None},
        {"prompt": "on a mustard yellow backdrop"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_wish_gives_another_picture(change: dict[str, object]) -> None:
    wish: dict[str, object] = {
        "width": 160,
        "height": 160,
        "product": packed(disc_on((255, 255, 255))),
        "label": ("MUG-01", "a"),
    }
    assert draw(Sketch(**wish)) != draw(Sketch(**(wish | change)))


def test_a_ratio_in_the_label_does_not_change_the_motif() -> None:
    wall = []
    for ratio in ("1:1", "4:5"):
        sketch = Sketch(width=160, height=160, label=("MUG-01", "a", ratio), palette=("#3050A0",))
        wall.append(opened(draw(sketch)).crop((0, 0, 160, 120)).tobytes())
    assert wall[0] == wall[1]


@settings(max_examples=12, deadline=None)
@given(
    width=st.integers(64, 900),
    height=st.integers(64, 900),
    seed=st.integers(-(2**70), 2**70),
    wrapped=st.booleans(),
)
def test_every_size_is_met_to_the_pixel(width: int, height: int, seed: int, wrapped: bool) -> None:
    product = None if wrapped else packed(disc_on((255, 255, 255), side=120))
    data = draw(Sketch(width=width, height=height, product=product, seed=seed, label=("A", "1:1")))
    assert opened(data).size == (width, height)


@pytest.mark.parametrize("size", [(64, 512), (512, 64), (32, 32), (40, 800)])
@pytest.mark.parametrize("kind", ["cut", "print", "box"])
def test_extreme_shapes_are_drawn(size: tuple[int, int], kind: str) -> None:
    product = {"cut": packed(disc_on((255, 255, 255))), "print": packed(busy()), "box": None}[kind]
    sketch = Sketch(
        width=size[0], height=size[1], product=product, label=("A long label", "x" * 99)
    )
    assert opened(draw(sketch)).size == size


def test_the_file_is_an_srgb_jpeg_in_full_colour_with_no_other_metadata() -> None:
    photo = disc_on((255, 255, 255))
    exif = Image.Exif()
    exif[0x010E] = "a description that must not travel"
    picture = opened(draw(Sketch(width=128, height=96, product=packed(photo, "JPEG", exif=exif))))
    assert picture.format == "JPEG"
    assert [layer[1:3] for layer in picture.layer] == [(1, 1)] * 3
    icc = picture.info.pop("icc_profile")
    assert struct.unpack(">6H", icc[24:36]) == (2000, 1, 1, 0, 0, 0)  # not the hour of the drawing
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    assert ImageCms.getProfileDescription(profile).startswith("sRGB")
    assert dict(picture.getexif()) == {}
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("level", [255, 246, 232])
def test_plain_ground_goes_and_the_product_stays_whole(level: int) -> None:
    ground = (level, level, level)
    found = find(packed(disc_on(ground)))
    assert found.mask is not None, found.reason
    picture = cut_out(found, (200, 200))
    assert picture.mode == "RGBA"
    alpha = np.asarray(picture.getchannel("A")).astype(float) / 255
    assert alpha.mean() == pytest.approx(np.pi / 4, abs=0.03)
    assert alpha[100, 100] == 1
    assert alpha[3, 3] == 0


def test_a_cut_edge_carries_none_of_the_white_ground() -> None:
    picture = np.asarray(cut_out(find(packed(disc_on((255, 255, 255)))), (400, 400)))
    edge = picture[(picture[..., 3] > 40) & (picture[..., 3] < 250)][:, :3].astype(int)
    assert len(edge) > 100
    assert np.abs(edge - RED).max(axis=1).mean() < 20
    assert (edge - RED).max() < 25  # nowhere paler than the product


def test_a_pale_product_on_its_soft_shadow_is_cut_smoothly_and_whole() -> None:
    side, times = 600, 4
    shape = Image.new("L", (side * times, side * times))
    pen = ImageDraw.Draw(shape)
    pen.rectangle((700, 500, 1700, 1600), fill=255)
    pen.ellipse((700, 300, 1700, 700), fill=255)
    pen.ellipse((700, 1400, 1700, 1800), fill=255)
    shape = shape.resize((side, side), Image.Resampling.BOX)
    shade = Image.new("L", (side, side))
    ImageDraw.Draw(shade).ellipse((190, 380, 520, 465), fill=150)  # it touches the foot
    shade = shade.filter(ImageFilter.GaussianBlur(14))
    photo = Image.new("RGB", (side, side), (252, 252, 252))
    photo.paste((110, 110, 112), mask=shade)
    photo.paste((196, 168, 138), mask=shape)  # pale clay
    found = find(packed(photo, "JPEG", quality=92))
    assert found.fine is not None, found.reason
    truth, cut = np.asarray(shape) > 127, found.fine > 127
    assert cut.shape == truth.shape
    assert (truth & cut).sum() / (truth | cut).sum() >= 0.98
    inside = np.asarray(shape.filter(ImageFilter.MinFilter(5))) > 250
    outside = np.asarray(shape.filter(ImageFilter.MaxFilter(5))) < 5
    assert (inside & (found.fine < 250)).sum() == 0  # nothing is eaten
    assert (outside & (found.fine > 5)).sum() == 0  # no patch of shadow is left
    assert ((found.fine > 20) & (found.fine < 235)).sum() > 300  # no hard stairs


def test_a_transparent_photo_is_cut_by_its_own_alpha() -> None:
    photo = disc_on((255, 255, 255, 0), "RGBA")
    picture = np.asarray(cut_out(find(packed(photo)), (200, 200)))
    assert picture[..., 3].mean() / 255 == pytest.approx(np.pi / 4, abs=0.03)
    seen = picture[picture[..., 3] > 20][:, :3].astype(int)
    assert np.abs(seen - RED).max() < 30


def test_a_faint_shadow_below_a_transparent_product_is_left_out() -> None:
    photo = disc_on((255, 255, 255, 0), "RGBA", side=240)
    shade = Image.new("RGBA", photo.size)
    ImageDraw.Draw(shade).ellipse((60, 205, 180, 220), fill=(0, 0, 0, 60))
    with_shadow = Image.alpha_composite(shade, photo)
    cut = [cut_out(find(packed(one)), (200, 200)).size for one in (photo, with_shadow)]
    assert cut[0] == cut[1]


@pytest.mark.parametrize("kind", ["busy", "cropped", "blank"])
def test_a_photo_that_cannot_be_cut_fairly_is_shown_whole(kind: str) -> None:
    photo = {
        "busy": busy(),
        "cropped": disc_on((255, 255, 255)).crop((100, 0, 240, 240)),
        "blank": Image.new("RGB", (240, 240), (255, 255, 255)),
    }[kind]
    found = find(packed(photo))
    assert found.mask is None
    assert found.reason
    shown = cut_out(found, (120, 120))
    assert shown.mode == "RGB"
    assert shown.width / shown.height == pytest.approx(photo.width / photo.height, rel=0.02)


def test_exif_orientation_turns_the_photo_upright() -> None:
    upright = Image.new("RGB", (60, 100), (255, 255, 255))
    upright.paste(RED, (0, 0, 60, 20))  # the top is red
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    photo = open_photo(packed(turned, "JPEG", quality=95, exif=exif))
    assert photo.size == (60, 100)
    top, bottom = photo.getpixel((30, 5)), photo.getpixel((30, 90))
    assert top == pytest.approx(RED, abs=8)
    assert bottom == pytest.approx((255, 255, 255), abs=8)


@pytest.mark.parametrize(
    ("photo", "shown"),
    [
        (Image.new("L", (9, 9), 100), (100, 100, 100)),
        (Image.new("1", (9, 9), 1), (255, 255, 255)),
        (Image.fromarray(np.full((9, 9), 32896, np.uint16)), (128, 128, 128)),
        (Image.new("P", (9, 9), 0), (0, 0, 0)),
        (Image.new("LA", (9, 9), (90, 255)), (90, 90, 90, 255)),
    ],
    ids=lambda value: getattr(value, "mode", None),
)
def test_other_kinds_of_pixels_become_srgb(photo: Image.Image, shown: tuple[int, ...]) -> None:
    assert open_photo(packed(photo)).getpixel((4, 4)) == shown


def test_cmyk_becomes_srgb_and_of_an_animation_the_first_frame_is_shown() -> None:
    assert open_photo(packed(Image.new("CMYK", (9, 9), (0, 255, 255, 0)), "JPEG")).mode == "RGB"
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("#ff0000", "#0000ff")]
    moving = packed(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_photo(moving).convert("RGB").getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"<html>not found</html>", "not a picture that can be read"),
        (packed(busy(), "JPEG")[:2000], "broken or cut short"),
        (packed(busy())[:20000], "broken or cut short"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture that can be read"),
        (packed(Image.new("1", (10_100, 10_000))), "up to 100,000,000 pixels"),
    ],
    ids=["empty", "html", "short jpeg", "short png", "postscript", "too large"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bytes_that_cannot_be_drawn_are_refused_with_words(data: bytes, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        draw(Sketch(width=128, height=128, product=data))
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_reference_that_cannot_be_read_is_no_reason_to_stop() -> None:
    style = packed(Image.new("RGB", (40, 40), (30, 120, 60)))
    with_style = draw(Sketch(width=128, height=128, others=(b"broken", style)))
    assert with_style != draw(Sketch(width=128, height=128))
    assert draw(Sketch(width=128, height=128, others=(b"broken",))) == draw(
        Sketch(width=128, height=128)
    )


def test_all_faults_of_a_sketch_are_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        Sketch(width=8, height=20_000, palette=("#12345", "#AABBCC"))
    assert [fault.place for fault in caught.value.faults] == ["width", "height", "palette"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("MUG-01", "MUG-01"),
        ("  4:5 ", "4:5"),
        ("Crème brûlée 🧁", "Crème brûlée"),
        ("Łódź", "ódz"),
        ("", ""),
        ("\x00\u202e", ""),
    ],
)
def test_labels_keep_what_the_font_can_show(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize("text", ["日本語", "العربية 1", "🧁🧁", "Ж-日本語"])
def test_labels_in_other_scripts_become_a_short_hash(text: str) -> None:
    assert readable(text).startswith("#")
    assert readable(text) != readable(text + "語")


def test_a_colour_counts_only_when_it_is_named_for_the_scene() -> None:
    assert Mood.of("A red mug, studio light").colour is None
    assert Mood.of("A red mug on a sage green backdrop").colour is not None
    assert Mood.of("moody scene at night") == Mood(dark=True)
    assert Mood.of("Morning light through a window") == Mood(sun=True)


def test_every_odd_picture_is_drawn_or_refused_with_words(test_data: Path) -> None:
    refused, drawn = set(), set()
    for path in sorted((test_data / "odd-inputs" / "images").iterdir()):
        try:
            data = draw(Sketch(width=128, height=160, product=path.read_bytes()))
        except BadInput as error:
            refused.add(path.name if error.faults else f"{path.name}, without words")
        else:
            assert opened(data).size == (128, 160)
            drawn.add(path.name)
    assert refused == {
        "bomb-12000x12000-rgb.png",
        "bomb-40000x40000-1bit.png",
        "html-error-page.jpg",
        "no-end-marker.jpg",
        "truncated-half.jpg",
        "truncated-half.png",
        "vector.svg",
        "zero-bytes.jpg",
    }
    assert len(drawn) > 30
