"""Finishing: a take's bytes to files of the wanted shape, size and format."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from flows.errors import BadInput
from flows.finish import Lineage, Look, measured, renditions
from flows.finish.crop import cut, own_size
from flows.finish.focus import Focus
from flows.nouns.campaign import Finish
from flows.nouns.output import Output
from flows.nouns.rendition import AI_GENERATED, Words
from flows.pictures import srgb_profile

FORMATS = ("jpeg", "png", "webp", "avif", "tiff")
WITH_ALPHA = ("png", "webp", "avif", "tiff")
LINEAGE = Lineage(document_id="0" * 64, software="Shotlist 0.1.0")
WORDS = Words(title="Mug", description="A blue mug", alt="Blue mug on a table")


def file_of(picture, form="PNG", **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def output(size=None, formats=("png",), shape=None, **more):
    width, height = size or (None, None)
    shape = shape or Fraction(width, height)
    text = f"{shape.numerator}:{shape.denominator}"
    return Output(
        name="x",
        aspect_ratio=text,
        shape=shape,
        formats=formats,
        width=width,
        height=height,
        **more,
    )


def finished(take, *outputs, focus="center", **more):
    data = take if isinstance(take, bytes) else file_of(take)
    options = {"words": WORDS, "source_type": AI_GENERATED, "lineage": LINEAGE} | more
    return renditions(data, outputs, look=Look(finish=Finish(), focus=focus), **options)


def picture_of(rendition):
    picture = Image.open(io.BytesIO(rendition.data))
    picture.load()
    return picture


def gradient(width, height):
    """Red grows to the right, green downwards: a pixel says where it came from."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width).round()[None, :]
    pixels[..., 1] = np.linspace(0, 255, height).round()[:, None]
    return Image.fromarray(pixels)


def noise(width, height, bands=3):
    return Image.fromarray(
        np.random.default_rng(1).integers(0, 256, (height, width, bands), np.uint8)
    )


edges = st.integers(1, 90)


@settings(max_examples=60)
@given(
    take=st.tuples(edges, edges), size=st.tuples(edges, edges), x=st.floats(0, 1), y=st.floats(0, 1)
)
def test_any_take_gives_any_size_to_the_pixel(take, size, x, y):
    (file,) = finished(gradient(*take), output(size), focus=[x, y])
    assert (picture_of(file).size, file.width, file.height) == (size, *size)


@settings(max_examples=25)
@given(take=st.tuples(edges, edges), size=st.tuples(edges, edges))
def test_every_format_has_the_pixels_it_says(take, size):
    files = finished(gradient(*take), output(size, FORMATS))
    assert [(*measured(file.data), file.width, file.height) for file in files] == [
        (*size, form, *size) for form in FORMATS
    ]


