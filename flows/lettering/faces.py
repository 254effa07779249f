"""Faces: fonts of the house and the machine, what they are called and which letters they have."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import BadInput, Fault
from flows.nouns.overlay import FontFile

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont
    from PIL import ImageFont

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
LARGEST_FONT = 64_000_000
"""Bytes; the largest font of Debian's Noto packages has 26 million."""
_ITALIC = 1
_MEDIUM_WIDTH = 5
_POINTS_PER_PIXEL = 0.75


@dataclass(frozen=True, slots=True)
class Face:
    """One cut of a family. Two with the same contents are the same, wherever they lie."""

    family: str
    weight: int
    """100 to 900; of a variable font the default."""
    width: int
    """1 to 9, 5 is medium (OS/2 usWidthClass)."""
    italic: bool
    source: str
    """A path, or the name of a file of the house."""
    number: int = 0
    """Within a collection."""
    axes: tuple[tuple[str, float, float, float], ...] = ()
    """Tag, smallest, default, largest; in the file's order."""
    data: bytes | None = field(default=None, repr=False, compare=False)
    digest: str = ""
    """sha256 of a file of the house; empty for the machine's, whose path tells them apart."""


@lru_cache(maxsize=64)
def house_faces(font: FontFile) -> tuple[Face, ...]:
    """The faces in a font file of the brand.

    Raises:
        BadInput: not a font, broken, or one of a kind that cannot be set from.

    """
    from fontTools.ttLib import TTLibError

    place = f"brand.fonts: {font.name}"
    if len(font.data) > LARGEST_FONT:
        size = f"{len(font.data):,} bytes"
        raise BadInput("a font cannot be used", [Fault(place, size, f"up to {LARGEST_FONT:,}")])
    digest = hashlib.sha256(font.data).hexdigest()
    try:
        faces = tuple(_faces(io.BytesIO(font.data), font.name, font.data, digest))
        for face in faces:
            _loaded(face, 32, face.weight).getbbox("n")
            covered(face)
    except (TTLibError, OSError, ValueError, KeyError, IndexError, AssertionError) as error:
        fault = Fault(place, f"not a font that can be read: {error}", "TrueType or OpenType")
        raise BadInput("a font cannot be used", [fault]) from error
    except Exception as error:  # fontTools raises whatever a broken table makes it stumble over
        fault = Fault(place, f"a broken font: {type(error).__name__}", "TrueType or OpenType")
        raise BadInput("a font cannot be used", [fault]) from error
    return faces


def _faces(file: io.BytesIO | str, source: str, data: bytes | None, digest: str) -> Iterator[Face]:
    from fontTools.ttLib import TTFont

    number = 0
    while True:
        with TTFont(file, lazy=True, fontNumber=number) as font:
            yield _described(font, source, number, data, digest)
            if font.reader is None or getattr(font.reader, "numFonts", 1) <= number + 1:
                return
        number += 1


def _described(font: TTFont, source: str, number: int, data: bytes | None, digest: str) -> Face:
    names, os2 = font["name"], font["OS/2"]
    family = names.getDebugName(16) or names.getDebugName(1) or Path(source).stem
    axes: tuple[tuple[str, float, float, float], ...] = ()
    if "fvar" in font:
        axes = tuple(
            (axis.axisTag, axis.minValue, axis.defaultValue, axis.maxValue)
            for axis in font["fvar"].axes
        )
    weight = next((round(axis[2]) for axis in axes if axis[0] == "wght"), int(os2.usWeightClass))
    return Face(
        family=family,
        weight=weight,
        width=int(os2.usWidthClass) or _MEDIUM_WIDTH,
        italic=bool(os2.fsSelection & _ITALIC),
        source=source,
        number=number,
        axes=axes,
        data=data,
        digest=digest,
    )


@lru_cache(maxsize=1)
def machine_faces() -> dict[str, tuple[Face, ...]]:
    """Families of the machine by folded name. Read once a process; a broken file is passed over,
    for nobody here has chosen it.
    """
    found: dict[str, list[Face]] = {}
    for path in _font_files():
        for face in _machine_file(path):
            found.setdefault(face.family.casefold(), []).append(face)
    return {family: tuple(faces) for family, faces in found.items()}


def _machine_file(path: str) -> tuple[Face, ...]:
    try:
        return tuple(_faces(path, path, None, ""))
    except Exception:  # noqa: BLE001 (any table of any stray file may be broken in any way)
        return ()


def _font_files() -> list[str]:
    found: list[str] = []
    for folder in _folders():
        for root, folders, names in os.walk(folder):
            folders.sort()
            paths = (str(Path(root, one)) for one in sorted(names))
            found.extend(one for one in paths if one.casefold().endswith(SUFFIXES))
    return found


def _folders() -> list[Path]:
    """Where systems keep fonts (https://specifications.freedesktop.org/basedir-spec/ for Linux)."""
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        windows = Path(os.environ.get("WINDIR", "C:/Windows"))
        return [local / "Microsoft/Windows/Fonts", windows / "Fonts"]
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    folders = [own / "fonts", home / ".fonts"]
    return [*folders, *(Path(one, "fonts") for one in shared.split(":") if one)]


def nearest(faces: tuple[Face, ...], weight: int) -> Face:
    """The upright face of medium width whose weight is nearest."""
    return min(faces, key=lambda face: _distance(face, weight))


def _distance(face: Face, weight: int) -> tuple[bool, int, float, str, int]:
    low, high = weight_range(face)
    apart = max(low - weight, weight - high, 0)
    return face.italic, abs(face.width - _MEDIUM_WIDTH), apart, face.source, face.number


def weight_range(face: Face) -> tuple[float, float]:
    """The weights a face can take: of a fixed one its own."""
    for tag, low, _default, high in face.axes:
        if tag == "wght":
            return low, high
    return face.weight, face.weight


@lru_cache(maxsize=64)
def covered(face: Face) -> frozenset[int]:
    """The code points that a face has letters for."""
    from fontTools.ttLib import TTFont

    file = io.BytesIO(face.data) if face.data is not None else face.source
    with TTFont(file, lazy=True, fontNumber=face.number) as font:
        return frozenset(font.getBestCmap() or {})


@lru_cache(maxsize=64)
def contents(face: Face) -> str:
    """sha256 of the font's file."""
    return face.digest or hashlib.sha256(Path(face.source).read_bytes()).hexdigest()


def loaded(face: Face, size: int, weight: int) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels, at its weight nearest to `weight`. Not to be changed."""
    low, high = weight_range(face)
    return _loaded(face, size, round(min(max(weight, low), high)))


@lru_cache(maxsize=128)
def _loaded(face: Face, size: int, weight: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    file = io.BytesIO(face.data) if face.data is not None else face.source
    font = ImageFont.truetype(file, size, index=face.number)
    if face.axes:
        font.set_variation_by_axes([_position(axis, size, weight) for axis in face.axes])
    return font


def _position(axis: tuple[str, float, float, float], size: int, weight: int) -> float:
    tag, low, default, high = axis
    wished = {"wght": float(weight), "opsz": size * _POINTS_PER_PIXEL}.get(tag, default)
    return min(max(wished, low), high)
