"""Is what came a whole picture? Asked before anything is called done."""

from __future__ import annotations

import io
from dataclasses import dataclass

MAX_PIXELS = 8192 * 8192
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
"""What hosts answer with; others of Pillow's readers start programs (EPS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A picture that decodes to its end."""

    width: int
    height: int
    format: str


def whole_image(data: bytes) -> Whole | str:
    """What the picture is, or the reason why it is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"{image.width}x{image.height} pixels are more than any host makes"
            image.load()
            return Whole(
                width=image.width, height=image.height, format=(image.format or "").lower()
            )
    except UnidentifiedImageError:
        start = data[:40].decode("latin-1", "replace").strip()
        return f"the answer is not an image (it begins with {start!r})" if data else "no bytes came"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f"the image is broken: {error}"
