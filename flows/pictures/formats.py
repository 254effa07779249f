"""Which kind of picture bytes are, told by their beginning: names and servers are often wrong."""

from __future__ import annotations

from typing import Literal

Form = Literal["jpeg", "png", "webp", "avif", "tiff", "gif", "bmp"]

# EPS would start Ghostscript, and of the rest nobody sends any: no other reader is ever asked.
FORMATS: tuple[Form, ...] = ("jpeg", "png", "webp", "avif", "tiff", "gif", "bmp")

_MAGIC: tuple[tuple[bytes, Form], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    # some writers turn the number round, which readers forgive
    (b"II\0*", "tiff"),
    (b"MM*\0", "tiff"),
    (b"II+\0", "tiff"),  # BigTIFF
    (b"MM\0+", "tiff"),
)


def form_of(data: bytes) -> Form | None:
    """The kind of picture that these bytes begin as; None where it is none that is read."""
    for magic, form in _MAGIC:
        if data.startswith(magic):
            return form
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and _is_avif(data):
        return "avif"
    return None


def _is_avif(data: bytes) -> bool:
    """Of all that lives in ISO base media files (ISO/IEC 14496-12), by the brands it claims."""
    brands = data[8 : max(12, min(int.from_bytes(data[:4], "big"), 256))]
    return b"avif" in brands or b"avis" in brands
