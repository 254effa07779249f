"""The whole take in an output of another shape: what is beside it is filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from flows.errors import BadInput, Fault
from flows.nouns.output import Output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

PADS = ("edge", "blur", "brand")

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_BLURRED = 64  # pixels of the longer side that a blurred ground is made of
_SOFTEST = 7  # blurs of a continuation: 1, 2, 4 ... thousandths of the shorter side
_BAND = 0.05  # share of the take beside each edge that is continued
_REACH = 6  # times its own width from the take a blur has its full weight

Place = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


def padded(
    picture: Image.Image, output: Output, pad: str = "edge", palette: Sequence[str] = ()
) -> Image.Image:
    """The whole take, scaled to fit in the middle of exactly the output's size.

    `pad` fills the rest: `edge` with the usual colour of the edge that it touches, `blur` with an
    enlarged blurred copy, `brand` with the first colour of the palette, or a colour `#RRGGBB`.

    Raises:
        BadInput: another `pad`, or `brand` without a palette.

    """
    _refuse(pad, palette)
    size = canvas_size(picture.size, output)
    whole, place = _whole(picture, size)
    if pad == "blur":
        canvas = _blurred(picture, size)
    else:
        canvas = _coloured(whole, size, place, palette[0] if pad == "brand" else pad)
    return _laid(whole, place, canvas, keep_clear=pad == "edge")


def extended(picture: Image.Image, output: Output) -> Image.Image:
    """The whole take, scaled to fit in the middle of exactly the output's size; beyond its edges
    the ground beside them goes on, the softer the farther, so that plain and soft grounds show no
    seam.
    """
    size = canvas_size(picture.size, output)
    whole, place = _whole(picture, size)
    if whole.size == size:
        return whole
    return _continued(whole, size, place)


def canvas_size(take: tuple[int, int], output: Output) -> tuple[int, int]:
    """The output's size; without pixels the smallest one of its shape that holds the take."""
    if output.width is not None and output.height is not None:
        return output.width, output.height
    width = max(Fraction(take[0]), take[1] * output.shape)
    return max(take[0], round(width)), max(take[1], round(width / output.shape))


def scale(take: tuple[int, int], output: Output) -> Fraction:
    """Pixels that are made of one; above 1 the take is enlarged."""
    size = canvas_size(take, output)
    return min(Fraction(size[0], take[0]), Fraction(size[1], take[1]))


def _refuse(pad: str, palette: Sequence[str]) -> None:
    if pad == "brand" and not palette:
        remedy = "name a colour under brand.palette, or another pad"
        fault = Fault("finish.pad", "'brand', and there is no colour of the brand", remedy=remedy)
        raise BadInput("the take cannot be finished", [fault])
    if pad not in PADS and not _HEX.fullmatch(pad):
        allowed = f"{', '.join(PADS)}, or a colour such as #0F4C81"
        raise BadInput("the take cannot be finished", [Fault("finish.pad", f"'{pad}'", allowed)])


def _whole(picture: Image.Image, size: tuple[int, int]) -> tuple[Image.Image, Place]:
    """The take at its size on the canvas, and its place there."""
    from PIL import Image

    factor = min(Fraction(size[0], picture.width), Fraction(size[1], picture.height))
    width, height = (max(1, round(edge * factor)) for edge in picture.size)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return picture, (left, top, left + width, top + height)


def _laid(
    whole: Image.Image, place: Place, canvas: Image.Image, *, keep_clear: bool
) -> Image.Image:
    """The take on its ground. What shows through it stays so only beside a ground that does."""
    if whole.mode != "RGBA":
        canvas.paste(whole, place)
        return canvas
    if keep_clear:
        canvas.paste(whole, place)
    else:
        canvas.paste(whole, place, whole)
    return canvas


