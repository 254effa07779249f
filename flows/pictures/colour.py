"""Colours as a picture's file means them, brought to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from flows.pictures.profile import srgb_profile

if TYPE_CHECKING:
    from PIL import Image

_SRGB_GAMMA = 0.45455
_NEAR = 0.015


def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile calls itself sRGB; False where it cannot be read."""
    from PIL import ImageCms

    try:
        return ImageCms.getProfileDescription(io.BytesIO(profile)).startswith("sRGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False


def in_srgb(picture: Image.Image, profile: bytes, *, into_library_srgb: bool) -> Image.Image:
    """Through its profile; one that is broken or of another kind of colour is passed over.

    The target is `srgb_profile()`, or LittleCMS's own, which differs from it by a level in one
    colour of a hundred.
    """
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return picture
        target = (
            ImageCms.createProfile("sRGB")
            if into_library_srgb
            else ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        )
        shown = ImageCms.profileToProfile(
            picture,
            source,
            target,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return shown or picture


def means_srgb(gamma: float) -> bool:
    """Whether a PNG's gAMA says no more than sRGB does: 1/2.2 stands for it
    (https://www.w3.org/TR/png-3/#11sRGB), and what cannot be meant is passed over.
    """
    return abs(gamma - _SRGB_GAMMA) < _NEAR or not 0.1 <= gamma <= 4


def gamma_in_srgb(picture: Image.Image, gamma: float) -> Image.Image:
    """An RGB picture whose samples are light to the power of `gamma`
    (https://www.w3.org/TR/png-3/#11gAMA), as sRGB.
    """
    return picture if means_srgb(gamma) else picture.point(_curve(gamma) * 3)


@lru_cache(maxsize=16)
def _curve(gamma: float) -> list[int]:
    """The sRGB level of each of 256 samples (curve: IEC 61966-2-1)."""
    return [round(255 * min(1.0, _level((sample / 255) ** (1 / gamma)))) for sample in range(256)]


def _level(light: float) -> float:
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
