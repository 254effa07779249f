"""Where the camera stands, the rays through its picture, and how it frames the product."""

from __future__ import annotations

import math

import numpy as np

from tests.studio.march import Scene
from tests.studio.vectors import Array, unit

Frame = tuple[float, float, float]  # the middle of the picture and half its longer side


def rays(scene: Scene, u: Array, v: Array, frame: Frame) -> tuple[Array, Array]:
    """Origins and directions for places in the picture, -1 to 1 along its longer side."""
    middle = (scene.low + scene.high) / 2
    reach = float(np.sqrt(((scene.high - scene.low) ** 2).sum())) / 2
    away = reach / math.tan(math.radians(scene.product.lens))
    tilt = math.radians(scene.product.tilt)
    ahead = np.array([[0], [-math.sin(tilt)], [-math.cos(tilt)]], np.float32)
    up = np.array([[0], [math.cos(tilt)], [-math.sin(tilt)]], np.float32)
    right = np.array([[1], [0], [0]], np.float32)
    eye = middle - ahead * np.float32(away)
    across, upward = (frame[0] + u * frame[2]) * reach, (frame[1] + v * frame[2]) * reach
    ray = unit((ahead * np.float32(away) + right * across + up * upward).astype(np.float32))
    return np.repeat(eye, len(u), 1).astype(np.float32), ray


def framed(scene: Scene, wide: float, tall: float) -> Frame:
    """The frame that shows the product at the wanted fill; the sides are shares of the longer."""
    found = (0.0, 0.0, 1.15)
    size = 200
    for _ in range(2):
        grid = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
        u, v = (values.ravel() for values in np.meshgrid(grid, -grid))
        origin, ray = rays(scene, u, v, found)
        hit = np.isfinite(scene.walk(origin, ray, 0.0, scene.solid, 60))
        u, v = found[0] + u[hit] * found[2], found[1] + v[hit] * found[2]
        middle = (float(u.min() + u.max()) / 2, float(v.min() + v.max()) / 2)
        need = max(float(u.max() - u.min()) / wide, float(v.max() - v.min()) / tall) / 2
        found = (*middle, need * 1.06)
    half = found[2] / 1.06 / scene.product.fill
    return found[0], found[1] - half * tall * 0.012, half
