"""Where a photo's plain ground ends and the product begins, on a small copy; or that it has none.

The ground is modelled from the photo's edges (a surface of second degree, then the edges' own
course across the picture), grown inward over smooth pixels that look like it or like its shadow,
and the result is measured: a doubtful cut is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from flows.drawing.colour import Floats, oklab
from flows.drawing.contour import settled
from flows.drawing.fairness import Verdict, contour_judged, judged
from flows.drawing.region import Mask, grown, largest_share, opened, reached, shrunk

SMALL = 340  # pixels of the longer edge that the ground is looked for at


def find_product(photo: Image.Image) -> Verdict:
    """Look at an RGB photo (any size; a small one is quicker) and separate product and ground."""
    lab = oklab(np.asarray(photo.filter(ImageFilter.GaussianBlur(0.7))))
    height, width = lab.shape[:2]
    if min(height, width) < 24:
        return Verdict(None, "too small to tell product from ground", {})
    model, inlying = _ground(lab)
    measures = {"plain": inlying}
    if inlying < 0.9:
        return Verdict(None, "the edges of the photo are not plain", measures)
    steep = _steepness(lab)
    rough = float(
        np.percentile(
            np.concatenate(
                [steep[:3].ravel(), steep[-3:].ravel(), steep[:, :3].ravel(), steep[:, -3:].ravel()]
            ),
            75,
        )
    )
    measures["rough"] = rough
    if rough > 0.02:
        return Verdict(None, "the ground of the photo has a texture", measures)
    careful = _cut(lab, model, steep, Limits(max(0.006, 1.5 * rough), 0.5), measures)
    # A product unlike its ground has firm contours: then soft steps are shadow, and go.
    if careful.measures.get("apart", 0) > 0.15:
        for foot in (True, False):
            limits = Limits(max(0.022, 2.5 * rough), 0.3, foot=foot)
            bold = _cut(lab, model, steep, limits, measures)
            if bold.product is not None and _only_shadow_went(careful, bold.product):
                return _settled(photo, careful.product, bold, model, steep)
    return _settled(photo, careful.product, careful, model, steep)


def _settled(
    photo: Image.Image, careful: Mask | None, rough: Verdict, model: Floats, steep: Floats
) -> Verdict:
    """The rough cut moved onto the photo's edges; none where too little of it lies on any."""
    if rough.product is None:
        return rough
    lab = oklab(np.asarray(photo))
    shade = _like_ground(lab, model, 0.12, slack=0.01)
    wider = rough.product if careful is None else careful
    product, doubt = settled(lab, wider, rough.product, shade & (steep < 0.05))
    strict = _like_ground(lab, model, 0.12)
    return contour_judged(product, lab, model, strict, rough.measures | {"doubt": doubt})


def _only_shadow_went(careful: Verdict, bold: Mask) -> bool:
    """Whether the bolder cut took away no more than what can lie at a product's foot."""
    if careful.product is None:
        return True
    gone = careful.product & ~grown(bold, 1)
    rows = np.flatnonzero(careful.product.any(axis=1))
    middle = rows[0] + round(0.55 * (rows[-1] - rows[0]))
    high = float(gone[:middle].sum())
    if high > 0.01 * float(careful.product.sum()):
        return False
    return largest_share(bold) > largest_share(careful.product) - 0.03


@dataclass(frozen=True, slots=True)
class Limits:
    """`edge`: the step from pixel to pixel that bounds the ground; `shadow`: its darkest part.

    `foot`: also take away the shadow right under the product.
    """

    edge: float
    shadow: float
    foot: bool = False


