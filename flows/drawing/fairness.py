"""Whether a cut is fair: a doubtful one is worse than none, and the photo is shown whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flows.drawing.colour import Floats
from flows.drawing.contour import roughness
from flows.drawing.region import Mask, border, grown, opened, reached, shrunk

MOST_DOUBT = 0.01  # of the contour may lie on no edge
MOST_TEETH = 0.36  # the contour may be longer than its smooth course by this share
MOST_PATCH = 0.03  # of the product may look like ground that it lies open to
MOST_FOOT = 0.08  # of the foot's contour may be dark shadow under a darker product


@dataclass(frozen=True, slots=True)
class Verdict:
    """`product` is the mask on the small copy, or None and the reason for no fair cut."""

    product: Mask | None
    reason: str
    measures: dict[str, float]


def judged(
    product: Mask,
    lab: Floats,
    model: Floats,
    steep: Floats,
    edge: float,
    measures: dict[str, float],
) -> Verdict:
    """Keep the cut only where it is plainly a thing: whole, inside the photo, and well bounded."""
    measures["share"] = share = float(product.mean())
    if not 0.012 < share < 0.9:
        return Verdict(None, "no product stands out from the ground", measures)
    off = np.sqrt(((lab - model) ** 2).sum(axis=2))
    measures["apart"] = float(np.median(off[product]))
    rim = border(product)
    measures["cropped"] = float(rim.mean())
    if measures["cropped"] > 0.012 or int((rim[1:] & ~rim[:-1]).sum()) > 2:
        return Verdict(None, "the product is cut off by the photo's edge", measures)
    # A cut that leaked into the product leaves shreds: little is left when thin parts are taken.
    radius = max(1, round(0.06 * float(np.sqrt(product.sum()))))
    closed = ~opened(~product, radius)
    measures["solid"] = float(product.sum()) / float(closed.sum())
    measures["thick"] = float(opened(product, max(1, radius // 2)).sum()) / float(product.sum())
    contour = product & ~shrunk(product, 1)
    measures["bounded"] = float(grown(steep > 1.4 * edge, 2)[contour].mean())
    if measures["solid"] < 0.82 or measures["thick"] < 0.6:
        return Verdict(None, "the product cannot be told from the ground", measures)
    measures["bitten"] = _bitten(product, off)
    if measures["bitten"] > 0.03:
        return Verdict(None, "the product runs into the ground", measures)
    # A soft contour is a leak; the paler the product, the easier. The bold cut calls only a large
    # step a contour, and is compared with the careful one besides.
    firm = 0.85 if edge > 0.02 else 0.94 if measures["apart"] < 0.16 else 0.92
    if measures["bounded"] < firm or measures["apart"] < 0.095:
        return Verdict(None, "the product is too like the ground", measures)
    return Verdict(product, "", measures)


def _bitten(product: Mask, off: Floats) -> float:
    """How much was taken for shadow where none falls: high up, or between parts of the product."""
    rows, columns = np.flatnonzero(product.any(axis=1)), np.flatnonzero(product.any(axis=0))
    inside = np.zeros_like(product)
    inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    high = np.zeros_like(product)
    high[: rows[0] + round(0.55 * (rows[-1] - rows[0]))] = True
    above = np.maximum.accumulate(product, axis=0)
    below = np.maximum.accumulate(product[::-1], axis=0)[::-1]
    doubtful = inside & ~product & (off > 0.05) & (high | (above & below))
    doubtful = opened(doubtful, 2)
    return float(doubtful.sum()) / float(product.sum())


def contour_judged(
    product: Mask, lab: Floats, model: Floats, shade: Mask, measures: dict[str, float]
) -> Verdict:
    """Keep the settled contour only where it lies on edges and holds no piece of the ground.

    `shade` has the ground's tint; `measures` brings `doubt`, the contour's share on no edge.
    """
    measures["teeth"] = roughness(product)
    measures["patch"] = _patch(product, lab, model)
    measures["foot"] = _shadow_at_foot(product, lab, shade)
    if (
        measures["doubt"] > MOST_DOUBT
        or measures["teeth"] > MOST_TEETH
        or measures["patch"] > MOST_PATCH
        or measures["foot"] > MOST_FOOT
    ):
        return Verdict(None, "the product's contour cannot be told from its shadow", measures)
    return Verdict(product, "", measures)


def _patch(product: Mask, lab: Floats, model: Floats) -> float:
    """The share of the cut that looks like ground and lies open to it: a leaf of paper, a gap."""
    off = np.sqrt(((lab - model) ** 2).sum(axis=2))
    pale = product & (off < 0.07)
    open_ = reached(opened(pale, 2), grown(~product, 3))
    return float(open_.sum()) / float(product.sum())


def _shadow_at_foot(product: Mask, lab: Floats, shade: Mask) -> float:
    """The foot's share in contour that is shadow: of the ground's tint, paler than the product."""
    rows = np.flatnonzero(product.any(axis=1))
    if not len(rows):
        return 1.0
    low = product.copy()
    low[: rows[0] + round(0.8 * (rows[-1] - rows[0]))] = False
    paler = lab[..., 0] > float(np.median(lab[low, 0])) + 0.1
    shadow = opened(low & shade & paler & grown(~product, 5), 1)
    contour = low & ~shrunk(product, 1)
    return float(grown(shadow, 2)[contour].mean()) if contour.any() else 0.0