@given(
    take=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
def test_a_cut_lies_within_the_take_and_has_the_shape(take, size, x, y):
    part = cut(take, output(size), Focus((x, y, x, y), "given"))
    assert part.left >= 0
    assert part.top >= 0
    assert part.left + part.width <= take[0]
    assert part.top + part.height <= take[1]
    assert part.width == take[0] or part.height == take[1]
    assert part.width * size[1] == part.height * size[0]


@given(
    take=st.tuples(st.integers(960, 5000), st.integers(960, 5000)),
    shape=st.sampled_from([Fraction(*two) for two in ((1, 1), (4, 5), (9, 16), (16, 9), (7, 3))]),
)
def test_the_own_size_of_a_usual_ratio_is_exact(take, shape):
    width, height = own_size(take, shape)
    assert Fraction(width, height) == shape
    assert width <= take[0]
    assert height <= take[1]
    # one step more would not fit
    assert width + shape.numerator > take[0] or height + shape.denominator > take[1]


@given(
    take=st.tuples(st.integers(200, 5000), st.integers(200, 5000)),
    shape=st.fractions(Fraction(1, 4), 4, max_denominator=1000),
)
def test_the_own_size_of_any_ratio_is_within_a_pixel_or_exact(take, shape):
    width, height = own_size(take, shape)
    assert width <= take[0]
    assert height <= take[1]
    assert abs(width - height * shape) <= max(1, shape)
    largest = min(Fraction(take[0]), take[1] * shape)
    assert width >= largest * Fraction(97, 100) - 1


def test_without_pixels_an_output_is_a_piece_of_the_take_untouched():
    take = noise(251, 247)
    (file,) = finished(take, output(shape=Fraction(4, 5)))
    assert picture_of(file).size == (196, 245)
    assert np.array_equal(np.asarray(picture_of(file)), np.asarray(take)[1:246, 28:224])


def test_a_size_that_needs_no_resampling_is_a_piece_of_the_take_untouched():
    take = noise(61, 40)
    (file,) = finished(take, output((50, 40)), focus=[0.9, 0.5])
    assert np.array_equal(np.asarray(picture_of(file)), np.asarray(take)[:, 11:])


@pytest.mark.parametrize(("x", "left"), [(0.0, 0), (0.25, 0), (0.5, 100), (0.7, 180), (1.0, 200)])
def test_the_focus_is_in_the_middle_where_edges_allow(x, left):
    (file,) = finished(gradient(400, 200), output((200, 200)), focus=[x, 0.5])
    red = np.asarray(picture_of(file))[0, 0, 0]
    assert red == round(left * 255 / 399)


def test_a_take_that_is_too_small_is_enlarged_and_says_so():
    (file,) = finished(gradient(100, 100), output((140, 140)))
    assert (file.width, file.notes) == (140, ("upscaled 1.4x from 100x100",))
    (file,) = finished(gradient(100, 100), output((100, 100)))
    assert file.notes == ()
    (file,) = finished(gradient(1000, 1000), output((1001, 1001)))
    assert file.notes == ("upscaled 1.01x from 1000x1000",)


def test_files_come_outputs_outside_and_formats_inside():
    first, second = output((8, 8), ("webp", "jpeg")), output((4, 8), ("png",))
    files = finished(gradient(20, 20), first, second)
    assert [(file.width, file.format) for file in files] == [(8, "webp"), (8, "jpeg"), (4, "png")]


def test_a_file_does_not_depend_on_what_else_is_made():
    take = noise(300, 300)
    small = output((50, 50), FORMATS)
    alone = finished(take, small)
    among = finished(take, output((200, 200), ("jpeg",)), small, output((100, 100), ("webp",)))
    assert [file.data for file in among[1:6]] == [file.data for file in alone]


def test_threads_and_repetition_give_the_same_bytes():
    take = file_of(noise(200, 160))

    def digests(_):
        files = finished(take, output((120, 90), FORMATS), output((60, 80), FORMATS))
        return [hashlib.sha256(file.data).hexdigest() for file in files]

    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(digests, range(6)))
    assert seen == [digests(0)] * 6


def test_two_processes_give_the_same_bytes():
    script = (
        "import hashlib, io; from fractions import Fraction; from PIL import Image\n"
        "from flows.finish import Lineage, Look, renditions\n"
        "from flows.pictures import srgb_profile\n"
        "from flows.nouns.output import Output\n"
        "from flows.nouns.rendition import Words\n"
        "out = io.BytesIO()\n"
        "Image.effect_mandelbrot((90, 90), (-3, -2, 2, 2), 50).save(out, 'PNG')\n"
        "one = Output(name='x', aspect_ratio='1:1', shape=Fraction(1), width=50, height=50,\n"
        "    formats=('jpeg', 'png', 'webp', 'avif', 'tiff'))\n"
        "files = renditions(out.getvalue(), [one], look=Look(), source_type=None,\n"
        "    words=Words(title='é', description='b', alt='c', keywords=('k', 'l')),\n"
        "    lineage=Lineage(document_id='d', software='s'))\n"
        "for data in (srgb_profile(), *(file.data for file in files)):\n"
        "    print(hashlib.sha256(data).hexdigest())\n"
    )

    def run(hash_seed, zone):
        environment = {"PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": ":".join(sys.path)}
        return subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()

    first = run("1", "UTC")
    assert len(set(first)) == 6
    assert first == run("2", "Asia/Tokyo")


def test_the_profile_is_srgb():
    ours = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert ImageCms.getProfileDescription(ours).strip() == "sRGB IEC61966-2.1"
    everything = noise(256, 256)
    theirs = ImageCms.createProfile("sRGB")
    for way in ((ours, theirs), (theirs, ours)):
        moved = ImageCms.profileToProfile(everything, *way, renderingIntent=1)
        assert np.abs(np.asarray(moved).astype(int) - np.asarray(everything)).max() <= 1


@pytest.mark.parametrize("take", [gradient(40, 40), noise(40, 40, 4)], ids=["rgb", "rgba"])
def test_every_format_carries_the_srgb_profile(take):
    files = finished(take, output((20, 20), FORMATS))
    assert [picture_of(file).info["icc_profile"] for file in files] == [srgb_profile()] * 5


