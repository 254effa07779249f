"""Output: a shape and its files that a campaign wants; Channel: the preset it may come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flows.nouns.campaign import Format

SafeZone = tuple[float, float, float, float]
"""Top, right, bottom, left as shares of the canvas: nothing that must be read goes there."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of the canvas."""

OPEN: SafeZone = (0.0, 0.0, 0.0, 0.0)


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
    safe_zone: SafeZone | None = None
    keep_out: tuple[Box, ...] = ()
    """What the channel itself covers within that: a badge, a headline, a button."""
    colour: str = "srgb"
    """srgb or cmyk."""
    text: str = "ok"
    """ok, avoid: advised against, none: refused, logo: the mark alone."""
    generated: str = "ok"
    """ok, avoid: advised against, refused: what a model made is not taken."""
    note: str = ""
    source: str = ""
    verified: str = ""
    status: str = ""
    retired: str = ""
    """Why the channel does not take it any more; empty while it does."""
    origin: str = "shotlist"
    """Where the preset is written: shotlist ships it, else the file and line of its own."""


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
    safe_zone: SafeZone | None = None
    keep_out: tuple[Box, ...] = ()
    text: str = "ok"
    """What the channel says of words and logos: ok, avoid, none or logo, as in `Channel.text`."""
    colour: str = "srgb"

    @property
    def clear_zone(self) -> SafeZone | None:
        """The safe zone, grown until what the channel covers lies outside as well: where words and
        logos may stand.
        """
        return clear_of(self.safe_zone, self.keep_out) if self.keep_out else self.safe_zone


def clear_of(safe_zone: SafeZone | None, keep_out: Sequence[Box]) -> SafeZone:
    """The smallest growth of a safe zone that leaves each box out."""
    zone = safe_zone or OPEN
    for left, top, right, bottom in keep_out:
        if right <= zone[3] or left >= 1 - zone[1] or bottom <= zone[0] or top >= 1 - zone[2]:
            continue
        grown = [
            (max(zone[0], bottom), *zone[1:]),
            (zone[0], max(zone[1], 1 - left), *zone[2:]),
            (*zone[:2], max(zone[2], 1 - top), zone[3]),
            (*zone[:3], max(zone[3], right)),
        ]
        zone = max(grown, key=_free)
    return zone


def _free(zone: SafeZone) -> float:
    top, right, bottom, left = zone
    return max(0.0, 1 - top - bottom) * max(0.0, 1 - left - right)


def ratio_of(text: str) -> Fraction:
    """`4:5` to 4/5; `1.91:1` to 191/100."""
    width, _, height = text.partition(":")
    return Fraction(width) / Fraction(height)


def ratio_text(width: int, height: int) -> str:
    """1440, 1800 to `4:5`."""
    shape = Fraction(width, height)
    return f"{shape.numerator}:{shape.denominator}"
