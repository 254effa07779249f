"""Where exactly a product ends: a smooth contour along the picture's edges.

Between what is surely product and what is surely ground each pixel asks its neighbours, the more
so the more alike they are: a random walk that starts there and meets the product first makes it
product (L. Grady, Random Walks for Image Segmentation, https://doi.org/10.1109/TPAMI.2006.233).
So the contour lies on the strongest edge, and where there is none it goes on smoothly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from flows.drawing.colour import Bytes, Floats, oklab
from flows.drawing.region import Mask, grown, reached, shrunk

FINE = 1200  # pixels of the longer edge that a contour is drawn at
_TINT = 3.0  # a shadow changes the lightness and keeps the tint, so a step in tint weighs more
_STEP = 0.02  # the step between two pixels (OKLab) that begins to part them
_ROUNDS = 120
_PIECES = 12
_CRUMB = 0.04  # of the area: a detached piece below this is none of the product


def settled(lab: Floats, careful: Mask, bold: Mask, shade: Mask) -> tuple[Mask, float]:
    """The product between two rough masks, and how much of its contour lies on no edge (0 to 1).

    `shade` is what may be shadow by its looks: low down it is left to the walk.
    """
    both = careful | bold
    rows = np.flatnonzero(both.any(axis=1))
    low = np.zeros_like(both)
    low[rows[0] + round(0.55 * (rows[-1] - rows[0])) :] = True
    soft = both & shade & low
    soft = reached(soft, grown(~both, 2) & soft)
    sure = _heart(bold, 3) & ~grown(soft, 3)
    likely = walked(lab, sure, _heart(~both, 3), bold.astype(np.float32))
    product = likely > 0.5
    product = _whole(product)
    contour = product & ~shrunk(product, 1)
    if not contour.any():
        return product, 1.0
    # On an edge the likelihood leaps from pixel to pixel; where it fades, the contour is a guess.
    grey = Image.fromarray(np.rint(likely * 255).astype(np.uint8))
    most = np.asarray(grey.filter(ImageFilter.MaxFilter(5)), dtype=np.float32)
    least = np.asarray(grey.filter(ImageFilter.MinFilter(5)), dtype=np.float32)
    return product, float((most - least < 255 * 0.4)[contour].mean())


def roughness(product: Mask) -> float:
    """How much longer the contour is than that of the same shape with its teeth taken, less 1."""
    shape = Image.fromarray(product.astype(np.uint8) * np.uint8(255))
    lengths = []
    for radius in (1.0, 4.0):
        soft = np.asarray(shape.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255
        fall, along = soft[1:, 1:] - soft[:-1, 1:], soft[1:, 1:] - soft[1:, :-1]
        lengths.append(float(np.sqrt(fall * fall + along * along).sum()))
    return lengths[0] / max(lengths[1], 1.0) - 1


def _whole(product: Mask) -> Mask:
    """Its bodies with what hangs firmly on them: no crumbs, no small detached pieces."""
    out, left, area = np.zeros_like(product), shrunk(product, 2), float(product.sum())
    for _ in range(_PIECES):
        if not left.any():
            break
        first = np.zeros_like(left)
        first.flat[int(left.argmax())] = True
        piece = reached(product, first)
        left &= ~piece
        if float(piece.sum()) > _CRUMB * area:
            out |= piece
    return out if out.any() else product


def _heart(mask: Mask, radius: int) -> Mask:
    """Shrunk by `radius`; of what is too thin for that, its middle."""
    out = shrunk(mask, radius)
    for less in range(radius - 1, -1, -1):
        out = out | shrunk(mask, less) & ~grown(out, radius + 1)
    return out


def walked(lab: Floats, product: Mask, ground: Mask, guess: Floats) -> Floats:
    """The likelihood of product at each pixel: 1 and 0 where it is known, settled between.

    Conjugate gradients, with the diagonal for preconditioner, over the unknown pixels only.
    """
    value = guess.astype(np.float32).copy()
    value[product], value[ground] = 1, 0
    open_ = ~(product | ground)
    open_[0], open_[-1], open_[:, 0], open_[:, -1] = False, False, False, False
    at = np.flatnonzero(open_)
    if not len(at):
        return value
    width = lab.shape[1]
    seen = (lab * np.array([1, _TINT, _TINT], dtype=np.float32)).reshape(-1, 3)
    here = seen[at]
    slot = np.full(lab.shape[0] * width, len(at), dtype=np.intp)
    slot[at] = np.arange(len(at))
    flat = value.ravel()
    beside, weights = [], []
    known = np.zeros(len(at), dtype=np.float32)
    for step in (-width, width, -1, 1):
        apart = ((seen[at + step] - here) ** 2).sum(axis=1)
        weight = 1 / (1 + apart / _STEP**2) ** 2 + np.float32(1e-5)
        inside = slot[at + step] < len(at)
        known += np.where(inside, 0, weight * flat[at + step])
        beside.append(slot[at + step])
        weights.append(weight)
    whole = np.asarray(sum(weights), dtype=np.float32)
    found = _solved(whole, weights, beside, known, flat[at])
    value[open_] = np.clip(found, 0, 1)
    return value


def _solved(
    whole: Floats,
    weights: list[Floats],
    beside: list[NDArray[np.intp]],
    known: Floats,
    guess: Floats,
) -> Floats:
    """Each value times its `whole` weight, less its neighbours by theirs, is what is `known`."""

    def applied(x: Floats) -> Floats:
        padded = np.append(x, np.float32(0))
        out = whole * x
        for weight, near in zip(weights, beside, strict=True):
            out -= weight * padded[near]
        return out

    x = guess.copy()
    left = known - applied(x)
    eased = left / whole
    way = eased.copy()
    size = float((left * eased).sum())
    for _ in range(_ROUNDS):
        if size < 1e-9 * len(x):
            break
        turned = applied(way)
        length = size / max(float((way * turned).sum()), 1e-30)
        x += np.float32(length) * way
        left -= np.float32(length) * turned
        eased = left / whole
        before, size = size, float((left * eased).sum())
        way = eased + np.float32(size / max(before, 1e-30)) * way
    return x


def refined(photo: Image.Image, mask: Mask) -> Bytes:
    """A small mask redrawn along the edges of the photo: 0 to 255, at most `FINE` pixels long."""
    scale = min(1.0, FINE / max(photo.size))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    pixels = np.asarray(photo.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    start = _resized(mask, size)
    inner, outer = _resized(_heart(mask, 2), size) > 0.99, _resized(_heart(~mask, 2), size) > 0.99
    near = grown(~(inner | outer), 1)
    lab = np.zeros(pixels.shape, dtype=np.float32)
    lab[near] = oklab(pixels[near])
    likely = walked(lab, inner, outer, start)
    return _smoothed(likely > 0.5, 0.65 * max(1.0, size[0] / mask.shape[1]) + 0.15)


def _smoothed(mask: Mask, radius: float) -> Bytes:
    """The mask without its teeth: blurred, then stepped over about two pixels."""
    stencil = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    soft = np.asarray(stencil.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255
    # The blurred edge rises by 0.4 / radius a pixel. Half a pixel further in, no ground is left.
    steep = max(1.5, radius / 0.4 / 1.8)
    return np.rint(np.clip((soft - 0.5) * steep + 0.25, 0, 1) * 255).astype(np.uint8)


def _resized(mask: Mask, size: tuple[int, int]) -> Floats:
    picture = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
    grey = picture.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(grey, dtype=np.float32) / np.float32(255)
