"""What draws the eye: detail that is gathered in one place, and colours that the border lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.finish.boxes import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_CELLS = 48  # along the longer side: fine enough for a box, coarse enough to be calm
_SIDES = (0.15, 0.2, 0.3, 0.4, 0.5, 0.6)  # of the boxes that are tried, as shares of each side
_SHARP = 60  # levels between neighbours: what is sharper than this does not count for more
_STANDS_OUT = 0.3
"""Share of the interest that a box must hold beyond its share of the area: noise and patterns
reach 0.1, crowds of equal things 0.2, a cat or a clock in a room 0.4 and more."""


def eye_catcher(picture: Image.Image) -> Box | None:
    """The box with the most interest for its size, or None where no part stands out."""
    import numpy as np
    from PIL import Image

    small = picture.convert("RGB").convert("LAB")
    levels = np.asarray(small).astype(np.float32)
    if min(small.size) < 2:
        return None
    factor = max(small.size) / min(_CELLS, max(small.size))
    cells = (max(1, round(small.width / factor)), max(1, round(small.height / factor)))

    def in_cells(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(Image.fromarray(plane).resize(cells, Image.Resampling.BOX))

    across = np.abs(np.diff(levels, axis=1)).max(axis=2)[:-1]
    down = np.abs(np.diff(levels, axis=0)).max(axis=2)[:, :-1]
    detail = in_cells(np.minimum(np.maximum(across, down), _SHARP))
    colours = np.stack([in_cells(levels[..., plane]) for plane in range(3)], axis=-1)
    return _densest(_beyond_usual(detail) + _beyond_usual(_foreign(colours)))


def _foreign(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each cell's colour lies from the nearest tenth of the border's."""
    import numpy as np

    ring = np.concatenate([colours[0], colours[-1], colours[:, 0], colours[:, -1]])
    apart = np.linalg.norm(colours[:, :, None] - ring, axis=3)
    return np.asarray(np.sort(apart, axis=2)[..., : max(1, len(ring) // 10)].mean(axis=2))


def _beyond_usual(plane: NDArray[np.float32]) -> NDArray[np.float64]:
    """What exceeds the median, as shares of all that does."""
    import numpy as np

    beyond = np.maximum(plane.astype(np.float64) - np.median(plane), 0)
    return np.asarray(beyond / max(float(beyond.sum()), 1e-6))


def _densest(interest: NDArray[np.float64]) -> Box | None:
    import numpy as np

    height, width = interest.shape
    total = float(interest.sum())
    if total <= 0:
        return None
    sums = np.pad(interest.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0))) / total
    best, box = _STANDS_OUT, None
    for wide in sorted({max(1, round(side * width)) for side in _SIDES}):
        columns = sums[:, wide:] - sums[:, :-wide]
        for tall in sorted({max(1, round(side * height)) for side in _SIDES}):
            gain = columns[tall:] - columns[:-tall] - wide * tall / (width * height)
            top, left = divmod(int(gain.argmax()), gain.shape[1])
            # a hair is no gain: sums of floats must not decide between equals
            if gain[top, left] > best + 1e-9:
                best = float(gain[top, left])
                box = (left / width, top / height, (left + wide) / width, (top + tall) / height)
    return box
