"""Noise, clouds and specks in space: the same place always has the same value."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.studio.vectors import Array, ramp, turn

# a block of 64 x 64 x 64 random numbers that repeats in all directions
_DICE = np.random.Generator(np.random.PCG64(7)).random(64**3).astype(np.float32)


def noise(x: Array, y: Array, z: Array) -> Array:
    """Smooth noise from 0 to 1 with features of about one unit."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    ix, iy, iz = (f.astype(np.int32) for f in (fx, fy, fz))
    sx, sy, sz = (q * q * (3 - 2 * q) for q in (x - fx, y - fy, z - fz))
    x0, x1 = ix & 63, (ix + 1) & 63
    y0, y1 = (iy & 63) << 6, ((iy + 1) & 63) << 6
    z0, z1 = (iz & 63) << 12, ((iz + 1) & 63) << 12

    def row(yy: NDArray[np.int32], zz: NDArray[np.int32]) -> Array:
        base = yy + zz
        first = _DICE.take(base + x0)
        return first + (_DICE.take(base + x1) - first) * sx

    near = row(y0, z0)
    near += (row(y1, z0) - near) * sy
    far = row(y0, z1)
    far += (row(y1, z1) - far) * sy
    return near + (far - near) * sz


def cloud(x: Array, y: Array, z: Array, scale: float, octaves: int = 3) -> Array:
    """Noise in several sizes; each is turned against the last, so that no lattice shows."""
    total = np.zeros_like(x)
    share = 0.5
    for _ in range(octaves):
        x, y = turn(x, y, 37)
        y, z = turn(y, z, 53)
        total += noise(x * scale + 11.3, y * scale + 5.1, z * scale + 3.7) * share
        scale, share = scale * 2.03, share / 2
    return total


def specks(x: Array, y: Array, z: Array, scale: float, often: float) -> Array:
    """1 on round spots, else 0; `scale` cells a unit, of which the share `often` has one."""
    x, y = turn(x * scale, y * scale, 31)
    y, z = turn(y, z * scale, 47)
    cells = [np.floor(q) for q in (x, y, z)]
    kx, ky, kz = (cell.astype(np.int32) & 63 for cell in cells)
    k = kx + (ky << 6) + (kz << 12)
    there = _DICE.take(k) < often
    size = 0.08 + 0.22 * _DICE.take(k ^ 0x15555) ** 2
    way = np.zeros_like(x)
    for q, cell, salt in zip((x, y, z), cells, (0x2AAAA, 0x0F0F0, 0x33333), strict=True):
        way += (q - cell - 0.32 - 0.36 * _DICE.take(k ^ salt)) ** 2
    return ramp(size + 0.04, size - 0.04, np.sqrt(way)) * there
