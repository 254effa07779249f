"""Lamp, vase, cushion and stool."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from tests.studio.materials import Look, Part, Product, even, ink
from tests.studio.patterns import cloud, noise
from tests.studio.shapes import join, lathe, rod, tube
from tests.studio.vectors import Array, hypot, mix, ramp, turn


def lamp() -> Product:
    """A mustard steel shade on a bent brass stem."""
    foot = lathe("0,0 0.5,0 / 0.52,0.02 0.52,0.07 0.5,0.095 0.46,0.1 0,0.105")
    stem = tube(
        "-0.3,0.05,0.032 -0.3,0.7,0.032 -0.3,1.45,0.032 -0.24,1.78,0.032 -0.02,2.02,0.032 "
        "0.28,2.06,0.032 0.46,1.95,0.032",
        cells=520,
    )
    dome = lathe(
        "0,0.3 0.14,0.29 0.3,0.2 0.42,0.04 0.5,-0.22 / 0.475,-0.22 / 0.395,0.03 0.28,0.17 "
        "0.13,0.255 0,0.265",
        soft=1,
    )
    cap = lathe("0,0.24 0.11,0.24 / 0.105,0.36 0.08,0.4 0,0.41")
    bulb = lathe("0,-0.14 0.1,-0.11 0.14,-0.02 0.1,0.08 0.07,0.2 0,0.22")
    angle = 22.0

    def head(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        x, z = turn(x, z, angle)
        x, y = turn(x - 0.60, y - 1.72, 22)
        return x, y, z

    def collar(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        distance = join(
            stem(x, y, z), rod(x, y, z, (-0.30, 0.09, 0), (-0.30, 0.16, 0), 0.06, 0.05), 0.03
        )
        knob = rod(x, y, z, (0.18, 0.14, 0.20), (0.18, 0.10, 0.20), 0.05, 0.05)
        x, y = turn(x - 0.60, y - 1.72, 22)
        return np.minimum(np.minimum(distance, knob), cap(x, y, z))

    def base(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        return foot(x + 0.16, y, z)

    paint = ink("#D99A1C")

    def shade_look(point: Array, normal: Array) -> Look:
        x, _, z = head(point[0], point[1], point[2])
        nx, nz = turn(normal[0], normal[2], angle)
        nx, _ = turn(nx, normal[1], 22)
        white = ramp(0.0, 0.1, -(x * nx + z * nz))
        return Look(mix(paint, ink("#F3EEE2"), white), rough=0.32, shine=0.045)

    brass = even("#C99B4E", rough=0.22, metal=1.0)
    return Product(
        "lamp",
        [
            Part(base, even("#C98D18", rough=0.34, shine=0.045)),
            Part(collar, brass),
            Part(lambda x, y, z: dome(*head(x, y, z)), shade_look),
            Part(lambda x, y, z: bulb(*head(x, y, z)), even("#FFF6DF", rough=0.3, glow=0.9)),
        ],
        (-0.75, 0, -0.85),
        (1.18, 2.2, 0.85),
        tilt=7,
        ratio=(4, 5),
        fill=0.84,
        lens=8,
    )


def vase() -> Product:
    """Matte blush bisque with upright ribs; cut out, so that it carries its own transparency."""
    body = lathe(
        "0,0 0.34,0 / 0.4,0.04 0.56,0.3 0.66,0.66 0.66,1.02 0.54,1.42 0.34,1.72 0.27,1.9 "
        "0.29,2.08 0.37,2.22 / 0.325,2.22 / 0.245,2.07 0.22,1.9 0.23,1.7 0.2,1.5 0,1.4",
        soft=2,
        cells=420,
    )

    def rib(x: Array, y: Array, z: Array) -> Array:
        a = np.arctan2(z, x) * 14
        wave = np.abs(np.sin(a))
        return (1 - wave) * ramp(0.02, 0.22, y) * ramp(1.86, 1.45, y)

    def shape(x: Array, y: Array, z: Array) -> Array:
        return body(x, y, z) + 0.045 * rib(x, y, z)

    def look(point: Array, normal: Array) -> Look:
        grain = cloud(point[0], point[1], point[2], 22)
        color = mix(ink("#C98271"), ink("#D9988A"), grain)
        color = color * (1 - 0.30 * rib(point[0], point[1], point[2]) ** 3)
        inner = (normal[0] * point[0] + normal[2] * point[2] < 0) & (point[1] > 1.5)
        deep = ramp(2.2, 1.7, point[1]) * inner
        return Look(color * (1 - 0.6 * deep), rough=0.85, shine=0.02, fuzz=0.25)

    def bump(x: Array, y: Array, z: Array) -> Array:
        return 0.0016 * noise(x * 60, y * 60, z * 60)

    return Product(
        "vase",
        [Part(shape, look, bump, mirror=False)],
        (-0.68, 0, -0.68),
        (0.68, 2.24, 0.68),
        tilt=13,
        ratio=(4, 5),
        fill=0.84,
        suffix="png",
        longest=1000,
        pace=0.75,
    )


def cushion() -> Product:
    """Knitted moss green wool, standing and leaning back a little."""
    wide, tall = 1.0, 0.98
    pitch = 0.062

    def loose(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        x, z = turn(x, z, 16)
        y, z = turn(y - tall * 0.955, z, 14)
        return x, y, z

    def shape(x: Array, y: Array, z: Array) -> Array:
        x, y, z = loose(x, y, z)
        u, v = np.abs(x), np.abs(y)
        # sides draw in between the corners
        pu, pv = u + 0.07 * (1 - np.minimum(v, 1) ** 2), v + 0.05 * (1 - np.minimum(u, 1) ** 2)
        out = np.maximum(pu - wide, pv - tall)
        a, b = np.clip(1 - (pu / wide) ** 2, 0, 1), np.clip(1 - (pv / tall) ** 2, 0, 1)
        belly = 0.46 * (a * b + 1e-6) ** 0.70
        crease = 0.012 * np.sin(9 * (u - v)) * ramp(0.75, 1.0, u) * ramp(0.75, 1.0, v)
        front = (np.abs(z) - belly - 0.012 - crease) * 0.55
        return np.where(
            out > 0, hypot(np.maximum(out, 0), np.maximum(np.abs(z) - 0.012, 0)) * 0.8, front
        )

    def stitch(x: Array, y: Array) -> tuple[Array, Array]:
        """Height of a knitted V from 0 to 1, and the number of its column."""
        column = x / pitch
        c = column - np.floor(column)
        lean = np.abs(c - 0.5) * 1.25
        row = y / (pitch * 0.86) - lean
        r = row - np.floor(row)
        yarn = np.sqrt(np.clip(1 - ((r - 0.5) / 0.52) ** 2, 0, 1))
        leg = np.clip(1 - ((np.abs(c - 0.5) - 0.25) / 0.27) ** 2, 0, 1)
        return yarn * np.sqrt(leg), np.floor(column)

    def bump(x: Array, y: Array, z: Array) -> Array:
        x, y, z = loose(x, y, z)
        fibre = noise(x * 90, y * 90, z * 90)
        return 0.017 * stitch(x, y)[0] + 0.0025 * fibre

    def look(point: Array, normal: Array) -> Look:
        x, y, z = loose(point[0], point[1], point[2])
        height, _ = stitch(x, y)
        fibre = cloud(x, y, z, 30, 2)
        wool = mix(ink("#7E8862"), ink("#AEB68F"), ramp(0.15, 0.6, fibre))
        return Look(
            wool * (0.48 + 0.62 * height) * (0.9 + 0.25 * cloud(x, y, z, 3, 2)),
            rough=0.95,
            shine=0.01,
            fuzz=0.55,
        )

    return Product(
        "cushion",
        [Part(shape, look, bump, mirror=False, fine=0.005)],
        (-1.2, 0, -0.95),
        (1.2, 2.15, 0.95),
        tilt=6,
        fill=0.80,
        pace=0.85,
        quality=76,
        longest=1000,
    )


def stool() -> Product:
    """Oiled oak on four splayed legs; cut out, with daylight between the legs."""
    seat = lathe(
        "0,1.5 0.5,1.5 0.62,1.53 0.7,1.58 0.715,1.62 0.69,1.655 0.6,1.655 0.4,1.63 0,1.61", soft=3
    )
    angle = 27.0
    top, end = (0.36, 1.53, 0.36), (0.56, 0.0, 0.56)

    def legs(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        distance = rod(np.abs(x), y, np.abs(z), top, end, 0.075, 0.052)
        return np.maximum(distance, -y)

    def rungs(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        a = rod(np.abs(x), y, np.abs(z), (0.0, 0.52, 0.487), (0.487, 0.52, 0.487), 0.043, 0.030)
        b = rod(np.abs(x), y, np.abs(z), (0.467, 0.66, 0.0), (0.467, 0.66, 0.467), 0.043, 0.030)
        return np.minimum(a, b)

    def grain(along: Array, a: Array, b: Array) -> Look:
        wave = 0.35 * cloud(along * 0.5, a, b, 1.6)
        ring = 0.5 + 0.5 * np.sin((hypot(a + 0.9, b + 0.35) + wave) * 62)
        pore = ramp(0.60, 0.80, noise(along * 3.2, a * 70, b * 70))
        streak = cloud(along * 0.10, a, b, 11)
        color = mix(ink("#C69A62"), ink("#E0BB84"), 0.25 * ring + 0.9 * streak)
        return Look(color * (1 - 0.30 * pore), rough=0.45, shine=0.035)

    def seat_look(point: Array, normal: Array) -> Look:
        x, z = turn(point[0], point[2], angle + 20)
        plank = np.floor(z / 0.36 + 0.5)
        seam = ramp(0.010, 0.003, np.abs(z / 0.36 + 0.5 - np.round(z / 0.36 + 0.5)) * 0.36)
        look = grain(x + plank * 3.1, z + plank * 0.77, point[1] + plank * 0.4)
        look.color = look.color * (0.96 + 0.05 * plank) * (1 - 0.35 * seam)
        return look

    def leg_look(point: Array, normal: Array) -> Look:
        x, z = turn(point[0], point[2], angle)
        return grain(
            point[1] + np.sign(x) * 2 + np.sign(z) * 5,
            np.abs(x) * 0.8 + 0.2 * point[1],
            np.abs(z) * 0.8,
        )

    def rung_look(point: Array, normal: Array) -> Look:
        x, z = turn(point[0], point[2], angle)
        lower = point[1] < 0.59
        return grain(np.where(lower, x, z), point[1], np.where(lower, z, x))

    return Product(
        "stool",
        [
            Part(seat, seat_look, mirror=False),
            Part(legs, leg_look, mirror=False),
            Part(rungs, rung_look, mirror=False),
        ],
        (-0.85, 0, -0.85),
        (0.85, 1.68, 0.85),
        tilt=17,
        ratio=(1, 1),
        fill=0.84,
        suffix="png",
        longest=1000,
    )
