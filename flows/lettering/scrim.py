"""Scrims and plates: what is laid between picture and letters, just strong enough to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flows.lettering.contrast import BLACK, ENOUGH, WHITE, Colour, reached
from flows.lettering.zone import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

AIM = 4.65
"""A little above what is needed: 8-bit levels round, and encoders move them a little."""
_COARSE = 8
"""Soft shapes are drawn so much smaller and brought up: they have no detail."""

Edge = Literal["top", "bottom", "left", "right"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a scrim is how strong: a mask whose 255 is its full strength."""

    mask: Image.Image
    left: int
    top: int

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
        """Its strength at points of the canvas, 0 to 1; they lie within the mask."""
        import numpy as np

        levels = np.asarray(self.mask)[rows - self.top, columns - self.left]
        shares: NDArray[np.float64] = levels / 255
        return shares


def gradient(size: tuple[int, int], ink: Box, edge: Edge, pad: int) -> Shape:
    """From an edge of the canvas: full as far as the letters reach, then fading out."""
    import numpy as np
    from PIL import Image

    width, height = size
    upright = edge in ("top", "bottom")
    length = height if upright else width
    full = {
        "top": ink.bottom,
        "bottom": height - ink.top,
        "left": ink.right,
        "right": width - ink.left,
    }[edge]
    full = min(length, full + pad // 2)
    fade = max(round(full * 0.55), 3 * pad, 1)
    steps = np.clip((np.arange(min(length, full + fade)) - full) / fade, 0, 1)
    eased = 1 - steps * steps * steps * (steps * (steps * 6 - 15) + 10)
    levels = np.round(eased * 255).astype(np.uint8)
    if edge in ("bottom", "right"):
        levels = levels[::-1]
    row = levels.reshape(-1, 1) if upright else levels.reshape(1, -1)
    box = (width, len(levels)) if upright else (len(levels), height)
    mask = Image.fromarray(np.ascontiguousarray(row)).resize(box, Image.Resampling.NEAREST)
    return Shape(
        mask,
        width - box[0] if edge == "right" else 0,
        height - box[1] if edge == "bottom" else 0,
    )


def cloud(size: tuple[int, int], ink: Box, pad: int) -> Shape:
    """Around letters in the midst of a picture: full behind them, fading out on all sides."""
    from PIL import Image, ImageDraw, ImageFilter

    soft = max(pad, 8)
    core = ink.grown(soft, soft)
    outer = core.grown(3 * soft, 3 * soft).within(Box(0, 0, *size))
    scale = max(1, min(_COARSE, soft // 4))
    small = (max(2, outer.width // scale), max(2, outer.height // scale))
    # drawn with a rim, so that it fades towards the canvas's edge as if that were not there
    rim = 4 * soft // scale
    drawing = Image.new("L", (small[0] + 2 * rim, small[1] + 2 * rim))
    corners = [
        (one - origin) / scale + rim
        for one, origin in zip(core.corners, (outer.left, outer.top) * 2, strict=True)
    ]
    ImageDraw.Draw(drawing).rounded_rectangle(corners, radius=2 * soft / scale, fill=255)
    drawing = drawing.filter(ImageFilter.GaussianBlur(0.75 * soft / scale))
    drawing = drawing.crop((rim, rim, rim + small[0], rim + small[1]))
    mask = drawing.resize((outer.width, outer.height), Image.Resampling.BICUBIC)
    return Shape(mask, outer.left, outer.top)


def needed(
    colour: Colour, grounds: NDArray[np.uint8], shares: NDArray[np.float64], scrim: Colour
) -> int | None:
    """The least strength, 0 to 255, at which a colour can be read; None where none is enough."""
    import numpy as np

    tint = np.array(scrim, dtype=np.float64)
    levels = grounds.astype(np.float64)

    def ratio(strength: int) -> float:
        part = (shares * (strength / 255))[:, None]
        return reached(colour, np.round(levels + (tint - levels) * part).astype(np.uint8))

    if reached(colour, grounds) >= AIM:
        return 0
    most = ratio(255)
    if most < AIM:
        return 255 if most >= ENOUGH else None
    low, high = 0, 255
    while high - low > 1:
        middle = (low + high) // 2
        if ratio(middle) >= AIM:
            high = middle
        else:
            low = middle
    return high


def tints(grounds: NDArray[np.uint8]) -> Sequence[Colour]:
    """A dark and a light colour with the picture's own hue, then plain black and white."""
    mean = grounds.mean(axis=0)
    dark = tuple(round(float(level) * 0.18) for level in mean)
    light = tuple(round(255 - (255 - float(level)) * 0.12) for level in mean)
    return (
        (dark[0], dark[1], dark[2]),
        (light[0], light[1], light[2]),
        BLACK,
        WHITE,
    )


def lay_scrim(picture: Image.Image, shape: Shape, colour: Colour, strength: int) -> None:
    """Blend a colour into the picture, in place."""
    mask = shape.mask.point([round(level * strength / 255) for level in range(256)])
    picture.paste(colour, (shape.left, shape.top), mask)


def lay_plate(picture: Image.Image, box: Box, colour: Colour, radius: int) -> None:
    """A plate with smooth round corners, in place."""
    from PIL import Image, ImageDraw

    radius = min(radius, box.width // 2, box.height // 2)
    mask = Image.new("L", (box.width, box.height), 255)
    if radius > 0:
        round_ = Image.new("L", (8 * radius, 8 * radius))
        ImageDraw.Draw(round_).ellipse((0, 0, 8 * radius - 1, 8 * radius - 1), fill=255)
        disc = round_.resize((2 * radius, 2 * radius), Image.Resampling.BOX)
        for x, left in ((0, 0), (box.width - radius, radius)):
            for y, top in ((0, 0), (box.height - radius, radius)):
                mask.paste(disc.crop((left, top, left + radius, top + radius)), (x, y))
    picture.paste(colour, (box.left, box.top), mask)
