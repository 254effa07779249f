"""What stands on a plain ground or in front of transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.finish.boxes import Box, around, distinct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_PLAIN = 24  # levels: how far the pixels of a plain border lie from its colour
_APART = 36  # levels: from here on a pixel is not ground
_DIRT = 0.02  # share of the largest piece below which another does not count
_SUBJECT = 0.25  # share of the largest piece from which on another is a subject of its own


def standing_out(picture: Image.Image) -> list[Box]:
    """The boxes of what stands apart, the largest first; none where the border is busy, or where
    nearly nothing or nearly all stands apart.
    """
    mask = subject_mask(picture)
    return [] if mask is None else _pieces(mask)


def subject_mask(picture: Image.Image) -> NDArray[np.bool_] | None:
    """True where a pixel is not ground, or None where no ground is to be told."""
    import numpy as np

    pixels = np.asarray(picture).astype(np.int16)
    if picture.mode == "RGBA":
        # a soft shadow is no part of the product, unless there is nothing but glass
        opaque = pixels[..., 3] > 128
        mask = opaque if opaque.any() else pixels[..., 3] > 16
    else:
        ring = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        ground = np.median(ring, axis=0)
        if np.mean(np.abs(ring - ground).max(axis=1) <= _PLAIN) < 0.9:
            return None
        mask = np.abs(pixels - ground).max(axis=2) > _APART
    return mask if 0.001 < mask.mean() < 0.9 else None


def _pieces(mask: NDArray[np.bool_]) -> list[Box]:
    """Boxes of the subjects. What is smaller than a subject and more than dirt belongs to the
    first: the handle of a mug, the letters of a word.
    """
    import numpy as np

    try:
        import cv2
    except ImportError:
        return [_extent(mask)]
    # leaves and letters of one thing lie close together
    reach = max(3, max(mask.shape) // 100)
    brush = np.ones((reach, reach), np.uint8)
    joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, brush)
    _, _, rows, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    pieces = sorted(rows[1:].tolist(), key=lambda row: -row[cv2.CC_STAT_AREA])
    height, width = mask.shape
    boxes: list[Box] = []
    trifles: list[Box] = []
    for left, top, wide, tall, pixels in pieces:
        size = pixels / pieces[0][cv2.CC_STAT_AREA]
        box = (left / width, top / height, (left + wide) / width, (top + tall) / height)
        if size >= _SUBJECT:
            boxes.append(box)
        elif size >= _DIRT:
            trifles.append(box)
    return distinct([around([boxes[0], *trifles]), *boxes[1:]])


def _extent(mask: NDArray[np.bool_]) -> Box:
    """The box of all that stands apart, without single pixels."""
    import numpy as np
    from PIL import Image, ImageFilter

    clean = Image.fromarray(mask.astype(np.uint8)).filter(ImageFilter.MedianFilter(3))
    left, top, right, bottom = clean.getbbox() or (0, 0, *clean.size)
    return (
        left / clean.width,
        top / clean.height,
        right / clean.width,
        bottom / clean.height,
    )
