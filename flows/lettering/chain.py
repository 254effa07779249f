"""The chain: which faces a text is set from, the house's own first, then one for each script."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from flows.errors import BadInput, EnvironmentFault, Fault, did_you_mean
from flows.lettering.faces import Face, covered, house_faces, machine_faces, nearest
from flows.lettering.words import (
    SOFT_HYPHEN,
    clusters,
    language_of,
    ready,
    script_of,
    scripts_in,
)
from flows.nouns.overlay import BrandKit, FontFile

REGULAR, BOLD = 400, 700

INVISIBLE = frozenset("\u200b\u200e\u200f\u2060\ufeff\n" + SOFT_HYPHEN)
"""Asked of no font and never drawn."""
_JOINERS = frozenset("\u200c\u200d")
_KANA = frozenset({"Hira", "Kana"})
_SET_WITHOUT_SHAPING = frozenset(
    {"Latn", "Grek", "Cyrl", "Hani", "Hira", "Kana", "Hang", "Bopo", "Armn", "Geor"}
)


@dataclass(frozen=True, slots=True)
class Chain:
    """Faces in the order in which they are asked, at one weight."""

    faces: tuple[Face, ...]
    weight: int


def chain_for(text: str, *, kit: BrandKit, font: str | None, weight: int, locale: str) -> Chain:
    """The faces for a text in a language.

    Raises:
        BadInput: a font that the campaign names is not there, or a file of it is broken.

    """
    scripts = (*scripts_in(text), "Latn")
    return _chain(scripts, kit, font, weight, locale, _is_japanese(text))


def _is_japanese(text: str) -> bool:
    return any(script_of(letter) in _KANA for letter in text)


@lru_cache(maxsize=256)
def _chain(
    scripts: tuple[str, ...],
    kit: BrandKit,
    font: str | None,
    weight: int,
    locale: str,
    kana: bool,  # noqa: FBT001 (a part of a cache's key)
) -> Chain:
    faces = [*([_named(font, kit, weight)] if font else []), *_house(kit, weight)]
    for script in scripts:
        faces += _fallbacks(_key(script, locale, kana=kana), weight)
    return Chain(tuple(dict.fromkeys(faces)), weight)


def _house(kit: BrandKit, weight: int) -> list[Face]:
    families: dict[str, list[Face]] = {}
    for file in kit.fonts:
        for face in house_faces(file):
            families.setdefault(face.family, []).append(face)
    faces = [nearest(tuple(of), weight) for of in families.values()]
    return faces + [_machine(name, weight, "brand.fonts") for name in kit.families]


def _named(font: str, kit: BrandKit, weight: int) -> Face:
    """A font by its file's name as `brand.fonts` has it, or by its family's."""
    for file in kit.fonts:
        faces = house_faces(file)
        if file.name == font:
            return nearest(faces, weight)
    own = [face for file in kit.fonts for face in house_faces(file)]
    of_family = tuple(face for face in own if face.family.casefold() == font.casefold())
    return nearest(of_family, weight) if of_family else _machine(font, weight, "overlays.font")


def _machine(name: str, weight: int, place: str) -> Face:
    families = machine_faces()
    faces = families.get(name.casefold())
    if faces is None:
        remedy = did_you_mean(name, (of[0].family for of in families.values()))
        fault = Fault(
            place,
            f"no font '{name}' on this machine",
            "a file in brand.fonts, or the name of an installed font",
            remedy or "install it, or put its file into brand.fonts",
        )
        raise BadInput("a font is missing", [fault])
    return nearest(faces, weight)


def _fallbacks(key: str, weight: int) -> list[Face]:
    families = machine_faces()
    for family in _script(key)["families"]:
        faces = families.get(family.casefold())
        if faces:
            return [nearest(faces, weight)]
    return [_built_in()] if key == "Latn" else []


@cache
def _built_in() -> Face:
    """Aileron, which Pillow carries: plain Latin letters for a machine that has no font at all."""
    from PIL import ImageFont

    font = ImageFont.load_default(16)
    if not isinstance(font, ImageFont.FreeTypeFont) or not isinstance(font.path, io.BytesIO):
        msg = "Pillow without FreeType cannot set text"
        raise EnvironmentFault(msg)
    return house_faces(FontFile(name="Aileron", data=font.path.getvalue()))[0]


def _key(script: str, locale: str, *, kana: bool) -> str:
    """Han letters look different from land to land: the language decides, then the company."""
    parts = locale.casefold().replace("_", "-").split("-")
    if script in _KANA:
        return "Jpan"
    if script not in ("Hani", "Bopo"):
        return script
    by_language = {"ja": "Jpan", "ko": "Hang", "yue": "Hant"}.get(parts[0])
    if parts[0] == "zh":
        return "Hant" if {"hant", "tw", "hk", "mo"} & set(parts[1:]) else "Hani"
    return by_language or ("Jpan" if kana else "Hani")


@cache
def _scripts() -> dict[str, dict[str, Any]]:
    import yaml

    text = files("flows.lettering").joinpath("scripts.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return rows


@cache
def _script(key: str) -> dict[str, Any]:
    row = _scripts().get(key)
    if row is not None:
        return row
    from fontTools import unicodedata as scripts

    name = str(scripts.script_name(key, default="unknown")).replace("_", " ")
    return {
        "name": name,
        "families": [f"Noto Sans {name}", f"Noto Serif {name}"],
        "debian": "fonts-noto-core",
    }


def leading_of(text: str) -> float:
    """What the tallest script of a text adds to the distance of its lines, in ems."""
    found = scripts_in(text)
    keys = ("Jpan" if script in _KANA else script for script in found)
    return max((float(_script(key).get("leading", 0)) for key in keys), default=0.0)


def has(face: Face, letter: str) -> bool:
    """Whether a face can write what a reader takes for one letter."""
    known = covered(face)
    asked = [one for one in letter if one not in INVISIBLE and one not in _JOINERS]
    if all(ord(one) in known or one.isspace() for one in asked):
        return True
    apart = unicodedata.normalize("NFD", letter)
    return all(ord(one) in known for one in apart if one not in INVISIBLE | _JOINERS)


def faces_of(text: str, chain: Chain) -> list[int | None]:
    """For each character the index of its face in the chain; None where no face has it.

    A whole word is set from one face where one has it all; blanks stay with what is before them.
    """
    found: list[int | None] = []
    for word in _words(text):
        whole = _first(word, chain)
        if whole is not None:
            found += [whole] * len(word)
            continue
        before: int | None = None
        for letter in clusters(word):
            if before is None or not has(chain.faces[before], letter) or letter[0].isalpha():
                before = _first(letter, chain)
            found += [before] * len(letter)
    return _blanks_joined(text, found)


def _words(text: str) -> Iterable[str]:
    start = 0
    for i, letter in enumerate(text):
        if letter in " \n":
            if i > start:
                yield text[start:i]
            yield letter
            start = i + 1
    if start < len(text):
        yield text[start:]


def _first(text: str, chain: Chain) -> int | None:
    for index, face in enumerate(chain.faces):
        if all(has(face, letter) for letter in clusters(text)):
            return index
    return None


def _blanks_joined(text: str, found: list[int | None]) -> list[int | None]:
    for i in range(1, len(text)):
        if text[i] in " \n":
            found[i] = found[i - 1]
    return found


def unwritable(
    texts: Iterable[str], kit: BrandKit, locale: str, *, font: str | None = None
) -> list[str]:
    """What no font can write, in words for a fault's `found` and remedy: one line a script.

    Empty where all can be set. Emoji are not among it: they are taken out with a note.

    Raises:
        BadInput: a font that the campaign names is not there or is broken.

    """
    missing: dict[str, dict[str, None]] = {}
    unshaped: dict[str, None] = {}
    raqm = has_raqm()
    for text in texts:
        words, _emoji = ready(text)
        chain = chain_for(words, kit=kit, font=font, weight=REGULAR, locale=locale)
        for letter in clusters(words.replace("\n", "")):
            if not raqm and needs_shaping(letter):
                unshaped[_script(_key(script_of(letter[0]), locale, kana=False))["name"]] = None
            if _first(letter, chain) is None:
                key = _key(script_of(letter[0]), locale, kana=_is_japanese(words))
                missing.setdefault(key, {})[letter] = None
    faults = [_missing(key, tuple(letters)) for key, letters in missing.items()]
    if unshaped:
        names = " and ".join(unshaped)
        faults.append(f"{names} cannot be set: this Pillow has no Raqm; {RAQM_REMEDY}")
    return faults


RAQM_REMEDY = "install FriBiDi, which Pillow loads (apt install libfribidi0, brew install fribidi)"


def _missing(key: str, letters: Sequence[str]) -> str:
    shown = " ".join(letters[:12]) + (" …" if len(letters) > 12 else "")
    script = _script(key)
    if key in ("Zyyy", "Zinh", "Zzzz"):
        codes = ", ".join(f"U+{ord(one[0]):04X}" for one in letters[:4])
        return (
            f"no font has {shown} ({codes}); put one that has it into brand.fonts, or leave it out"
        )
    family, package = script["families"][0], script["debian"]
    return (
        f"no font has the {script['name']} letters {shown}; put a font that has them into "
        f"brand.fonts, or install {family} (Debian and Ubuntu: apt install {package}; "
        f"elsewhere: fonts.google.com/noto)"
    )


@cache
def has_raqm() -> bool:
    """Whether Pillow can shape and reorder letters here."""
    from PIL import features

    return bool(features.check("raqm"))


def needs_shaping(letter: str) -> bool:
    """Whether a letter comes out wrong without Raqm: it joins, stacks or runs to the left."""
    if len(letter) > 1 and any(unicodedata.category(one) == "Mn" for one in letter[1:]):
        return True
    script = script_of(letter[0])
    return script not in _SET_WITHOUT_SHAPING and script not in ("Zyyy", "Zinh", "Zzzz")


def language_for_shaping(locale: str) -> str | None:
    """The language tag that fonts may have own letter forms for, or None."""
    language = language_of(locale)
    return language if language.isascii() and language.isalpha() else None
