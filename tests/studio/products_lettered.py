"""Soap, clock and candle: the three that carry print."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import ImageDraw, ImageFont

from tests.studio.lettering import drawn, letters, stars
from tests.studio.materials import Glass, Look, Part, Product, even, ink
from tests.studio.patterns import cloud, noise, specks
from tests.studio.shapes import box, lathe, rod
from tests.studio.vectors import Array, hypot, mix, ramp, turn


def soap() -> Product:
    """Two lavender bars, one leaning on the other, each stamped with a sun in a ring."""

    def stamp(draw: ImageDraw.ImageDraw) -> None:
        draw.ellipse((300, 50, 700, 450), outline=255, width=15)
        draw.polygon(stars(500, 250, 165, 16, 0.62), fill=255)
        draw.ellipse((425, 175, 575, 325), fill=0)
        draw.ellipse((447, 197, 553, 303), fill=255)
        letters(draw, 165, 225, "LAVEN", 56, 8)
        letters(draw, 165, 305, "DER", 56, 8)
        letters(draw, 835, 225, "100", 60, 8)
        letters(draw, 835, 305, "g", 60, 4)

    seal = drawn(1000, 500, stamp, 4.0)

    def bar(x: Array, y: Array, z: Array) -> Array:
        distance = box(x, y, z, 0.80, 0.24, 0.50, 0.13)
        swell = 0.03 * np.clip(1 - (x / 0.8) ** 2, 0, 1) * np.clip(1 - (z / 0.5) ** 2, 0, 1)
        mark = seal.read(x * 1.42, -z * 1.42)[0] * (
            (np.abs(x) < 0.68) & (np.abs(z) < 0.34) & (y > 0)
        )
        return distance - swell + 0.026 * mark

    def lower(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        x, z = turn(x, z, 12)
        return x + 0.06, y - 0.25, z - 0.46

    def upper(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        x, z = turn(x, z, -14)
        y, z = turn(y - 0.52, z + 0.36, 52)
        return x, y, z

    def tone(
        one: str, two: str, place: Callable[[Array, Array, Array], tuple[Array, Array, Array]]
    ) -> Callable[[Array, Array], Look]:
        def look(point: Array, normal: Array) -> Look:
            x, y, z = place(point[0], point[1], point[2])
            color = mix(ink(one), ink(two), ramp(0.3, 0.6, cloud(x, y, z, 3.5)))
            bud = specks(x, y, z, 15, 0.30)
            return Look(mix(color, ink("#6B5A86"), bud * 0.75), rough=0.45, shine=0.035, glow=0.45)

        return look

    def bump(x: Array, y: Array, z: Array) -> Array:
        return 0.003 * cloud(x, y, z, 9, 2)

    return Product(
        "soap",
        [
            Part(
                lambda x, y, z: bar(*lower(x, y, z)),
                tone("#A99FC0", "#BDB4D0", lower),
                bump,
                mirror=False,
            ),
            Part(
                lambda x, y, z: bar(*upper(x, y, z)),
                tone("#A99FC0", "#BDB4D0", upper),
                bump,
                mirror=False,
            ),
        ],
        (-1.1, 0, -1.3),
        (1.1, 1.35, 1.2),
        tilt=33,
        ratio=(5, 4),
        fill=0.80,
        pace=0.85,
    )


def clock() -> Product:
    """A walnut wall clock: it lies on the ground, which is its wall, and is seen from above."""

    def face(draw: ImageDraw.ImageDraw) -> None:
        for i in range(60):
            a = math.radians(i * 6)
            reach, width = (0.80, 13) if i % 5 == 0 else (0.875, 5)
            ends = [
                (700 + 700 * q * math.sin(a), 700 - 700 * q * math.cos(a)) for q in (reach, 0.92)
            ]
            draw.line(ends, fill=255, width=width)
        font = ImageFont.load_default(118)
        for hour in range(1, 13):
            a = math.radians(hour * 30)
            draw.text(
                (700 + 455 * math.sin(a), 700 - 455 * math.cos(a)),
                str(hour),
                fill=255,
                font=font,
                anchor="mm",
            )
        letters(draw, 700, 520, "HALDE", 44, 12)

    dial_print = drawn(1400, 1400, face, 0.8)
    ring = lathe(
        "0.9,0 1,0 / 1.02,0.05 1.02,0.15 0.99,0.2 0.94,0.21 0.9,0.18 0.885,0.1 0.885,0.02",
        soft=3,
    )
    plate = lathe("0,0.02 0.9,0.02 / 0.9,0.05 / 0,0.05", soft=1)
    pin = lathe("0,0.05 0.055,0.05 / 0.05,0.135 0,0.14", soft=1)

    def hand(
        x: Array,
        y: Array,
        z: Array,
        clockwise: float,
        long: float,
        tail: float,
        half: float,
        level: float,
    ) -> Array:
        x, z = turn(x, z, clockwise)
        taper = half * (1 - 0.35 * np.clip(-z / long, 0, 1))
        flat = np.maximum(np.abs(x) - taper, np.abs(y - level) - 0.008)
        return np.maximum(flat, np.abs(z + (long - tail) / 2) - (long + tail) / 2)

    def pointers(x: Array, y: Array, z: Array) -> Array:
        hours = hand(x, y, z, 304.0, 0.46, 0.10, 0.034, 0.085)
        return np.minimum(hours, hand(x, y, z, 48.0, 0.72, 0.12, 0.026, 0.105))

    def second(x: Array, y: Array, z: Array) -> Array:
        return np.minimum(hand(x, y, z, 198.0, 0.78, 0.20, 0.010, 0.123), pin(x, y, z))

    def dial(point: Array, normal: Array) -> Look:
        mark = dial_print.read(point[0] / 0.885, -point[2] / 0.885)[0]
        return Look(mix(ink("#F4EFE4"), ink("#22262B"), mark), rough=0.7, shine=0.03)

    def walnut(point: Array, normal: Array) -> Look:
        x, y, z = point
        streak = cloud(x * 0.16, y, z, 9)
        ringed = 0.5 + 0.5 * np.sin((z + 0.22 * cloud(x * 0.5, y, z, 1.4)) * 75)
        pore = ramp(0.62, 0.8, noise(x * 4, y * 80, z * 80))
        color = mix(ink("#5A3822"), ink("#8C6040"), 0.25 * ringed + 0.8 * streak) * (
            1 - 0.35 * pore
        )
        return Look(color, rough=0.35, shine=0.04)

    return Product(
        "clock",
        [
            Part(ring, walnut, mirror=False),
            Part(plate, dial, mirror=False),
            Part(pointers, even("#1E2226", rough=0.4), mirror=False, fine=0.002),
            Part(second, even("#C8442B", rough=0.4), mirror=False, fine=0.002),
        ],
        (-1.03, 0, -1.03),
        (1.03, 0.22, 1.03),
        tilt=88,
        fill=0.82,
        spin=150,
        quality=84,
        shade=0.9,
    )


def candle() -> Product:
    """Soy wax in an amber jar with a paper label."""
    jar = lathe(
        "0,0.05 0.5,0.03 0.56,0 / 0.64,0.02 0.68,0.1 / 0.68,1.4 0.675,1.44 0.66,1.455 "
        "0.64,1.44 0.635,1.4 / 0.635,0.18 0.6,0.11 0.5,0.09 0,0.1",
        soft=2,
        cells=420,
    )
    wax = lathe(
        "0,0.13 0.55,0.13 0.61,0.19 0.618,0.3 0.618,1.16 / 0.6,1.14 0.5,1.125 0,1.12", soft=2
    )

    def wick(x: Array, y: Array, z: Array) -> Array:
        return rod(x, y, z, (0, 1.1, 0), (0.015, 1.30, 0.0), 0.020, 0.016)

    def text(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((24, 24, 976, 776), outline=255, width=5)
        draw.rectangle((38, 38, 962, 762), outline=255, width=2)
        draw.polygon(stars(500, 190, 76, 12, 0.55), fill=255)
        draw.ellipse((462, 152, 538, 228), fill=0)
        letters(draw, 500, 420, "CEDAR", 140, 26)
        letters(draw, 500, 530, "& wild honey", 76, 5)
        draw.line((400, 585, 600, 585), fill=255, width=4)
        letters(draw, 500, 660, "SOY CANDLE · 220 g", 46, 7)

    paper = drawn(1000, 800, text, 0.7)
    half = 0.98  # radians the label reaches to each side

    def label(x: Array, y: Array, z: Array) -> Array:
        skin = np.abs(hypot(x, z) - 0.686) - 0.003
        side = (np.abs(np.arctan2(x - 0.0, z)) - half) * 0.68
        distance = np.maximum(np.maximum(skin, np.abs(y - 0.70) - 0.53), side)
        return np.maximum(distance, -z)

    def label_look(point: Array, normal: Array) -> Look:
        a = np.arctan2(point[0], point[2]) / half
        mark = paper.read(a, (point[1] - 0.70) / 0.53 * 0.8)[0]
        fibre = cloud(point[0], point[1], point[2], 30, 2)
        inner = ramp(0.688, 0.684, hypot(point[0], point[2]))
        color = mix(ink("#F1E8D6") * (0.94 + 0.08 * fibre), ink("#3A2A1E"), mark * (1 - inner))
        return Look(color, rough=0.85, shine=0.02)

    amber = np.array([[0.80], [0.50], [0.19]], np.float32)
    return Product(
        "candle",
        [
            Part(jar, glass=Glass(amber**14, 1.46)),
            Part(wax, even("#F6E9CB", rough=0.5, shine=0.03, glow=0.8), mirror=False),
            Part(wick, even("#E8DCC2", rough=0.9), mirror=False),
            Part(label, label_look, mirror=False, fine=0.002),
        ],
        (-0.70, 0, -0.70),
        (0.70, 1.47, 0.70),
        tilt=17,
        fill=0.80,
        shade=0.9,
        cast=ink("#C98A3C"),
    )
