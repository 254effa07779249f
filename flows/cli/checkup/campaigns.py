"""Campaigns of the workspace: whether the fonts and clients that they name are here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli import terminal
from flows.cli.checkup.finding import Finding
from flows.errors import BadInput, ShotlistError

if TYPE_CHECKING:
    from flows.nouns.campaign import Campaign
    from flows.nouns.overlay import BrandKit
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

MOST = 50
"""Campaign files that are looked at."""

CLIENTS = {
    "s3": ("s3", "s3fs"), "s3a": ("s3", "s3fs"),
    "gs": ("gs", "gcsfs"), "gcs": ("gs", "gcsfs"),
    "az": ("az", "adlfs"), "abfs": ("az", "adlfs"), "abfss": ("az", "adlfs"),
    "sftp": ("sftp", "paramiko"), "ssh": ("sftp", "paramiko"),
}  # fmt: skip
"""A scheme's extra, and the package that it brings."""

LETTERS = {
    "ar": "العربية", "fa": "فارسی", "ur": "اردو", "he": "עברית", "hi": "हिन्दी", "mr": "मराठी",
    "bn": "বাংলা", "ta": "தமிழ்", "te": "తెలుగు", "th": "ไทย", "ja": "日本語のかなカナ", "ko": "한국어",
    "zh": "中文简体", "ru": "Русский", "uk": "Українська", "bg": "Български", "sr": "Српски",
    "el": "Ελληνικά", "ka": "ქართული", "hy": "Հայերեն", "pl": "ąćęłńóśźż", "cs": "ěščřžýáíéúů",
    "hu": "őűáéíóöúü", "ro": "ăâîșț", "tr": "ğışçöü", "vi": "ờặễđư", "de": "äöüß", "fr": "éèêçœ",
    "es": "ñáéíóú¿", "pt": "ãõçáé", "sv": "åäö", "da": "æøå", "nb": "æøå",
}  # fmt: skip
"""Some letters of languages that others lack; iana.org/assignments/language-subtag-registry."""

_SCHEME = re.compile(r"(?:.*::)?([A-Za-z][A-Za-z0-9+.-]+)://")


def campaigns(settings: Settings, workspace: Workspace) -> Iterator[Finding]:
    read = dict(_read(workspace))
    good = {path: one for path, one in read.items() if not isinstance(one, ShotlistError)}
    for path, error in read.items():
        if isinstance(error, ShotlistError):
            count = len(error.faults) if isinstance(error, BadInput) else 1
            said = f"{terminal.counted(count, 'fault')}; shotlist validate campaigns/{path.name}"
            yield Finding(f"campaigns/{path.name}", None, said)
    yield from _clients([settings.takes_url, *_places(good.values())])
    yield from _fonts(good)


def _read(workspace: Workspace) -> Iterator[tuple[Path, Campaign | ShotlistError]]:
    from flows import read

    folder = workspace.root / "campaigns"
    files = [path for path in sorted(folder.glob("*")) if path.suffix in (".yaml", ".yml", ".csv")]
    for path in files[:MOST]:
        try:
            yield path, read.outline(path).campaign
        except ShotlistError as error:
            yield path, error


def _places(said: Iterable[Campaign]) -> Iterator[str]:
    for one in said:
        wish = one.products
        yield from filter(None, [one.publish.to, wish and wish.from_, wish and wish.image_base])


def _clients(places: list[str]) -> Iterator[Finding]:
    """Of the storages that are named; none of them is asked."""
    schemes = [match[1].lower() for place in places if (match := _SCHEME.match(place))]
    for extra, package in dict.fromkeys(CLIENTS[one] for one in schemes if one in CLIENTS):
        what = f"storage {extra}"
        if find_spec(package) is None:
            yield Finding(what, False, f"its client is missing: pip install 'shotlist[{extra}]'")
        else:
            yield Finding(what, True, f"{package} is installed")


def _fonts(said: dict[Path, Campaign]) -> Iterator[Finding]:
    from flows.lettering import unwritable

    lettered = {
        path: one
        for path, one in said.items()
        if any(overlay.text is not None for overlay in one.overlays)
    }
    lacking: dict[str, list[str]] = {}
    locales: dict[str, None] = {}
    for path, one in lettered.items():
        kit = _kit(one, path.parent)
        for locale, variables in (one.locale_variables() or {"": {}}).items():
            locales[locale or "Latin"] = None
            texts = [str(value) for value in variables.values() if isinstance(value, str)]
            texts.append(LETTERS.get(re.split("[-_]", locale.casefold())[0], "Aa"))
            for font in dict.fromkeys(overlay.font for overlay in one.overlays):
                try:
                    found = unwritable(texts, kit, locale, font=font)
                except BadInput as error:
                    found = [str(fault) for fault in error.faults]
                for words in found:
                    lacking.setdefault(words, []).append(locale)
    if not lettered:
        return
    if not lacking:
        yield Finding("fonts", True, f"there are letters for {', '.join(locales)}")
    for words, where in lacking.items():
        named = ", ".join(dict.fromkeys(filter(None, where)))
        yield Finding("fonts", False, f"{named}: {words}" if named else words)


def _kit(campaign: Campaign, folder: Path) -> BrandKit:
    """The brand's fonts that are there; `shotlist validate` tells of those that are not."""
    from flows.nouns.overlay import BrandKit, FontFile
    from flows.read import brand as read

    files = {name: folder / name for name in campaign.brand.fonts}
    return BrandKit(
        fonts=tuple(
            FontFile(name=name, data=path.read_bytes())
            for name, path in files.items()
            if path.is_file()
        ),
        families=tuple(name for name in files if not read.names_a_file(name)),
    )
