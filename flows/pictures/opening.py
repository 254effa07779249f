"""The one door through which Pillow reads a picture: few formats, a bound, one kind of error."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

from flows.pictures.formats import FORMATS, Form, form_of

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# What Pillow's readers raise for broken bytes; none of them has a class of its own. Warnings are
# raised only where a program has made them errors.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError,
    RuntimeError, AssertionError, struct.error, zlib.error, Warning,
)  # fmt: skip

_READERS: dict[Form, str] = {
    "jpeg": "PIL.JpegImagePlugin",
    "png": "PIL.PngImagePlugin",
    "webp": "PIL.WebPImagePlugin",
    "avif": "PIL.AvifImagePlugin",
    "tiff": "PIL.TiffImagePlugin",
    "gif": "PIL.GifImagePlugin",
    "bmp": "PIL.BmpImagePlugin",
}


class Why(StrEnum):
    """What keeps bytes from being read as a picture."""

    EMPTY = "empty"  # no bytes at all
    FOREIGN = "foreign"  # no picture, or of a format that is not read
    TOO_LARGE = "too large"  # it claims more pixels than are allowed
    BROKEN = "broken"  # damaged or cut short
    NO_MEMORY = "no memory"


class UnreadableError(Exception):
    """These bytes cannot be read as a picture.

    `detail` is the reader's own word for what is broken. `size` is what was claimed, where the
    picture is too large and that is known.
    """

    def __init__(self, why: Why, detail: str = "", size: tuple[int, int] | None = None) -> None:
        super().__init__(why, detail, size)
        self.why, self.detail, self.size = why, detail, size

    def __str__(self) -> str:
        match self.why:
            case Why.EMPTY:
                return "it is empty"
            case Why.FOREIGN:
                return (
                    "it is not a picture that can be read (JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP)"
                )
            case Why.TOO_LARGE if self.size:
                return f"it claims {self.size[0]} x {self.size[1]} pixels"
            case Why.TOO_LARGE:
                return "it claims more pixels than are safe to decode"
            case Why.BROKEN:
                return f"the picture is broken or cut short ({self.detail})"
            case Why.NO_MEMORY:
                return "the picture does not fit in memory"


@contextmanager
def opening(
    data: bytes, *, most_pixels: int, formats: Collection[Form] = FORMATS
) -> Iterator[ImageFile]:
    """A picture of which only the header was read. What is wrong with the rest of it, and is met
    while it is decoded within the `with`, is told in the same way.

    Raises:
        UnreadableError: the bytes are no picture, damaged, or claim more than `most_pixels`.

    """
    if not data:
        raise UnreadableError(Why.EMPTY)
    form = form_of(data)
    if form is None or form not in formats:
        raise UnreadableError(Why.FOREIGN)
    from PIL import Image

    import_module(_READERS[form])
    # Image.open would warn from 89 megapixels on, whatever bound is ours; a warning cannot be
    # held back in one thread alone, so its reader is asked directly.
    read = Image.OPEN[form.upper()][0]
    try:
        with read(io.BytesIO(data), "") as picture:
            if picture.width * picture.height > most_pixels:
                raise UnreadableError(Why.TOO_LARGE, size=picture.size)
            yield picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableError(Why.TOO_LARGE) from error
    except MemoryError as error:
        raise UnreadableError(Why.NO_MEMORY) from error
    except _BROKEN as error:
        raise UnreadableError(Why.BROKEN, str(error)) from error
