"""What stands between a point and the light: shadows, closed corners, the darkened ground."""

from __future__ import annotations

import numpy as np

from tests.studio.light import LAMPS
from tests.studio.march import Scene
from tests.studio.vectors import Array, Field, hypot, ramp


def lamp_seen(scene: Scene, point: Array, lamp: int, start: float, shape: Field) -> Array:
    """How much of a soft box is seen from each point, 0 to 1."""
    to, size = scene.toward[lamp], LAMPS[lamp].size
    _, leave = scene.span(point, np.broadcast_to(to, point.shape), 0.5)
    seen = np.ones(point.shape[1], np.float32)
    at = np.nonzero(leave > 0)[0]
    point, end = point[:, at], leave[at]
    way = np.full(len(at), start, np.float32)
    low = np.ones(len(at), np.float32)
    for _ in range(34):
        if not len(at):
            break
        gap = shape(point[0] + to[0] * way, point[1] + to[1] * way, point[2] + to[2] * way)
        low = np.minimum(low, gap / (size * way))
        way = way + np.clip(gap * 0.8, 0.022, 0.25)
        go = (low > -1) & (way < end)
        seen[at[~go]] = low[~go]
        at, way, end, point, low = at[go], way[go], end[go], point[:, go], low[go]
    seen[at] = low
    seen = np.clip(seen, -1, 1)
    return 0.25 * (1 + seen) ** 2 * (2 - seen)


def open_sky(point: Array, normal: Array, shape: Field, reach: float = 0.5) -> Array:
    """Ambient occlusion: 1 in the open, towards 0 in corners."""
    blocked = np.zeros(point.shape[1], np.float32)
    share = 0.34
    for i in range(1, 6):
        way = reach * (i / 5) ** 1.6
        gap = shape(
            point[0] + normal[0] * way, point[1] + normal[1] * way, point[2] + normal[2] * way
        )
        blocked += np.clip((way - gap) / way, 0, 1.2) * share
        share *= 0.72
    return np.clip(1 - blocked, 0, 1)


def table(scene: Scene, point: Array) -> Array:
    """How dark the ground is: 0 in the open, towards 1 where the product takes the light."""
    up = np.zeros_like(point)
    up[1] = 1
    light = np.zeros(point.shape[1], np.float32)
    for i, weight in enumerate((0.36, 0.16, 0.24)):
        light += weight * lamp_seen(scene, point, i, 0.01, scene.solid)
    light += 0.24 * open_sky(point, up, scene.solid, 0.9)
    beyond = np.maximum(np.maximum(scene.low - point, point - scene.high), 0)
    fade = ramp(1.5, 0.0, hypot(beyond[0], beyond[2]))
    return (1 - np.clip(light, 0, 1)) ** 1.5 * fade * scene.product.shade


def table_far(scene: Scene, point: Array) -> Array:
    """The ground as other things reflect it: nearness alone."""
    near = np.clip(scene.solid(point[0], point[1], point[2]) / 0.7, 0, 1)
    return np.float32(0.40) + 0.50 * np.stack([near] * 3)
