"""What a crop must keep: as it was told, or as it is found in the take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flows.finish.boxes import Box, area, around, overlap
from flows.finish.reduced import reduced
from flows.nouns.focus_wish import Wish

if TYPE_CHECKING:
    from PIL import Image

Found = Literal["given", "product", "ground", "face", "saliency", "center"]


@dataclass(frozen=True, slots=True)
class Focus:
    """Where in a take the eye belongs, and how that was found."""

    box: Box
    """Holds all of it, as shares of the take. A point is a box of no size."""
    found: Found
    parts: tuple[Box, ...] = ()
    """Where there are several (faces, products): each, the most important first."""
    core: Box | None = None
    """What of the box must stay where a cut cannot hold all: the face of a person."""


CENTRE = Focus((0.5, 0.5, 0.5, 0.5), "center")

_ENOUGH = 640  # pixels of the longer side: more finds little more and takes much longer
_MOSTLY = 0.6  # share of a face that lies in the subject, for the face to be the subject's


def focus_of(
    picture: Image.Image, wish: Wish, references: Sequence[Image.Image | bytes] = ()
) -> Focus:
    """What is told; else the product's own place, found by its references; else what stands on a
    plain ground or in front of transparency; else faces; else what draws the eye; else the centre.

    The references show the product; one that cannot be read, or is not seen in the take, is passed
    over, and so is a way whose library is not installed. Same picture, wish and references: same
    focus. Safe in threads.
    """
    if isinstance(wish, list):
        return Focus((wish[0], wish[1], wish[-2], wish[-1]), "given")
    if wish == "center":
        return CENTRE
    from flows.finish.product_match import product_places

    if references and (products := product_places(picture, references)):
        return _several(products, "product")
    return _seen(reduced(picture, _ENOUGH))


def _seen(small: Image.Image) -> Focus:
    """What a picture shows to one who does not know what it is of."""
    from flows.finish.faces import faces
    from flows.finish.ground import standing_out
    from flows.finish.saliency import eye_catcher

    people = faces(small)
    if standing := standing_out(small):
        subject = _several(standing, "ground")
        return Focus(subject.box, "ground", subject.parts, _face_in(subject.box, people))
    if people:
        return _several(people, "face")
    if catcher := eye_catcher(small):
        return Focus(catcher, "saliency")
    return CENTRE


def _several(boxes: Sequence[Box], found: Found) -> Focus:
    return Focus(around(boxes), found, tuple(boxes) if len(boxes) > 1 else ())


def _face_in(subject: Box, people: Sequence[Box]) -> Box | None:
    for face in people:
        if area(overlap(face, subject)) >= _MOSTLY * area(face):
            return face
    return None