def test_transparency_is_kept_where_the_format_can_and_white_elsewhere():
    take = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    take.paste((255, 0, 0, 255), (0, 0, 20, 40))
    jpeg, *others = finished(take, output((40, 40), ("jpeg", *WITH_ALPHA), quality=95))
    assert np.abs(np.asarray(picture_of(jpeg))[20, 35].astype(int) - 255).max() <= 2
    for file in others:
        pixels = np.asarray(picture_of(file).convert("RGBA")).astype(int)
        assert (picture_of(file).mode, pixels[20, 35, 3], pixels[20, 5, 3]) == ("RGBA", 0, 255)


def test_transparent_pixels_do_not_bleed_when_made_smaller():
    take = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    take.paste((0, 255, 0, 255), (0, 0, 33, 64))
    (file,) = finished(take, output((16, 16)))
    pixels = np.asarray(picture_of(file)).astype(int)
    seen = pixels[pixels[..., 3] > 8]
    assert seen[:, 0].max() <= 8
    assert seen[:, 1].min() >= 247


def test_an_alpha_channel_that_hides_nothing_is_dropped():
    take = gradient(30, 30).convert("RGBA")
    (file,) = finished(take, output((20, 20)))
    assert picture_of(file).mode == "RGB"


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        (Image.new("L", (9, 9), 77), (77, 77, 77)),
        (Image.new("1", (9, 9), 1), (255, 255, 255)),
        (Image.new("P", (9, 9), 0), (0, 0, 0)),
        (Image.fromarray(np.full((9, 9), 128 * 257, np.uint16)), (128, 128, 128)),
        (Image.new("LA", (9, 9), (77, 0)), (77, 77, 77, 0)),
    ],
    ids=["grey", "bits", "palette", "16-bit grey", "grey and alpha"],
)
def test_unusual_takes_become_eight_bit_rgb(take, expected):
    (file,) = finished(take, output((9, 9)))
    assert picture_of(file).getpixel((4, 4)) == expected


def test_cmyk_becomes_rgb():
    take = file_of(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    (file,) = finished(take, output((16, 16)))
    red, green, blue = picture_of(file).getpixel((8, 8))
    assert (red > 240, green < 15, blue < 15) == (True, True, True)


def test_a_picture_of_noise_is_encoded_at_any_quality():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (800, 800, 3), np.uint8))
    for quality in (82, 90, 94, 95, 100):
        (file,) = finished(noise, output((800, 800), formats=("jpeg",), quality=quality))
        assert picture_of(file).size == (800, 800)


def test_another_colour_space_is_converted_and_not_only_relabelled():
    # the same numbers in a profile whose red and green are swapped must come out swapped
    swapped = bytearray(srgb_profile())
    places = {}
    for start in range(132, 132 + 12 * 10, 12):
        places[bytes(swapped[start : start + 4])] = start
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    name = swapped.find("sRGB".encode("utf-16-be"))
    swapped[name : name + 8] = "Test".encode("utf-16-be")
    take = file_of(Image.new("RGB", (9, 9), (250, 10, 60)), icc_profile=bytes(swapped))
    (file,) = finished(take, output((9, 9)))
    assert picture_of(file).getpixel((4, 4)) == pytest.approx((10, 250, 60), abs=2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_take_is_finished_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    take = file_of(gradient(40, 20), exif=exif.tobytes())
    assert measured(take) == ((40, 20, "png") if orientation < 5 else (20, 40, "png"))
    (file,) = finished(take, output(measured(take)[:2]))
    pixels = np.asarray(picture_of(file))
    flips = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}
    right, down = flips[orientation]
    stored = np.asarray(gradient(40, 20))[:: -1 if down else 1, :: -1 if right else 1]
    shown = stored.transpose(1, 0, 2) if orientation >= 5 else stored
    assert np.array_equal(pixels, shown)
    assert 0x0112 not in picture_of(file).getexif()


def test_quality_and_subsampling_follow_the_output():
    take = noise(128, 128)
    low, fine = finished(
        take, output((128, 128), ("jpeg",), quality=50), output((128, 128), ("jpeg",), quality=92)
    )
    assert len(low.data) < len(fine.data)
    assert [picture_of(file).layer[0][1:3] for file in (low, fine)] == [(2, 2), (1, 1)]
    assert picture_of(low).info["progressive"] == 1


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_a_cap_lowers_the_quality_no_further_than_needed(form):
    take = noise(96, 96)
    (free,) = finished(take, output((96, 96), (form,)))
    cap = int(len(free.data) * 0.8)
    (file,) = finished(take, output((96, 96), (form,), max_bytes=cap))
    assert cap * 0.8 < len(file.data) <= cap
    (note,) = file.notes
    quality = int(note.split()[1])
    assert note == f"quality {quality} instead of 82, to stay within {cap:,} bytes"
    (same,) = finished(take, output((96, 96), (form,), max_bytes=cap, quality=quality))
    assert (len(same.data), same.notes) == (len(file.data), ())


