"""From a cut to its pixels: crop and resampling in one pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flows.finish.crop import Cut

if TYPE_CHECKING:
    from PIL import Image


def resized(picture: Image.Image, cut: Cut) -> Image.Image:
    """Exactly `cut.size` pixels. It depends on the picture and the cut alone and not on what else
    is made of the take, so a file stays the same when a campaign gets another output.
    """
    from PIL import Image

    if cut.scale == 1:
        left, top, right, bottom = cut.box
        return picture.crop((int(left), int(top), int(right), int(bottom)))
    # far reductions average whole pixels first: faster, and no difference that an eye can see
    return picture.resize(cut.size, Image.Resampling.LANCZOS, box=cut.box, reducing_gap=3.0)


def enlarged(cut: Cut) -> str:
    """`upscaled 1.4x from 1024x1024`, or nothing where no pixel had to be invented."""
    if cut.scale <= 1:
        return ""
    factor = math.ceil(cut.scale * 100) / 100
    return f"upscaled {factor:g}x from {round(cut.width)}x{round(cut.height)}"
