"""A function of two coordinates kept on a grid."""

from __future__ import annotations

import numpy as np

from tests.studio.vectors import Array


class Sheet:
    """A function of two coordinates on a grid, read with bilinear interpolation."""

    def __init__(self, values: Array, u0: float, v0: float, cell: float) -> None:
        self.flat = np.ascontiguousarray(values, np.float32).ravel()
        self.height, self.width = values.shape
        self.u0, self.v0, self.cell = u0, v0, cell

    def read(self, u: Array, v: Array) -> tuple[Array, Array]:
        """The value at the nearest place on the sheet, and the squared way to that place."""
        gu, gv = (u - self.u0) * (1 / self.cell), (v - self.v0) * (1 / self.cell)
        cu, cv = np.clip(gu, 0, self.width - 1.001), np.clip(gv, 0, self.height - 1.001)
        fu, fv = np.floor(cu), np.floor(cv)
        k = (fv * self.width + fu).astype(np.intp)
        fu, fv = cu - fu, cv - fv
        low = self.flat.take(k)
        low += (self.flat.take(k + 1) - low) * fu
        k += self.width
        high = self.flat.take(k)
        high += (self.flat.take(k + 1) - high) * fu
        gu -= cu
        gv -= cv
        return low + (high - low) * fv, (gu * gu + gv * gv) * (self.cell * self.cell)

    def distance(self, u: Array, v: Array) -> Array:
        """The value as a distance: beyond the sheet a bound that never overshoots."""
        value, way = self.read(u, v)
        return np.where(way > 0, np.sqrt(value * value + way), value)
