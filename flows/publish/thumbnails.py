"""Small WebP pictures for the gallery."""

from __future__ import annotations

import io

from flows.pictures import Terms, UnreadableError, shown

LONG_EDGE = 320
QUALITY = 70

_TERMS = Terms(most_pixels=100_000_000, enough=LONG_EDGE * 2)


def thumbnail(data: bytes) -> bytes | None:
    """A picture's bytes to a WebP of at most 320 pixels; None where they cannot be drawn.

    It is sRGB and says so to nobody: that is what a browser takes a picture without a profile for.
    """
    from PIL import Image

    try:
        picture = shown(data, _TERMS)
    except UnreadableError:
        return None  # the page says `no preview`
    picture.thumbnail((LONG_EDGE, LONG_EDGE), Image.Resampling.LANCZOS)
    small = io.BytesIO()
    picture.save(small, "WEBP", quality=QUALITY, method=4)
    return small.getvalue()
