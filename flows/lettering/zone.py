"""Boxes: the part of a canvas that its safe zone leaves free, and the places in it by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from flows.nouns.campaign import BoxName, Side

SafeZone = tuple[float, float, float, float]
"""Top, right, bottom, left as shares of the canvas."""

MARGIN = 0.05
"""Of the shorter edge: what named places keep from the canvas's edge where no safe zone does."""
_BAND, _BAND_OF_SEVERAL = 0.44, 0.58
"""Height of top and bottom, of what is free; the latter for a stack."""
_COLUMN = 0.48
"""Width of left, right and the corners."""
_STRIP = 2.5
"""A canvas so much longer than wide has room for one row (or column) only."""


@dataclass(frozen=True, slots=True)
class Box:
    """Whole pixels; right and bottom are the first that lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def corners(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom

    def grown(self, x: int, y: int) -> Box:
        return Box(self.left - x, self.top - y, self.right + x, self.bottom + y)

    def within(self, outer: Box) -> Box:
        return Box(
            max(self.left, outer.left),
            max(self.top, outer.top),
            min(self.right, outer.right),
            min(self.bottom, outer.bottom),
        )

    def meets(self, other: Box) -> bool:
        inside = self.within(other)
        return inside.width > 0 and inside.height > 0

    def joined(self, other: Box) -> Box:
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def beside(self, taken: Box) -> Box:
        """The largest part of this box that lies wholly at one side of `taken`."""
        parts = (
            Box(self.left, self.top, min(self.right, taken.left), self.bottom),
            Box(max(self.left, taken.right), self.top, self.right, self.bottom),
            Box(self.left, self.top, self.right, min(self.bottom, taken.top)),
            Box(self.left, max(self.top, taken.bottom), self.right, self.bottom),
        )
        return max(parts, key=lambda part: max(part.width, 0) * max(part.height, 0))


class Down(StrEnum):
    """Where in the height of a box a block hangs."""

    TOP = "top"
    MIDDLE = "middle"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Place:
    """A box, and where in it a block of overlays hangs."""

    box: Box
    across: Side | None
    """None: where the language starts to read."""
    down: Down
    named: bool


def free(size: tuple[int, int], safe_zone: SafeZone | None) -> Box:
    """What the safe zone leaves free, to the inner whole pixel."""
    top, right, bottom, left = safe_zone or (0.0, 0.0, 0.0, 0.0)
    width, height = size
    return Box(
        math.ceil(left * width - 1e-9),
        math.ceil(top * height - 1e-9),
        math.floor(width - right * width + 1e-9),
        math.floor(height - bottom * height + 1e-9),
    )


def place(
    size: tuple[int, int],
    safe_zone: SafeZone | None,
    box: BoxName | tuple[float, float, float, float],
    *,
    several: bool = False,
) -> Place:
    """A place by name, or by shares of what is free."""
    clear = free(size, safe_zone)
    if not isinstance(box, str):
        return _by_shares(clear, box)
    margin = round(MARGIN * min(size))
    clear = clear.within(Box(margin, margin, size[0] - margin, size[1] - margin))
    left, right, across = _columns(clear, box, is_strip=size[1] >= _STRIP * size[0])
    top, bottom, down = clear.top, clear.bottom, Down.MIDDLE
    if size[0] < _STRIP * size[1]:
        band = round(clear.height * (_BAND_OF_SEVERAL if several else _BAND))
        if box.startswith("top"):
            bottom, down = top + band, Down.TOP
        elif box.startswith("bottom"):
            top, down = bottom - band, Down.BOTTOM
    return Place(Box(left, top, right, bottom), across, down, named=True)


def _columns(clear: Box, box: BoxName, *, is_strip: bool) -> tuple[int, int, Side | None]:
    column = clear.width if is_strip else round(clear.width * _COLUMN)
    in_corner = "-" in box
    if box.endswith("left"):
        return clear.left, clear.left + column, "left" if in_corner else None
    if box.endswith("right"):
        return clear.right - column, clear.right, "right" if in_corner else None
    return clear.left, clear.right, "center" if box == "center" else None


def _by_shares(clear: Box, shares: tuple[float, float, float, float]) -> Place:
    left, top, right, bottom = shares
    box = Box(
        math.ceil(clear.left + left * clear.width - 1e-9),
        math.ceil(clear.top + top * clear.height - 1e-9),
        math.floor(clear.left + right * clear.width + 1e-9),
        math.floor(clear.top + bottom * clear.height + 1e-9),
    )
    middle = (top + bottom) / 2
    down = Down.MIDDLE
    if middle < 1 / 3:
        down = Down.TOP
    elif middle > 2 / 3:
        down = Down.BOTTOM
    return Place(box, None, down, named=False)
