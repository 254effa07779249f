"""Where to cut: the largest part of a take that has the output's shape, around a focus point."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from flows.nouns.output import Output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MOST_LOSS = Fraction(3, 100)
"""Share of an edge that may go so that a cut at the take's own size has its ratio to the pixel."""

_THUMBNAIL = 256
_PLAIN = 24  # levels: how far the pixels of a plain border lie from its colour
_APART = 36  # levels: from here on a pixel is not ground
_STRAYS = 0.01  # share of the subject's pixels at each side that do not stretch its box


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a take, in its pixels, and the size that it is brought to."""

    left: Fraction
    top: Fraction
    width: Fraction
    height: Fraction
    size: tuple[int, int]

    @property
    def box(self) -> tuple[float, float, float, float]:
        return (
            float(self.left),
            float(self.top),
            float(self.left + self.width),
            float(self.top + self.height),
        )

    @property
    def scale(self) -> Fraction:
        """Pixels that are made of one; above 1 the picture is enlarged."""
        return Fraction(self.size[0]) / self.width


def cut(take: tuple[int, int], output: Output, focus: tuple[float, float]) -> Cut:
    """The part of a take of this size that an output shows, centred on `focus` if edges allow.

    An output without pixels is a piece of the take as it is, on whole pixels.
    """
    if output.width is None or output.height is None:
        size = own_size(take, output.shape)
        width, height = Fraction(size[0]), Fraction(size[1])
    else:
        size = (output.width, output.height)
        shape = Fraction(*size)
        width = min(Fraction(take[0]), take[1] * shape)
        height = width / shape
    left = _offset(take[0], width, focus[0])
    top = _offset(take[1], height, focus[1])
    if width == size[0] and height == size[1]:
        # nothing is resampled, so nothing may be blurred by half a pixel either
        left, top = Fraction(round(left)), Fraction(round(top))
    return Cut(left, top, width, height, size)


def own_size(take: tuple[int, int], shape: Fraction) -> tuple[int, int]:
    """The largest size of this shape within a take: to the pixel where that costs at most 3 % of
    an edge (16:9 from 534 pixels on, 191:100 by luck), else the nearest whole pixels.
    """
    width = min(Fraction(take[0]), take[1] * shape)
    steps = int(width / shape.numerator)
    exact = (steps * shape.numerator, steps * shape.denominator)
    if exact[0] >= width * (1 - MOST_LOSS):
        return exact
    return max(1, round(width)), max(1, round(width / shape))


def _offset(edge: int, length: Fraction, focus: float) -> Fraction:
    return min(max(Fraction(focus) * edge - length / 2, Fraction(0)), edge - length)


def focus_point(
    picture: Image.Image, focus: Literal["auto", "center"] | list[float]
) -> tuple[float, float]:
    """What a cut is centred on, as shares of width and height.

    `auto` finds the middle of what stands on a plain ground or in front of transparency; where the
    border is busy there is nothing to go by, and it is the centre.
    """
    if isinstance(focus, list):
        return focus[0], focus[1]
    if focus == "center":
        return 0.5, 0.5
    return _subject(picture) or (0.5, 0.5)


def _subject(picture: Image.Image) -> tuple[float, float] | None:
    import numpy as np

    small = picture.reduce(max(1, max(picture.size) // _THUMBNAIL))
    pixels = np.asarray(small).astype(np.int16)
    if small.mode == "RGBA":
        # a soft shadow is no part of the product, unless there is nothing but glass
        opaque = pixels[..., 3] > 128
        stands_out = opaque if opaque.any() else pixels[..., 3] > 16
    else:
        ring = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        ground = np.median(ring, axis=0)
        if np.mean(np.abs(ring - ground).max(axis=1) <= _PLAIN) < 0.9:
            return None
        stands_out = np.abs(pixels - ground).max(axis=2) > _APART
    if not 0.001 < stands_out.mean() < 0.9:
        return None
    return _middle(stands_out.sum(axis=0)), _middle(stands_out.sum(axis=1))


def _middle(counts: NDArray[np.int_]) -> float:
    """The middle of the span that holds nearly all of what was counted, as a share."""
    import numpy as np

    sums = np.cumsum(counts)
    first = np.searchsorted(sums, sums[-1] * _STRAYS, side="right")
    last = np.searchsorted(sums, sums[-1] * (1 - _STRAYS))
    return float(first + last + 1) / (2 * len(counts))
