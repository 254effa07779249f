"""A smaller copy of a picture, to look for things in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def reduced(picture: Image.Image, longest: int) -> Image.Image:
    """A copy whose longer side has at most so many pixels; the picture itself if it is small."""
    from PIL import Image

    if max(picture.size) <= longest:
        return picture
    factor = longest / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
