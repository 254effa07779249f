"""From a cut to its pixels: crop and resampling in one pass, of a take that is halved at need."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from flows.finish.crop import Cut

if TYPE_CHECKING:
    from PIL import Image

GAP = 1
"""How much more than wanted a halved take must still hold. A half is a plain average, which costs a
tenth of the filter; against the filter alone the two steps differ by 32 to 39 dB on a zone plate,
the worst there is, and by less than a level on photos."""


class Source:
    """A decoded take and its halves, each made once and only when an output is far smaller.

    What comes of a cut depends on the take and the cut alone, and not on what else is made of it:
    a file stays the same when a campaign gets another output. Safe in threads.
    """

    def __init__(self, take: Image.Image) -> None:
        self.take = take
        self._halves = [take]
        self._lock = threading.Lock()

    def resized(self, cut: Cut) -> Image.Image:
        """Exactly `cut.size` pixels, with colour that shows through weighted by how much does."""
        from PIL import Image

        if cut.scale == 1:
            left, top, right, bottom = cut.box
            return self.take.crop((int(left), int(top), int(right), int(bottom)))
        level = max(0, math.floor(math.log2(max(1.0, float(1 / cut.scale) / GAP))))
        halved = self._halved(level)
        # halves of odd sizes are rounded up: the part lies at the same share of each
        wide = halved.width / self.take.width
        tall = halved.height / self.take.height
        left, top, right, bottom = cut.box
        box = (
            left * wide,
            top * tall,
            min(right * wide, halved.width),
            min(bottom * tall, halved.height),
        )
        return halved.resize(cut.size, Image.Resampling.LANCZOS, box=box)

    def _halved(self, level: int) -> Image.Image:
        with self._lock:
            while len(self._halves) <= level:
                self._halves.append(self._halves[-1].reduce(2))
            return self._halves[level]


def enlarged(cut: Cut) -> str:
    """`upscaled 1.4x from 1024x1024`, or nothing where no pixel had to be invented."""
    if cut.scale <= 1:
        return ""
    factor = math.ceil(cut.scale * 100) / 100
    return f"upscaled {factor:g}x from {round(cut.width)}x{round(cut.height)}"
