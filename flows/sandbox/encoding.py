"""JPEG and PNG put together from parts that were encoded before: millions of pixels cost nothing.

A JPEG with a restart marker after each row of blocks (ITU T.81, E.1.4) is a list of rows that can
be decoded alone, so rows of other pictures of the same width and tables may stand in their place.
A PNG's row may say "as the row above" (filter 2, https://www.w3.org/TR/png-3/#9Filters), which
compresses to nothing.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

BLOCK = 16
QUALITY = 85
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_START_OF_SCAN = 0xDA


def jpeg_rows(image: Image.Image) -> tuple[bytes, list[bytes]]:
    """Encode an image; its head and its rows of blocks, 16 pixels each."""
    out = io.BytesIO()
    # 4:2:0 makes blocks of 16 pixels; without `optimize` all heads have the same tables
    image.save(out, "JPEG", quality=QUALITY, subsampling=2, restart_marker_rows=1)
    data = out.getvalue()
    place = 2
    while True:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        marker = data[place + 1]
        place += 2 + length
        if marker == _START_OF_SCAN:
            return data[:place], _RESTART.split(data[place:-2])


def jpeg(head: bytes, rows: list[bytes]) -> bytes:
    """A JPEG of the head's size, of rows that came from images of its width."""
    parts = [head]
    for number, row in enumerate(rows):
        if number:
            parts.append(bytes((0xFF, 0xD0 + (number - 1) % 8)))
        parts.append(row)
    return b"".join([*parts, b"\xff\xd9"])


def png(top: Image.Image, strip: Image.Image, at: int, height: int) -> bytes:
    """An RGB PNG: `top` (one row) downwards, slowly lighter, with `strip` from row `at` on."""
    width = top.width
    stride = 3 * width
    every = max(1, height // 96)
    # from the left every second channel value grows by one: seen as a change of light downwards
    lighter, same = b"\x02" + b"\x01" * stride, b"\x02" + bytes(stride)
    pixels = strip.tobytes()
    lettered = [b"\x00" + pixels[row * stride : (row + 1) * stride] for row in range(strip.height)]
    below = at + strip.height
    rows = [b"\x00" + top.tobytes()]
    rows += [same if row % every else lighter for row in range(1, at)]
    rows += lettered
    if below < height:
        rows.append(rows[0])
        rows += [same if row % every else lighter for row in range(below + 1, height)]
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(rows), 1)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


@lru_cache(maxsize=48)
def ground(width: int, height: int, kind: int) -> tuple[bytes, tuple[bytes, ...]]:
    """The encoded rows of one of eight grounds of a size; the dear part, done once a size."""
    head, rows = jpeg_rows(
        gradient(width, height, bytes((kind, 36 * kind, 255 - 60 * (kind % 4), 70 * (kind % 4))))
    )
    return head, tuple(rows)


def gradient(width: int, height: int, dice: bytes) -> Image.Image:
    """A soft gradient, direction and hue by four bytes; never of one colour."""
    from PIL import Image

    small = 64
    across = Image.linear_gradient("L").rotate(90 * (dice[0] % 4)).resize((small, small))
    round_about = Image.radial_gradient("L").resize((small, small))
    light = Image.blend(across, round_about, 0.25 + dice[1] / 512)
    light = light.point([int(40 + level * 0.75) for level in range(256)])
    flat = Image.new("L", (small, small), 128)
    blue = Image.blend(flat, across, (dice[2] - 128) / 320)
    red = Image.blend(flat, round_about, (dice[3] - 128) / 320)
    # in the JPEG's own colours no conversion of millions of pixels is needed
    colours = Image.merge("YCbCr", (light, blue, red))
    return colours.resize((width, height), Image.Resampling.BILINEAR)
