"""The brand's files: looked for with the campaign's other files, read where something is laid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flows.errors import Fault
from flows.nouns.overlay import BrandKit, FontFile
from flows.read.local import found_file, nearest_file
from flows.read.spec_yaml import Written

LARGEST_FILE = 64_000_000
FONT_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")
_WEB_ENDINGS = (".woff", ".woff2", ".eot")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::|://)|data:")


def names_a_file(font: str) -> bool:
    """Whether an entry of `brand.fonts` is a file and not a font of the machine by its name."""
    return font.casefold().endswith((*FONT_ENDINGS, *_WEB_ENDINGS)) or "/" in font or "\\" in font


def brand_faults(source: Written, folder: Path) -> Iterator[Fault]:
    """What is wrong with the brand as far as names and places go, and what lacks it."""
    campaign = source.campaign
    brand, finish = campaign.brand, campaign.finish
    for key, name in _files(source):
        place = source.place(*key)
        if name.casefold().endswith(_WEB_ENDINGS):
            remedy = "give the same font as TrueType or OpenType (.ttf, .otf)"
            yield Fault(place, f"'{name}' is a font for browsers", remedy=remedy)
        elif _ADDRESS.match(name):
            yield Fault(place, f"'{name}' is an address", remedy="name a file beside the campaign")
        else:
            yield from _absent(name, place, folder)
    for at, overlay in enumerate(campaign.overlays):
        if overlay.logo and brand.logo is None and not source.is_told("brand"):
            place = source.place("overlays", at, "logo")
            yield Fault(place, "there is no logo", remedy="write `brand: {logo: <file>}`")
    if finish.fit == "pad" and finish.pad == "brand" and not brand.palette:
        remedy = 'write `brand: {palette: ["#0F4C81"]}`, or another pad'
        place = source.place("finish", "pad")
        yield Fault(place, "there is no colour of the brand to pad with", remedy=remedy)


def brand_kit(source: Written, folder: Path) -> tuple[BrandKit, list[Fault]]:
    """The brand with its files read, without those that are told as absent."""
    brand = source.campaign.brand
    faults: list[Fault] = []
    read: dict[tuple[str | int, ...], bytes] = {}
    for key, name in _files(source):
        path = None if _ADDRESS.match(name) else found_file(folder, name)
        if path is not None:
            data = _bytes(path, source.place(*key), faults)
            if data is not None:
                read[key] = data
    kit = BrandKit(
        palette=tuple(brand.palette),
        fonts=tuple(
            FontFile(name=name, data=read["brand", "fonts", at])
            for at, name in enumerate(brand.fonts)
            if ("brand", "fonts", at) in read
        ),
        families=tuple(name for name in brand.fonts if not names_a_file(name)),
        logo=read.get(("brand", "logo")),
        logo_on_dark=read.get(("brand", "logo_on_dark")),
    )
    return kit, faults


def _files(source: Written) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where each file of the brand is named, and its name."""
    brand = source.campaign.brand
    for key, name in (("logo", brand.logo), ("logo_on_dark", brand.logo_on_dark)):
        if name is not None:
            yield ("brand", key), name
    for at, font in enumerate(brand.fonts):
        if names_a_file(font):
            yield ("brand", "fonts", at), font


def _absent(name: str, place: str, folder: Path) -> Iterator[Fault]:
    if found_file(folder, name) is not None:
        return
    if "\0" not in name and (folder / name).is_dir():
        yield Fault(place, f"'{name}' is a folder, not a file")
        return
    near = nearest_file(folder, name)
    yield Fault(place, f"there is no file '{name}'", remedy=near or f"paths begin at {folder}/")


def _bytes(path: Path, place: str, faults: list[Fault]) -> bytes | None:
    try:
        if path.stat().st_size > LARGEST_FILE:
            found = f"{path.name} has {path.stat().st_size:,} bytes"
            faults.append(Fault(place, found, f"up to {LARGEST_FILE:,}"))
            return None
        return path.read_bytes()
    except OSError as error:
        faults.append(Fault(place, f"{path.name} cannot be read: {error.strerror or error}"))
        return None
