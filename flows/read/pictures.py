"""Bytes to what is known of an image, or why they are none that can be a reference."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib

from flows.nouns.reference import Looked

SMALLEST_SIDE = 64
MOST_PIXELS = 100_000_000
FORMATS = "JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF"

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
)
_NOT_READ = (
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"{", "JSON, not an image"),
)
# What Pillow's decoders raise on damaged files, beside its own UnidentifiedImageError (an OSError).
_DAMAGE = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError,
    RuntimeError, AssertionError, struct.error, zlib.error,
)  # fmt: skip


class NotAPictureError(Exception):
    """These bytes cannot be a reference."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(found)
        self.found, self.remedy = found, remedy


def looked_at(data: bytes, *, thorough: bool = True) -> Looked:
    """What the bytes show. They are decoded, so that a damaged file is found before it is sent.

    Not `thorough`: only that the file is there to its end, at a fiftieth of the time. What is
    damaged in between is then found when the shot is made, before anything is bought.

    Raises:
        NotAPictureError: no image, damaged, too small, too large, or of a format that is not read.

    """
    form = _format(data)
    width, height = _decoded(data, form, thorough=thorough or not _ends_well(data, form))
    return Looked(
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=width,
        height=height,
        format=form,
    )


def _format(data: bytes) -> str:
    """By the first bytes: a file's name and a server's word for it are often wrong."""
    if not data:
        raise NotAPictureError("the file is empty (0 bytes)", "export it again")
    for magic, form in _MAGIC:
        if data.startswith(magic):
            return form
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    raise _not_read(data)


def _of_brands(data: bytes) -> str:
    """AVIF, of all that lives in ISO base media files (ISO/IEC 14496-12)."""
    brands = data[8 : max(12, min(int.from_bytes(data[:4], "big"), 256))]
    if b"avif" in brands or b"avis" in brands:
        return "avif"
    raise NotAPictureError("HEIC or a video is not read as a reference", "export a JPEG")


def _not_read(data: bytes) -> NotAPictureError:
    """What it is instead, for the person who has to find out."""
    opening = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if opening.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in data[:4096].lower():
        return NotAPictureError("SVG is not read as a reference", "export a PNG")
    if opening.startswith(b"<"):
        return NotAPictureError("a web page, not an image", "check the address")
    for magic, what in _NOT_READ:
        if opening.startswith(magic.lower()):
            return NotAPictureError(what, f"give {FORMATS}")
    return NotAPictureError("not an image", f"give {FORMATS}")


def _ends_well(data: bytes, form: str) -> bool:
    """Whether the file has its end. False where that cannot be told without decoding."""
    match form:
        case "jpeg":
            # compressed data never holds the end marker, an embedded thumbnail lies before the scan
            return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda") > 0
        case "png":
            return data.rfind(b"IEND") > 0
        case "webp":
            return len(data) >= 8 + int.from_bytes(data[4:8], "little")
        case _:
            return False


def _decoded(data: bytes, form: str, *, thorough: bool) -> tuple[int, int]:
    """Width and height of an image; of one that could be decoded whole where `thorough`."""
    from PIL import Image

    too_large = NotAPictureError(
        f"more than {MOST_PIXELS // 1_000_000} megapixels", "export it smaller"
    )
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; the limit here is our own.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[form]) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise too_large
                if min(width, height) < SMALLEST_SIDE:
                    raise NotAPictureError(
                        f"{width}x{height} pixels is too small: a side has fewer than"
                        f" {SMALLEST_SIDE}",
                        "give a larger image",
                    )
                if thorough:
                    image.load()
    except Image.DecompressionBombError as error:
        raise too_large from error
    except MemoryError as error:
        raise NotAPictureError("the image does not fit in memory", "export it smaller") from error
    except _DAMAGE as error:
        raise NotAPictureError(
            f"the {form.upper()} is damaged or cut off", "export or download it again"
        ) from error
    return width, height
