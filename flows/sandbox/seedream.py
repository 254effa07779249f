"""What the model itself knows, whoever sells it: its sizes, and which references it takes.

Source: https://docs.byteplus.com/en/docs/ModelArk/1541523
"""

from __future__ import annotations

import math

from flows.sandbox.pictures import Look

LEAST_PIXELS = 921_600  # 1280 x 720
MOST_PIXELS = 16_777_216  # 4096 x 4096
MOST_TOGETHER = 15  # references and outputs of one call
MOST_REFERENCES = 10  # newer text says 14, people still meet 10

TIERS: dict[str, dict[str, tuple[int, int]]] = {
    "1K": {
        "1:1": (1024, 1024),
        "4:3": (1152, 864),
        "3:4": (864, 1152),
        "16:9": (1280, 720),
        "9:16": (720, 1280),
        "3:2": (1248, 832),
        "2:3": (832, 1248),
        "21:9": (1512, 648),
    },
    "2K": {
        "1:1": (2048, 2048),
        "4:3": (2304, 1728),
        "3:4": (1728, 2304),
        "16:9": (2848, 1600),
        "9:16": (1600, 2848),
        "3:2": (2496, 1664),
        "2:3": (1664, 2496),
        "21:9": (3136, 1344),
    },
    "4K": {
        "1:1": (4096, 4096),
        "4:3": (4704, 3520),
        "3:4": (3520, 4704),
        "16:9": (5504, 3040),
        "9:16": (3040, 5504),
        "3:2": (4992, 3328),
        "2:3": (3328, 4992),
        "21:9": (6240, 2656),
    },
}


def ratio_of(text: str) -> float | None:
    """Width over height of "16:9"; None for another text or a side of 0."""
    wide, colon, high = text.partition(":")
    if not colon or not (wide.isascii() and wide.isdigit() and high.isascii() and high.isdigit()):
        return None
    return int(wide) / int(high) if int(wide) and int(high) else None


def nearest(ratio: float, sizes: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """The size of a table whose shape is nearest to `ratio` (width over height)."""
    return min(sizes.values(), key=lambda size: abs(math.log(size[0] / size[1] / ratio)))


def size_fault(width: int, height: int) -> str | None:
    """What the model says against an output of so many pixels."""
    if not LEAST_PIXELS <= width * height <= MOST_PIXELS:
        return (
            f"image size must be at least {LEAST_PIXELS} and at most {MOST_PIXELS} pixels, "
            f"got {width}x{height}"
        )
    if not 1 / 16 <= width / height <= 16:
        return f"the aspect ratio of the image must be between 1/16 and 16, got {width}x{height}"
    return None


def reference_fault(look: Look) -> str | None:
    """What the model says against a reference; the bound of its shape is the older, narrower one.

    Source of the shape's words: https://github.com/zquestz/dream-prompter/issues/5
    """
    if min(look.width, look.height) <= 14:
        return f"image is too small: {look.width}x{look.height}, each side must exceed 14 px"
    if look.width * look.height > 36_000_000:
        return f"image is too large: {look.width}x{look.height}, at most 36000000 pixels"
    if not 1 / 3 <= look.ratio <= 3:
        return f"expected the aspect ratio to be between 0.33 and 3.00, got {look.ratio:.2f}"
    return None
