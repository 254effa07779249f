"""A photo's bytes in; an upright sRGB picture out, or words that say what is wrong with it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from flows.errors import BadInput, Fault

MOST_PIXELS = 100_000_000
ENOUGH = 4096  # pixels of the longer edge below which a JPEG is not decoded

# Raster formats that Pillow decodes by itself. EPS is not among them: it would start Ghostscript.
FORMATS = (
    "AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TIFF", "WEBP",
)  # fmt: skip

# What Pillow's readers raise for broken bytes; none of them has a class of its own.
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, OverflowError,
    struct.error, zlib.error, Warning,
)  # fmt: skip


def open_photo(data: bytes) -> Image.Image:
    """The photo upright, in sRGB, as RGB or (where it has transparency) RGBA.

    No smaller than `longest_edge` pixels on its longer edge unless it came smaller; a JPEG may be
    decoded at a fraction of its size to save time. Of an animation the first frame.

    Raises:
        BadInput: not a picture, broken, cut short, or more than 100 million pixels.

    """
    if not data:
        raise _refused("the file is empty", "give a picture file with content")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as photo:
            _refuse_bomb(photo.size)
            photo.draft(None, (ENOUGH, ENOUGH))
            photo.load()
            return _displayed(photo)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _bomb() from error
    except _BROKEN as error:
        if isinstance(error, UnidentifiedImageError):
            raise _refused(
                "the bytes are not a picture that can be read",
                "save it as JPEG, PNG, WebP, AVIF or TIFF",
            ) from error
        raise _refused(
            f"the picture is broken or cut short ({error})", "fetch or export it again"
        ) from error


def _displayed(photo: Image.Image) -> Image.Image:
    profile = photo.info.get("icc_profile")
    upright = ImageOps.exif_transpose(photo)
    mode = upright.mode
    if mode.startswith("I") or mode == "F":
        return _eight_bits(upright).convert("RGB")
    if mode == "P":
        upright = upright.convert("RGBA" if "transparency" in photo.info else "RGB")
    elif mode in {"1", "LA", "La", "PA", "RGBa"} or (
        mode in {"L", "RGB"} and "transparency" in photo.info
    ):
        seen = mode in {"LA", "La", "PA", "RGBa"} or "transparency" in photo.info
        upright = upright.convert("RGBA" if seen else "RGB")
    if profile and upright.mode in {"RGB", "RGBA", "L", "CMYK"}:
        upright = _to_srgb(upright, profile)
    return upright if upright.mode in {"RGB", "RGBA"} else upright.convert("RGB")


def _to_srgb(photo: Image.Image, profile: bytes) -> Image.Image:
    """Through the embedded profile; a profile that does not fit its picture is passed over."""
    alpha = photo.getchannel("A") if photo.mode == "RGBA" else None
    inks = photo.convert("RGB") if alpha else photo
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return photo
        shown = ImageCms.profileToProfile(
            inks,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return photo
    if shown is None:
        return photo
    if alpha:
        shown.putalpha(alpha)
    return shown


def _eight_bits(photo: Image.Image) -> Image.Image:
    """16-bit and floating point grey: by the range of its type, or its own where that is passed."""
    values = np.asarray(photo).astype(np.float32)
    if photo.mode == "F" and values.size and float(values.max()) <= 1:
        values = values * 255
    elif values.size and float(values.max()) > 255:
        values = values * (255 / 65535)
    return Image.fromarray(np.clip(np.nan_to_num(values), 0, 255).round().astype(np.uint8))


def _refuse_bomb(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise _bomb(size)


def _bomb(size: tuple[int, int] | None = None) -> BadInput:
    found = f"the picture has {size[0]} × {size[1]} pixels" if size else "the picture is too large"
    return _refused(found, "save it smaller", allowed=f"up to {MOST_PIXELS:,} pixels")


def _refused(found: str, remedy: str, *, allowed: str = "") -> BadInput:
    fault = Fault("product photo", found, allowed=allowed, remedy=remedy)
    return BadInput("the product photo cannot be drawn", [fault])
