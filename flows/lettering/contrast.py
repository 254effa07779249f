"""Contrast as WCAG 2.2 measures it, between letters and the pixels behind and close around them.

https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio and #contrast-minimum: 4.5 to 1 for text;
#non-text-contrast: 3 to 1 for graphics.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

ENOUGH, ENOUGH_FOR_LOGOS = 4.5, 3.0
RING = 0.1
"""Ems around the letters that count as their ground."""
_WORST = 5.0
"""Percent: the ratio that is told is reached by all pixels but these."""
_MOST_PIXELS = 120_000
"""Of more, every n-th is measured."""
_ENOUGH_TO_TRY = 12_000
"""Pixels by which strengths are tried; the outcome is measured with all."""

Colour = tuple[int, int, int]
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)


def colour_of(text: str) -> Colour:
    """`#0F4C81` to its three levels."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def hex_of(colour: Colour) -> str:
    return "#{:02X}{:02X}{:02X}".format(*colour)


@cache
def _linear() -> NDArray[np.float64]:
    import numpy as np

    levels = np.arange(256) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def luminance(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance of sRGB levels; the last axis holds red, green and blue."""
    linear = _linear()[pixels]
    weighted: NDArray[np.float64] = (
        0.2126 * linear[..., 0] + 0.7152 * linear[..., 1] + 0.0722 * linear[..., 2]
    )
    return weighted


def luminance_of(colour: Colour) -> float:
    import numpy as np

    return float(luminance(np.array(colour, dtype=np.uint8)))


def ratios(colour: Colour, grounds: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The ratio of one colour to each pixel."""
    import numpy as np

    own, behind = luminance_of(colour), luminance(grounds)
    found: NDArray[np.float64] = (np.maximum(own, behind) + 0.05) / (np.minimum(own, behind) + 0.05)
    return found


def reached(colour: Colour, grounds: NDArray[np.uint8]) -> float:
    """The ratio that 95 % of the pixels reach."""
    import numpy as np

    return float(np.percentile(ratios(colour, grounds), _WORST))


def ground(picture: Image.Image, mask: Image.Image, at: tuple[int, int], ring: int) -> Ground:
    """The pixels behind and around what a mask draws at a place of the picture."""
    import numpy as np
    from PIL import Image, ImageFilter

    box = (at[0] - ring, at[1] - ring, at[0] + mask.width + ring, at[1] + mask.height + ring)
    wide = Image.new("L", (box[2] - box[0], box[3] - box[1]))
    wide.paste(mask, (ring, ring))
    near = wide.filter(ImageFilter.BoxBlur(ring)) if ring else wide
    points = np.flatnonzero(np.asarray(near))
    points = points[:: max(1, len(points) // _MOST_PIXELS)]
    rows, columns = points // wide.width + box[1], points % wide.width + box[0]
    inside = (rows >= 0) & (rows < picture.height) & (columns >= 0) & (columns < picture.width)
    return Ground(rows[inside], columns[inside])


class Ground:
    """Where the ground of some letters lies; read again after each change of the picture."""

    def __init__(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        self.rows, self.columns = rows, columns

    def pixels(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Levels of red, green and blue, one row a pixel."""
        import numpy as np

        left, top = int(self.columns.min()), int(self.rows.min())
        box = (left, top, int(self.columns.max()) + 1, int(self.rows.max()) + 1)
        crop = np.asarray(picture.crop(box))
        found: NDArray[np.uint8] = crop[self.rows - top, self.columns - left]
        return found

    def thinned(self) -> Ground:
        """Fewer points, evenly."""
        step = max(1, len(self.rows) // _ENOUGH_TO_TRY)
        return Ground(self.rows[::step], self.columns[::step])

    def unrest(self, picture: Image.Image, reach: int) -> float:
        """How much is going on behind the letters that is smaller than `reach` pixels: the root
        mean square of what a blur takes away, in levels of grey.
        """
        import numpy as np
        from PIL import ImageFilter

        left, top = int(self.columns.min()), int(self.rows.min())
        box = (left, top, int(self.columns.max()) + 1, int(self.rows.max()) + 1)
        crop = picture.crop(box).convert("L")
        calm = np.asarray(crop.filter(ImageFilter.BoxBlur(reach))).astype(np.int16)
        off = np.asarray(crop).astype(np.int16) - calm
        points = off[self.rows - top, self.columns - left].astype(np.float64)
        return float(np.sqrt(np.mean(points * points)))
