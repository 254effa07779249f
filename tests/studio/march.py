"""A product on the table, and the walk of a ray until it meets a surface."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.studio.light import LAMPS, around
from tests.studio.materials import Part, Product
from tests.studio.vectors import Array, Field, unit

TOUCH = 0.0006  # closer than this is a hit


class Scene:
    """One product under the lamps: its parts as one distance field, and rays through it."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.low = np.array(product.low, np.float32)[:, None]
        self.high = np.array(product.high, np.float32)[:, None]
        self.toward = [around(lamp.toward, product.spin) for lamp in LAMPS]
        self.open_parts = [part for part in product.parts if part.glass is None]
        self.glass_parts = [part for part in product.parts if part.glass is not None]

    def solid(self, x: Array, y: Array, z: Array) -> Array:
        """The distance to the nearest part of the product."""
        distance = self.product.parts[0].shape(x, y, z)
        for part in self.product.parts[1:]:
            distance = np.minimum(distance, part.shape(x, y, z))
        return distance

    def opaque(self, x: Array, y: Array, z: Array) -> Array:
        """The distance to the nearest part that is no glass; 9 where there is none nearer."""
        distance = np.full_like(x, 9.0)
        for part in self.open_parts:
            distance = np.minimum(distance, part.shape(x, y, z))
        return distance

    def span(self, origin: Array, ray: Array, grow: float) -> tuple[Array, Array]:
        """Where rays enter and leave the product's box, grown on all sides."""
        safe = np.where(np.abs(ray) < 1e-6, np.float32(1e-6), ray)
        one, other = (self.low - grow - origin) / safe, (self.high + grow - origin) / safe
        return np.maximum(np.minimum(one, other).max(0), 0), np.maximum(one, other).min(0)

    def walk(
        self, origin: Array, ray: Array, start: float, shape: Field, steps: int = 110
    ) -> Array:
        """How far each ray goes until it meets the shape; infinite where it does not."""
        enter, leave = self.span(origin, ray, 0.02)
        far = np.full(origin.shape[1], np.inf, np.float32)
        at = np.nonzero(leave > enter)[0]
        way, end = np.maximum(enter, start)[at], leave[at]
        origin, ray = origin[:, at], ray[:, at]
        pace = np.float32(self.product.pace)
        for step in range(steps):
            if not len(at):
                break
            gap = shape(
                origin[0] + ray[0] * way, origin[1] + ray[1] * way, origin[2] + ray[2] * way
            )
            hit = gap < TOUCH * (1 + step * 0.03)
            if step == steps - 1:
                hit |= gap < 0.012
            far[at[hit]] = way[hit]
            way = way + gap * pace
            go = ~hit & (way < end)
            at, way, end, origin, ray = at[go], way[go], end[go], origin[:, go], ray[:, go]
        return far

    def normal(self, part: Part, point: Array) -> Array:
        """The direction in which the part's surface looks, its bumps included."""
        fine = np.float32(part.fine)

        def height(x: Array, y: Array, z: Array) -> Array:
            distance = part.shape(x, y, z)
            return distance - part.bump(x, y, z) if part.bump else distance

        normal = np.zeros_like(point)
        for sx, sy, sz in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            h = height(point[0] + sx * fine, point[1] + sy * fine, point[2] + sz * fine)
            normal += np.stack([sx * h, sy * h, sz * h])
        return unit(normal)


def nearest(point: Array, parts: list[Part]) -> NDArray[np.int64]:
    """Which of the parts each point lies on."""
    return np.argmin(np.stack([part.shape(point[0], point[1], point[2]) for part in parts]), 0)
