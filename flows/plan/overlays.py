"""Overlays: the words that are laid over pictures, rendered for each shot.

They go into no recipe: the model never sees them, and other words cost no other take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import Campaign, Overlay
from flows.nouns.said_overlay import SaidOverlay
from flows.plan.expand import Brief, Wording
from flows.plan.faults import Faults
from flows.plan.texts import Text, Texts


@dataclass(frozen=True, slots=True)
class OverlayWish:
    """An overlay of the campaign; `text` is None for the logo."""

    index: int
    overlay: Overlay
    text: Text | None
    place: str


class Overlays:
    """Which overlays a locale has, and what they say."""

    def __init__(self, campaign: Campaign, texts: Texts, faults: Faults) -> None:
        self.wishes: list[OverlayWish] = []
        for index, overlay in enumerate(campaign.overlays):
            key = f"overlays.{index}"
            text = None
            if overlay.text is not None:
                place = faults.place(f"{key}.text")
                text = texts.of(Wording(text=overlay.text, place=place))
                if text is None:
                    continue  # its fault was collected when it was compiled
            self.wishes.append(OverlayWish(index, overlay, text, faults.place(key)))
        self._of_locale: dict[str, list[OverlayWish]] = {}
        self._same: dict[tuple[SaidOverlay, ...], tuple[SaidOverlay, ...]] = {}
        self.is_of_output = any(wish.text and wish.text.is_of_output for wish in self.wishes)

    def __bool__(self) -> bool:
        return bool(self.wishes)

    def said(self, locale: str, say: Callable[[Text], str]) -> tuple[SaidOverlay, ...]:
        """The overlays of a locale, rendered by `say`; those that say nothing are left out.

        Equal ones are one tuple for all shots.
        """
        told = []
        for wish in self._wishes_of(locale):
            words = say(wish.text) if wish.text else ""
            if words or wish.text is None:
                told.append(SaidOverlay(wish.index, words))
        key = tuple(told)
        return self._same.setdefault(key, key)

    def _wishes_of(self, locale: str) -> list[OverlayWish]:
        if locale not in self._of_locale:
            self._of_locale[locale] = [
                wish
                for wish in self.wishes
                if not wish.overlay.locales or locale in wish.overlay.locales
            ]
        return self._of_locale[locale]


def check_filters(overlays: Overlays, briefs: Iterable[Brief], faults: Faults) -> None:
    """A filter that names no locale or output of the campaign would silently lay nothing."""
    if not any(wish.overlay.locales or wish.overlay.channels for wish in overlays.wishes):
        return
    terms = {id(brief.terms): brief.terms for brief in briefs}.values()
    locales = dict.fromkeys(one.locale for one in terms if one.locale)
    names = dict.fromkeys(output.name for one in terms for output in one.outputs)
    for wish in overlays.wishes:
        for what, key, asked, known in (
            ("locale", "locales", wish.overlay.locales, locales),
            ("output", "channels", wish.overlay.channels, names),
        ):
            for number, word in enumerate(asked):
                if word not in known:
                    place = faults.place(f"overlays.{wish.index}.{key}.{number}")
                    faults.add(_no_such(what, word, list(known), place))


def _no_such(what: str, word: str, known: list[str], place: str) -> Fault:
    allowed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    found = f"this campaign has no {what} '{word}'"
    if not known:
        found += f", and no {what}s at all"
    return Fault(place, found, allowed, did_you_mean(word, known))
