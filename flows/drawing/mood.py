"""The scene that a prompt's words ask for: colours named for the backdrop, the light."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.drawing.colour import Colour

# Common English colour words and about what they mean; wall paint rather than signal colours.
_COLOURS = {
    "amber": "#E0A458", "apricot": "#F2C6A0", "beige": "#DCCFB8", "black": "#2B2A2C",
    "blue": "#6E93C0", "blush": "#EBC9C4", "brown": "#8A6A52", "burgundy": "#6E2A38",
    "charcoal": "#3A3B3F", "clay": "#B97A5E", "coral": "#EE927E", "cream": "#EFE6D2",
    "emerald": "#2F7D62", "gold": "#CFA94E", "green": "#86A881", "grey": "#A9A9AC",
    "gray": "#A9A9AC", "ivory": "#F0EADB", "lavender": "#C3B8DC", "lilac": "#CDB9DC",
    "mint": "#B4D9C4", "mustard": "#D0A13A", "navy": "#2B3A5C", "ochre": "#C28A3B",
    "olive": "#87895A", "orange": "#E59A5B", "peach": "#F3C5A8", "pink": "#E8B4BF",
    "purple": "#8A72A8", "red": "#C0564F", "rose": "#DFA6A8", "sage": "#A9B79C",
    "sand": "#DCC7A4", "slate": "#66727E", "teal": "#3F8A8C", "terracotta": "#C9765A",
    "turquoise": "#66B8B4", "violet": "#8F7AB5", "white": "#EDEBE7", "yellow": "#E9CE74",
}  # fmt: skip

_PLACE = (
    r"back(?:drop|ground|ing)s?|walls?|surfaces?|studio|sets?|setting|paper|seamless|sweep|"
    r"tabletop|table|linen|plinth|stage|scene|palette|tones?"
)
# A colour belongs to the scene when a word for the scene follows closely; "a red mug" does not.
_NAMED = re.compile(
    rf"\b({'|'.join(_COLOURS)})\b(?:[\s-]+[\w-]+){{0,2}}?[\s-]+(?:{_PLACE})\b", re.IGNORECASE
)
_DARK = re.compile(
    r"\b(?:dark|night|moody|low[- ]key|dramatic|midnight|candle\w*)\b", re.IGNORECASE
)
_SUN = re.compile(r"\b(?:sun\w*|window|morning|daylight|golden hour|summer)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mood:
    """What the words ask for; nothing asked for leaves the choice to the dice."""

    colour: Colour | None = None
    dark: bool = False
    sun: bool = False

    @classmethod
    def of(cls, prompt: str) -> Mood:
        words = prompt[:4000]
        named = _NAMED.search(words)
        return cls(
            colour=Colour.of_hex(_COLOURS[named.group(1).lower()]) if named else None,
            dark=bool(_DARK.search(words)),
            sun=bool(_SUN.search(words)),
        )