def test_a_cap_that_cannot_be_kept_is_said():
    jpeg, png = finished(noise(96, 96), output((96, 96), ("jpeg", "png"), max_bytes=1000))
    assert jpeg.notes == (
        "quality 40 instead of 82",
        f"{len(jpeg.data) - 1000:,} bytes over the cap of 1,000",
    )
    assert png.notes == (f"{len(png.data) - 1000:,} bytes over the cap of 1,000",)


BROKEN = {
    "empty": (b"", "it is empty"),
    "a web page": (b"<html>404</html>", "it is not a picture that can be read"),
    "half a png": (file_of(noise(64, 64))[:6000], "the picture is broken or cut short"),
    "half a jpeg": (file_of(noise(64, 64), "JPEG")[:2000], "the picture is broken or cut short"),
    "a header": (file_of(noise(64, 64))[:20], "the picture is broken or cut short"),
}


@pytest.mark.parametrize(("take", "found"), BROKEN.values(), ids=BROKEN)
def test_bytes_that_are_no_whole_picture_are_refused(take, found):
    with pytest.raises(BadInput) as refused:
        finished(take, output((9, 9)))
    (fault,) = refused.value.faults
    assert fault.place == "take"
    assert fault.found.startswith(found) or take[:4] == b"\x89PNG"
    assert fault.remedy == "make or fetch it again"


@pytest.mark.parametrize("edge", [9_500, 12_000, 20_000])
def test_a_take_that_claims_too_many_pixels_is_refused_before_decoding(edge):
    take = file_of(Image.new("1", (edge, edge)))
    with pytest.raises(BadInput, match="it claims"):
        finished(take, output((9, 9)))


@pytest.mark.parametrize("fit", ["pad", "extend"])
def test_the_whole_take_is_shown_where_it_is_padded_or_continued(fit):
    take = Image.new("RGB", (80, 80), (40, 90, 160))
    take.paste((220, 30, 30), (30, 0, 50, 80))
    look = Look(finish=Finish(fit=fit))
    options = {"words": WORDS, "source_type": AI_GENERATED, "lineage": LINEAGE}
    [file] = renditions(file_of(take), [output((160, 80))], look=look, **options)
    shown = picture_of(file)
    assert shown.size == (160, 80)
    assert shown.crop((40, 0, 120, 80)).tobytes() == take.tobytes()
    assert (file.focus, file.kept, file.faults) == (None, None, ())


def test_nothing_that_is_no_picture_is_measured():
    with pytest.raises(BadInput, match="not a picture"):
        measured(b"<svg/>")


REFUSED_ODDITIES = {
    "bomb-12000x12000-rgb.png", "bomb-40000x40000-1bit.png", "html-error-page.jpg",
    "truncated-half.jpg", "truncated-half.png", "vector.svg", "zero-bytes.jpg",
}  # fmt: skip


def test_odd_pictures_are_finished_or_refused_by_name(test_data):
    refused = set()
    for path in sorted((test_data / "odd-inputs" / "images").iterdir()):
        try:
            (file,) = finished(path.read_bytes(), output((60, 40), ("jpeg",)), focus="auto")
        except BadInput:
            refused.add(path.name)
        else:
            assert picture_of(file).size == (60, 40), path.name
    assert refused - {"no-end-marker.jpg", "corrupt-bytes.jpg"} == REFUSED_ODDITIES


def test_a_file_over_its_cap_is_turned_back_and_the_others_are_not():
    large, small = output((400, 400), ("png", "jpeg"), max_bytes=200_000), output((40, 40))
    files = finished(noise(400, 400), large, small)
    assert [len(file.faults) for file in files] == [1, 0, 0]
    assert files[0].faults[0].endswith("over the 200,000 of x")


def test_how_much_of_the_focus_a_cut_keeps_is_measured():
    [file] = finished(noise(400, 100), output((100, 100)), focus=[0.0, 0.0, 0.5, 1.0])
    assert (file.focus, file.kept) == ("given", 0.5)
    assert "keeps 50 % of the given focus" in file.notes
