"""Mug, teapot, bottle, bowls and pan."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import numpy as np

from tests.studio.materials import Glass, Look, Part, Product, even, ink
from tests.studio.patterns import cloud, specks
from tests.studio.shapes import box, carve, join, lathe, rod, tube
from tests.studio.vectors import Array, hypot, mix, ramp, turn


def mug() -> Product:
    """Stoneware, a blue reactive glaze over a raw clay foot."""
    body = lathe(
        "0,0.03 0.44,0.03 / 0.47,0 0.53,0 0.6,0.05 0.645,0.2 0.665,0.55 0.66,0.95 0.645,1.28 "
        "0.632,1.315 0.61,1.315 0.595,1.28 0.6,0.9 0.6,0.5 0.57,0.2 0.45,0.1 0,0.08",
        soft=2,
    )
    ear = tube(
        "0.56,1.08,0.085 0.74,1.12,0.082 0.95,1.06,0.075 1.06,0.86,0.072 1.04,0.62,0.072 "
        "0.9,0.4,0.075 0.72,0.29,0.085 0.56,0.27,0.09",
        flat=0.78,
    )

    def shape(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, -28)
        handle = np.maximum(ear(x, y, z), 0.615 - hypot(x, z))
        return join(body(x, y, z), handle, 0.07)

    def look(point: Array, normal: Array) -> Look:
        x, z = turn(point[0], point[2], -28)
        y = point[1]
        clay = mix(ink("#B98F68"), ink("#D3AE86"), cloud(x, y, z, 9))
        flow = cloud(x, y * 0.45, z, 5)
        glaze = mix(ink("#2F5F7E"), ink("#4F87A3"), ramp(0.25, 0.65, flow))
        pale = ramp(1.05, 1.33, y + 0.10 * (flow - 0.45))
        glaze = mix(glaze, ink("#A9B9B4"), pale * 0.75)
        spots = specks(x, y, z, 20, 0.35) * ramp(0.25, 0.5, cloud(x, y, z, 6))
        glaze = mix(glaze, ink("#3A2A20"), spots * 0.85)
        line = 0.27 + 0.05 * (cloud(x, y * 0.2, z, 3) - 0.45)
        bare = ramp(line + 0.012, line - 0.012, y) * (hypot(x, z) > 0.55) + 0.0
        halo = ramp(0.05, 0.0, np.abs(y - line - 0.03)) * (1 - bare)
        glaze = mix(glaze, ink("#8A6A4E"), halo * 0.6)
        return Look(
            mix(glaze, clay, bare), rough=0.12 + 0.6 * bare, shine=0.05 * (1 - bare) + 0.015
        )

    def bump(x: Array, y: Array, z: Array) -> Array:
        return 0.0035 * cloud(x, y, z, 8, 2) + 0.0006 * np.sin(y * 48 + 5 * cloud(x, y, z, 2, 1))

    return Product("mug", [Part(shape, look, bump)], (-0.9, 0, -0.95), (1.15, 1.36, 0.95), tilt=19)


def teapot() -> Product:
    """Red enamel on steel with a black rim, knob and handle tip."""
    pot = lathe(
        "0,0 0.62,0 / 0.72,0.06 0.86,0.28 0.9,0.55 0.82,0.86 0.62,1.1 0.5,1.18 0.47,1.25 / "
        "0.43,1.25 / 0.43,1.1 0,1.1",
        soft=3,
    )
    cap = lathe(
        "0,1.22 0.42,1.22 / 0.475,1.265 0.465,1.3 0.36,1.36 0.2,1.43 0.07,1.47 0,1.47",
        soft=2,
    )
    knob = lathe("0,1.42 0.06,1.42 0.06,1.5 0.1,1.55 0.125,1.62 0.1,1.69 0.05,1.715 0,1.72")
    spout = tube("0.7,0.42,0.2 0.98,0.5,0.155 1.16,0.74,0.115 1.26,1,0.09 1.38,1.19,0.08")
    ear = tube(
        "-0.68,1,0.07 -0.95,1.09,0.06 -1.2,1.02,0.056 -1.28,0.78,0.056 -1.18,0.52,0.056 "
        "-0.98,0.36,0.06 -0.8,0.3,0.07",
        flat=0.7,
    )
    angle = 24.0

    def body(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        distance = join(pot(x, y, z), np.maximum(spout(x, y, z), 0.45 - hypot(x, z)), 0.10)
        distance = carve(
            distance, rod(x, y, z, (1.30, 1.06, 0), (1.50, 1.36, 0), 0.055, 0.07), 0.02
        )
        distance = np.maximum(distance, (x - 1.36) * 0.45 + (y - 1.19) * 0.89)
        return join(distance, ear(x, y, z), 0.06)

    def look(point: Array, normal: Array) -> Look:
        x, z = turn(point[0], point[2], angle)
        y = point[1]
        red = mix(ink("#B3221E"), ink("#C62B22"), cloud(x, y, z, 3))
        rim = ramp(1.20, 1.225, y) * ramp(0.60, 0.55, hypot(x, z))
        lip = ramp(-0.045, -0.025, (x - 1.36) * 0.45 + (y - 1.19) * 0.89) * (x > 1.1)
        foot = ramp(0.045, 0.03, y)
        hole = ramp(0.062, 0.05, rod(x, y, z, (1.30, 1.06, 0), (1.50, 1.36, 0), 0.0, 0.0)) * (
            x > 1.2
        )
        dark = np.maximum(np.maximum(rim, lip), np.maximum(foot, hole))
        return Look(mix(red, ink("#1B1B1D"), dark), rough=0.06, shine=0.055)

    def bump(x: Array, y: Array, z: Array) -> Array:
        return 0.002 * cloud(x, y, z, 4, 2)

    def lid_look(point: Array, normal: Array) -> Look:
        edge = ramp(0.425, 0.445, hypot(point[0], point[2]))
        return Look(mix(ink("#BC2620"), ink("#1B1B1D"), edge), rough=0.06, shine=0.055)

    return Product(
        "teapot",
        [
            Part(body, look, bump, fine=0.010),
            Part(cap, lid_look, bump),
            Part(knob, even("#1D1D1F", rough=0.15, shine=0.05)),
        ],
        (-1.3, 0, -1.0),
        (1.42, 1.74, 1.0),
        tilt=15,
        ratio=(6, 5),
        fill=0.84,
        pace=0.9,
    )


def bottle() -> Product:
    """Sea green glass with a ground glass stopper; a portrait that is stored lying on its side."""
    jar = lathe(
        "0,0.05 0.3,0.02 0.38,0 / 0.46,0.03 0.5,0.12 / 0.5,1.15 0.47,1.36 0.34,1.56 0.215,1.7 "
        "0.18,1.84 0.18,2.02 / 0.235,2.04 0.245,2.09 0.225,2.13 / 0.15,2.13 0.135,2.1 "
        "0.13,1.85 0.165,1.7 0.3,1.53 0.43,1.35 0.455,1.15 / 0.455,0.22 0.43,0.15 0.3,0.13 "
        "0,0.16",
        soft=2,
        cells=460,
    )
    plug = lathe(
        "0,1.93 0.09,1.93 0.105,1.96 0.115,2.14 / 0.09,2.19 0.1,2.24 0.2,2.33 0.235,2.45 "
        "0.2,2.57 0.1,2.645 0,2.66",
        soft=2,
    )
    green = np.array([[0.52], [0.83], [0.74]], np.float32) ** 1.6
    return Product(
        "bottle",
        [
            Part(jar, glass=Glass(green**2.2)),
            Part(plug, glass=Glass(green**1.2)),
        ],
        (-0.52, 0, -0.52),
        (0.52, 2.68, 0.52),
        tilt=7,
        ratio=(4, 5),
        fill=0.84,
        shade=0.55,
        cast=ink("#8CD8C0"),
        exif=6,
    )


def bowls() -> Product:
    """Four nested bowls, from sea blue to sand."""
    form = lathe(
        "0,0.03 0.36,0.03 / 0.38,0 0.43,0 0.45,0.06 / 0.72,0.16 0.93,0.34 1.02,0.56 1.03,0.6 "
        "1.01,0.615 0.985,0.6 0.89,0.37 0.7,0.21 0.42,0.11 0,0.09",
        soft=2,
    )
    glazes = [
        ("#20506B", "#2E6A86"),
        ("#4E8F95", "#62A3A6"),
        ("#A9C4B4", "#BCD3C2"),
        ("#E4D5B7", "#EFE3CA"),
    ]
    steps = [
        (0.0, 0.0, 0.0, 1.0),
        (0.006, 0.165, -0.004, 0.985),
        (-0.006, 0.33, 0.004, 0.97),
        (0.004, 0.495, 0.0, 0.955),
    ]
    parts = []
    for i, ((one, two), (dx, dy, dz, size)) in enumerate(zip(glazes, steps, strict=True)):

        def shape(
            x: Array,
            y: Array,
            z: Array,
            dx: float = dx,
            dy: float = dy,
            dz: float = dz,
            size: float = size,
        ) -> Array:
            return form((x - dx) / size, (y - dy) / size, (z - dz) / size) * size

        def look(
            point: Array, normal: Array, one: str = one, two: str = two, dy: float = dy, i: int = i
        ) -> Look:
            x, y, z = point
            color = mix(ink(one), ink(two), ramp(0.25, 0.65, cloud(x, y + i, z, 3.5)))
            spots = specks(x, y + i, z, 17, 0.30)
            color = mix(color, ink("#4A3A2C"), spots * 0.7)
            rim = ramp(0.585, 0.612, y - dy) * (hypot(x, z) > 0.9)
            return Look(mix(color, ink("#A9825A"), rim * 0.8), rough=0.16, shine=0.05)

        parts.append(Part(shape, look, lambda x, y, z: 0.002 * cloud(x, y, z, 6, 2)))
    return Product(
        "bowls", parts, (-1.05, 0, -1.05), (1.05, 1.1, 1.05), tilt=21, ratio=(6, 5), fill=0.82
    )


def pan() -> Product:
    """A cast iron skillet: two pouring lips, a long handle with an eye, a short one across."""
    dish = lathe(
        "0,0 0.8,0 / 0.86,0.05 0.96,0.28 0.985,0.36 0.975,0.385 0.945,0.385 0.92,0.35 "
        "0.84,0.11 0.78,0.075 0,0.07",
        soft=3,
    )
    angle = 32.0

    def shape(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        # the handle is drawn seen from above: height and depth change places
        lift = 0.30 + 0.10 * np.clip(x - 0.9, 0, 1)
        flat = rodlike(x, z, y - lift)
        eye = hypot(x - 1.80, z) - 0.052
        flat = carve(flat, eye, 0.03)
        ear = box(x + 1.02, y - 0.32, z, 0.14, 0.035, 0.20, 0.034)
        distance = join(dish(x, y, z), np.maximum(join(flat, ear, 0.02), 0.90 - hypot(x, z)), 0.05)
        lip = hypot(np.abs(z) - 1.06, y - 0.44)
        return carve(distance, hypot(lip, x * 0.9) - 0.16, 0.05)

    outline = tube("0.86,0,0.16 1.02,0,0.085 1.3,0,0.07 1.6,0,0.088 1.8,0,0.112")

    def rodlike(x: Array, z: Array, height: Array) -> Array:
        side = outline(x, z, np.zeros_like(x))
        qa, qb = side + 0.02, np.abs(height) - 0.018
        return (
            np.minimum(np.maximum(qa, qb), 0) + hypot(np.maximum(qa, 0), np.maximum(qb, 0)) - 0.02
        )

    def bump(x: Array, y: Array, z: Array) -> Array:
        return 0.0045 * cloud(x, y, z, 34, 2)

    def look(point: Array, normal: Array) -> Look:
        patch = cloud(point[0], point[1], point[2], 4)
        return Look(mix(ink("#1F1F21"), ink("#2B2B2C"), patch), rough=0.42, shine=0.09)

    return Product(
        "pan",
        [Part(shape, look, bump)],
        (-1.25, 0, -1.15),
        (1.85, 0.5, 1.35),
        tilt=36,
        ratio=(4, 3),
        fill=0.84,
        pace=0.85,
    )
