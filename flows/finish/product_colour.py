"""Where in a take a product without detail stands: by its colours and its outline.

Each pixel of the take gets how much likelier its colour is on the product than in the rest of
the take (https://doi.org/10.1007/BF00130487). The product's outline is then tried at many sizes:
where it holds likely pixels, with unlikely ones around it, the product stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.finish.boxes import Box, area, overlap
from flows.finish.ground import subject_mask
from flows.finish.reduced import reduced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

_TAKE = 200  # pixels of the longer side: outlines and colours need no more
_SIZES = (0.16, 0.2, 0.25, 0.32, 0.4, 0.5, 0.63, 0.8, 0.95)
"""Of the product's longer side, as shares of the take's shorter side."""
_BINS = 12  # of each colour plane
_BELIEVED = 0.62  # of 1: inside all is likely, around it nothing
_RIVAL = 0.85  # share of the best score from which on another place leaves it open


def place_by_colour(take: Image.Image, reference: Image.Image) -> Box | None:
    """The product's box, or None where no place is clearly the best, or where the reference has
    no plain ground to cut the product from.
    """
    import numpy as np

    mask = subject_mask(reference)
    if mask is None:
        return None
    small = reduced(take.convert("RGB"), _TAKE)
    likely = _likely(np.asarray(small), np.asarray(reference.convert("RGB"))[mask])
    rows, columns = np.nonzero(mask)
    outline = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    tried: list[tuple[float, Box]] = []
    for share in _SIZES:
        scale = share * min(small.size) / max(outline.shape)
        width, height = (max(3, round(edge * scale)) for edge in outline.shape[::-1])
        if width <= small.width and height <= small.height:
            tried += _best_two(likely, outline.astype(np.float32), width, height)
    return _clearly_best(tried)


def _best_two(
    likely: NDArray[np.float32], outline: NDArray[np.float32], width: int, height: int
) -> list[tuple[float, Box]]:
    """The best place of the outline at this size and the best that is not the same place."""
    import cv2
    import numpy as np

    rim = max(2, round(0.15 * max(width, height)))
    inside = np.pad(cv2.resize(outline, (width, height), interpolation=cv2.INTER_AREA), rim)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    outside = cv2.dilate(inside, brush) - inside
    pattern = inside / inside.sum() - outside / max(float(outside.sum()), 1.0)
    # beyond the take nothing is likely, so a product may stand at its edge
    wide = np.pad(likely, rim)
    scores = cv2.matchTemplate(wide, pattern.astype(np.float32), cv2.TM_CCORR)
    found: list[tuple[float, Box]] = []
    for _ in range(2):
        top, left = divmod(int(scores.argmax()), scores.shape[1])
        right, bottom = left + width, top + height
        across, down = likely.shape[1], likely.shape[0]
        box = (left / across, top / down, right / across, bottom / down)
        found.append((float(scores[top, left]), box))
        beside, above = max(0, left - width // 2), max(0, top - height // 2)
        scores[above : top + height // 2 + 1, beside : left + width // 2 + 1] = -1
    return found


def _clearly_best(tried: list[tuple[float, Box]]) -> Box | None:
    if not tried:
        return None
    score, best = max(tried)
    if score < _BELIEVED:
        return None
    for other, box in tried:
        apart = area(overlap(best, box)) < 0.2 * min(area(best), area(box))
        if apart and other >= _RIVAL * score:
            return None
    return best


def _likely(take: NDArray[np.uint8], product: NDArray[np.uint8]) -> NDArray[np.float32]:
    """For each pixel from 0 to 1: how likely its colour is the product's, and not the take's."""
    import cv2
    import numpy as np

    def bins(pixels: NDArray[np.uint8]) -> NDArray[np.int_]:
        lab = cv2.cvtColor(pixels.reshape(1, -1, 3), cv2.COLOR_RGB2LAB)[0].astype(np.int_)
        # light changes from picture to picture, hue much less
        steps = np.column_stack([lab[:, 0] * (_BINS // 2), lab[:, 1:] * 2 * _BINS]) // 256
        places = (steps[:, 0] * 2 * _BINS + steps[:, 1]) * 2 * _BINS + steps[:, 2]
        return np.asarray(places, np.int_)

    shape = (_BINS // 2, 2 * _BINS, 2 * _BINS)
    wanted, usual = (
        _spread(np.bincount(bins(pixels), minlength=int(np.prod(shape))).reshape(shape))
        for pixels in (product, take)
    )
    odds = wanted / (wanted + usual + 1e-4)
    return odds.ravel()[bins(take)].reshape(take.shape[:2]).astype(np.float32)


def _spread(counts: NDArray[np.int_]) -> NDArray[np.float64]:
    """A histogram of shares in which each colour counts for its neighbours too."""
    import numpy as np

    shares = np.asarray(counts / counts.sum(), np.float64)
    for axis in range(3):
        padded = np.pad(shares, [(1, 1) if one == axis else (0, 0) for one in range(3)])
        before, after = (np.take(padded, range(n, n + shares.shape[axis]), axis) for n in (0, 2))
        shares = np.asarray(0.25 * before + 0.5 * shares + 0.25 * after)
    return shares
