"""Wishes: an overlay with its limits, and its words set in faces or its logo looked through."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flows.errors import BadInput, Fault
from flows.lettering.chain import BOLD, REGULAR, leading_of
from flows.lettering.logo import Logo, opened
from flows.lettering.setting import Setting, prepared
from flows.lettering.words import MOST_CHARACTERS, ready
from flows.nouns.campaign import OverlayRole
from flows.nouns.overlay import BrandKit, LaidOverlay


@dataclass(frozen=True, slots=True)
class _Style:
    """Largest size: `pixels` and a share of the canvas's mean edge, so that type on a small banner
    is relatively larger.
    """

    pixels: int
    share: float
    weight: int
    leading: float


_STYLES: dict[OverlayRole, _Style] = {
    "headline": _Style(8, 0.080, BOLD, 1.14),
    "price": _Style(8, 0.095, BOLD, 1.06),
    "badge": _Style(5, 0.032, BOLD, 1.15),
    "body": _Style(6, 0.030, REGULAR, 1.34),
}
_LOGO = _Style(8, 0.075, 0, 0)
"""Height of one three times as wide as high; others get the same area."""
_LOGO_RATIO = 3.0
SMALLEST_PX, SMALLEST_SHARE = 11, 0.022
"""Type below is not readable where such pictures are seen; share of the mean edge."""
SMALLEST_LOGO = 14


@dataclass(frozen=True, slots=True)
class Wish:
    overlay: LaidOverlay
    setting: Setting | None = None
    logo: Logo | None = None
    largest: int = 0
    smallest: int = 0
    leading: float = 0.0


def wished(
    size: tuple[int, int], overlay: LaidOverlay, kit: BrandKit, locale: str, notes: list[str]
) -> Wish:
    mean, short = math.sqrt(size[0] * size[1]), min(size)
    if overlay.logo:
        data = kit.logo
        if data is None:
            fault = Fault(overlay.place, "no logo", remedy="give the file's path as brand.logo")
            raise BadInput("the logo is missing", [fault])
        logo = opened(data)
        bounded = min(max(logo.ratio, 0.5), 8.0)
        height = (_LOGO.pixels + _LOGO.share * mean) * math.sqrt(_LOGO_RATIO / bounded)
        largest = max(1, round(overlay.size * short if overlay.size else height))
        return Wish(overlay, logo=logo, largest=largest, smallest=min(SMALLEST_LOGO, largest))
    words, emoji = ready(overlay.text)
    if emoji:
        notes.append(f"{overlay.place}: without {' '.join(emoji)}, which fonts cannot show")
    if not words:
        fault = Fault(overlay.place, "no words are left to set", remedy="write some")
        raise BadInput("an overlay is empty", [fault])
    if len(words) > MOST_CHARACTERS:
        fault = Fault(overlay.place, f"{len(words):,} characters", f"up to {MOST_CHARACTERS:,}")
        raise BadInput("an overlay is too long", [fault])
    style = _STYLES[overlay.role]
    most = style.pixels + style.share * mean
    largest = max(1, round(overlay.size * short if overlay.size else most))
    setting = prepared(
        words,
        kit=kit,
        font=overlay.font,
        weight=style.weight,
        locale=locale,
        place=overlay.place,
    )
    floor = max(SMALLEST_PX, round(SMALLEST_SHARE * mean))
    leading = style.leading + leading_of(words)
    return Wish(overlay, setting, None, largest, min(floor, largest), leading)


def has_plate(overlay: LaidOverlay) -> bool:
    if overlay.background is None:
        return overlay.role == "badge" and not overlay.logo
    return overlay.background == "plate" or overlay.background.startswith("#")
