"""The scene's colours: from the brand, the words or the product, made to sit well behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from flows.drawing.colour import Colour, oklab
from flows.drawing.mood import Mood
from flows.drawing.sketch import Dice


@dataclass(frozen=True, slots=True)
class Look:
    """A picture's colours: `mean` over all, `key` the one that it is remembered by."""

    mean: Colour
    key: Colour
    second: Colour


@dataclass(frozen=True, slots=True)
class Scheme:
    """Five colours that belong together."""

    wall: Colour
    ground: Colour
    shape: Colour
    plinth: Colour
    ink: Colour


# Quiet hues for products that have none of their own: sand, clay, blush, lilac, slate, teal, sage.
_QUIET = (82.0, 52.0, 22.0, 310.0, 255.0, 200.0, 145.0)


def look(picture: Image.Image) -> Look:
    """Colours of a picture's seen pixels, by a small clustering in OKLab."""
    small = picture.resize((48, 48), Image.Resampling.BOX)
    pixels = oklab(np.asarray(small.convert("RGB"))).reshape(-1, 3).astype(np.float64)
    if small.mode == "RGBA":
        seen = np.asarray(small.getchannel("A")).ravel() > 128
        if seen.any():
            pixels = pixels[seen]
    mean = Colour.of_lab(*pixels.mean(axis=0).tolist())
    centres, shares = _clusters(pixels, 5)
    colours = [Colour.of_lab(*centre.tolist()) for centre in centres]
    weighed = sorted(
        zip(colours, shares, strict=True),
        key=lambda pair: -(pair[1] ** 0.6) * (0.012 + min(pair[0].chroma, 0.16)),
    )
    key = weighed[0][0]
    second = next((colour for colour, _ in weighed[1:] if colour.distance(key) > 0.12), key)
    return Look(mean, key, second)


def _clusters(pixels: np.ndarray, many: int) -> tuple[list[np.ndarray], list[float]]:
    """k-means from far-apart first centres: no chance in it."""
    centres = [pixels.mean(axis=0)]
    while len(centres) < many:
        away = np.min([((pixels - one) ** 2).sum(axis=1) for one in centres], axis=0)
        centres.append(pixels[int(away.argmax())])
    for _ in range(6):
        nearest = np.argmin([((pixels - one) ** 2).sum(axis=1) for one in centres], axis=0)
        centres = [
            pixels[nearest == index].mean(axis=0) if (nearest == index).any() else centre
            for index, centre in enumerate(centres)
        ]
    counts = np.bincount(nearest, minlength=many) / len(pixels)
    return centres, counts.tolist()


def scheme(
    product: Look,
    identity: bytes,
    brand: Sequence[Colour],
    style: Look | None,
    mood: Mood,
    dice: Dice,
) -> Scheme:
    """Colours for the scene around a product.

    `identity` stands for the product: what has no colour of its own gets a quiet hue by it.
    """
    if brand:
        wall, accent = _of_brand(product, brand, dice)
    elif mood.colour:
        wall = mood.colour.but(chroma=min(mood.colour.chroma, 0.1))
        accent = product.key
    else:
        wall, accent = _of_product(style or product, product, identity, dice)
    if mood.dark:
        warm = 40 < wall.hue < 125  # dark yellow is mud: let it tend to a warm grey
        wall = wall.but(
            lightness=min(wall.lightness, dice.between("dark", 0.26, 0.34)),
            chroma=wall.chroma * (0.45 if warm else 1),
        )
    wall = _apart(wall, product.mean)
    return _around(wall, accent, dice)


def _of_brand(product: Look, brand: Sequence[Colour], dice: Dice) -> tuple[Colour, Colour]:
    """The brand's colours in turn, those first that keep away from the product's own."""
    ranked = sorted(
        brand, key=lambda one: one.distance(product.mean) < 0.14 or one.lightness < 0.12
    )
    usable = max(1, sum(one.distance(product.mean) >= 0.14 for one in ranked))
    turn = int(dice.number("brand") * min(usable, 3))
    wall = ranked[turn]
    accent = ranked[(turn + 1) % len(ranked)]
    top = 0.12 if wall.lightness > 0.45 else 0.09
    return wall.but(
        chroma=min(wall.chroma, top), lightness=min(0.93, max(0.24, wall.lightness))
    ), accent


def _of_product(source: Look, product: Look, identity: bytes, dice: Dice) -> tuple[Colour, Colour]:
    digest = hashlib.sha256(b"palette" + identity).digest()
    turn = dice.between("hue", -9, 9)
    if source.key.chroma > 0.045:
        # Kindred, across, or the same hue: the product decides which, the dice only turn a little.
        step = (28.0, -32.0, 180.0, 155.0, 0.0)[digest[0] % 5]
        hue = source.key.hue + step + turn
        chroma = 0.026 + 0.24 * min(source.key.chroma, 0.14)
    else:
        hue = _QUIET[digest[0] % len(_QUIET)] + turn
        chroma = 0.026 + digest[1] / 255 * 0.026
    # Yellow-green between straw and grass looks sickly on a large wall: step out of it.
    if 100 < hue % 360 < 132:
        hue = 96.0 if hue % 360 < 116 else 138.0
    light = product.mean.lightness
    if light < 0.5:
        lightness = dice.choose("tone", (0.86, 0.8, 0.74))
    elif light < 0.74:
        lightness = dice.choose("tone", (0.9, 0.88, 0.4))
    else:
        lightness = dice.choose("tone", (0.66, 0.6, 0.46))
    # Deep yellow and orange are brown.
    if 28 < hue % 360 < 118 and lightness < 0.68:
        lightness, chroma = 0.69, chroma * 1.15
    accent = source.key if source.key.chroma > 0.045 else Colour(0.6, 0.09, hue + 180)
    return Colour(lightness, chroma * (1.15 if lightness < 0.7 else 1), hue % 360), accent


def _apart(wall: Colour, product: Colour) -> Colour:
    """Lighter or darker until the product stands out; whichever way is shorter and has room."""
    if wall.distance(product) >= 0.17:
        return wall
    for step in range(1, 40):
        for way in (1, -1):
            moved = wall.but(lightness=wall.lightness + way * step * 0.015)
            if 0.26 <= moved.lightness <= 0.93 and moved.distance(product) >= 0.17:
                return moved
    return wall


def _around(wall: Colour, accent: Colour, dice: Dice) -> Scheme:
    dark = wall.lightness < 0.5
    deeper = dice.number("deeper") < 0.5
    step = (0.07 if deeper else -0.055) if dark else (-0.07 if deeper else 0.035)
    ground = wall.but(
        lightness=min(0.95, wall.lightness + step),
        chroma=wall.chroma * 0.92,
        hue=wall.hue + dice.between("ground hue", -10, 10),
    )
    tinted = accent.but(chroma=min(max(accent.chroma, 0.04), 0.1))
    shape = wall.mixed(
        tinted.but(lightness=wall.lightness + (0.12 if dark else -0.09)),
        dice.between("shape", 0.35, 0.6),
    )
    if shape.chroma < 0.6 * wall.chroma:  # opposite hues meet in grey
        shape = wall.but(lightness=wall.lightness + (0.1 if dark else -0.08))
    plinth = ground.mixed(tinted.but(lightness=ground.lightness), 0.22).but(
        lightness=min(0.95, ground.lightness + (0.1 if dark else 0.045))
    )
    ink = wall.but(
        lightness=0.97 if ground.lightness < 0.66 else 0.2, chroma=min(wall.chroma, 0.04)
    )
    return Scheme(wall, ground, shape, plinth, ink)
