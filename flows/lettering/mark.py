"""Lay a logo: the version that stands out, or a plate behind it where neither does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flows.lettering.arrange import PLATE, Item
from flows.lettering.contrast import (
    BLACK,
    ENOUGH_FOR_LOGOS,
    WHITE,
    Colour,
    colour_of,
    hex_of,
    luminance,
    luminance_of,
)
from flows.lettering.logo import drawn, opened
from flows.lettering.scrim import lay_plate
from flows.lettering.zone import Box
from flows.nouns.overlay import BrandKit, Placed

if TYPE_CHECKING:
    from PIL import Image

_SEEN = 25.0
"""Percent of a logo's own pixels that may stand out less: a quarter may be tint and shade."""
_OPAQUE = 128
_CORNER = 0.25
"""Of the logo's height: the corners of its plate."""


def lay_logo(canvas: Image.Image, item: Item, brand: BrandKit) -> tuple[Placed, list[str]]:
    """Draw it into the canvas, and say what was done."""
    if item.logo is None:
        msg = "only a logo is laid here"
        raise TypeError(msg)
    notes = []
    ink = item.ink
    plain = drawn(item.logo, ink.width, ink.height)
    versions = [(contrast(plain, canvas, ink), plain)]
    if brand.logo_on_dark is not None:
        dark = _in_place(brand.logo_on_dark, ink)
        versions.append((contrast(dark, canvas, ink), dark))
    ratio, logo = max(versions, key=lambda version: version[0])
    background = "none"
    asked = item.overlay.background
    if item.has_plate or (asked is None and ratio < ENOUGH_FOR_LOGOS):
        plate = item.outer if item.has_plate else _plate(item)
        fixed = [colour_of(asked)] if asked is not None and asked.startswith("#") else []
        candidates = fixed or [WHITE, BLACK, *map(colour_of, brand.palette)]
        best = max(
            ((_on(logo, tone), -index, tone, logo) for _ratio, logo in versions
             for index, tone in enumerate(candidates)),
            key=lambda way: (min(way[0], 2 * ENOUGH_FOR_LOGOS), way[1]),
        )  # fmt: skip
        if best[0] > ratio or item.has_plate:
            lay_plate(canvas, plate, best[2], round(_CORNER * item.ink.height))
            logo, background = best[3], f"plate {hex_of(best[2])}"
            pad_x, pad_y = (plate.width - ink.width) // 2, (plate.height - ink.height) // 2
            ink = plate.grown(-pad_x, -pad_y)
            ink = Box(ink.left, ink.top, ink.left + item.ink.width, ink.top + item.ink.height)
            ratio = contrast(logo, canvas, ink)
    if ratio < ENOUGH_FOR_LOGOS:
        notes.append(
            f"{item.overlay.place}: the logo stands out by {ratio:.2f} to 1, below "
            f"{ENOUGH_FOR_LOGOS:g} to 1"
        )
    if not item.logo.is_svg and item.logo.height < item.ink.height:
        factor = math.ceil(item.ink.height / item.logo.height * 100) / 100
        notes.append(f"{item.overlay.place}: the logo enlarged {factor:g}x; an SVG stays sharp")
    canvas.paste(logo, ink.corners[:2], logo.getchannel("A"))
    placed = Placed(
        text="",
        role="logo",
        box=ink.corners,
        size_px=item.size,
        lines=(),
        contrast=round(ratio, 2),
        color="",
        background=background,
    )
    return placed, notes


def _plate(item: Item) -> Box:
    """Around the logo as its rim asks, moved and if need be narrowed until it is within its box."""
    room, ink = item.room, item.ink
    rim = math.floor(PLATE * ink.height)
    x = max(0, min(rim, (room.width - ink.width) // 2))
    y = max(0, min(rim, (room.height - ink.height) // 2))
    plate = ink.grown(x, y)
    right = max(0, room.left - plate.left) - max(0, plate.right - room.right)
    down = max(0, room.top - plate.top) - max(0, plate.bottom - room.bottom)
    return Box(plate.left + right, plate.top + down, plate.right + right, plate.bottom + down)


def _in_place(data: bytes, ink: Box) -> Image.Image:
    """Another version in the middle of the first one's place."""
    from PIL import Image

    logo = opened(data, "brand.logo_on_dark")
    width = min(ink.width, round(ink.height * logo.ratio))
    height = min(ink.height, max(1, round(width / logo.ratio)))
    made = Image.new("RGBA", (ink.width, ink.height))
    at = ((ink.width - width) // 2, (ink.height - height) // 2)
    made.paste(drawn(logo, max(1, width), height), at)
    return made


def contrast(logo: Image.Image, canvas: Image.Image, ink: Box) -> float:
    """The ratio that three quarters of a logo's pixels reach against the canvas behind them."""
    import numpy as np

    pixels = np.asarray(logo)
    behind = luminance(np.asarray(canvas.crop(ink.corners)))
    opaque = pixels[..., 3] >= _OPAQUE
    if not opaque.any():
        return 1.0
    own, ground = luminance(pixels[..., :3])[opaque], behind[opaque]
    ratios = (np.maximum(own, ground) + 0.05) / (np.minimum(own, ground) + 0.05)
    return float(np.percentile(ratios, _SEEN))


def _on(logo: Image.Image, tone: Colour) -> float:
    import numpy as np

    pixels = np.asarray(logo)
    opaque = pixels[..., 3] >= _OPAQUE
    if not opaque.any():
        return 1.0
    own, ground = luminance(pixels[..., :3])[opaque], luminance_of(tone)
    ratios = (np.maximum(own, ground) + 0.05) / (np.minimum(own, ground) + 0.05)
    return float(np.percentile(ratios, _SEEN))
