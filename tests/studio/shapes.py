"""Signed distance fields: bodies from a wheel, bent rods, blocks, and how they are joined."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.studio.sheet import Sheet
from tests.studio.vectors import Array, Field, hypot


def join(a: Array, b: Array, soft: float) -> Array:
    """The union of two distances, melted into each other over `soft`."""
    h = np.maximum(soft - np.abs(a - b), 0) / soft
    return np.minimum(a, b) - h * h * (soft / 4)


def carve(a: Array, b: Array, soft: float) -> Array:
    """`a` without `b`, with a rounded edge."""
    return -join(-a, b, soft)


def spline(path: str, steps: int = 10) -> NDArray[np.float64]:
    """A Catmull-Rom curve through `x,y x,y` with a corner at each slash."""
    runs = [
        [[float(q) for q in spot.split(",")] for spot in run.split()] for run in path.split("/")
    ]
    out = []
    for number, run in enumerate(runs):
        spots = [runs[number - 1][-1], *run] if number else run
        knots = np.array([spots[0], *spots, spots[-1]], float)
        for i in range(1, len(knots) - 2):
            a, b, c, d = knots[i - 1 : i + 3]
            s = np.linspace(0, 1, steps, endpoint=False)[:, None]
            out.append(
                0.5
                * (
                    2 * b
                    + (c - a) * s
                    + (2 * a - 5 * b + 4 * c - d) * s**2
                    + (3 * b - a - 3 * c + d) * s**3
                )
            )
        out.append(knots[-1:])
    return np.concatenate(out)


def lathe(path: str, soft: int = 3, cells: int = 360) -> Field:
    """The body that an outline of radius,height gives on a wheel; `soft` rounds its edges."""
    curve = spline(f"{path} / {path.split(maxsplit=1)[0]}")
    low, high = curve.min(0) - 0.1, curve.max(0) + 0.1
    low[0] = -0.05
    cell = float((high - low).max() / cells)
    u = np.arange(low[0], high[0] + cell, cell)[None, :]
    v = np.arange(low[1], high[1] + cell, cell)[:, None]
    u, v = np.broadcast_arrays(np.abs(u), v)
    away = np.sqrt(_to_segments(curve, u, v)[0])
    inside = np.zeros(u.shape, bool)
    for (r0, y0), (r1, y1) in zip(curve, np.roll(curve, -1, 0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > v) != (y1 > v)) & (u < (r1 - r0) * (v - y0) / (y1 - y0) + r0)
    values = _soften(np.where(inside, -away, away), soft)
    sheet = Sheet(values.astype(np.float32), float(low[0]), float(low[1]), cell)
    return lambda x, y, z: sheet.distance(hypot(x, z), y)


def tube(path: str, flat: float = 1.0, cells: int = 240) -> Field:
    """A bent rod in the plane z = 0 through x,y,radius; `flat` above 1 thins it across that."""
    curve = spline(path)
    low, high = curve[:, :2].min(0) - 0.25, curve[:, :2].max(0) + 0.25
    cell = float((high - low).max() / cells)
    u = np.arange(low[0], high[0] + cell, cell)[None, :]
    v = np.arange(low[1], high[1] + cell, cell)[:, None]
    u, v = np.broadcast_arrays(u, v)
    squared, which, along = _to_segments(curve, u, v)
    thick = (
        curve[which, 2]
        + (curve[np.minimum(which + 1, len(curve) - 1), 2] - curve[which, 2]) * along
    )
    place = (float(low[0]), float(low[1]), cell)
    way = Sheet(np.sqrt(squared).astype(np.float32), *place)
    radius = Sheet(_soften(thick, 4).astype(np.float32), *place)

    def rod(x: Array, y: Array, z: Array) -> Array:
        return (hypot(way.distance(x, y), z * flat) - radius.read(x, y)[0]) * (1 / flat)

    return rod


def box(x: Array, y: Array, z: Array, a: float, b: float, c: float, edge: float) -> Array:
    """A block of half sizes a, b, c with rounded edges."""
    qx, qy, qz = np.abs(x) - (a - edge), np.abs(y) - (b - edge), np.abs(z) - (c - edge)
    px, py, pz = np.maximum(qx, 0), np.maximum(qy, 0), np.maximum(qz, 0)
    return (
        np.sqrt(px * px + py * py + pz * pz)
        + np.minimum(np.maximum(qx, np.maximum(qy, qz)), 0)
        - edge
    )


def rod(
    x: Array, y: Array, z: Array, a: Sequence[float], b: Sequence[float], r0: float, r1: float
) -> Array:
    """A straight leg from `a` to `b`, tapered from radius r0 to r1, with round ends."""
    along = [q - p for p, q in zip(a, b, strict=True)]
    size = sum(q * q for q in along)
    px, py, pz = x - a[0], y - a[1], z - a[2]
    share = np.clip((px * along[0] + py * along[1] + pz * along[2]) * (1 / size), 0, 1)
    px, py, pz = px - share * along[0], py - share * along[1], pz - share * along[2]
    return np.sqrt(px * px + py * py + pz * pz) - (r0 + (r1 - r0) * share)


def _to_segments(
    curve: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Squared distance to the nearest piece of a curve, which piece, and where along it."""
    best = np.full(u.shape, 1e9)
    which = np.zeros(u.shape, int)
    along = np.zeros(u.shape)
    for i in range(len(curve) - 1):
        a, b = curve[i, :2], curve[i + 1, :2]
        ab = b - a
        size = float(ab @ ab)
        if size < 1e-12 or (a[0] <= 0 and b[0] <= 0 and curve.shape[1] == 2):
            continue  # the closing edge on the axis of a turned shape is no surface
        s = np.clip(((u - a[0]) * ab[0] + (v - a[1]) * ab[1]) / size, 0, 1)
        d = (u - a[0] - ab[0] * s) ** 2 + (v - a[1] - ab[1] * s) ** 2
        near = d < best
        best[near], which[near], along[near] = d[near], i, s[near]
    return best, which, along


def _soften(values: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    for _ in range(times):
        for axis in (0, 1):
            pad = np.pad(values, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            before, after = (pad[:-2], pad[2:]) if axis == 0 else (pad[:, :-2], pad[:, 2:])
            values = (before + 2 * values + after) / 4
    return values
