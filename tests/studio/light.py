"""The three soft boxes and the room around the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.studio.vectors import Array, direction, dot, mix, ramp, turn, unit


@dataclass
class Lamp:
    """A soft box: where it stands, how bright it is, half sizes as tangents of their angles."""

    toward: Array
    power: float
    size: float  # tangent of the angle it fills: how soft its shadows are
    wide: float
    tall: float


KEY = Lamp(direction(-0.72, 0.72, 0.50), 1.00, 0.34, 0.52, 0.72)
FILL = Lamp(direction(0.88, 0.42, 0.45), 0.42, 0.60, 0.22, 0.85)
TOP = Lamp(direction(0.10, 1.00, -0.25), 0.55, 0.50, 0.75, 0.45)
LAMPS = (KEY, FILL, TOP)


def around(toward: Array, degrees: float) -> Array:
    """Directions turned about the upright axis."""
    x, z = turn(toward[0], toward[2], degrees)
    return np.stack([x, toward[1] + 0 * x, z])


def room(ray: Array, rough: float | Array, spin: float) -> Array:
    """The studio in the direction of `ray`: soft boxes in a dim room, a lit backdrop and table."""
    ray = around(ray, -spin)
    dim = 0.26 + 0.55 * ramp(-0.1, 0.9, -ray[2]) + 0.10 * ramp(0.2, 1.0, ray[1])
    light = mix(dim, np.full_like(dim, 0.86), ramp(0.04, -0.12, ray[1]))
    blur = 0.05 + 0.9 * np.asarray(rough, np.float32) ** 1.5
    for lamp, power in zip(LAMPS, (2.3, 1.5, 1.5), strict=True):
        to = lamp.toward
        side = unit(np.stack([to[2], 0 * to[0], -to[0]]))
        up = np.cross(to.T, side.T).T
        ahead = dot(ray, to)
        safe = np.maximum(ahead, 0.05)
        u, v = dot(ray, side) / safe, dot(ray, up) / safe
        glow = ahead > 0.05
        for place, half in ((u, lamp.wide), (v, lamp.tall)):
            glow = glow * (ramp(-1, 1, (place + half) / blur) - ramp(-1, 1, (place - half) / blur))
        light = light + power * glow
    return np.stack([light, light, light * 1.005]).astype(np.float32)
