"""A text made ready for its lines: which face and direction each letter has; lines in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from flows.errors import BadInput, Fault
from flows.lettering.chain import (
    INVISIBLE,
    RAQM_REMEDY,
    Chain,
    chain_for,
    faces_of,
    has_raqm,
    language_for_shaping,
    needs_shaping,
    unwritable,
)
from flows.lettering.direction import levels, visual
from flows.lettering.faces import Face, covered, loaded
from flows.lettering.words import clusters, reads_leftward
from flows.nouns.overlay import BrandKit

if TYPE_CHECKING:
    from PIL import ImageDraw

HYPHEN = "-"
_FULL_WIDTH = "\u2e80"
"""From here on letters fill a square, and have no tails."""
_BODY = 0.5
"""Ems above the base line in which most letters have their sides."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A text with all that its lines need but the size. One entry a character in each list."""

    text: str
    chain: Chain
    locale: str
    leftward: bool
    faces: tuple[int, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one face and one direction, at their offset from the line's left end."""

    text: str
    face: Face
    leftward: bool
    x: float


@dataclass(frozen=True, slots=True)
class SetLine:
    """A line in pixels; the box of its ink is relative to its left end on the base line."""

    text: str
    runs: tuple[Run, ...]
    ink: tuple[int, int, int, int]
    edges: tuple[int, int]
    """Left and right as an eye sees them: of the ink between the base line and half a letter's
    height, without the tail of a j or an opening quotation mark."""


def prepared(
    text: str, *, kit: BrandKit, font: str | None, weight: int, locale: str, place: str
) -> Setting:
    """The text with its faces and directions.

    Raises:
        BadInput: a letter that no font has, a script that needs Raqm where it is missing, a font
            that is not there.

    """
    chain = chain_for(text, kit=kit, font=font, weight=weight, locale=locale)
    found = faces_of(text, chain)
    if not has_raqm() and any(map(needs_shaping, clusters(text))):
        fault = Fault(place, f"'{_short(text)}' cannot be set: Pillow has no Raqm here")
        raise BadInput("a text cannot be set", [replace(fault, remedy=RAQM_REMEDY)])
    faces = tuple(index for index in found if index is not None)
    if len(faces) < len(found):
        said = unwritable([text], kit, locale, font=font)
        raise BadInput("a text cannot be set", [Fault(place, one) for one in said])
    leftward = reads_leftward(text, locale)
    return Setting(text, chain, locale, leftward, faces, tuple(_levels(text, leftward=leftward)))


def _levels(text: str, *, leftward: bool) -> Iterator[int]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield int(leftward)
        yield from levels(line, leftward=leftward)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def set_line(setting: Setting, start: int, end: int, size: int, *, hyphen: bool = False) -> SetLine:
    """A piece of the text as a line at a size in pixels; blanks at its ends are left out."""
    while start < end and setting.text[start] in " \n":
        start += 1
    while end > start and setting.text[end - 1] in " \n":
        end -= 1
    pieces = _pieces(setting, start, end, hyphen=hyphen)
    order = visual([level for _text, _face, level in pieces])
    runs: list[Run] = []
    inks: list[tuple[int, int, int, int]] = []
    edges: list[tuple[int, int]] = []
    x = 0.0
    for index in order:
        text, number, level = pieces[index]
        face = setting.chain.faces[number]
        text = "".join(_space_that(face, one) if one.isspace() else one for one in text)
        run = Run(text, face, level % 2 == 1, x)
        font = loaded(face, size, setting.chain.weight)
        options = _options(setting, run)
        mask, offset = font.getmask2(text, mode="L", anchor="ls", **options)
        box = mask.getbbox()  # of the ink; Pillow's own box of a text begins at the pen
        if box:
            left, right = math.floor(x + offset[0]), math.ceil(x + offset[0])
            top = round(offset[1])
            inks.append((left + box[0], top + box[1], right + box[2], top + box[3]))
            rows = (max(0, -top - round(_BODY * size)), max(0, min(mask.size[1], -top)))
            body = mask.crop((0, rows[0], mask.size[0], rows[1])).getbbox() or box
            if max(text) >= _FULL_WIDTH:
                body = box
            edges.append((left + body[0], right + body[2]))
        runs.append(run)
        x += font.getlength(text, **options)
    said = "".join(one for one in setting.text[start:end] if one not in INVISIBLE)
    return SetLine(
        text=said + (HYPHEN if hyphen else ""),
        runs=tuple(runs),
        ink=(
            min((ink[0] for ink in inks), default=0),
            min((ink[1] for ink in inks), default=0),
            max((ink[2] for ink in inks), default=0),
            max((ink[3] for ink in inks), default=0),
        ),
        edges=(
            min((one[0] for one in edges), default=0),
            max((one[1] for one in edges), default=0),
        ),
    )


def _pieces(setting: Setting, start: int, end: int, *, hyphen: bool) -> list[tuple[str, int, int]]:
    """Text, face and level, in the order of reading."""
    pieces: list[tuple[str, int, int]] = []
    for i in range(start, end):
        letter, face, level = setting.text[i], setting.faces[i], setting.levels[i]
        if letter in INVISIBLE:
            continue
        if pieces and pieces[-1][1:] == (face, level):
            pieces[-1] = (pieces[-1][0] + letter, face, level)
        else:
            pieces.append((letter, face, level))
    if hyphen and pieces:
        text, face, level = pieces[-1]
        pieces[-1] = (text + HYPHEN, face, level)
    return pieces


def _space_that(face: Face, blank: str) -> str:
    return blank if ord(blank) in covered(face) else " "


def _options(setting: Setting, run: Run) -> dict[str, Any]:
    if not has_raqm():
        return {}
    direction = "rtl" if run.leftward else "ltr"
    return {"direction": direction, "language": language_for_shaping(setting.locale)}


def draw_line(
    canvas: ImageDraw.ImageDraw, setting: Setting, line: SetLine, at: tuple[float, float], size: int
) -> None:
    """Draw onto a mask, the line's left end on the base line at `at`."""
    for run in line.runs:
        font = loaded(run.face, size, setting.chain.weight)
        canvas.text(
            (at[0] + run.x, at[1]),
            run.text,
            fill=255,
            font=font,
            anchor="ls",
            **_options(setting, run),
        )


def advances(setting: Setting, cuts: Sequence[int], size: int) -> list[float]:
    """The length of the text between each two neighbouring cuts, with its blanks, in pixels."""
    found = []
    for start, end in pairwise(cuts):
        length = 0.0
        for text, number, level in _pieces(setting, start, end, hyphen=False):
            text = text.replace("\n", "")  # noqa: PLW2901 (a line end has no length)
            face = setting.chain.faces[number]
            run = Run(text, face, level % 2 == 1, 0)
            font = loaded(face, size, setting.chain.weight)
            length += font.getlength(text, **_options(setting, run)) if text else 0.0
        found.append(length)
    return found
