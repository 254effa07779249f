"""Small WebP pictures for the gallery."""

from __future__ import annotations

import io

LONG_EDGE = 320
QUALITY = 70
MOST_PIXELS = 100_000_000
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


def thumbnail(data: bytes) -> bytes | None:
    """A picture's bytes to a WebP of at most 320 pixels; None where they cannot be drawn."""
    from PIL import Image, ImageOps

    small = io.BytesIO()
    try:
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            return None
        opened.draft(None, (LONG_EDGE * 2, LONG_EDGE * 2))
        profile = opened.info.get("icc_profile") if opened.mode in {"RGB", "RGBA"} else None
        picture = ImageOps.exif_transpose(opened)
        if picture.mode not in {"RGB", "RGBA"}:
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        picture.thumbnail((LONG_EDGE, LONG_EDGE), Image.Resampling.LANCZOS)
        # a browser takes a picture without a profile for sRGB, so that one need not be carried
        kept = profile if profile and b"sRGB" not in profile and len(profile) < 8192 else None
        picture.save(small, "WEBP", quality=QUALITY, method=4, icc_profile=kept)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, RuntimeWarning):
        return None  # what Pillow's readers raise for broken bytes; the page says `no preview`
    return small.getvalue()
