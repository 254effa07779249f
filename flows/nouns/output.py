"""Output: a shape and its files that a campaign wants; Channel: the preset it may come from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flows.nouns.campaign import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What one placement of one channel accepts; `flows/presets/channels.yaml` holds them."""

    id: str
    width: int
    height: int
    formats: tuple[Format, ...]
    ratio: str
    min_width: int | None = None
    min_height: int | None = None
    max_bytes: int | None = None
    safe_zone: tuple[float, float, float, float] | None = None
    """Top, right, bottom, left as shares of the canvas: nothing that must be read goes there."""
    colour: str = "srgb"
    text: str = "ok"
    note: str = ""
    source: str = ""
    verified: str = ""
    status: str = ""
    retired: str = ""
    """Why the channel does not take it any more; empty while it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One wanted shape. `width` and `height` are None where the master's own size is wanted."""

    name: str
    aspect_ratio: str
    shape: Fraction
    """Width over height."""
    formats: tuple[Format, ...]
    quality: int = 82
    width: int | None = None
    height: int | None = None
    channel: str | None = None
    max_bytes: int | None = None


def ratio_of(text: str) -> Fraction:
    """`4:5` to 4/5; `1.91:1` to 191/100."""
    width, _, height = text.partition(":")
    return Fraction(width) / Fraction(height)


def ratio_text(width: int, height: int) -> str:
    """1440, 1800 to `4:5`."""
    shape = Fraction(width, height)
    return f"{shape.numerator}:{shape.denominator}"
