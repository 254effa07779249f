"""The light that leaves a surface towards the camera: diffuse, mirrored, or through glass."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from tests.studio.glass import through
from tests.studio.light import LAMPS, room
from tests.studio.march import Scene, nearest
from tests.studio.materials import Part
from tests.studio.shadow import lamp_seen, open_sky, table_far
from tests.studio.vectors import Array, dot, mix, unit


def surface(scene: Scene, point: Array, ray: Array, depth: int) -> Array:
    """The light from points on any part; `depth` 1 is what another surface reflects."""
    out = np.zeros_like(point)
    owner = nearest(point, scene.product.parts)
    for i, part in enumerate(scene.product.parts):
        on = np.nonzero(owner == i)[0]
        if not len(on):
            continue
        if part.glass is None:
            out[:, on] = lit(scene, part, point[:, on], ray[:, on], depth)
        elif depth == 0:
            out[:, on] = through(scene, point[:, on], ray[:, on], lit)
        else:
            out[:, on] = part.glass.tint**0.5 * 0.6
    return out


def lit(scene: Scene, part: Part, point: Array, ray: Array, depth: int) -> Array:
    """The light that leaves points of one opaque part towards a viewer who looks along `ray`."""
    assert part.look is not None
    normal = scene.normal(part, point)
    normal = np.where(dot(normal, ray) > 0, unit(normal - ray * dot(normal, ray) * 1.02), normal)
    look = part.look(point, normal)
    rough = np.asarray(look.rough, np.float32)
    face = np.clip(-dot(normal, ray), 0, 1)
    shape = scene.opaque if scene.open_parts else scene.solid
    sky = open_sky(point + normal * 0.002, normal, shape)
    lift = point + normal * 0.004
    light = np.zeros(point.shape[1], np.float32)
    for i, lamp in enumerate(LAMPS):
        facing = dot(normal, scene.toward[i])
        wrap = 0.12 + look.glow * 0.45
        strength = np.clip((facing + wrap) / (1 + wrap), 0, 1)
        if depth == 0:
            seen = np.ones_like(strength)
            on = np.nonzero(strength > 0.004)[0]
            seen[on] = lamp_seen(scene, lift[:, on], i, 0.012, shape)
            seen = seen + (1 - seen) * look.glow * 0.5
        else:
            seen = 0.35 + 0.65 * sky
        light += lamp.power * strength * seen
    ambient = (
        0.24
        + 0.12 * normal[1]
        + 0.10 * np.clip(-normal[2], 0, 1)
        + 0.16 * np.clip(-normal[1], 0, 1)
    )
    light = light * 0.72 + ambient * sky * 1.15
    light = light + 0.30 * look.fuzz * (1 - face) ** 2.5 * sky
    # light that bounces between walls of one colour keeps that colour
    deep = look.color ** (1 + 0.45 * (1 - sky))
    diffuse = deep * light * (1 - np.asarray(look.metal, np.float32))

    bounce = ray + 2 * face * normal
    base = np.asarray(look.shine, np.float32) + 0 * face
    grazing = base + (np.maximum(1 - rough, base) - base) * (1 - face) ** 5
    tint = mix(
        np.stack([grazing] * 3),
        look.color * (0.6 + 0.4 * grazing + 0.4),
        np.asarray(look.metal),
    )
    seen = room(bounce, rough, scene.product.spin)
    clear = np.clip(sky * 1.25 - 0.1, 0, 1)
    if depth == 0 and part.mirror:
        seen = reflected(scene, lift, unit(bounce), seen)
        clear = 0.35 + 0.65 * clear
    return diffuse + tint * seen * clear


def reflected(scene: Scene, origin: Array, ray: Array, sky: Array) -> Array:
    """What mirrored rays meet: the product itself, the ground, or else the `sky` given."""
    out = sky.copy()
    down = ray[1] < -0.01
    fall = np.where(down, origin[1] / np.maximum(-ray[1], 0.01), np.inf).astype(np.float32)
    far = scene.walk(origin, ray, 0.01, scene.solid, 50)
    hit = far < fall
    ground = np.nonzero(down & ~hit)[0]
    if len(ground):
        point = origin[:, ground] + ray[:, ground] * np.minimum(fall[ground], 30)
        point[1] = 0
        fade = np.clip(1.4 - fall[ground] / 9, 0, 1)
        out[:, ground] = mix(out[:, ground], table_far(scene, point), fade)
    on = np.nonzero(hit)[0]
    if len(on):
        point = origin[:, on] + ray[:, on] * far[on]
        out[:, on] = surface(scene, point, ray[:, on], 1)
    return out
