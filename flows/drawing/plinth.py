"""A round plinth: a lit top and a side that turns away from the light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from flows.drawing.colour import Colour, encode
from flows.drawing.layout import Layout
from flows.drawing.shadow import Standing, shaded, shadow

RAISED = 0.1  # how far it lifts the product, in heights of the picture


@dataclass(frozen=True, slots=True)
class Plinth:
    """In pixels: half its width, half its top's depth, the top's middle, the side's height."""

    half: int
    depth: int
    middle: float
    top: float
    side: int


def plinth_under(layout: Layout, product_width: int) -> Plinth:
    """As wide as the product and some more; the product stands a little before its middle."""
    room = 0.94 * min(layout.middle, layout.width - layout.middle)
    half = max(4, round(min(0.66 * product_width + 0.03 * layout.unit, room)))
    depth = max(2, round(min(0.21 * half, 0.06 * layout.height)))
    side = max(3, round(min(RAISED * layout.height, layout.height - layout.base - 1.6 * depth)))
    return Plinth(half, depth, layout.middle, layout.base - 0.22 * depth, side)


def place_plinth(
    picture: Image.Image, plinth: Plinth, layout: Layout, colour: Colour, ground: Colour
) -> Image.Image:
    """Draw it and its shadow into `picture`; returns the mask of its top, as large as that."""
    fine = 3
    width, height = 2 * plinth.half, 2 * plinth.depth + plinth.side
    big = (width * fine, height * fine)
    ellipse_height = 2 * plinth.depth * fine
    body = Image.new("L", big)
    pen = ImageDraw.Draw(body)
    pen.ellipse((0, 0, big[0] - 1, ellipse_height - 1), fill=255)
    pen.rectangle((0, ellipse_height // 2, big[0] - 1, big[1] - ellipse_height // 2), fill=255)
    pen.ellipse((0, big[1] - ellipse_height, big[0] - 1, big[1] - 1), fill=255)
    body = body.reduce(fine)
    lid = Image.new("L", (big[0], ellipse_height))
    ImageDraw.Draw(lid).ellipse((0, 0, big[0] - 1, ellipse_height - 1), fill=255)
    lid = lid.reduce(fine)
    left, top = round(plinth.middle) - plinth.half, round(plinth.top) - plinth.depth
    own = shadow(layout, Standing(body, left, top))
    shaded(picture, own, ground)
    picture.paste(_side(plinth, layout, colour).resize(body.size), (left, top), body)
    picture.paste(_lid(plinth, layout, colour).resize(lid.size), (left, top), lid)
    mask = Image.new("L", picture.size)
    mask.paste(lid, (left, top))
    return mask


def _side(plinth: Plinth, layout: Layout, colour: Colour) -> Image.Image:
    """One row of the side, as a cylinder takes the light."""
    rgb = np.array(colour.linear(), dtype=np.float32)
    across = np.linspace(-1, 1, max(2, 2 * plinth.half), dtype=np.float32)
    turned = np.cos(np.arcsin(across * 0.999) - layout.light * math.radians(38))
    lit = 0.4 + 0.33 * np.clip(turned, 0, 1) + 0.04 * (1 - np.abs(across))
    return Image.fromarray(encode((rgb[None, :] * lit[:, None])[None, :, :]))


def _lid(plinth: Plinth, layout: Layout, colour: Colour) -> Image.Image:
    rgb = np.array(colour.linear(), dtype=np.float32)
    across = np.linspace(-1, 1, max(2, 2 * plinth.half), dtype=np.float32)
    lit = 1.03 + 0.05 * layout.light * across
    return Image.fromarray(encode((rgb[None, :] * lit[:, None])[None, :, :]))
