"""The way of light through clear parts: bent, mirrored inside, coloured by the way it went."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.studio.light import room
from tests.studio.march import Scene, nearest
from tests.studio.materials import Part
from tests.studio.vectors import Array, Field, dot, ramp, unit

Lit = Callable[[Scene, Part, Array, Array, int], Array]  # the light of an opaque part


def through(scene: Scene, point: Array, ray: Array, lit: Lit) -> Array:
    """The light seen at points on glass; `lit` answers for the opaque parts met behind it."""
    parts = scene.glass_parts
    skin = _skin(scene)
    out = np.zeros_like(point)
    carry = np.ones_like(point)
    origin, ray = point.copy(), ray.copy()
    at = np.arange(point.shape[1])
    inside = np.zeros(len(at), bool)
    for event in range(9):
        # every ray stands on a glass surface here
        owner = nearest(origin, parts)
        normal = np.zeros_like(origin)
        index = np.ones(len(at), np.float32)
        tint = np.ones_like(origin)
        for i, part in enumerate(parts):
            on = np.nonzero(owner == i)[0]
            assert part.glass is not None
            normal[:, on] = scene.normal(part, origin[:, on])
            index[on], tint[:, on] = part.glass.index, part.glass.tint
        normal = np.where(dot(normal, ray) > 0, -normal, normal)
        face = np.clip(-dot(normal, ray), 0, 1)
        eta = np.where(inside, index, 1 / index)
        k = 1 - eta * eta * (1 - face * face)
        total = k < 0
        base = ((1 - index) / (1 + index)) ** 2
        mirror = base + (1 - base) * (1 - np.where(inside, np.sqrt(np.maximum(k, 0)), face)) ** 5
        mirror = np.where(total, 1, mirror)
        bounce = unit(ray + 2 * face * normal)
        first = ~inside & (event < 3)
        if first.any():
            out[:, at[first]] += (
                carry[:, at[first]]
                * mirror[first]
                * room(bounce[:, first], 0.02, scene.product.spin)
            )
        carry[:, at] *= np.where(total, 1, 1 - mirror)
        bent = unit(eta * ray + (eta * face - np.sqrt(np.maximum(k, 0))) * normal)
        ray = np.where(total, bounce, bent)
        inside = inside ^ ~total
        side = np.where(total, 1, -1) * normal
        origin = origin + side * 0.004
        far = scene.walk(origin, ray, 0.0, skin, 70)
        gone = ~np.isfinite(far)
        way = np.where(gone, 0, far)
        carry[:, at] *= np.where(inside, tint**way, 1)
        free = np.nonzero(gone)[0]
        if len(free):
            out[:, at[free]] += carry[:, at[free]] * _behind(scene, origin[:, free], ray[:, free])
        origin = origin + ray * way
        stop = gone
        if scene.open_parts:
            near = ~gone & (scene.opaque(origin[0], origin[1], origin[2]) < 0.003)
            on = np.nonzero(near)[0]
            if len(on):
                owner = nearest(origin[:, on], scene.open_parts)
                for i, part in enumerate(scene.open_parts):
                    mine = on[owner == i]
                    if len(mine):
                        out[:, at[mine]] += carry[:, at[mine]] * lit(
                            scene, part, origin[:, mine], ray[:, mine], 0
                        )
            stop = gone | near
        keep = np.nonzero(~stop)[0]
        if not len(keep):
            return out
        at, origin, ray, inside = at[keep], origin[:, keep], ray[:, keep], inside[keep]
    out[:, at] += carry[:, at] * 0.55
    return out


def _skin(scene: Scene) -> Field:
    """The distance to the nearest surface, from inside the glass as well as from outside."""
    parts = scene.glass_parts

    def skin(x: Array, y: Array, z: Array) -> Array:
        distance = parts[0].shape(x, y, z)
        for part in parts[1:]:
            distance = np.minimum(distance, part.shape(x, y, z))
        distance = np.abs(distance)
        return np.minimum(distance, scene.opaque(x, y, z)) if scene.open_parts else distance

    return skin


def _behind(scene: Scene, origin: Array, ray: Array) -> Array:
    """What is seen by a ray that has left the glass for good."""
    out = _backdrop(scene, ray)
    down = np.where(ray[1] < -0.005, -origin[1] / np.minimum(ray[1], -0.005), np.inf)
    fall = down.astype(np.float32)
    on = np.nonzero((fall > 0) & (fall < 14))[0]
    if len(on):
        point = origin[:, on] + ray[:, on] * fall[on]
        point[1] = 0
        edge = 1 - 0.85 * ramp(2.2, 5.5, np.abs(point[0])) * ramp(14, 4, fall[on])
        near = np.clip(scene.solid(point[0], point[1], point[2]) / 0.5, 0, 1)
        out[:, on] = (0.62 + 0.38 * near) * edge
    return out


def _backdrop(scene: Scene, ray: Array) -> Array:
    """A bright field straight behind, dark flags at the sides that draw the edges of glass."""
    light = 0.10 + 0.90 * ramp(0.50, 0.94, -ray[2])
    light = np.maximum(light, room(ray, 0.1, scene.product.spin)[0] * 0.55 * ramp(0.2, 0.6, ray[1]))
    return np.stack([light] * 3)
