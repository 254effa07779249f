"""The fingerprint: one digest of all that decides what is laid, but the picture and its canvas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from flows.lettering.chain import BOLD, REGULAR, chain_for, has_raqm
from flows.lettering.faces import contents
from flows.lettering.words import ready
from flows.nouns.overlay import BrandKit, LaidOverlay

_VERSION = 1
"""Goes up when the same wishes come out differently, so that old files are made again."""


def fingerprint(overlays: Sequence[LaidOverlay], *, brand: BrandKit, locale: str) -> str:
    """32 hex digits: words, places, colours, logos, and the contents of the fonts that they are set
    from on this machine.

    Raises:
        BadInput: a font that the campaign names is not there or is broken.

    """
    fonts: dict[str, None] = {}
    wishes = []
    for overlay in overlays:
        said = asdict(overlay)
        del said["place"]
        wishes.append(said)
        weights = () if overlay.logo else (REGULAR, BOLD)
        for weight in weights:
            text = ready(overlay.text)[0]
            chain = chain_for(text, kit=brand, font=overlay.font, weight=weight, locale=locale)
            fonts |= dict.fromkeys(contents(face) for face in chain.faces)
    logos = [
        hashlib.sha256(logo).hexdigest() if logo is not None else None
        for logo in (brand.logo, brand.logo_on_dark)
    ]
    decides = [_VERSION, wishes, list(brand.palette), logos, list(fonts), locale, has_raqm()]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