def _cut(
    lab: Floats, model: Floats, steep: Floats, limits: Limits, measures: dict[str, float]
) -> Verdict:
    alike = _like_ground(lab, model, limits.shadow)
    passable = (steep < limits.edge) & alike
    # A contour has gaps of a pixel or two; what is passable must be wider than that.
    wide = shrunk(passable, 1)
    rim = np.zeros(passable.shape, dtype=np.bool_)
    rim[:2], rim[-2:], rim[:, :2], rim[:, -2:] = True, True, True, True
    outside = grown(reached(wide | (rim & passable), rim), 2) & (alike | (steep > limits.edge))
    off = np.sqrt(((lab - model) ** 2).sum(axis=2))
    outside |= reached((off < 0.035) & grown(outside, 5), outside)
    product = ~outside
    thin = product & ~opened(product, 2)
    product &= ~(thin & alike & (off < 0.1))  # such as the line where a wall meets a floor
    product &= ~_holes(lab, model, product, steep)
    product = _without_shadow(product, lab, model, steep, foot=limits.foot)
    if limits.foot:
        product = _without_foot(product, lab, model, steep)
    product = reached(product, opened(product, 2))
    return judged(product, lab, model, steep, limits.edge, dict(measures))


def _ground(lab: Floats) -> tuple[Floats, float]:
    """The ground's colour at each pixel, and the share of the edges that follows it."""
    height, width = lab.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / (height - 1) * 2 - 1, x / (width - 1) * 2 - 1
    basis = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y])
    band = max(2, round(0.02 * min(height, width)))
    rim = np.ones((height, width), dtype=np.bool_)
    rim[band:-band, band:-band] = False
    samples, terms = lab[rim].astype(np.float64), basis[:, rim].astype(np.float64)
    keep = np.ones(len(samples), dtype=np.bool_)
    off = np.zeros(len(samples))
    weights = np.zeros((6, 3))
    for _ in range(6):
        chosen = terms[:, keep]
        square = np.einsum("ik,jk->ij", chosen, chosen) + np.eye(6) * 1e-6
        weights = np.linalg.solve(square, np.einsum("ik,kc->ic", chosen, samples[keep]))
        off = np.sqrt(((samples - np.einsum("ik,ic->kc", terms, weights)) ** 2).sum(axis=1))
        keep = off <= max(0.02, 2.5 * float(np.median(off)))
    surface = np.einsum("iyx,ic->yxc", basis, weights.astype(np.float32))
    # A wall that meets a floor is no smooth surface: follow the edges where they are plain.
    left, right = (
        _course(lab[:, :band], surface[:, :band]),
        _course(lab[:, -band:], surface[:, -band:]),
    )
    share = ((x + 1) / 2)[..., None]
    across = left[:, None] * (1 - share) + right[:, None] * share
    top = _course(lab[:band].swapaxes(0, 1), surface[:band].swapaxes(0, 1))
    bottom = _course(lab[-band:].swapaxes(0, 1), surface[-band:].swapaxes(0, 1))
    fall = ((y + 1) / 2)[..., None]
    along = (top - across[0])[None] * (1 - fall) + (bottom - across[-1])[None] * fall
    return np.asarray(across + along, dtype=np.float32), float((off < 0.06).mean())


def _course(strip: Floats, surface: Floats) -> Floats:
    """One edge's colours along its length; where something lies across it, the surface's."""
    seen, expected = np.median(strip, axis=1), surface.mean(axis=1)
    off = np.sqrt(((seen - expected) ** 2).sum(axis=1, keepdims=True))
    mixed = np.where(off < 0.06, seen, expected)
    radius = max(2, len(mixed) // 60)
    padded = np.pad(mixed, ((radius, radius), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, 3)), padded]), axis=0)
    return np.asarray((sums[2 * radius + 1 :] - sums[: -2 * radius - 1]) / (2 * radius + 1))


def _steepness(lab: Floats) -> Floats:
    """How much the colour changes from pixel to pixel (central differences, OKLab)."""
    padded = np.pad(lab, ((1, 1), (1, 1), (0, 0)), mode="edge")
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    along = padded[1:-1, 2:] - padded[1:-1, :-2]
    return np.asarray(np.sqrt((down * down + along * along).sum(axis=2)) / 2)


