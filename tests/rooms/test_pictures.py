"""Opening pictures: what is refused, what is shown, what is taken out of a file."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from flows.pictures import (
    Terms,
    UnreadableError,
    Why,
    form_of,
    opening,
    shown,
    srgb_profile,
    without_metadata,
)

TERMS = Terms(most_pixels=1_000_000)
TURNED = 0x0112


def packed(picture, form="PNG", **options):
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def noise(width=60, height=40, mode="RGB"):
    bands = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(3).integers(0, 256, (height, width, bands), np.uint8)
    return Image.fromarray(values.squeeze() if bands == 1 else values, mode=None).convert(mode)


def exif(orientation=1, **texts):
    fields = Image.Exif()
    fields[TURNED] = orientation
    for number, text in texts.items():
        fields[int(number.lstrip("_"), 16)] = text
    return fields.tobytes()


def chunk(name, payload):
    body = name + payload
    return struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body))


def with_chunk(png, name, payload):
    """After the header, where all that colours depend on has to be."""
    return png[:33] + chunk(name, payload) + png[33:]


def wide_profile():
    """A profile with the primaries of sRGB's red and green exchanged."""
    data = srgb_profile().replace("sRGB".encode("utf-16-be"), "Wide".encode("utf-16-be"))
    red, green = data.index(b"rXYZ", 128), data.index(b"gXYZ", 128)
    swapped = bytearray(data)
    # the table's places, not its names: names are sorted by no reader
    swapped[red + 4 : red + 8], swapped[green + 4 : green + 8] = (
        data[green + 4 : green + 8],
        data[red + 4 : red + 8],
    )
    return bytes(swapped)


def pixels(data):
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


# What is no picture


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", Why.EMPTY),
        (b"<html>", Why.FOREIGN),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", Why.FOREIGN),
        (b"\0\0\0\x18ftypheic" + b"\0" * 16, Why.FOREIGN),
        (packed(noise(), "JPEG2000"), Why.FOREIGN),
        (packed(noise(), "PPM"), Why.FOREIGN),
        (b"BMxxxx", Why.BROKEN),
        (packed(noise())[:30], Why.BROKEN),
        (packed(noise())[:-2000], Why.BROKEN),
        (packed(noise(), "JPEG")[:-200], Why.BROKEN),
        (packed(noise(), "WEBP")[:-200], Why.BROKEN),
        (packed(noise(), "AVIF")[:-200], Why.BROKEN),
        (packed(noise(), "TIFF")[:-200], Why.BROKEN),
        (packed(Image.new("1", (2000, 501))), Why.TOO_LARGE),
    ],
)
def test_what_cannot_be_read_says_why(data, why):
    with pytest.raises(UnreadableError) as refused:
        shown(data, TERMS)
    assert refused.value.why is why


def test_a_format_that_is_not_allowed_is_foreign():
    with pytest.raises(UnreadableError, match="not a picture that can be read"):
        shown(packed(noise(), "GIF"), Terms(most_pixels=10_000, formats=("jpeg", "png")))


def test_a_claim_of_too_many_pixels_is_refused_by_its_header_alone():
    png = packed(Image.new("1", (8, 8)))
    huge = chunk(b"IHDR", struct.pack(">II5B", 40_000, 40_000, 1, 0, 0, 0, 0))
    with pytest.raises(UnreadableError, match="it claims 40000 x 40000 pixels"):
        shown(png[:8] + huge + png[33:], TERMS)


def test_no_size_within_the_bound_warns():
    """Pillow would from 89 megapixels on, to the terminal of whoever runs a campaign."""
    data = packed(Image.new("1", (9_600, 9_600)))
    with (
        warnings.catch_warnings(record=True) as heard,
        opening(data, most_pixels=100_000_000) as picture,
    ):
        assert picture.size == (9_600, 9_600)
    assert heard == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP"])
def test_every_format_is_known_by_its_bytes(form):
    data = packed(noise(), form)
    assert form_of(data) == form.lower()
    assert shown(data, TERMS).size == (60, 40)


