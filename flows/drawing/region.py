"""Regions of a small mask: what is reached from where, grown, shrunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def reached(passable: Mask, start: Mask) -> Mask:
    """Every passable pixel that a path of passable pixels joins to `start` (four neighbours)."""
    rows = _runs(passable)
    columns = _runs(passable.T)
    filled = passable & start
    while True:
        before = int(filled.sum())
        filled = _fill(filled, rows) & passable
        filled = (_fill(filled.T, columns) & passable.T).T
        if int(filled.sum()) == before:
            return filled


def largest_share(mask: Mask) -> float:
    """How much of the mask its largest piece holds, 0 to 1."""
    left, most, whole = mask.copy(), 0, int(mask.sum())
    while (rest := int(left.sum())) > most:
        first = np.zeros_like(left)
        first.flat[int(left.argmax())] = True
        piece = reached(left, first)
        most = max(most, int(piece.sum()))
        left &= ~piece
        if int(left.sum()) == rest:
            break
    return most / whole if whole else 0.0


def _runs(passable: Mask) -> NDArray[np.int64]:
    """A number for each unbroken stretch of a row; a new row begins a new stretch."""
    turns = np.ones(passable.shape, dtype=np.int64)
    turns[:, 1:] = passable[:, 1:] != passable[:, :-1]
    return np.asarray(turns.ravel().cumsum() - 1)


def _fill(filled: Mask, runs: NDArray[np.int64]) -> Mask:
    """A stretch with one filled pixel is filled whole."""
    hit = np.zeros(int(runs[-1]) + 1, dtype=np.bool_)
    hit[runs[filled.ravel()]] = True
    return hit[runs].reshape(filled.shape)


def grown(mask: Mask, radius: int) -> Mask:
    """Grown by `radius` pixels on every side (a square)."""
    if radius <= 0:
        return mask
    return _spread(_spread(mask, radius).T, radius).T


def shrunk(mask: Mask, radius: int) -> Mask:
    """Shrunk by `radius` pixels on every side (a square); the picture's edge does not shrink it."""
    return ~grown(~mask, radius)


def _spread(mask: Mask, radius: int) -> Mask:
    """Along the rows: is anything set within `radius`? By running sums, so any radius costs one."""
    padded = np.pad(mask, ((0, 0), (radius + 1, radius)))
    sums = padded.cumsum(axis=1, dtype=np.int32)
    return np.asarray(sums[:, 2 * radius + 1 :] > sums[:, : -2 * radius - 1])


def opened(mask: Mask, radius: int) -> Mask:
    """Without what is thinner than twice the radius."""
    return grown(shrunk(mask, radius), radius)


def border(values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of the picture's edge, once around."""
    return np.concatenate([values[0], values[1:-1, -1], values[-1, ::-1], values[-2:0:-1, 0]])
