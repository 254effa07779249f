"""Where in a take its product stands, found by pictures of the product.

Details (a label, a pattern) are matched one by one and must agree on how the product is turned:
SIFT (https://doi.org/10.1023/B:VISI.0000029664.99615.94) and MAGSAC++
(https://arxiv.org/abs/1912.05909), both OpenCV's. A product without detail is looked for by its
colours and outline (`product_colour`). Better no box than a wrong one: a crop can fall back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.finish.boxes import Box, area, distinct, within
from flows.finish.ground import subject_mask
from flows.finish.product_colour import place_by_colour
from flows.finish.reduced import reduced
from flows.pictures import Terms, UnreadableError, on_white, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_TAKE, _REFERENCE = 720, 480
"""Pixels of the longer side: 540 finds less, 1,024 no more and wants 230 MB."""
_MOST_PIXELS = 89_000_000
_ALIKE = 0.75  # a detail's best match is so much nearer than its second best
_AGREE = 5.0  # pixels that a detail may lie off the place where the others expect it
_FEWEST = 10  # details that agree, for a place to be believed
_MOST_COPIES = 3  # of one product in one take


@dataclass(frozen=True, slots=True)
class _Place:
    box: Box
    agreeing: int


def product_places(picture: Image.Image, references: Sequence[Image.Image | bytes]) -> list[Box]:
    """The boxes of what the references show, the surest first; none where it cannot be told, or
    where OpenCV is not installed. Several references may show one product from several sides.
    """
    try:
        import cv2
    except ImportError:
        return []
    cv2.setNumThreads(1)  # the takes of a run are finished side by side already
    take = on_white(reduced(picture, _TAKE))
    readable = [one for one in map(_reference, references) if one is not None]
    seen = _Details.of(take, None, 4000)
    found = [place for reference in readable for place in _places(seen, take.size, reference)]
    if found:
        found.sort(key=lambda place: -place.agreeing)
        return distinct([place.box for place in found])
    by_colour = (place_by_colour(take, reference) for reference in readable)
    return distinct([box for box in by_colour if box is not None])


def _reference(reference: Image.Image | bytes) -> Image.Image | None:
    if isinstance(reference, bytes):
        try:
            reference = shown(reference, Terms(most_pixels=_MOST_PIXELS, enough=_REFERENCE))
        except UnreadableError:
            return None
    small = reduced(reference, _REFERENCE)
    return small if small.mode in {"RGB", "RGBA"} else small.convert("RGB")


@dataclass(frozen=True, slots=True)
class _Details:
    places: NDArray[np.float32]
    looks: NDArray[np.float32]

    @classmethod
    def of(cls, picture: Image.Image, mask: NDArray[np.bool_] | None, most: int) -> _Details:
        import cv2
        import numpy as np

        grey = np.asarray(on_white(picture).convert("L"))
        drawn_on = np.ones(grey.shape, np.uint8)
        if mask is not None:
            # details of the outline reach a little beyond it
            drawn_on[:] = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8))
        points, looks = cv2.SIFT.create(nfeatures=most).detectAndCompute(grey, drawn_on)
        places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
        return cls(places, np.asarray(looks if points else np.zeros((0, 128)), np.float32))


def _places(seen: _Details, size: tuple[int, int], reference: Image.Image) -> list[_Place]:
    """Of one product as many as stand in the take, the surest first."""
    import cv2
    import numpy as np

    mask = subject_mask(reference)
    known = _Details.of(reference, mask, 1000)
    if min(len(known.places), len(seen.places)) < _FEWEST:
        return []
    # from the take to the reference: so each of several copies may match the same detail
    pairs = cv2.BFMatcher.create(cv2.NORM_L2).knnMatch(seen.looks, known.looks, k=2)
    good = [
        (best.queryIdx, best.trainIdx)
        for best, second in pairs
        if best.distance < _ALIKE * second.distance
    ]
    found: list[_Place] = []
    while len(good) >= _FEWEST and len(found) < _MOST_COPIES:
        to = seen.places[[one for one, _ in good]]
        start = known.places[[other for _, other in good]]
        # the matrix is empty, or None by release, where no place is found
        matrix, agreeing = cv2.findHomography(start, to, cv2.USAC_MAGSAC, _AGREE, maxIters=5000)
        turned = np.asarray(matrix, np.float64)
        if turned.shape != (3, 3) or not np.isfinite(turned).all():
            break
        agree = agreeing.ravel() > 0
        different = len({good[at][1] for at in np.flatnonzero(agree)})
        box = _turned_box(_outline(mask, start[agree]), turned, size)
        if different < _FEWEST or box is None:
            break
        found.append(_Place(box, different))
        good = [pair for pair, used in zip(good, agree, strict=True) if not used]
    return found


def _outline(mask: NDArray[np.bool_] | None, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The outline of the product in its reference; on a busy ground that of what was found."""
    import cv2
    import numpy as np

    if mask is not None:
        rows, columns = np.nonzero(
            cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        )
        if len(rows):
            points = np.column_stack([columns, rows]).astype(np.float32)
    return np.asarray(cv2.convexHull(points), np.float32)


def _turned_box(
    outline: NDArray[np.float32], turned: NDArray[np.float64], size: tuple[int, int]
) -> Box | None:
    """Where the outline comes to lie in the take, or None where no product could lie so."""
    import numpy as np

    points = outline.reshape(-1, 2)
    turned_points = np.column_stack([points, np.ones(len(points))]) @ turned.T
    depth = turned_points[:, 2] / turned[2, 2]
    stretch = np.linalg.svd(turned[:2, :2], compute_uv=False)
    is_mirrored = np.linalg.det(turned[:2, :2]) <= 0
    # seen from so near or so flat that one end is thrice the other: not by a buyer's camera
    if is_mirrored or stretch[0] > 3 * stretch[1] or not 3 * depth.min() > depth.max():
        return None
    places = turned_points[:, :2] / turned_points[:, 2:]
    left, top = places.min(axis=0) / size
    right, bottom = places.max(axis=0) / size
    box = float(left), float(top), float(right), float(bottom)
    inside = within(box)
    return inside if area(inside) > max(0.002, 0.4 * area(box)) else None
