"""From a sketch to a finished picture: look, lay out, paint, stand the product in, letter."""

from __future__ import annotations

import functools
import hashlib
import io
import struct

from PIL import Image, ImageCms

from flows.drawing.backdrop import Setting, backdrop, grained
from flows.drawing.colour import Colour
from flows.drawing.cutout import cut_out, find
from flows.drawing.figure import print_of, print_room, wrapped_box
from flows.drawing.layout import Layout, lay_out
from flows.drawing.lettering import letter
from flows.drawing.mood import Mood
from flows.drawing.palette import Look, Scheme, look, scheme
from flows.drawing.photo import open_photo
from flows.drawing.plinth import RAISED, place_plinth, plinth_under
from flows.drawing.shadow import Standing, shaded, shadow
from flows.drawing.sketch import Dice, Sketch
from flows.errors import BadInput

QUALITY = 92


def draw(sketch: Sketch) -> bytes:
    """A for-position-only picture as JPEG: 4:4:4, sRGB profile, no other metadata.

    The same sketch gives the same bytes on the same Pillow, in whatever thread and order.

    Raises:
        BadInput: the product's photo is no picture, broken, or more than 100 million pixels.

    """
    dice = Dice.of(sketch)
    mood = Mood.of(sketch.prompt)
    found = find(sketch.product) if sketch.product is not None else None
    framed = found is not None and found.mask is None
    setting, raised = _setting(mood, dice, cut=not framed)
    layout = lay_out(sketch.width, sketch.height, dice, framed=framed, raised=RAISED * raised)
    product = cut_out(found, print_room(layout.box) if framed else layout.box) if found else None
    identity = sketch.product if sketch.product is not None else "\x1f".join(sketch.label).encode()
    colours = scheme(
        look(product) if product else _stand_in(sketch),
        hashlib.sha256(identity).digest(),
        [Colour.of_hex(colour) for colour in sketch.palette],
        _style(sketch) if not sketch.palette else None,
        mood,
        dice,
    )
    if product is None:
        figure = _box(layout, colours)
    else:
        figure = print_of(product, layout.box) if framed else product
    picture = grained(backdrop(layout, colours, setting, figure.height), sketch.seed)
    _stand(picture, figure, layout, colours, raised=raised)
    letter(picture, layout, sketch.label, colours.ink)
    return _encoded(picture)


def _setting(mood: Mood, dice: Dice, *, cut: bool) -> tuple[Setting, bool]:
    raised = cut and dice.number("plinth") < 0.34
    if mood.sun:
        wall = "window"
    elif raised:
        wall = dice.choose("wall", ("plain", "arch", "window", "disc"))
    elif cut:
        wall = dice.choose("wall", ("plain", "disc", "arch", "window", "plain"))
    else:
        wall = dice.choose("wall", ("plain", "window"))
    return Setting(wall, dice.choose("ground", ("sweep", "table"))), raised


def _stand_in(sketch: Sketch) -> Look:
    """A made-up product's colours: the brand's last, or a quiet one by its label."""
    if sketch.palette:
        colour = Colour.of_hex(sketch.palette[-1])
    else:
        turn = hashlib.sha256("\x1f".join(sketch.label).encode()).digest()[0]
        colour = Colour(0.72, 0.07, turn / 256 * 360)
    return Look(colour, colour, colour.but(lightness=0.9, chroma=0.02))


def _style(sketch: Sketch) -> Look | None:
    """The first further reference that can be read; one that cannot is no reason to stop."""
    for data in sketch.others:
        try:
            return look(open_photo(data))
        except BadInput:
            continue
    return None


def _box(layout: Layout, colours: Scheme) -> Image.Image:
    paper = colours.plinth.but(lightness=min(0.9, colours.plinth.lightness + 0.06))
    ribbon = colours.shape.but(lightness=max(0.3, colours.shape.lightness - 0.18), chroma=0.08)
    return wrapped_box((layout.box[0], round(layout.box[1] * 0.8)), paper, ribbon, layout.light)


def _stand(
    picture: Image.Image, figure: Image.Image, layout: Layout, colours: Scheme, *, raised: bool
) -> None:
    left = round(layout.middle - figure.width / 2)
    top = round(layout.base) - figure.height
    standing = Standing(figure.getchannel("A"), left, top)
    within = None
    if raised:
        plinth = plinth_under(layout, figure.width)
        within = place_plinth(picture, plinth, layout, colours.plinth, colours.ground)
    shaded(picture, shadow(layout, standing), colours.plinth if raised else colours.ground, within)
    picture.paste(figure, (left, top), figure)


@functools.cache
def _srgb() -> bytes:
    """LittleCMS's profile, less the hour it was made (bytes 24 to 35, see ICC.1:2022, 7.2)."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def _encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, subsampling="4:4:4", icc_profile=_srgb())
    return out.getvalue()
