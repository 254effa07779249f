"""Where things stand in a picture of a given shape, with calm room left for words."""

from __future__ import annotations

from dataclasses import dataclass

from flows.drawing.sketch import Dice


@dataclass(frozen=True, slots=True)
class Layout:
    """All in pixels of the picture.

    The product stands on `base` with its middle at `middle`, inside `box` (width, height). The
    ground begins at `horizon`. `unit` is a length that suits the picture's shape, for blurs and
    margins. Light comes from `light`: -1 left, 1 right. `words` is the side left free for words
    (-1 left, 1 right, 0 above).
    """

    width: int
    height: int
    middle: float
    base: float
    box: tuple[int, int]
    horizon: float
    unit: float
    light: int
    words: int


def lay_out(width: int, height: int, dice: Dice, *, framed: bool, raised: float) -> Layout:
    """For a product or a framed print, `raised` by a plinth (a share of the picture's height).

    Tall pictures leave the room above, wide ones beside the product, nearly square ones a little
    above.
    """
    ratio = width / height
    side = dice.choose("side", (-1, 1))
    if ratio < 0.9:
        middle, words = 0.5, 0
        tallest = 0.5 if ratio > 0.5 else 0.44
        wide, base = 0.72, (0.82 if ratio > 0.6 else 0.78)
        if ratio < 0.3:
            wide, tallest, base = 0.82, 0.3, 0.72
    elif ratio < 1.25:
        middle, words = 0.5, 0
        wide, tallest, base = 0.64, 0.58, 0.83
    else:
        words = -side
        away = min(0.2, 0.1 + 0.07 * (ratio - 1.25) / 0.5)
        middle = 0.5 + side * away
        wide, tallest, base = min(0.5, 0.72 / ratio + 0.06), 0.64, 0.85
        if ratio > 3:
            tallest, base = 0.7, 0.88
    if framed:
        tallest, wide = tallest * 1.06, min(0.84, wide * 1.1)
    base -= 0.05 * raised / 0.1 if raised else 0.0
    tallest *= 1 - 0.9 * raised
    unit = min(width, height, (width * height) ** 0.5 * 0.7)
    product_share = min(tallest, wide * ratio * 1.2)
    horizon = base - min(0.16, 0.24 * product_share)
    return Layout(
        width=width,
        height=height,
        middle=middle * width,
        base=base * height,
        box=(max(8, round(wide * width)), max(8, round(tallest * height))),
        horizon=horizon * height,
        unit=unit,
        light=words or dice.choose("light", (-1, 1)),
        words=words,
    )
