"""LaidOverlay, BrandKit, Placed and Laid: words and logos over a picture, from wish to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.nouns.campaign import BoxName, OverlayRole, Side

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class FontFile:
    """A font of the house, as bytes."""

    name: str
    """What the campaign calls it: its path."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandKit:
    """The brand with its files read: what overlays are made with."""

    palette: tuple[str, ...] = ()
    """`#RRGGBB`, the leading colour first."""
    fonts: tuple[FontFile, ...] = ()
    families: tuple[str, ...] = ()
    """Fonts of the machine by name, which follow the files."""
    logo: bytes | None = field(default=None, repr=False)
    logo_on_dark: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOverlay:
    """One overlay of one picture: its words rendered, its filters applied."""

    text: str = ""
    logo: bool = False
    role: OverlayRole = "headline"
    box: BoxName | tuple[float, float, float, float] | None = None
    """A place by name, or left, top, right, bottom as shares of what the safe zone leaves free;
    None: bottom, and the logo top-right."""
    align: Side | None = None
    color: str | None = None
    background: str | None = None
    font: str | None = None
    size: float | None = None
    """Largest, as a share of the canvas's shorter edge."""
    place: str = "overlays"
    """Where the campaign says it, for faults: `overlays.0`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What was laid, where it can be seen, and how well it can be read."""

    text: str
    """Empty for the logo."""
    role: str
    box: tuple[int, int, int, int]
    """Left, top, right, bottom of the ink in pixels."""
    size_px: int
    """Of the type; of a logo its height."""
    lines: tuple[str, ...]
    contrast: float
    """WCAG ratio that 95 % of the pixels behind and close around the letters reach; of a logo, that
    three quarters of its own pixels reach against what lies behind them."""
    color: str
    background: str
    """none, scrim 0.42 (its strength), or plate #RRGGBB."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A picture with its overlays."""

    picture: Image.Image
    boxes: Sequence[Placed]
    notes: tuple[str, ...]
