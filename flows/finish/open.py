"""A take's bytes in; the upright picture in 8-bit sRGB out, or words that say why it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import BadInput, Fault
from flows.pictures import Terms, UnreadableError, Why, form_of, opening, shown

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 89_000_000
"""No model draws a quarter of it; a file that claims more is refused before it is decoded."""

_TERMS = Terms(most_pixels=MOST_PIXELS)
_ORIENTATION = 0x0112
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})


def opened(take: bytes) -> Image.Image:
    """The take as RGB, or as RGBA where something in it is transparent; of several, the first.

    Raises:
        BadInput: not a picture, broken, cut short, or more than `MOST_PIXELS`.

    """
    try:
        return shown(take, _TERMS)
    except UnreadableError as error:
        allowed = f"up to {MOST_PIXELS:,}" if error.why is Why.TOO_LARGE else ""
        fault = Fault("take", str(error), allowed=allowed, remedy="make or fetch it again")
        raise BadInput("the take cannot be finished", [fault]) from error


def measured(data: bytes) -> tuple[int, int, str]:
    """Width and height as a viewer shows it, and the format: jpeg, png, webp, avif, tiff ...

    Reads little more than the header, so it does not say whether the pixels are whole.

    Raises:
        BadInput: the bytes are not a picture that we read.

    """
    try:
        with opening(data, most_pixels=MOST_PIXELS) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
    except UnreadableError as error:
        raise BadInput("the picture cannot be measured", [Fault("picture", str(error))]) from error
    form = form_of(data) or ""
    return (height, width, form) if turned else (width, height, form)
