"""Capabilities: what a host can do with each parameter of the canonical request, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil, isqrt
from typing import Literal

from flows.providers.base.shapes import Shapes

PARAMETERS = (
    "prompt",
    "references",
    "size",
    "aspect_ratio",
    "resolution",
    "n",
    "seed",
    "guidance",
    "safety",
    "callback",
)
"""The canonical request."""


class Way(StrEnum):
    """What becomes of a parameter on its way to a host (the four ways of
    https://docs.lumenfall.ai/unified-model-behavior, and no way at all).
    """

    PASSED = "passed"  # the same name, the same value
    RENAMED = "renamed"  # another name, the same value
    CONVERTED = "converted"  # another form
    EMULATED = "emulated"  # the host cannot; we do it
    NONE = "none"  # the host cannot, and nor can we


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one parameter is treated. `native` is the host's field; `note` says bounds and forms."""

    way: Way
    native: str = ""
    note: str = ""


LARGEST_SIDE = 4096
"""Pixels. The model makes no larger picture, so a reference with more of them is no better
(https://docs.byteplus.com/en/docs/ModelArk/1541523)."""

HandOver = Literal["upload", "data-uri", "base64", "multipart", "here"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceLimits:
    """What a host takes as references. Bytes are those of one picture before any encoding."""

    count: int
    most_bytes: int
    by: HandOver
    least_side: int = 15
    most_side: int = 6000
    most_pixels: int = 36_000_000
    most_ratio: float = 3.0
    formats: tuple[str, ...] = ("jpeg", "png")

    def refuses(self, width: int, height: int) -> str | None:
        """Why a picture of so many pixels cannot be made ready for this host, for a person; None
        where it can. One that is too large is reduced and one that is too long is padded.
        """
        if min(self.padded(width, height)) >= self.least_side:
            return None
        return f"{width}x{height} pixels; at least {self.least_side} on each side"

    def padded(self, width: int, height: int) -> tuple[int, int]:
        """The sides after the shorter one got what it lacks for `most_ratio`, or for being within
        bounds once the longer one is reduced to its own.
        """
        most = min(
            Fraction(self.most_ratio),
            Fraction(min(self.most_side, LARGEST_SIDE), self.least_side),
            Fraction(self.most_pixels, self.least_side**2),
        )
        least = ceil(max(width, height) / max(most, Fraction(1)))
        return max(width, least), max(height, least)

    def reduced(self, width: int, height: int) -> tuple[int, int]:
        """The largest size of the same shape, to a pixel, that is within sides and pixels; never
        larger. The shape is within `most_ratio` (see `padded`).
        """
        long, short = max(width, height), min(width, height)
        most = min(self.most_side, LARGEST_SIDE)
        if long <= most and long * short <= self.most_pixels:
            return width, height
        side = min(long, most, isqrt(self.most_pixels * long // short))
        while side > 1 and side * self._shorter(side, long, short) > self.most_pixels:
            side -= 1
        other = self._shorter(side, long, short)
        return (side, other) if width >= height else (other, side)

    def _shorter(self, side: int, long: int, short: int) -> int:
        """The shorter side to a longer one: the shape's, if the bounds have room for it."""
        least = max(self.least_side, ceil(side / Fraction(self.most_ratio)))
        return min(short, max(least, round(Fraction(side * short, long))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a host can do. None: it has no such parameter, or states no bound."""

    treatments: Mapping[str, Treatment]
    shapes: Shapes
    references: ReferenceLimits
    prompt_chars: int | None = None
    seeds: tuple[int, int] | None = None
    """The least and the most."""
    guidance: tuple[float, float] | None = None
    can_switch_safety_off: bool = False
    tiers: tuple[str, ...] = ("1K", "2K", "4K")
    """The tiers that may be wished in writing."""
    together: int | None = None
    """Most references and results of one call."""
