"""Product: one row of a catalogue (or several that belong together), in one shape for all feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is known of one product. All values are text, stripped, as the catalogue has them.

    `fields` are the catalogue's columns under our names (title, description, price, currency,
    image, brand, category, tags, link, color, size, material, stock …; header words lower-cased
    and joined by `_` where no name of ours fits). `row` keeps the original spelling of every
    column; `images` are as written in the catalogue, main image first, not yet resolved against
    `image_base`. `translations` maps a locale to the fields that it says differently.
    """

    key: str
    title: str
    fields: Mapping[str, str]
    row: Mapping[str, str]
    images: tuple[str, ...] = ()
    translations: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    source: str = ""
    row_number: int = 0

    def in_locale(self, locale: str) -> Mapping[str, str]:
        """Fields with the locale's words over them; `de-AT` falls back to `de`."""
        spoken = (
            self.translations.get(locale)
            or self.translations.get(locale.partition("-")[0])
            or _NOTHING
        )
        return {**self.fields, **{name: text for name, text in spoken.items() if text}}
