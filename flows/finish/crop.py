"""Where to cut: the largest part of a take that has the output's shape, around a focus."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flows.finish.boxes import Box, area, around, overlap
from flows.finish.focus import Focus
from flows.nouns.output import Output

MOST_LOSS = Fraction(3, 100)
"""Share of an edge that may go so that a cut at the take's own size has its ratio to the pixel."""

LEAST_KEPT = 0.9
"""A cut that keeps less of its focus is worth a look."""

SafeZone = tuple[float, float, float, float]
"""Top, right, bottom, left as shares of the canvas: what the channel itself lays over it."""

_OPEN: SafeZone = (0.0, 0.0, 0.0, 0.0)
_NAMES = {
    "given": "given focus",
    "product": "product",
    "ground": "subject",
    "face": "faces",
    "saliency": "eye-catcher",
}


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a take, in its pixels, and the size that it is brought to."""

    left: Fraction
    top: Fraction
    width: Fraction
    height: Fraction
    size: tuple[int, int]
    kept: float = 1.0
    """Share of the focus that lies in the cut."""
    clear: float = 1.0
    """Share of the focus that lies in the part of the cut that the safe zone leaves free."""

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


def cut(
    take: tuple[int, int], output: Output, focus: Focus, safe_zone: SafeZone | None = None
) -> Cut:
    """The part of a take of this size that an output shows.

    The focus is kept whole where the cut is large enough for it, and lies in the middle of what
    the safe zone leaves free, as far as the take's edges allow. Where it is larger than the cut,
    its core stays, or else its middle. Of several parts as many stay as fit together, the first
    of them before the others. An output without pixels is a piece of the take as it is, on whole
    pixels.
    """
    if output.width is None or output.height is None:
        size = own_size(take, output.shape)
        width, height = Fraction(size[0]), Fraction(size[1])
    else:
        size = (output.width, output.height)
        shape = Fraction(*size)
        width = min(Fraction(take[0]), take[1] * shape)
        height = width / shape
    # where nothing was found there is nothing to keep clear of a channel's buttons
    zone = _OPEN if safe_zone is None or focus.found == "center" else safe_zone
    wanted = _wanted(focus, float(width / take[0]), float(height / take[1]))
    core = focus.core or wanted
    across, down = _Edge(take[0], width), _Edge(take[1], height)
    left = across.offset(_span(wanted, 0), _span(core, 0), free=(zone[3], 1 - zone[1]))
    top = down.offset(_span(wanted, 1), _span(core, 1), free=(zone[0], 1 - zone[2]))
    if width == size[0] and height == size[1]:
        # nothing is resampled, so nothing may be blurred by half a pixel either
        left, top = Fraction(round(left)), Fraction(round(top))
    shown = (
        float(left / take[0]),
        float(top / take[1]),
        float((left + width) / take[0]),
        float((top + height) / take[1]),
    )
    kept, clear = _share(focus, shown), _share(focus, _free_part(shown, safe_zone or _OPEN))
    return Cut(left, top, width, height, size, kept, clear)


def cut_off(part: Cut, focus: Focus) -> str:
    """`keeps 63 % of the product`, or nothing where the cut keeps enough of its focus."""
    if focus.found == "center":
        return ""
    name = _NAMES[focus.found]
    if part.kept < LEAST_KEPT:
        return f"keeps {int(part.kept * 100)} % of the {name}"
    if part.clear < LEAST_KEPT:
        return f"keeps {int(part.clear * 100)} % of the {name} clear of the safe zone"
    return ""


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


@dataclass(frozen=True, slots=True)
class _Edge:
    """One edge of a take and the length of it that is cut out, in pixels."""

    edge: int
    length: Fraction

    def offset(
        self,
        span: tuple[float, float],
        core: tuple[float, float],
        *,
        free: tuple[float, float],
    ) -> Fraction:
        """Where the cut begins, so that the span (shares of the edge) lies best in it."""
        low, high = (Fraction(share) * self.edge for share in span)
        fits = high - low <= self.length
        first, last = (Fraction(share) * self.edge for share in (span if fits else core))
        start = (first + last - (Fraction(free[0]) + Fraction(free[1])) * self.length) / 2
        # a cut that is larger than the span must hold it, one that is smaller lie within
        start = _clamp(start, *sorted((low, high - self.length)))
        if not fits and last - first <= self.length:
            start = _clamp(start, last - self.length, first)
        return _clamp(start, Fraction(0), self.edge - self.length)


def _clamp(value: Fraction, least: Fraction, most: Fraction) -> Fraction:
    return min(max(value, least), most)


def _span(box: Box, axis: int) -> tuple[float, float]:
    return box[axis], box[axis + 2]


def _wanted(focus: Focus, width: float, height: float) -> Box:
    """As many parts of the focus as fit into a cut of this size together, the first ones first."""

    def fits(box: Box) -> bool:
        return box[2] - box[0] <= width and box[3] - box[1] <= height

    if not focus.parts or fits(focus.box):
        return focus.box
    wanted = focus.parts[0]
    for part in focus.parts[1:]:
        if fits(around([wanted, part])):
            wanted = around([wanted, part])
    return wanted


def _free_part(shown: Box, zone: SafeZone) -> Box:
    left, top, right, bottom = shown
    width, height = right - left, bottom - top
    return (
        left + zone[3] * width,
        top + zone[0] * height,
        right - zone[1] * width,
        bottom - zone[2] * height,
    )


def _share(focus: Focus, shown: Box) -> float:
    """How much of the focus a box shows, from 0 to 1; a point is in it or not."""
    parts = focus.parts or (focus.box,)
    whole = sum(map(area, parts))
    if whole > 0:
        # sums of floats may end a hair above what they are parts of
        return min(1.0, sum(area(overlap(part, shown)) for part in parts) / whole)
    left, top, right, bottom = overlap(focus.box, shown)
    return 1.0 if left <= right and top <= bottom else 0.0
