"""Overlays: logos, drawn sharp and refused by name where they would do harm."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flows.errors import BadInput
from flows.lettering import laid
from flows.lettering.logo import drawn, opened
from flows.nouns.overlay import BrandKit, LaidOverlay
from tests.rooms.lettering_scenes import LOGO, busy, changed, plain

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 100 50"{}>{}</svg>'
)
SHAPE = '<rect x="10" y="10" width="60" height="20" fill="#0F4C81"/>'
USE_BOMB = (
    "<defs><g id='a0'><rect width='1' height='1'/></g>"
    + "".join(
        f"<g id='a{level}'>" + f"<use href='#a{level - 1}'/>" * 10 + "</g>"
        for level in range(1, 12)
    )
    + "</defs><use href='#a11'/>"
)


def svg(inside: str, attributes: str = "") -> bytes:
    return SVG.format(attributes, inside).encode()


def png(colour: str, size: tuple[int, int] = (60, 20)) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", size, colour).save(out, "PNG")
    return out.getvalue()


def lay(picture, *, kit, **more):
    wish = LaidOverlay(logo=True, place="overlays.0", **more)
    return laid(picture, [wish], safe_zone=None, brand=kit, locale="en")


@pytest.mark.parametrize(
    ("hostile", "named"),
    [
        (svg("<script>alert(1)</script>"), "<script>"),
        (svg(SHAPE, ' onload="alert(1)"'), "a script in onload"),
        (svg('<image href="file:///etc/passwd"/>'), "<image>"),
        (svg('<image href="https://tracker.example/x.png"/>'), "<image>"),
        (svg('<use xlink:href="https://a.example/b.svg#c"/>'), "points elsewhere in href"),
        (svg('<use href="data:image/svg+xml,x#c"/>'), "points elsewhere in href"),
        (svg('<rect width="9" height="9" fill="url(https://a.example/#x)"/>'), "elsewhere in fill"),
        (svg("<style>@import url(https://a.example/x.css)</style>"), "style points elsewhere"),
        (svg('<foreignObject width="9" height="9"/>'), "<foreignObject>"),
        (svg("<text>Acme</text>"), "turn the words into outlines"),
        (svg('<filter id="f"><feFlood/></filter>'), "<filter>"),
        (svg(USE_BOMB), "parts are drawn"),
        (svg("<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>"), "uses itself"),
        (svg('<mask id="m" mask="url(#m)"/><rect mask="url(#m)"/>'), "uses itself"),
        (svg("<g>" * 3000 + "</g>" * 3000), "nested deeper"),
        (svg(SHAPE + " " * 600_000), "bytes"),
        (b'<!DOCTYPE s [<!ENTITY a "aa">]>' + svg("<title>&a;</title>"), "entities of its own"),
        (
            b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + svg("&a;"),
            "entities of its own",
        ),
        (svg(SHAPE)[:-9], "not well-formed"),
        (svg(""), "nothing can be seen"),
        (b"<html><body><svg></svg></body></html>", "its root is <html>"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">' + SHAPE.encode() + b"</svg>", "viewBox"),
        (b"GIF89a", "brand.logo"),
        (b"", "brand.logo"),
    ],
)
def test_a_logo_that_could_do_harm_is_refused_and_says_why(hostile, named):
    with pytest.raises(BadInput) as caught:
        opened(hostile)
    assert caught.value.faults[0].place == "brand.logo"
    assert named in str(caught.value)


def test_an_svg_is_drawn_without_its_blank_edges_and_sharp_at_any_size():
    logo = opened(svg(SHAPE))
    assert logo.ratio == pytest.approx(3.0, abs=0.02)
    for width in (30, 300, 1800):
        pixels = np.asarray(drawn(logo, width, width // 3))
        assert pixels.shape == (width // 3, width, 4)
        edge = 1 + width // 100
        inside = pixels[edge:-edge, edge:-edge]
        assert (inside == (15, 76, 129, 255)).all()


def test_a_speck_on_a_large_page_is_found_and_drawn_sharp():
    speck = svg('<rect x="70" y="20" width="0.6" height="0.2"/>')
    assert opened(speck).ratio == pytest.approx(3.0, rel=0.03)


def test_lengths_in_percent_stay_lengths_of_the_page():
    logo = opened(svg('<rect width="50%" height="50%" fill="red"/>'))
    assert logo.ratio == pytest.approx(2.0, abs=0.02)
    assert np.asarray(drawn(logo, 40, 20))[10, 20].tolist() == [255, 0, 0, 255]


def test_a_logo_that_stands_out_is_laid_as_it_is():
    found = lay(plain((800, 800), (250, 250, 250)), kit=BrandKit(logo=LOGO))
    placed = found.boxes[0]
    assert (placed.background, found.notes) == ("none", ())
    assert placed.contrast == pytest.approx(8.5, abs=0.2)
    assert changed(plain((800, 800), (250, 250, 250)), found.picture) == placed.box


def test_a_logo_keeps_half_its_height_from_the_canvas_edge():
    left, top, right, bottom = lay(plain((800, 800)), kit=BrandKit(logo=LOGO)).boxes[0].box
    clear = (bottom - top) / 2
    assert top >= clear
    assert 800 - right >= clear
    assert left > 400


@pytest.mark.parametrize("ground", ["dark", "busy"])
def test_a_logo_that_does_not_stand_out_gets_a_plate_within_its_box(ground):
    picture = plain((800, 800), (20, 40, 60)) if ground == "dark" else busy((800, 800))
    found = lay(picture, kit=BrandKit(logo=LOGO))
    placed = found.boxes[0]
    assert placed.background == "plate #FFFFFF"
    assert placed.contrast == pytest.approx(8.86, abs=0.02)
    left, top, right, bottom = changed(picture, found.picture)
    assert top >= 40
    assert right <= 760
    assert left < placed.box[0]
    assert bottom > placed.box[3]


def test_background_none_lays_no_plate_and_tells_what_was_measured():
    found = lay(plain((800, 800), (20, 40, 60)), kit=BrandKit(logo=LOGO), background="none")
    assert found.boxes[0].background == "none"
    assert found.notes[0].startswith("overlays.0: the logo stands out by 1.")


def test_the_version_for_dark_grounds_is_taken_where_it_stands_out_better():
    kit = BrandKit(logo=png("#0F4C81", (600, 200)), logo_on_dark=png("#FFFFFF", (600, 200)))
    dark = lay(plain((800, 800), (10, 20, 30)), kit=kit)
    bright = lay(plain((800, 800), (250, 250, 250)), kit=kit)
    for found, colour in ((dark, (255, 255, 255)), (bright, (15, 76, 129))):
        left, top, right, bottom = found.boxes[0].box
        assert found.picture.getpixel(((left + right) // 2, (top + bottom) // 2)) == colour
        assert found.boxes[0].background == "none"


def test_a_small_picture_of_a_logo_is_enlarged_with_a_note():
    found = lay(plain((1600, 1600), (250, 250, 250)), kit=BrandKit(logo=png("#0F4C81", (30, 10))))
    assert found.notes[0].startswith("overlays.0: the logo enlarged ")
    assert found.notes[0].endswith("x; an SVG stays sharp")


@pytest.mark.skipif(
    "SHOTLIST_TEST_DATA" not in os.environ, reason="SHOTLIST_TEST_DATA does not name test data"
)
def test_odd_pictures_as_logos_are_used_or_refused_in_words():
    folder = Path(os.environ["SHOTLIST_TEST_DATA"], "odd-inputs", "images")
    paths = sorted(folder.iterdir())
    used = refused = 0
    for path in paths:
        try:
            lay(plain((400, 400)), kit=BrandKit(logo=path.read_bytes()))
            used += 1
        except BadInput as error:
            refused += bool(error.faults)
    assert used + refused == len(paths)
    assert used >= 10
    assert refused >= 5
