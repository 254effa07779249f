"""Drawings and letters that are printed on, or pressed into, a surface."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.studio.sheet import Sheet


def drawn(
    wide: int, tall: int, paint: Callable[[ImageDraw.ImageDraw], None], blur: float = 0.0
) -> Sheet:
    """A grey drawing as a sheet from 0 (black) to 1 that spans -1 to 1 across."""
    canvas = Image.new("L", (wide, tall), 0)
    paint(ImageDraw.Draw(canvas))
    if blur:
        canvas = canvas.filter(ImageFilter.GaussianBlur(blur))
    values = np.flipud(np.asarray(canvas, np.float32) / 255)
    return Sheet(values, -1.0, -tall / wide, 2 / wide)


def letters(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: float, gap: float = 0.0
) -> None:
    """Writes spaced text around the middle x."""
    font = ImageFont.load_default(size)
    total = sum(font.getlength(letter) + gap for letter in text) - gap
    x -= total / 2
    for letter in text:
        draw.text((x, y), letter, fill=255, font=font, anchor="ls")
        x += font.getlength(letter) + gap


def stars(x: float, y: float, radius: float, count: int, inner: float) -> list[tuple[float, float]]:
    """The points of a star or, with many points, a sun."""
    spots = []
    for i in range(2 * count):
        angle, reach = math.pi * i / count, radius if i % 2 == 0 else radius * inner
        spots.append((x + reach * math.sin(angle), y - reach * math.cos(angle)))
    return spots
