"""A take's bytes in; the upright picture in 8-bit sRGB out, or words that say why it is refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

from flows.errors import BadInput, Fault
from flows.finish.colour import srgb_profile

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 89_000_000
"""No model draws a quarter of it; a file that claims more is refused before it is decoded."""

# EPS would start Ghostscript and the rest nobody sends, so no other reader is asked.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP")

# What Pillow's readers raise for broken bytes; it has no class for that of its own.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip

_ORIENTATION = 0x0112
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})


def opened(take: bytes) -> Image.Image:
    """The take as RGB, or as RGBA where something in it is transparent; of several, the first.

    Raises:
        BadInput: not a picture, broken, cut short, or more than `MOST_PIXELS`.

    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(take), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise _refused(
                    f"it claims {picture.width} x {picture.height} pixels",
                    allowed=f"up to {MOST_PIXELS:,}",
                )
            picture.load()
            return _as_shown(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        found = "it claims more pixels than are safe to decode"
        raise _refused(found, allowed=f"up to {MOST_PIXELS:,}") from error
    except _BROKEN as error:
        raise _refused(_what_is_wrong(take, error)) from error


def measured(data: bytes) -> tuple[int, int, str]:
    """Width and height as a viewer shows it, and the format: jpeg, png, webp, avif, tiff ...

    Reads the header only, so it says nothing about whether the pixels are whole.

    Raises:
        BadInput: the bytes are not a picture that we read.

    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
            form = (picture.format or "").lower()
    except (*_BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        fault = Fault("picture", _what_is_wrong(data, error))
        raise BadInput("the picture cannot be measured", [fault]) from error
    return (height, width, form) if turned else (width, height, form)


def _what_is_wrong(data: bytes, error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if not data:
        return "it is empty"
    if isinstance(error, UnidentifiedImageError):
        return "it is not a picture that can be read (JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP)"
    return f"the picture is broken or cut short ({error})"


def _refused(found: str, *, allowed: str = "") -> BadInput:
    fault = Fault("take", found, allowed=allowed, remedy="make or fetch it again")
    return BadInput("the take cannot be finished", [fault])


def _as_shown(picture: Image.Image) -> Image.Image:
    from PIL import ImageOps

    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith(("I", "F")):
        upright = _eight_bits(upright)
    alpha = None
    if upright.has_transparency_data:
        alpha = upright.convert("RGBA").getchannel("A")
        upright = upright.convert("L" if upright.mode.startswith("L") else "RGB")
    elif upright.mode not in {"RGB", "L", "CMYK"}:
        upright = upright.convert("RGB")
    shown = (_in_srgb(upright, profile) if profile else upright).convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        shown.putalpha(alpha)
    # a comment left here would be written into the next file unasked
    shown.info.clear()
    return shown


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Through its profile; one that is broken or of another kind of colour is passed over."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return picture
        shown = ImageCms.profileToProfile(
            picture,
            source,
            ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return shown or picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits to 8; Pillow's own conversion would cut all above 255 to white."""
    import numpy as np
    from PIL import Image

    values = np.asarray(picture, dtype=np.float64)
    largest = 65535 if picture.mode.startswith("I") else max(1.0, float(values.max()))
    return Image.fromarray((values.clip(0, largest) * (255 / largest)).round().astype(np.uint8))