def _like_ground(lab: Floats, model: Floats, shadow: float, slack: float = 0.0) -> Mask:
    """The ground itself, lit a little more, or in shadow (darker, its colour fading with it)."""
    ratio = lab[..., 0] / np.maximum(model[..., 0], 0.05)
    tint = lab[..., 1:] - model[..., 1:] * np.clip(ratio, 0, 1.1)[..., None]
    off = np.sqrt((tint * tint).sum(axis=2))
    allowed = 0.022 + slack + 0.03 * (1 - ratio).clip(0, 1)
    return np.asarray((ratio < 1.07) & (ratio > shadow) & (off < allowed))


def _holes(lab: Floats, model: Floats, product: Mask, steep: Floats) -> Mask:
    """Ground that is seen through the product, as in the handle of a kettle.

    A pale panel of the product may look the same, so a hole must be bounded firmly all around.
    """
    holes = np.zeros_like(product)
    off = np.sqrt(((lab - model) ** 2).sum(axis=2))
    inside = product & (off < 0.06) & (steep < 0.012)
    cores = opened(inside, max(2, max(product.shape) // 130)) & (off < 0.035)
    for _ in range(6):
        if not cores.any():
            break
        first = np.zeros_like(cores)
        first.flat[int(cores.argmax())] = True
        hole = reached(inside, first)
        cores &= ~hole
        around = grown(hole, 5) & ~grown(hole, 3)
        if float((off[around] > 0.16).mean() if around.any() else 0.0) > 0.8:
            holes |= grown(hole, 2)
    return np.asarray(holes & product & (off < 0.12))


def _without_shadow(
    product: Mask, lab: Floats, model: Floats, steep: Floats, *, foot: bool
) -> Mask:
    """Less the cast shadow beside its foot: smooth, of the ground's tint, low and flat."""
    rows = np.flatnonzero(product.any(axis=1))
    if not len(rows):
        return product
    tall = int(rows[-1] - rows[0]) + 1
    low = np.zeros_like(product)
    low[rows[0] + round(0.6 * tall) :] = True
    flat = product & ~_tall(product, round(0.2 * tall))
    soft = low & flat & (steep < (0.08 if foot else 0.022))
    soft &= _like_ground(lab, model, 0.4, slack=0.045 if foot else 0.0)
    shadow = reached(soft, grown(~product, 1))
    return product & ~grown(shadow & opened(shadow, 1), 1) | (product & ~(low & flat))


def _without_foot(product: Mask, lab: Floats, model: Floats, steep: Floats) -> Mask:
    """Less the dark seam under it, unless so much would go that it must be product."""
    rows = np.flatnonzero(product.any(axis=1))
    if not len(rows):
        return product
    low = np.zeros_like(product)
    low[rows[-1] - round(0.13 * (rows[-1] - rows[0])) :] = True
    soft = product & low & (steep < 0.05) & _like_ground(lab, model, 0.4, slack=0.02)
    seam = reached(soft, grown(~product, 1) & soft)
    left = product & ~seam
    crumbs = low & left & ~opened(left, 2) & _like_ground(lab, model, 0.4, slack=0.05)
    left = reached(left & ~crumbs, opened(left, 1))
    small = float((product & ~left).sum()) < 0.07 * float(product.sum())
    return left if small and largest_share(left) > largest_share(product) - 0.02 else product


def _tall(mask: Mask, height: int) -> Mask:
    """What stands in an upright stretch of at least `height` pixels."""
    up, down = height // 2, height - height // 2
    padded = np.pad(mask, ((up + 1, down), (0, 0)))
    sums = padded.cumsum(axis=0, dtype=np.int32)
    core = (sums[up + down :] - sums[: -up - down])[: len(mask)] == up + down
    spread = np.pad(core, ((down, up), (0, 0))).cumsum(axis=0, dtype=np.int32)
    near = spread[up + down :] - np.pad(spread, ((1, 0), (0, 0)))[: -up - down - 1]
    return np.asarray(near[: len(mask)] > 0) & mask
