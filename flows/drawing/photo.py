"""A photo's bytes in; an upright sRGB picture out, or words that say what is wrong with it."""

from __future__ import annotations

from PIL import Image

from flows.errors import BadInput, Fault
from flows.pictures import Terms, UnreadableError, Why, shown

MOST_PIXELS = 100_000_000
ENOUGH = 4096  # pixels of the longer edge below which a JPEG is not decoded

_TERMS = Terms(most_pixels=MOST_PIXELS, enough=ENOUGH, alpha="kept", as_drawn=True)


def open_photo(data: bytes) -> Image.Image:
    """The photo upright, in sRGB, as RGB or (where it has transparency) RGBA.

    No smaller than `ENOUGH` pixels on its longer edge unless it came smaller; a JPEG may be
    decoded at a fraction of its size to save time. Of an animation the first frame.

    Raises:
        BadInput: not a picture, broken, cut short, or more than 100 million pixels.

    """
    try:
        return shown(data, _TERMS)
    except UnreadableError as error:
        raise BadInput("the product photo cannot be drawn", [_fault(error)]) from error


def _fault(error: UnreadableError) -> Fault:
    place = "product photo"
    match error.why:
        case Why.EMPTY:
            return Fault(place, "the file is empty", remedy="give a picture file with content")
        case Why.FOREIGN:
            return Fault(
                place,
                "the bytes are not a picture that can be read",
                remedy="save it as JPEG, PNG, WebP, AVIF or TIFF",
            )
        case Why.TOO_LARGE | Why.NO_MEMORY:
            found = "the picture is too large"
            if error.size:
                found = f"the picture has {error.size[0]} × {error.size[1]} pixels"
            allowed = f"up to {MOST_PIXELS:,} pixels"
            return Fault(place, found, allowed=allowed, remedy="save it smaller")
        case Why.BROKEN:
            return Fault(place, str(error), remedy="fetch or export it again")
