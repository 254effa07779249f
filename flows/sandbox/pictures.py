"""Pictures of the sandbox: drawn cheaply and true to size; references looked at by their bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from flows.sandbox import encoding

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Format = Literal["jpeg", "png", "webp", "gif", "avif"]
_DATA_URI = re.compile(r"data:(?P<media>[^;,]*)(?P<encoded>;base64)?,(?P<data>.*)", re.DOTALL)
SMALLEST_SPLICED = 256
_SPLICED = ("jpeg", "png")


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be drawn. The same picture always gives the same bytes.

    `label` (task id and number) is lettered on it and decides its colours.
    """

    width: int
    height: int
    label: str
    format: Format = "jpeg"

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"

    @property
    def extension(self) -> str:
        return "jpg" if self.format == "jpeg" else self.format

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"

    def draw(self) -> bytes:
        """The picture's bytes. Slow enough (5 to 100 ms) to belong into a thread."""
        return _drawn(self)


@lru_cache(maxsize=16)
def _drawn(picture: Picture) -> bytes:
    # file sizes in an answer, the inline form and the download all want the same bytes
    if picture.format in _SPLICED and min(picture.width, picture.height) >= SMALLEST_SPLICED:
        return _png(picture) if picture.format == "png" else _jpeg(picture)
    image = encoding.gradient(picture.width, picture.height, _dice(picture)[:4])
    out = io.BytesIO()
    image.convert("RGB").save(out, picture.format.upper())
    return out.getvalue()


def _jpeg(picture: Picture) -> bytes:
    """Bands of ready grounds, chosen by the label, with the lettered strip between them."""
    dice = _dice(picture)
    head, first = encoding.ground(picture.width, picture.height, dice[4] % 8)
    rows = list(first)
    for band in range(1, 4):
        start = band * len(rows) // 4 + dice[4 + band] % max(1, len(rows) // 8)
        _, others = encoding.ground(picture.width, picture.height, dice[8 + band] % 8)
        rows[start:] = others[start:]
    _, lettered = encoding.jpeg_rows(_strip(picture, dice).convert("YCbCr"))
    start = dice[12] % (len(rows) - len(lettered) + 1)
    # the last row of blocks may be cut by the picture's edge, as the strip's rows are not: the
    # decoder cuts them
    rows[start : start + len(lettered)] = lettered
    return encoding.jpeg(head, rows)


def _png(picture: Picture) -> bytes:
    from PIL import Image

    dice = _dice(picture)
    ends = [tuple(20 + value % 120 for value in dice[place : place + 3]) for place in (0, 3)]
    top = Image.new("RGB", (2, 1))
    top.putdata(ends)
    top = top.resize((picture.width, 1), Image.Resampling.BILINEAR)
    strip = _strip(picture, dice)
    at = 1 + dice[12] * (picture.height - strip.height - 1) // 256
    return encoding.png(top, strip, at, picture.height)


def _strip(picture: Picture, dice: bytes) -> Image.Image:
    """The label and the size on a ground of their own colour, whole blocks high."""
    from PIL import Image, ImageDraw

    letter = max(10, min(picture.width, picture.height) // 32)
    height = -(-int(3.4 * letter) // encoding.BLOCK) * encoding.BLOCK
    colour = (40 + dice[13] // 2, 40 + dice[14] // 2, 40 + dice[15] // 2)
    strip = Image.new("RGB", (picture.width, height), colour)
    pen = ImageDraw.Draw(strip)
    for line, text in enumerate((picture.label, picture.size)):
        pen.text((letter, (0.4 + 1.4 * line) * letter), text, font=_font(letter), fill="white")
    return strip


def _dice(picture: Picture) -> bytes:
    return hashlib.sha256(picture.label.encode()).digest()


@lru_cache(maxsize=32)
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(height)


@dataclass(frozen=True, slots=True)
class Look:
    """What a reference's bytes say it is: `format` as Pillow names it ("JPEG"), pixels, bytes."""

    format: str
    width: int
    height: int
    size: int

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height


class NotAPicture(Exception):
    """The bytes or the text do not hold an image that can be read."""


def look(data: bytes) -> Look:
    """Read an image's head (not its pixels).

    Raises:
        NotAPicture: the bytes are not an image of a known format.

    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            return Look(image.format or "", width, height, len(data))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise NotAPicture("the bytes are not a readable image") from error
    except Image.DecompressionBombError as error:
        raise NotAPicture("the image has too many pixels") from error


def from_base64(text: str) -> bytes:
    """The bytes behind plain base64.

    Raises:
        NotAPicture: the text is not base64.

    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAPicture("the text is not base64") from error


def from_data_uri(text: str) -> tuple[str, bytes]:
    """The media type and the bytes of a `data:<type>;base64,<data>` address.

    Raises:
        NotAPicture: it is no data URI, or not a base64 one.

    """
    match = _DATA_URI.fullmatch(text)
    if match is None or not match["encoded"]:
        raise NotAPicture("the text is not a base64 data URI")
    return match["media"], from_base64(match["data"])


def data_uri(picture: Picture) -> str:
    """A drawn picture as a data URI."""
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.draw()).decode()}"
