"""From pixels to a file: the only place that saves one, so that no profile or tag is forgotten.

Pillow drops XMP and EXIF on saving unless they are handed over, and has no `xmp=` for PNG and TIFF
(it passes over it in silence): each format gets its tags through its own door here.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.nouns.campaign import Format
from flows.pictures import on_white, srgb_profile

if TYPE_CHECKING:
    from PIL import Image

LOWEST_QUALITY = 40
"""No file is squeezed below this to get under its cap."""

_LOSSY = frozenset({"jpeg", "webp", "avif"})
_XMP_TAG, _PREDICTOR_TAG, _HORIZONTAL = 700, 317, 2


@dataclass(frozen=True, slots=True)
class Tags:
    """What is written beside the pixels: an XMP packet and EXIF fields by number, UTF-8."""

    xmp: bytes
    exif: Mapping[int, bytes]


def encoded_within(
    picture: Image.Image, form: Format, tags: Tags, *, quality: int, max_bytes: int | None
) -> tuple[bytes, tuple[str, ...]]:
    """The file at `quality`, or at the best that fits into `max_bytes`, and what there is to note.

    A file that no allowed quality brings below the cap is given all the same, with a note.
    """
    data = encoded(picture, form, tags, quality=quality)
    if max_bytes is None or len(data) <= max_bytes:
        return data, ()
    if form not in _LOSSY or quality <= LOWEST_QUALITY:
        return data, (_over(len(data), max_bytes),)
    smallest = encoded(picture, form, tags, quality=LOWEST_QUALITY)
    if len(smallest) > max_bytes:
        note = f"quality {LOWEST_QUALITY} instead of {quality}"
        return smallest, (note, _over(len(smallest), max_bytes))
    fits, data = _best_within(
        lambda tried: encoded(picture, form, tags, quality=tried),
        max_bytes,
        fits=(LOWEST_QUALITY, smallest),
        too_much=(quality, len(data)),
    )
    return data, (f"quality {fits} instead of {quality}, to stay within {max_bytes:,} bytes",)


def _best_within(
    encode: Callable[[int], bytes],
    max_bytes: int,
    *,
    fits: tuple[int, bytes],
    too_much: tuple[int, int],
) -> tuple[int, bytes]:
    """The highest quality below `too_much` whose file is within the cap, and that file.

    Sizes grow about exponentially with quality, so every other guess lies where a line through
    their logarithms meets the cap; the others halve what is left, for sizes that do not.
    """
    low, data = fits
    high, size = too_much
    halves = False
    while high - low > 1:
        rise = math.log(size / len(data))
        share = math.log(max_bytes / len(data)) / rise if rise > 0 and not halves else 0.5
        halves = not halves
        tried = min(max(low + int(share * (high - low)), low + 1), high - 1)
        found = encode(tried)
        if len(found) <= max_bytes:
            low, data = tried, found
        else:
            high, size = tried, len(found)
    return low, data


def _over(size: int, max_bytes: int) -> str:
    return f"{size - max_bytes:,} bytes over the cap of {max_bytes:,}"


def encoded(picture: Image.Image, form: Format, tags: Tags, *, quality: int) -> bytes:
    """The file: the same bytes for the same arguments, whatever the machine's number of cores."""
    from PIL import Image, PngImagePlugin

    out = io.BytesIO()
    profile = srgb_profile()
    exif = Image.Exif()
    for number, value in tags.exif.items():
        exif[number] = value
    match form:
        case "jpeg":
            return _jpeg(on_white(picture), profile, exif.tobytes(), tags.xmp, quality)
        case "png":
            chunks = PngImagePlugin.PngInfo()
            chunks.add_itxt("XML:com.adobe.xmp", tags.xmp.decode())
            # level 4: half the time of level 6 for files 7 % larger
            picture.save(
                out,
                "PNG",
                compress_level=4,
                icc_profile=profile,
                exif=exif.tobytes(),
                pnginfo=chunks,
            )
        case "webp":
            picture.save(
                out,
                "WEBP",
                quality=quality,
                method=4,
                icc_profile=profile,
                exif=exif.tobytes(),
                xmp=tags.xmp,
            )
        case "avif":
            # libavif's bytes depend on its number of threads
            picture.save(
                out,
                "AVIF",
                quality=quality,
                speed=6,
                max_threads=1,
                icc_profile=profile,
                exif=exif.tobytes(),
                xmp=tags.xmp,
            )
        case "tiff":
            fields = {_XMP_TAG: tags.xmp, _PREDICTOR_TAG: _HORIZONTAL, **tags.exif}
            picture.save(out, "TIFF", compression="tiff_lzw", icc_profile=profile, tiffinfo=fields)
    return out.getvalue()


def _jpeg(picture: Image.Image, profile: bytes, exif: bytes, xmp: bytes, quality: int) -> bytes:
    def saved(*, small: bool) -> bytes:
        out = io.BytesIO()
        picture.save(
            out,
            "JPEG",
            quality=quality,
            progressive=small,
            optimize=small,
            subsampling="4:4:4" if quality >= 90 else "4:2:0",
            icc_profile=profile,
            exif=exif,
            xmp=xmp,
        )
        return out.getvalue()

    try:
        return saved(small=True)
    except OSError:
        # both want the whole file in one buffer, which Pillow makes too small for noise
        return saved(small=False)
