"""Shadows that put a thing on its ground: where it touches, what it casts, what it dims."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from flows.drawing.backdrop import stage_size
from flows.drawing.colour import Colour, Floats
from flows.drawing.layout import Layout


@dataclass(frozen=True, slots=True)
class Standing:
    """A thing's alpha and the picture's pixel where its upper left corner goes."""

    alpha: Image.Image
    left: int
    top: int


def shadow(layout: Layout, standing: Standing) -> Image.Image:
    """How much light is kept away, 0 to 255, at the small size of soft things."""
    columns, rows = stage_size(layout)
    across, down = columns / layout.width, rows / layout.height
    width = max(1, round(standing.alpha.width * across))
    height = max(1, round(standing.alpha.height * down))
    alpha = Image.new("L", (columns, rows))
    small = standing.alpha.resize((width, height), Image.Resampling.BOX, reducing_gap=3.0)
    alpha.paste(small, (round(standing.left * across), round(standing.top * down)))
    base = (standing.top + standing.alpha.height) * down
    unit = layout.unit * down
    touch = _contact(np.asarray(alpha, dtype=np.float32) / np.float32(255), base, height, unit)
    cast = _cast(alpha, layout, base, height, unit)
    dim = _dimmed(
        columns, rows, (standing.left + standing.alpha.width / 2) * across, base, width, unit
    )
    light = (1 - 0.72 * touch) * (1 - 0.46 * cast) * (1 - 0.2 * dim)
    return Image.fromarray(np.rint(255 * (1 - light)).astype(np.uint8))


def _contact(alpha: Floats, base: float, height: int, unit: float) -> Floats:
    """Dark under each part that comes near the ground, at that part's own foot."""
    rows = len(alpha)
    solid = alpha > 0.5
    foot = np.where(solid.any(axis=0), rows - solid[::-1].argmax(axis=0), -1e6)
    lifted = base - foot
    weight = np.exp(-np.clip(lifted, 0, 1e6) / max(1.0, 0.05 * height))
    spread = max(0.8, 0.011 * unit)
    y = (np.arange(rows, dtype=np.float32) + 0.5)[:, None]
    # Feet that stand farther back are seen higher; they touch all the same.
    line = np.maximum(foot, base - 0.1 * height)[None, :]
    touch = weight[None, :] * np.exp(-(((y - line) / spread) ** 2) / 2)
    picture = Image.fromarray((touch * 255).astype(np.uint8))
    close = picture.filter(ImageFilter.GaussianBlur(max(0.6, 0.006 * unit)))
    wide = picture.filter(ImageFilter.GaussianBlur(max(1.2, 0.022 * unit)))
    mixed = np.asarray(close, dtype=np.float32) * 0.85 + np.asarray(wide, dtype=np.float32) * 0.9
    return np.asarray(np.clip(mixed / 255, 0, 1))


def _cast(alpha: Image.Image, layout: Layout, base: float, height: int, unit: float) -> Floats:
    """The outline thrown on the ground, away from the light, softer and fainter with distance."""
    back, side = 0.2, -layout.light * 0.62
    # A ground point (x, y) is shaded by the thing's point that stands (base - y) / back high.
    laid = alpha.transform(
        alpha.size,
        Image.Transform.AFFINE,
        (1, side / back, -side / back * base, 0, 1 / back, base - base / back),
        Image.Resampling.BILINEAR,
    )
    near = laid.filter(ImageFilter.GaussianBlur(max(0.8, 0.01 * unit)))
    far = laid.filter(ImageFilter.GaussianBlur(max(2.0, 0.045 * unit)))
    y = (np.arange(alpha.height, dtype=np.float32) + 0.5)[:, None]
    risen = np.clip((base - y) / back / max(1, height), 0, 2)
    blend = np.clip(risen * 1.6 + 0.15, 0, 1)
    mixed = np.asarray(near, dtype=np.float32) * (1 - blend)
    mixed += np.asarray(far, dtype=np.float32) * blend
    fade = np.exp(-1.1 * risen)
    return np.asarray(mixed / 255 * fade)


def _dimmed(columns: int, rows: int, middle: float, base: float, width: int, unit: float) -> Floats:
    """The ground around a thing gets less of the sky."""
    x = (np.arange(columns, dtype=np.float32) + 0.5)[None, :]
    y = (np.arange(rows, dtype=np.float32) + 0.5)[:, None]
    away = ((x - middle) / (0.58 * width + 0.03 * unit)) ** 2
    away = away + ((y - base) / (0.06 * unit + 0.03 * width)) ** 2
    return np.asarray(np.exp(-away))


def shaded(
    picture: Image.Image, mask: Image.Image, colour: Colour, within: Image.Image | None = None
) -> None:
    """Darken `picture` by `mask` (any size) with shade of the ground's colour, in place."""
    bounds = mask.point([0] * 2 + [255] * 254).getbbox()
    if not bounds:
        return
    across, down = picture.width / mask.width, picture.height / mask.height
    left, top = int(bounds[0] * across), int(bounds[1] * down)
    right = min(picture.width, round(bounds[2] * across))
    bottom = min(picture.height, round(bounds[3] * down))
    size = (right - left, bottom - top)
    if min(size) < 1:
        return
    full = mask.resize(
        size,
        Image.Resampling.BICUBIC,
        box=(left / across, top / down, right / across, bottom / down),
    )
    if within is not None:
        full = ImageChops.multiply(full, within.crop((left, top, right, bottom)))
    region = picture.crop((left, top, right, bottom))
    shade = colour.but(lightness=0.3, chroma=min(colour.chroma, 0.06)).bytes()
    dark = ImageChops.multiply(region, Image.new("RGB", size, shade))
    picture.paste(dark, (left, top), full)