# What is shown


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_upright(form, orientation):
    corner = Image.new("RGB", (64, 32), "black")
    corner.paste("white", (0, 0, 16, 16))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    lies = corner.transpose(Image.Transpose(back[orientation])) if orientation > 1 else corner
    upright = shown(packed(lies, form, exif=exif(orientation)), TERMS)
    assert upright.size == (64, 32)
    assert upright.getpixel((4, 4))[0] > 240
    assert max(upright.getpixel(at)[0] for at in ((60, 4), (4, 28), (60, 28))) < 16


def test_another_profile_is_converted_and_srgb_is_left_alone():
    red = Image.new("RGB", (8, 8), (200, 30, 30))
    assert shown(packed(red, icc_profile=srgb_profile()), TERMS).getpixel((4, 4)) == (200, 30, 30)
    assert shown(packed(red, icc_profile=wide_profile()), TERMS).getpixel((4, 4)) == (30, 200, 30)
    assert shown(packed(red, icc_profile=b"junk" * 50), TERMS).getpixel((4, 4)) == (200, 30, 30)


def test_cmyk_and_sixteen_bits_become_eight_bit_rgb():
    inks = shown(packed(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"), TERMS)
    assert (inks.mode, inks.getpixel((4, 4))) == ("RGB", (255, 0, 0))
    deep = shown(packed(Image.fromarray(np.full((8, 8), 32896, np.uint16))), TERMS)
    assert (deep.mode, deep.getpixel((4, 4))) == ("RGB", (128, 128, 128))


def test_dark_grey_of_sixteen_bits_is_dark_but_for_drawing():
    dark = packed(Image.fromarray(np.full((8, 8), 200, np.uint16)))
    assert shown(dark, TERMS).getpixel((4, 4)) == (1, 1, 1)
    drawn = Terms(most_pixels=100, as_drawn=True)
    assert shown(dark, drawn).getpixel((4, 4)) == (200, 200, 200)


@pytest.mark.parametrize(
    ("gamma", "more", "level"),
    [
        (100_000, (), 188),  # linear light: 128 is half of it
        (45_455, (), 128),
        (55_556, (), 146),  # 1 / 1.8
        (0, (), 128),
        (100_000, ((b"sRGB", b"\0"),), 128),
    ],
)
def test_gamma_counts_where_it_is_asked_for_and_nothing_says_srgb(gamma, more, level):
    data = with_chunk(packed(Image.new("RGB", (8, 8), (128, 0, 255))), b"gAMA", gamma.to_bytes(4))
    for name, payload in more:
        data = with_chunk(data, name, payload)
    asked = Terms(most_pixels=100, follows_gamma=True)
    assert shown(data, asked).getpixel((4, 4)) == (level, 0, 255)
    assert shown(data, TERMS).getpixel((4, 4)) == (128, 0, 255)


@pytest.mark.parametrize(
    ("alpha", "of_opaque", "of_clear"),
    [
        ("kept", (9, 9, 9, 255), (9, 9, 9, 0)),
        ("seen", (9, 9, 9), (9, 9, 9, 0)),
        ("white", (9, 9, 9), (255, 255, 255)),
    ],
)
def test_alpha_is_kept_or_not_as_asked(alpha, of_opaque, of_clear):
    terms = Terms(most_pixels=100, alpha=alpha)
    seen = [
        shown(packed(Image.new("RGBA", (8, 8), (9, 9, 9, level))), terms).getpixel((4, 4))
        for level in (255, 0)
    ]
    assert seen == [of_opaque, of_clear]


def test_nothing_that_a_file_says_stays_with_its_picture():
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "made at home")
    data = packed(noise(), pnginfo=words, exif=exif(), dpi=(300, 300), icc_profile=srgb_profile())
    assert shown(data, TERMS).info == {}


# What is taken out

JPEG = packed(noise(), "JPEG", quality=80)
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>%s</x:xmpmeta>"


def with_segment(jpeg, marker, payload):
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload + jpeg[2:]


@pytest.mark.parametrize(
    "data",
    [
        JPEG,
        packed(noise(), "JPEG", icc_profile=srgb_profile()),
        packed(noise(), "JPEG", subsampling="4:4:4", restart_marker_rows=1),
        packed(noise()),
        packed(noise(mode="RGBA")),
        packed(noise(), icc_profile=srgb_profile()),
        with_chunk(packed(noise()), b"gAMA", (45_455).to_bytes(4)),
    ],
)
def test_a_plain_file_is_left_as_it_is(data):
    assert without_metadata(data) == data


@pytest.mark.parametrize(
    "data",
    [
        packed(noise(), "JPEG", quality=80, exif=exif(_13b="A Name", _10e="private")),
        packed(noise(), "JPEG", quality=80, comment=b"private"),
        with_segment(JPEG, 0xE1, XMP % b"private tiff:Orientation='1'"),
        with_segment(JPEG, 0xED, b"Photoshop 3.0\0private"),
        with_segment(JPEG, 0xE2, b"MPF\0private"),
        with_segment(JPEG, 0xE0, b"JFXX\0\x10private"),
        JPEG + b"private",
        JPEG + JPEG,
    ],
)
def test_what_a_jpeg_says_goes_and_its_pixels_stay(data):
    assert without_metadata(data) == JPEG


def test_a_thumbnail_in_the_first_segment_goes():
    head = JPEG[4:20]
    assert head[2:7] == b"JFIF\0"
    thumb = JPEG[:4] + struct.pack(">H", 19) + head[2:14] + b"\1\1abc" + JPEG[20:]
    assert without_metadata(thumb) == JPEG


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (b"tEXt", b"Author\0private"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x>private</x>"),
        (b"eXIf", exif(_13b="private")[6:]),
        (b"tIME", bytes(7)),
        (b"prVt", b"private"),
    ],
)
def test_what_a_png_says_goes_and_its_pixels_stay(name, payload):
    plain = packed(noise(mode="RGBA"))
    assert without_metadata(with_chunk(plain, name, payload)) == plain
    assert without_metadata(plain + b"private") == plain


