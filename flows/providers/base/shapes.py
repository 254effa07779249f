"""Shapes: which pictures a host can make, and the nearest of them to what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, sqrt
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a host is asked for: pixels, or one of its names (`width` and `height` are then the
    published ones, or None where the host does not publish them).
    """

    shape: Fraction
    width: int | None = None
    height: int | None = None
    name: str = ""

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height.

        Raises:
            ValueError: the host does not publish them.

        """
        if self.width is None or self.height is None:
            msg = f"the pixels of '{self.name}' are not published"
            raise ValueError(msg)
        return self.width, self.height

    @property
    def shown(self) -> str:
        """For a person: `1824x2280`, or the host's name."""
        return self.name or f"{self.width}x{self.height}"


class Shapes(Protocol):
    """Finds the size that a host is asked for."""

    def nearest(self, width: int, height: int) -> Size:
        """The nearest size that this host makes to so many pixels."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedShapes:
    """A host that knows shapes by name. `published` are their pixels, where it says them."""

    names: Mapping[str, tuple[int, int]]
    """Name to its ratio, width and height in small numbers."""

    def nearest(self, width: int, height: int) -> Size:
        """The name whose picture loses least when it is cut to the wanted shape."""
        wanted = Fraction(width, height)
        name, shape = min(
            ((name, Fraction(*ratio)) for name, ratio in self.names.items()),
            key=lambda pair: max(pair[1], wanted) / min(pair[1], wanted),
        )
        return Size(shape=shape, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelShapes:
    """A host that takes pixels within bounds: sides, area, and longer side over shorter."""

    least_side: int = 1
    most_side: int = 16_384
    least_area: int = 1
    most_area: int = 16_384 * 16_384
    most_ratio: int = 16

    def nearest(self, width: int, height: int) -> Size:
        """The wanted pixels where the host makes them, else the nearest of the same shape that
        cover them, else what comes closest.
        """
        long, short = max(width, height), min(width, height)
        ratio = min(long / short, self.most_ratio, self.most_side / self.least_side)
        least = max(self.least_side, sqrt(self.least_area / ratio))
        most = min(self.most_side / ratio, sqrt(self.most_area / ratio))
        if ratio == long / short and least <= short <= most:
            return _size(width, height)
        if short < least:
            short = _even(least, up=True)
            long = min(_even(short * ratio, up=True), self.most_side)
        else:
            short = _even(min(short, most), up=False)
            long = _even(short * ratio, up=False)
        return _size(long, short) if width >= height else _size(short, long)


def _size(width: int, height: int) -> Size:
    return Size(shape=Fraction(width, height), width=width, height=height)


def _even(value: float, *, up: bool) -> int:
    # a hair's breadth of rounding error must not become a whole step
    half = value / 2
    return 2 * (ceil(half - 1e-9) if up else floor(half + 1e-9))
