"""Bytes to what is known of an image, or why they are none that can be a reference."""

from __future__ import annotations

import hashlib

from flows.nouns.reference import Looked
from flows.pictures import Form, UnreadableError, Why, form_of, opening

SMALLEST_SIDE = 64
MOST_PIXELS = 100_000_000
FORMATS = "JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF"

_NOT_READ = (
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"{", "JSON, not an image"),
)


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


def _format(data: bytes) -> Form:
    if not data:
        raise NotAPictureError("the file is empty (0 bytes)", "export it again")
    form = form_of(data)
    if form is None:
        raise _not_read(data)
    return form


def _not_read(data: bytes) -> NotAPictureError:
    """What it is instead, for the person who has to find out."""
    if data[4:8] == b"ftyp":
        return NotAPictureError("HEIC or a video is not read as a reference", "export a JPEG")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in data[:4096].lower():
        return NotAPictureError("SVG is not read as a reference", "export a PNG")
    if start.startswith(b"<"):
        return NotAPictureError("a web page, not an image", "check the address")
    for magic, what in _NOT_READ:
        if start.startswith(magic.lower()):
            return NotAPictureError(what, f"give {FORMATS}")
    return NotAPictureError("not an image", f"give {FORMATS}")


def _ends_well(data: bytes, form: Form) -> bool:
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


def _decoded(data: bytes, form: Form, *, thorough: bool) -> tuple[int, int]:
    """Width and height of an image; of one that could be decoded whole where `thorough`."""
    try:
        with opening(data, most_pixels=MOST_PIXELS) as image:
            width, height = image.size
            if min(width, height) < SMALLEST_SIDE:
                raise NotAPictureError(
                    f"{width}x{height} pixels is too small: a side has fewer than {SMALLEST_SIDE}",
                    "give a larger image",
                )
            if thorough:
                image.load()
    except UnreadableError as error:
        raise _unreadable(error, form) from error
    return width, height


def _unreadable(error: UnreadableError, form: Form) -> NotAPictureError:
    match error.why:
        case Why.TOO_LARGE:
            most = f"more than {MOST_PIXELS // 1_000_000} megapixels"
            return NotAPictureError(most, "export it smaller")
        case Why.NO_MEMORY:
            return NotAPictureError("the image does not fit in memory", "export it smaller")
        case _:
            damaged = f"the {form.upper()} is damaged or cut off"
            return NotAPictureError(damaged, "export or download it again")