def _coloured(whole: Image.Image, size: tuple[int, int], place: Place, colour: str) -> Image.Image:
    from PIL import Image

    if colour != "edge":
        return Image.new("RGB", size, colour)
    canvas = Image.new(whole.mode, size)
    for strip in _beside(size, place):
        # the pixels of the take that lie nearest to the strip
        left, top, right, bottom = (
            min(max(strip[at] - place[at % 2], 0), whole.size[at % 2] - 1 + at // 2)
            for at in range(4)
        )
        edge = (left, top, max(right, left + 1), max(bottom, top + 1))
        canvas.paste(_usual(whole.crop(edge)), strip)
    return canvas


def _usual(edge: Image.Image) -> tuple[int, ...]:
    """The colour of the edge that is nearest to its median: between red and blue lies violet, which
    need not be in the picture at all.
    """
    import numpy as np

    colours = np.asarray(edge).reshape(-1, len(edge.getbands())).astype(np.float64)
    apart = np.abs(colours - np.median(colours, axis=0)).sum(axis=1)
    return tuple(int(level) for level in colours[apart.argmin()])


def _blurred(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of the take over all of the canvas, with no more than its colours left."""
    from PIL import Image, ImageFilter, ImageOps

    from flows.pictures import on_white

    factor = min(1.0, _BLURRED / max(size))
    few = (max(2, round(size[0] * factor)), max(2, round(size[1] * factor)))
    small = ImageOps.fit(on_white(picture), few, Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(_BLURRED / 20))
    return soft.resize(size, Image.Resampling.BICUBIC)


def _continued(whole: Image.Image, size: tuple[int, int], place: Place) -> Image.Image:
    """What lies near each edge again and again beyond it, under blurs of growing width."""
    import numpy as np
    from PIL import Image

    # colours that do not show must not run into those that do
    pixels = np.asarray(whole.convert("RGBa") if whole.mode == "RGBA" else whole)
    columns = _to_and_fro(size[0], place[0], place[2])
    rows = _to_and_fro(size[1], place[1], place[3])
    canvas = Image.new(whole.mode, size)
    for strip in _beside(size, place):
        left, top, right, bottom = strip
        folded = Image.fromarray(pixels[np.ix_(rows[top:bottom], columns[left:right])])
        if whole.mode == "RGBA":
            folded = _relabelled(folded)
        soft = _softened(folded, min(size) / 1000, _away(strip, place))
        canvas.paste(soft.convert(whole.mode), strip)
    canvas.paste(whole, place)
    return canvas


def _beside(size: tuple[int, int], place: Place) -> list[Place]:
    """What the take leaves free of the canvas: left, right, above and below."""
    strips = [
        (0, 0, place[0], size[1]),
        (place[2], 0, size[0], size[1]),
        (place[0], 0, place[2], place[1]),
        (place[0], place[3], place[2], size[1]),
    ]
    return [strip for strip in strips if strip[0] < strip[2] and strip[1] < strip[3]]


def _softened(
    folded: Image.Image, unit: float, away: tuple[NDArray[np.int_], NDArray[np.int_]]
) -> Image.Image:
    """Each blur over the one before it, from where it no longer reaches the take."""
    made = folded.copy()
    for step in range(_SOFTEST):
        width = unit * 2**step
        weight = _weight(away, _REACH * width)
        if weight.getextrema()[1] == 0:
            break
        made.paste(_soft(folded, width), (0, 0), weight)
    return made


def _to_and_fro(edge: int, first: int, last: int) -> NDArray[np.int_]:
    """For each row of the canvas its row of the take: beyond an edge to and fro over the last few,
    so that what stands farther in is not seen twice.
    """
    import numpy as np

    length = last - first
    band = max(1, round(_BAND * length))
    at = np.arange(edge) - first
    away = np.where(at < 0, -1 - at, at - length) % (2 * band)
    folded = np.minimum(away, 2 * band - 1 - away)
    return np.where(at < 0, folded, np.where(at < length, at, length - 1 - folded))


def _relabelled(picture: Image.Image) -> Image.Image:
    """RGBA whose colours are weighted already, called so."""
    from PIL import Image

    return Image.frombytes("RGBa", picture.size, picture.tobytes())


def _away(strip: Place, place: Place) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """How many pixels the columns and the rows of a strip lie away from the take."""
    import numpy as np

    across, down = (
        np.maximum(np.maximum(place[axis] - at, at + 1 - place[axis + 2]), 0)
        for axis, at in ((axis, np.arange(strip[axis], strip[axis + 2])) for axis in (0, 1))
    )
    return across, down


def _weight(away: tuple[NDArray[np.int_], NDArray[np.int_]], full: float) -> Image.Image:
    """0 to half of `full` pixels away from the take, 255 from there on."""
    import numpy as np
    from PIL import Image, ImageChops

    columns, rows = (
        (np.clip(2 * pixels / full - 1, 0, 1) * 255 + 0.5).astype(np.uint8) for pixels in away
    )
    size = (len(columns), len(rows))
    across, down = (
        Image.fromarray(strip).resize(size, Image.Resampling.NEAREST)
        for strip in (columns[None, :], rows[:, None])
    )
    return ImageChops.lighter(across, down)


def _soft(picture: Image.Image, width: float) -> Image.Image:
    """Blurred; a wide blur is made of a smaller copy, which looks the same and costs far less."""
    from PIL import Image, ImageFilter

    factor = max(1, int(width / 2))
    if factor == 1:
        return picture.filter(ImageFilter.GaussianBlur(width))
    box = (0, 0, picture.width / factor, picture.height / factor)
    few = picture.reduce(factor).filter(ImageFilter.GaussianBlur(width / factor))
    return few.resize(picture.size, Image.Resampling.BICUBIC, box=box)
