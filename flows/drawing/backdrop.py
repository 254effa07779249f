"""Wall, ground and light, worked out small in linear light and enlarged smoothly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

from flows.drawing.colour import Colour, Floats, encode
from flows.drawing.layout import Layout
from flows.drawing.palette import Scheme

STAGE = 512  # pixels of the longer edge at which soft things are worked out
_TILE = 256


@dataclass(frozen=True, slots=True)
class Setting:
    """What kind of scene it is: `wall` plain, disc, arch or window; `ground` sweep or table."""

    wall: str
    ground: str


def stage_size(layout: Layout) -> tuple[int, int]:
    """The small size for soft things; the picture's own where that is small."""
    scale = min(1.0, STAGE / max(layout.width, layout.height))
    return max(8, round(layout.width * scale)), max(8, round(layout.height * scale))


def backdrop(layout: Layout, scheme: Scheme, setting: Setting, tall: float) -> Image.Image:
    """The empty scene. `tall` is the product's height in pixels: shapes behind it follow it."""
    columns, rows = stage_size(layout)
    x = ((np.arange(columns, dtype=np.float32) + 0.5) * (layout.width / columns))[None, :]
    y = ((np.arange(rows, dtype=np.float32) + 0.5) * (layout.height / rows))[:, None]
    pixel = layout.width / columns
    wall = np.broadcast_to(_rgb(scheme.wall), (rows, columns, 3))
    if setting.wall in {"disc", "arch"}:
        shape = _disc(layout, x, y, tall, pixel, arch=setting.wall == "arch")
        wall = _over(wall, scheme.shape, shape)
    table = setting.ground == "table"
    depth = pixel * 1.2 if table else 0.09 * layout.height
    floor = _smooth((y - layout.horizon) / depth + (0.5 if table else 0.35))
    out = _over(wall, scheme.ground, np.broadcast_to(floor, (rows, columns)))
    light = _light(layout, x, y, floor, tall, table=table)
    if setting.wall == "window":
        light = light * (
            1 + (0.2 if scheme.wall.lightness > 0.7 else 0.3) * _window(layout, x, y, tall)
        )
    # Rounding to bytes with noise: a slow gradient shows no steps when it is enlarged.
    noise = _chance(0).random((rows, columns, 1), dtype=np.float32) - np.float32(0.5)
    picture = Image.fromarray(encode(out * light[..., None], noise * np.float32(1.4)))
    return picture.resize((layout.width, layout.height), Image.Resampling.BICUBIC)


def _rgb(colour: Colour) -> Floats:
    return np.array(colour.linear(), dtype=np.float32)


def _over(under: Floats, colour: Colour, share: Floats) -> Floats:
    return np.asarray(under + (_rgb(colour) - under) * share[..., None], dtype=np.float32)


def _smooth(share: Floats) -> Floats:
    t = np.clip(share, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def _light(
    layout: Layout, x: Floats, y: Floats, floor: Floats, tall: float, *, table: bool
) -> Floats:
    """A soft lamp above and beside the product, falling off to the corners."""
    reach = max(tall, layout.unit * 0.5)
    lamp_x = layout.middle + layout.light * 0.5 * reach
    lamp_y = layout.base - 0.75 * reach
    away = ((x - lamp_x) / (1.5 * reach)) ** 2 + ((y - lamp_y) / (1.35 * reach)) ** 2
    pool = np.exp(-away)
    u, v = x / layout.width * 2 - 1, y / layout.height * 2 - 1
    corner = (u * u + v * v) / 2
    slope = u * layout.light
    light = 0.86 + 0.2 * pool - 0.13 * corner * corner + 0.05 * slope
    # A sweep darkens where it bends up, a table where it is far away.
    bend = np.exp(-(((y - layout.horizon) / (0.09 * layout.height)) ** 2))
    if table:
        far = np.clip((y - layout.horizon) / max(1.0, layout.height - layout.horizon), 0, 1)
        light = light * (1 - floor * 0.1 * (1 - far)) * (1 - (1 - floor) * 0.07 * bend)
    else:
        light = light * (1 - 0.045 * bend)
    front = np.clip((y - layout.base) / max(1.0, layout.height - layout.base), 0, 1)
    return np.asarray(np.clip(light * (1 - 0.1 * front * front), 0.3, 1.12), dtype=np.float32)


def _disc(layout: Layout, x: Floats, y: Floats, tall: float, pixel: float, *, arch: bool) -> Floats:
    """A painted disc or arch behind the product, its edge a little out of focus."""
    room = min(layout.middle, layout.width - layout.middle)
    radius = min(0.62 * tall, 0.86 * room)
    if arch:
        centre = min(layout.base - 0.78 * tall, layout.horizon - 0.2 * radius)
        down = np.minimum(y - centre, 0)
        away = np.sqrt((x - layout.middle) ** 2 + down * down) - radius * 0.92
    else:
        centre = layout.base - 0.66 * tall
        away = np.sqrt((x - layout.middle) ** 2 + (y - centre) ** 2) - radius
    return _smooth(0.5 - away / (3 * pixel))


def _window(layout: Layout, x: Floats, y: Floats, tall: float) -> Floats:
    """Daylight through a window: slanted panes on wall and ground, softer with distance."""
    reach = max(tall, layout.unit * 0.5)
    across = (x - layout.middle) * layout.light
    # The lamp's side is positive: light falls from there, downwards and away.
    slant = (across - 0.1 * reach) / reach - 0.42 * (y - layout.base) / reach
    rise = (layout.base - y) / reach + 0.25 * across / reach
    return _panes(slant, (-0.62, -0.04), 0.5) * _panes(rise, (-0.35, 0.31, 0.97), 0.58)


def _panes(along: Floats, starts: Sequence[float], wide: float) -> Floats:
    soft = 0.055
    steps = [_step((along - low) / soft) * _step((low + wide - along) / soft) for low in starts]
    return np.asarray(sum(steps[1:], start=steps[0]), dtype=np.float32)


def _step(share: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(np.clip(-2.2 * share, -30, 30))), dtype=np.float32)


def _chance(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed % 2**64))


def grained(picture: Image.Image, seed: int) -> Image.Image:
    """With fine grain, as film has: it hides the steps of 8 bits in slow gradients."""
    noise = _chance(seed).normal(0, 1.9, (_TILE, _TILE))
    # Grain of one pixel would not outlive the JPEG: spread it a little (the tile stays seamless).
    noise = noise * 0.62 + (np.roll(noise, 1, axis=0) + np.roll(noise, 1, axis=1)) * 0.42
    tile = np.clip(np.rint(noise) + 128, 0, 255).astype(np.uint8)
    across, down = math.ceil(picture.width / _TILE), math.ceil(picture.height / _TILE)
    sheet = np.tile(tile, (down, across))[: picture.height, : picture.width]
    grain = Image.fromarray(sheet)
    return ImageChops.add(picture, Image.merge("RGB", (grain, grain, grain)), 1, -128)