@pytest.mark.parametrize(
    "data",
    [
        packed(noise(), "JPEG", exif=exif(6)),
        with_segment(JPEG, 0xE1, XMP % b"<tiff:Orientation>6</tiff:Orientation>"),
        packed(noise(), "JPEG", icc_profile=wide_profile()),
        packed(noise(), "JPEG", progressive=True),
        packed(noise(), "JPEG", keep_rgb=True),
        packed(noise(mode="L"), "JPEG"),
        packed(noise(mode="CMYK"), "JPEG"),
        packed(noise(), exif=exif(6)),
        with_chunk(packed(noise()), b"zTXt", b"Raw profile type exif\0\0x"),
        with_chunk(packed(noise()), b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0x"),
        packed(noise(), icc_profile=wide_profile()),
        with_chunk(packed(noise()), b"iCCP", b"x\0\0not packed"),
        with_chunk(packed(noise()), b"gAMA", (100_000).to_bytes(4)),
        packed(noise(), transparency=(1, 2, 3)),
        packed(noise().quantize(16)),
        packed(noise(mode="L")),
        packed(Image.fromarray(np.zeros((9, 9), np.uint16))),
        with_chunk(packed(noise()), b"CgBI", b""),
        packed(noise(), "WEBP"),
        packed(noise())[:-30],
        JPEG[:-30],
        JPEG[:3],
        b"",
    ],
)
def test_where_pixels_have_to_change_that_is_said(data):
    assert without_metadata(data) is None


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_file_cut_anywhere_or_changed_anywhere_breaks_nothing(form):
    whole = packed(noise(16, 12), form, exif=exif(_13b="private"))
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0xFF
        for data in (whole[:at], bytes(changed)):
            left = without_metadata(data)
            assert left is None or len(left) <= len(data)


def test_pixels_of_every_encoder_are_the_same_afterwards():
    for options in ({"optimize": True}, {"restart_marker_blocks": 1}, {"subsampling": "4:2:0"}):
        data = packed(noise(), "JPEG", exif=exif(_13b="private"), **options)
        cleaned = without_metadata(data)
        assert b"private" in data
        assert b"private" not in cleaned
        assert np.array_equal(pixels(data), pixels(cleaned))


def test_the_profile_is_srgb_and_known_as_such():
    described = ImageCms.getProfileDescription(io.BytesIO(srgb_profile()))
    assert described.strip() == "sRGB IEC61966-2.1"
