"""The way to make letters readable: the colours, and the scrim that has to be least strong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.lettering.contrast import (
    BLACK,
    ENOUGH,
    WHITE,
    Colour,
    colour_of,
    luminance,
    luminance_of,
    reached,
)
from flows.lettering.scrim import needed, tints
from flows.nouns.overlay import BrandKit, LaidOverlay

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DARK_INK = 45
"""Strength that a scrim for white letters may cost more over a ground of middle tones: WCAG's ratio
thinks too well of black on those (https://www.w3.org/TR/wcag-3.0/ on its successors)."""
_MIDDLE_TONES = (0.06, 0.4)
"""Luminance."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make a group of letters readable."""

    strength: int
    scrim: Colour
    colours: tuple[Colour, ...]
    contrast: float


@dataclass(frozen=True, slots=True)
class Tried:
    """Some pixels behind a text and how much of a scrim would reach each; None where it may not."""

    overlay: LaidOverlay
    pixels: NDArray[np.uint8]
    shares: NDArray[np.float64] | None


def best_way(texts: Sequence[Tried], brand: BrandKit) -> Way:
    """For the texts of one box, which share a scrim."""
    import numpy as np

    behind = np.concatenate([text.pixels for text in texts])
    low, high = _MIDDLE_TONES
    handicap = _DARK_INK if low < float(np.median(luminance(behind))) < high else 0

    def cost(way: Way) -> tuple[int, float]:
        return way.strength + (handicap if BLACK in way.colours else 0), -way.contrast

    return min(_ways(texts, brand, tints(behind)), key=cost)


def _ways(texts: Sequence[Tried], brand: BrandKit, scrims: Sequence[Colour]) -> list[Way]:
    """Texts without a colour of their own share one, so that a box looks made by one hand."""
    inks = [WHITE, BLACK]
    ways = []
    for shared in inks if any(text.overlay.color is None for text in texts) else inks[:1]:
        for scrim in scrims:
            strengths, colours, contrasts = [0], [], []
            for text in texts:
                asked = text.overlay.color
                candidates = [shared] if asked is None else colours_of(text.overlay, brand)
                strength, colour, contrast = _best(text, candidates, scrim)
                strengths.append(strength)
                colours.append(colour)
                contrasts.append(contrast)
            ways.append(Way(max(strengths), scrim, tuple(colours), min(contrasts)))
    return ways


def _best(text: Tried, candidates: Sequence[Colour], scrim: Colour) -> tuple[int, Colour, float]:
    """The colour that asks for the weakest scrim; where none helps, the one that is read best."""
    ranked = sorted(((reached(one, text.pixels), one) for one in candidates), reverse=True)
    if text.shares is None or text.overlay.background == "none":
        return 0, ranked[0][1], ranked[0][0]
    shares = text.shares
    tried = [
        (needed(one, text.pixels, shares, scrim), ratio, one)
        for ratio, one in ranked
        if ratio_of(one, scrim) >= ENOUGH
    ]
    enough = [(strength, ratio, one) for strength, ratio, one in tried if strength is not None]
    if not enough:
        return 255, ranked[0][1], ranked[0][0]
    strength, ratio, colour = min(enough, key=lambda way: (way[0], -way[1]))
    return strength, colour, ratio


def colours_of(overlay: LaidOverlay, brand: BrandKit) -> list[Colour]:
    match overlay.color:
        case None:
            return [WHITE, BLACK]
        case "white":
            return [WHITE]
        case "black":
            return [BLACK]
        case "brand":
            return [colour_of(one) for one in brand.palette] or [WHITE, BLACK]
        case chosen:
            return [colour_of(chosen)]


def ratio_of(one: Colour, other: Colour) -> float:
    lights = sorted((luminance_of(one), luminance_of(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)
