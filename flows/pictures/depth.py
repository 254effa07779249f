"""Grey of more than 8 bits to 8; Pillow's own conversion would cut all above 255 to white."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_LARGEST_16 = 65535


def eight_bits(picture: Image.Image, *, by_contents: bool) -> Image.Image:
    """Mode L of an integer (I, I;16) or floating point (F) grey.

    The range is that of the type: 16 bits, or for floats the largest value from 1 on.
    `by_contents`: whole numbers up to 255 are taken for 8 bits, floats up to 1 for shares.
    """
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    is_float = picture.mode == "F"
    largest = (_of_contents if by_contents else _of_type)(values, is_float=is_float)
    return Image.fromarray((values.clip(0, largest) * (255 / largest)).round().astype(np.uint8))


def _of_type(values: NDArray[np.float64], *, is_float: bool) -> float:
    return max(1.0, float(values.max())) if is_float else _LARGEST_16


def _of_contents(values: NDArray[np.float64], *, is_float: bool) -> float:
    most = float(values.max())
    if is_float and most <= 1:
        return 1
    return _LARGEST_16 if most > 255 else 255
