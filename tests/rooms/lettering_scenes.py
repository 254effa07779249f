"""Grounds, fonts and a judge for the tests of overlays."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFont

from flows.lettering.chain import has_raqm
from flows.lettering.faces import machine_faces
from flows.nouns.overlay import FontFile

NOTO = ("noto sans", "noto sans arabic", "noto sans hebrew", "noto sans devanagari")
CJK = ("noto sans cjk jp", "noto sans cjk sc")
missing = [name for name in (*NOTO, *CJK) if name not in machine_faces()]
needs_noto = pytest.mark.skipif(
    bool(missing) or not has_raqm(),
    reason=f"needs Debian's fonts-noto-core, fonts-noto-cjk and libfribidi0; missing: {missing}",
)

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 120">'
    b'<rect x="10" y="20" width="80" height="80" fill="#0F4C81"/>'
    b'<circle cx="150" cy="60" r="40" fill="#0F4C81"/>'
    b'<path d="M210 100 L250 20 L290 100 Z" fill="#0F4C81"/></svg>'
)


def built_in_font() -> FontFile:
    """The Latin font that Pillow carries: the same on every machine."""
    font = ImageFont.load_default(16)
    assert isinstance(font.path, io.BytesIO)
    return FontFile(name="brand/aileron.ttf", data=font.path.getvalue())


def plain(size: tuple[int, int], colour: tuple[int, int, int] = (226, 214, 200)) -> Image.Image:
    return Image.new("RGB", size, colour)


def busy(size: tuple[int, int], seed: int = 1) -> Image.Image:
    """Patches of all colours, with finer ones over them."""
    dice = np.random.default_rng(seed)
    coarse = Image.fromarray(dice.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    cells = (max(2, size[1] // 6), max(2, size[0] // 6), 3)
    fine = Image.fromarray(dice.integers(0, 256, cells, dtype=np.uint8))
    bicubic = Image.Resampling.BICUBIC
    return Image.blend(coarse.resize(size, bicubic), fine.resize(size, bicubic), 0.35)


def changed(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of all pixels that differ by more than rounding."""
    apart = np.abs(np.asarray(before).astype(int) - np.asarray(after).astype(int)).max(axis=2) > 2
    rows, columns = np.nonzero(apart)
    if not len(rows):
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def light(pixels: np.ndarray) -> np.ndarray:
    """Relative luminance, written down again from WCAG 2.2 as a judge of its own."""
    share = pixels.astype(float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])
