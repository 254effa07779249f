"""Renders the twelve product photos of the demo catalogue into photos/.

A small studio in numpy: every product is a set of signed distance fields, walked along rays until
a surface is met, lit by three soft boxes on a white seamless ground. The same source gives the
same pictures.

    python render_photos.py                         all twelve, about four minutes on one core
    python render_photos.py --only mug --size 300   one of them, small, for a try
"""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # has to be said before numpy is loaded

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image, ImageDraw, ImageFilter, ImageFont  # noqa: E402

Array = NDArray[Any]  # float32 wherever there is one value a ray
Field = Callable[
    [Array, Array, Array], Array
]  # x, y, z to a distance; y is up, the ground is y = 0

BATCH = 24_000  # rays walked together: their arrays stay in the processor's cache
TOUCH = 0.0006  # closer than this is a hit


# --- numbers ------------------------------------------------------------------------------------


def ink(code: str) -> Array:
    """A colour written #RRGGBB as linear light, shape (3, 1)."""
    srgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)[:, None]


def ramp(low: float | Array, high: float | Array, value: Array) -> Array:
    """Smoothly from 0 at `low` to 1 at `high` (which may lie below `low`)."""
    s = np.clip((value - low) / (high - low), 0, 1)
    return s * s * (3 - 2 * s)


def mix(a: Array, b: Array, share: Array) -> Array:
    return a + (b - a) * share


def dot(a: Array, b: Array) -> Array:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(v: Array) -> Array:
    return v / np.sqrt(np.maximum(dot(v, v), 1e-12))


def direction(x: float, y: float, z: float) -> Array:
    return unit(np.array([[x], [y], [z]], np.float32))


def hypot(a: Array, b: Array) -> Array:
    return np.sqrt(a * a + b * b)


# --- shapes -------------------------------------------------------------------------------------


def join(a: Array, b: Array, soft: float) -> Array:
    """The union of two distances, melted into each other over `soft`."""
    h = np.maximum(soft - np.abs(a - b), 0) / soft
    return np.minimum(a, b) - h * h * (soft / 4)


def carve(a: Array, b: Array, soft: float) -> Array:
    """`a` without `b`, with a rounded edge."""
    return -join(-a, b, soft)


def spline(path: str, steps: int = 10) -> NDArray[np.float64]:
    """A Catmull-Rom curve through `x,y x,y` with a corner at each slash."""
    runs = [
        [[float(q) for q in spot.split(",")] for spot in run.split()] for run in path.split("/")
    ]
    out = []
    for i, run in enumerate(runs):
        start = runs[i - 1][-1] if i else run[0]
        run = [start, *run] if i else run
        p = np.array([run[0], *run, run[-1]], float)
        for i in range(1, len(p) - 2):
            a, b, c, d = p[i - 1 : i + 3]
            s = np.linspace(0, 1, steps, endpoint=False)[:, None]
            out.append(
                0.5
                * (
                    2 * b
                    + (c - a) * s
                    + (2 * a - 5 * b + 4 * c - d) * s**2
                    + (3 * b - a - 3 * c + d) * s**3
                )
            )
        out.append(p[-1:])
    return np.concatenate(out)


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


def _to_segments(
    curve: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Squared distance to the nearest piece of a curve, which piece, and where along it."""
    best = np.full(u.shape, 1e9)
    which = np.zeros(u.shape, int)
    along = np.zeros(u.shape)
    for i in range(len(curve) - 1):
        a, b = curve[i, :2], curve[i + 1, :2]
        ab = b - a
        size = float(ab @ ab)
        if size < 1e-12 or (a[0] <= 0 and b[0] <= 0 and curve.shape[1] == 2):
            continue  # the closing edge on the axis of a turned shape is no surface
        s = np.clip(((u - a[0]) * ab[0] + (v - a[1]) * ab[1]) / size, 0, 1)
        d = (u - a[0] - ab[0] * s) ** 2 + (v - a[1] - ab[1] * s) ** 2
        near = d < best
        best[near], which[near], along[near] = d[near], i, s[near]
    return best, which, along


def _soften(values: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    for _ in range(times):
        for axis in (0, 1):
            pad = np.pad(values, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
            before, after = (pad[:-2], pad[2:]) if axis == 0 else (pad[:, :-2], pad[:, 2:])
            values = (before + 2 * values + after) / 4
    return values


def lathe(path: str, soft: int = 3, cells: int = 360) -> Field:
    """The body that an outline of radius,height gives on a wheel; `soft` rounds its edges."""
    curve = spline(f"{path} / {path.split()[0]}")
    low, high = curve.min(0) - 0.1, curve.max(0) + 0.1
    low[0] = -0.05
    cell = float((high - low).max() / cells)
    u = np.arange(low[0], high[0] + cell, cell)[None, :]
    v = np.arange(low[1], high[1] + cell, cell)[:, None]
    u, v = np.broadcast_arrays(np.abs(u), v)
    away = np.sqrt(_to_segments(curve, u, v)[0])
    inside = np.zeros(u.shape, bool)
    for (r0, y0), (r1, y1) in zip(curve, np.roll(curve, -1, 0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > v) != (y1 > v)) & (u < (r1 - r0) * (v - y0) / (y1 - y0) + r0)
    values = _soften(np.where(inside, -away, away), soft)
    sheet = Sheet(values.astype(np.float32), float(low[0]), float(low[1]), cell)
    return lambda x, y, z: sheet.distance(hypot(x, z), y)


def tube(path: str, flat: float = 1.0, cells: int = 240) -> Field:
    """A bent rod in the plane z = 0 through x,y,radius; `flat` above 1 thins it across that."""
    curve = spline(path)
    low, high = curve[:, :2].min(0) - 0.25, curve[:, :2].max(0) + 0.25
    cell = float((high - low).max() / cells)
    u = np.arange(low[0], high[0] + cell, cell)[None, :]
    v = np.arange(low[1], high[1] + cell, cell)[:, None]
    u, v = np.broadcast_arrays(u, v)
    squared, which, along = _to_segments(curve, u, v)
    thick = (
        curve[which, 2]
        + (curve[np.minimum(which + 1, len(curve) - 1), 2] - curve[which, 2]) * along
    )
    place = (float(low[0]), float(low[1]), cell)
    way = Sheet(np.sqrt(squared).astype(np.float32), *place)
    radius = Sheet(_soften(thick, 4).astype(np.float32), *place)

    def rod(x: Array, y: Array, z: Array) -> Array:
        return (hypot(way.distance(x, y), z * flat) - radius.read(x, y)[0]) * (1 / flat)

    return rod


def box(x: Array, y: Array, z: Array, a: float, b: float, c: float, edge: float) -> Array:
    """A block of half sizes a, b, c with rounded edges."""
    qx, qy, qz = np.abs(x) - (a - edge), np.abs(y) - (b - edge), np.abs(z) - (c - edge)
    px, py, pz = np.maximum(qx, 0), np.maximum(qy, 0), np.maximum(qz, 0)
    return (
        np.sqrt(px * px + py * py + pz * pz)
        + np.minimum(np.maximum(qx, np.maximum(qy, qz)), 0)
        - edge
    )


def rod(
    x: Array, y: Array, z: Array, a: Sequence[float], b: Sequence[float], r0: float, r1: float
) -> Array:
    """A straight leg from `a` to `b`, tapered from radius r0 to r1, with round ends."""
    d = [q - p for p, q in zip(a, b, strict=True)]
    size = sum(q * q for q in d)
    px, py, pz = x - a[0], y - a[1], z - a[2]
    s = np.clip((px * d[0] + py * d[1] + pz * d[2]) * (1 / size), 0, 1)
    px, py, pz = px - s * d[0], py - s * d[1], pz - s * d[2]
    return np.sqrt(px * px + py * py + pz * pz) - (r0 + (r1 - r0) * s)


def turn(a: Array, b: Array, degrees: float) -> tuple[Array, Array]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return a * c + b * s, b * c - a * s


_DICE = np.random.Generator(np.random.PCG64(7)).random(64**3).astype(np.float32)


def noise(x: Array, y: Array, z: Array) -> Array:
    """Smooth noise from 0 to 1 with features of about one unit."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    ix, iy, iz = (f.astype(np.int32) for f in (fx, fy, fz))
    sx, sy, sz = (q * q * (3 - 2 * q) for q in (x - fx, y - fy, z - fz))
    x0, x1 = ix & 63, (ix + 1) & 63
    y0, y1 = (iy & 63) << 6, ((iy + 1) & 63) << 6
    z0, z1 = (iz & 63) << 12, ((iz + 1) & 63) << 12

    def row(yy: NDArray[np.int32], zz: NDArray[np.int32]) -> Array:
        base = yy + zz
        first = _DICE.take(base + x0)
        return first + (_DICE.take(base + x1) - first) * sx

    near = row(y0, z0)
    near += (row(y1, z0) - near) * sy
    far = row(y0, z1)
    far += (row(y1, z1) - far) * sy
    return near + (far - near) * sz


def cloud(x: Array, y: Array, z: Array, scale: float, octaves: int = 3) -> Array:
    """Noise in several sizes; each is turned against the last, so that no lattice shows."""
    total = np.zeros_like(x)
    share = 0.5
    for _ in range(octaves):
        x, y = turn(x, y, 37)
        y, z = turn(y, z, 53)
        total += noise(x * scale + 11.3, y * scale + 5.1, z * scale + 3.7) * share
        scale, share = scale * 2.03, share / 2
    return total


def specks(x: Array, y: Array, z: Array, scale: float, often: float) -> Array:
    """1 on round spots, else 0; `scale` cells a unit, of which the share `often` has one."""
    x, y = turn(x * scale, y * scale, 31)
    y, z = turn(y, z * scale, 47)
    cells = [np.floor(q) for q in (x, y, z)]
    kx, ky, kz = (c.astype(np.int32) & 63 for c in cells)
    k = kx + (ky << 6) + (kz << 12)
    there = _DICE.take(k) < often
    size = 0.08 + 0.22 * _DICE.take(k ^ 0x15555) ** 2
    way = np.zeros_like(x)
    for q, c, salt in zip((x, y, z), cells, (0x2AAAA, 0x0F0F0, 0x33333), strict=True):
        way += (q - c - 0.32 - 0.36 * _DICE.take(k ^ salt)) ** 2
    return ramp(size + 0.04, size - 0.04, np.sqrt(way)) * there


# --- materials ----------------------------------------------------------------------------------


@dataclass
class Look:
    """What a surface does with light. Colours are linear; arrays are per point."""

    color: Array
    rough: float | Array = 0.5
    shine: float | Array = (
        0.04  # reflection looking straight at it; metals reflect their colour instead
    )
    metal: float | Array = 0.0
    fuzz: float = 0.0  # light caught by fibres at grazing view
    glow: float = 0.0  # light that goes through: wax, soap


@dataclass
class Glass:
    tint: Array  # what is absorbed on one unit of way
    index: float = 1.48


@dataclass
class Part:
    shape: Field
    look: Callable[[Array, Array], Look] | None = None  # point, normal to look
    bump: Field | None = None  # height added to the surface where only the normal sees it
    glass: Glass | None = None
    mirror: bool = True  # reflects its surroundings by a second ray
    fine: float = 0.004  # over which way the normal is taken


@dataclass
class Product:
    name: str
    parts: list[Part]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    tilt: float = 16.0  # degrees the camera looks down
    ratio: tuple[int, int] = (1, 1)
    fill: float = 0.80
    lens: float = (
        9.0  # half field of view in degrees when the product fills the frame: small is a long lens
    )
    spin: float = 0.0  # degrees the lights are turned around the product
    shade: float = 1.0  # how deep the shadow on the ground is
    ground: Array = field(default_factory=lambda: ink("#FFFFFF"))
    cast: Array = field(default_factory=lambda: ink("#FFFFFF"))  # colour of the light in the shadow
    suffix: str = "jpg"
    quality: int = 88
    longest: int = 1200
    exif: int = 0
    pace: float = 1.0  # share of a distance that is safe to walk


# --- light --------------------------------------------------------------------------------------


@dataclass
class Lamp:
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
    x, z = turn(toward[0], toward[2], degrees)
    return np.stack([x, toward[1] + 0 * x, z])


def room(d: Array, rough: float | Array, spin: float) -> Array:
    """The studio in direction d: soft boxes in a dim room, a lit white backdrop and table."""
    d = around(d, -spin)
    dim = 0.26 + 0.55 * ramp(-0.1, 0.9, -d[2]) + 0.10 * ramp(0.2, 1.0, d[1])
    light = mix(dim, np.full_like(dim, 0.86), ramp(0.04, -0.12, d[1]))
    blur = 0.05 + 0.9 * np.asarray(rough, np.float32) ** 1.5
    for lamp, power in zip(LAMPS, (2.3, 1.5, 1.5), strict=True):
        to = lamp.toward
        side = unit(np.stack([to[2], 0 * to[0], -to[0]]))
        up = np.cross(to.T, side.T).T
        ahead = dot(d, to)
        safe = np.maximum(ahead, 0.05)
        u, v = dot(d, side) / safe, dot(d, up) / safe
        glow = ahead > 0.05
        for place, half in ((u, lamp.wide), (v, lamp.tall)):
            glow = glow * (ramp(-1, 1, (place + half) / blur) - ramp(-1, 1, (place - half) / blur))
        light = light + power * glow
    return np.stack([light, light, light * 1.005]).astype(np.float32)


# --- the camera's walk --------------------------------------------------------------------------


def contrast(values: Array) -> Array:
    """The largest difference within each pixel and its four neighbours."""
    pad = np.pad(values, 1, mode="edge")
    near = np.stack([pad[1:-1, 1:-1], pad[:-2, 1:-1], pad[2:, 1:-1], pad[1:-1, :-2], pad[1:-1, 2:]])
    return near.max(0) - near.min(0)


class Studio:
    """One product on the table."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.low = np.array(product.low, np.float32)[:, None]
        self.high = np.array(product.high, np.float32)[:, None]
        self.toward = [around(lamp.toward, product.spin) for lamp in LAMPS]
        self.open_parts = [p for p in product.parts if p.glass is None]
        self.glass_parts = [p for p in product.parts if p.glass is not None]

    def solid(self, x: Array, y: Array, z: Array) -> Array:
        d = self.product.parts[0].shape(x, y, z)
        for part in self.product.parts[1:]:
            d = np.minimum(d, part.shape(x, y, z))
        return d

    def opaque(self, x: Array, y: Array, z: Array) -> Array:
        d = np.full_like(x, 9.0)
        for part in self.open_parts:
            d = np.minimum(d, part.shape(x, y, z))
        return d

    def span(self, o: Array, d: Array, grow: float) -> tuple[Array, Array]:
        """Where rays enter and leave the product's box, grown on all sides."""
        safe = np.where(np.abs(d) < 1e-6, np.float32(1e-6), d)
        a, b = (self.low - grow - o) / safe, (self.high + grow - o) / safe
        return np.maximum(np.minimum(a, b).max(0), 0), np.maximum(a, b).min(0)

    def walk(self, o: Array, d: Array, start: float, shape: Field, steps: int = 110) -> Array:
        """How far each ray goes until it meets the shape; infinite where it does not."""
        enter, leave = self.span(o, d, 0.02)
        far = np.full(o.shape[1], np.inf, np.float32)
        at = np.nonzero(leave > enter)[0]
        t, end = np.maximum(enter, start)[at], leave[at]
        oo, dd = o[:, at], d[:, at]
        pace = np.float32(self.product.pace)
        for step in range(steps):
            if not len(at):
                break
            h = shape(oo[0] + dd[0] * t, oo[1] + dd[1] * t, oo[2] + dd[2] * t)
            hit = h < TOUCH * (1 + step * 0.03)
            if step == steps - 1:
                hit |= h < 0.012
            far[at[hit]] = t[hit]
            t = t + h * pace
            go = ~hit & (t < end)
            at, t, end, oo, dd = at[go], t[go], end[go], oo[:, go], dd[:, go]
        return far

    def normal(self, part: Part, p: Array) -> Array:
        e = np.float32(part.fine)

        def height(x: Array, y: Array, z: Array) -> Array:
            d = part.shape(x, y, z)
            return d - part.bump(x, y, z) if part.bump else d

        n = np.zeros_like(p)
        for sx, sy, sz in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
            h = height(p[0] + sx * e, p[1] + sy * e, p[2] + sz * e)
            n += np.stack([sx * h, sy * h, sz * h])
        return unit(n)

    def shadow(self, p: Array, lamp: int, start: float, shape: Field) -> Array:
        """How much of a soft box is seen from each point, 0 to 1."""
        to, size = self.toward[lamp], LAMPS[lamp].size
        _, leave = self.span(p, np.broadcast_to(to, p.shape), 0.5)
        seen = np.ones(p.shape[1], np.float32)
        at = np.nonzero(leave > 0)[0]
        pp, end = p[:, at], leave[at]
        t = np.full(len(at), start, np.float32)
        low = np.ones(len(at), np.float32)
        for _ in range(34):
            if not len(at):
                break
            h = shape(pp[0] + to[0] * t, pp[1] + to[1] * t, pp[2] + to[2] * t)
            low = np.minimum(low, h / (size * t))
            t = t + np.clip(h * 0.8, 0.022, 0.25)
            go = (low > -1) & (t < end)
            seen[at[~go]] = low[~go]
            at, t, end, pp, low = at[go], t[go], end[go], pp[:, go], low[go]
        seen[at] = low
        seen = np.clip(seen, -1, 1)
        return 0.25 * (1 + seen) ** 2 * (2 - seen)

    def open_sky(self, p: Array, n: Array, shape: Field, reach: float = 0.5) -> Array:
        """Ambient occlusion: 1 in the open, towards 0 in corners."""
        blocked = np.zeros(p.shape[1], np.float32)
        share = 0.34
        for i in range(1, 6):
            way = reach * (i / 5) ** 1.6
            h = shape(p[0] + n[0] * way, p[1] + n[1] * way, p[2] + n[2] * way)
            blocked += np.clip((way - h) / way, 0, 1.2) * share
            share *= 0.72
        return np.clip(1 - blocked, 0, 1)

    def table(self, p: Array) -> Array:
        """How dark the ground is: 0 in the open, towards 1 where the product takes the light."""
        up = np.zeros_like(p)
        up[1] = 1
        light = np.zeros(p.shape[1], np.float32)
        for i, weight in enumerate((0.36, 0.16, 0.24)):
            light += weight * self.shadow(p, i, 0.01, self.solid)
        light += 0.24 * self.open_sky(p, up, self.solid, 0.9)
        beyond = np.maximum(np.maximum(self.low - p, p - self.high), 0)
        fade = ramp(1.5, 0.0, hypot(beyond[0], beyond[2]))
        return (1 - np.clip(light, 0, 1)) ** 1.5 * fade * self.product.shade

    def ground_sheet(self, frame: tuple[float, float, float], longest: int) -> Sheet:
        """The darkness of the ground over the picture: soft, so a third of the pixels will do."""
        size = max(120, round(longest * 0.36))
        g = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
        u, v = (q.ravel() for q in np.meshgrid(g, g))
        dark = np.zeros(len(u), np.float32)
        for begin in range(0, len(u), BATCH):
            o, d = self.rays(u[begin : begin + BATCH], v[begin : begin + BATCH], frame)
            way = np.where(d[1] < -1e-4, -o[1] / np.minimum(d[1], -1e-4), 0)
            p = o + d * way
            p[1] = 0
            near = np.all((p > self.low - 1.5) & (p < self.high + 1.5), 0) & (way > 0)
            on = np.nonzero(near)[0]
            if len(on):
                dark[begin + on] = self.table(p[:, on])
        return Sheet(dark.reshape(size, size), -1 + 1 / size, -1 + 1 / size, 2 / size)

    def table_far(self, p: Array) -> Array:
        """The ground as other things reflect it: nearness alone."""
        near = np.clip(self.solid(p[0], p[1], p[2]) / 0.7, 0, 1)
        return np.float32(0.40) + 0.50 * np.stack([near] * 3)

    # -- surfaces

    def lit(self, part: Part, p: Array, d: Array, depth: int) -> Array:
        """The light that leaves surface points p towards a viewer who looks along d."""
        assert part.look is not None
        n = self.normal(part, p)
        n = np.where(dot(n, d) > 0, unit(n - d * dot(n, d) * 1.02), n)
        look = part.look(p, n)
        rough = np.asarray(look.rough, np.float32)
        face = np.clip(-dot(n, d), 0, 1)
        shape = self.opaque if self.open_parts else self.solid
        sky = self.open_sky(p + n * 0.002, n, shape)
        lift = p + n * 0.004
        light = np.zeros(p.shape[1], np.float32)
        for i, lamp in enumerate(LAMPS):
            facing = dot(n, self.toward[i])
            wrap = 0.12 + look.glow * 0.45
            strength = np.clip((facing + wrap) / (1 + wrap), 0, 1)
            if depth == 0:
                seen = np.ones_like(strength)
                on = np.nonzero(strength > 0.004)[0]
                seen[on] = self.shadow(lift[:, on], i, 0.012, shape)
                seen = seen + (1 - seen) * look.glow * 0.5
            else:
                seen = 0.35 + 0.65 * sky
            light += lamp.power * strength * seen
        ambient = 0.24 + 0.12 * n[1] + 0.10 * np.clip(-n[2], 0, 1) + 0.16 * np.clip(-n[1], 0, 1)
        light = light * 0.72 + ambient * sky * 1.15
        light = light + 0.30 * look.fuzz * (1 - face) ** 2.5 * sky
        # light that bounces between walls of one colour keeps that colour
        deep = look.color ** (1 + 0.45 * (1 - sky))
        diffuse = deep * light * (1 - np.asarray(look.metal, np.float32))

        bounce = d + 2 * face * n
        base = np.asarray(look.shine, np.float32) + 0 * face
        grazing = base + (np.maximum(1 - rough, base) - base) * (1 - face) ** 5
        tint = mix(
            np.stack([grazing] * 3),
            look.color * (0.6 + 0.4 * grazing + 0.4),
            np.asarray(look.metal),
        )
        seen = room(bounce, rough, self.product.spin)
        clear = np.clip(sky * 1.25 - 0.1, 0, 1)
        if depth == 0 and part.mirror:
            seen = self.reflected(lift, unit(bounce), seen, rough)
            clear = 0.35 + 0.65 * clear
        return diffuse + tint * seen * clear

    def reflected(self, o: Array, d: Array, sky: Array, rough: Array) -> Array:
        out = sky.copy()
        down = d[1] < -0.01
        t = np.where(down, o[1] / np.maximum(-d[1], 0.01), np.inf).astype(np.float32)
        far = self.walk(o, d, 0.01, self.solid, 50)
        hit = far < t
        ground = np.nonzero(down & ~hit)[0]
        if len(ground):
            g = o[:, ground] + d[:, ground] * np.minimum(t[ground], 30)
            g[1] = 0
            fade = np.clip(1.4 - t[ground] / 9, 0, 1)
            out[:, ground] = mix(out[:, ground], self.table_far(g), fade)
        on = np.nonzero(hit)[0]
        if len(on):
            p = o[:, on] + d[:, on] * far[on]
            out[:, on] = self.surface(p, d[:, on], 1)
        return out

    def which(self, p: Array, parts: list[Part]) -> NDArray[np.int64]:
        return np.argmin(np.stack([part.shape(p[0], p[1], p[2]) for part in parts]), 0)

    def surface(self, p: Array, d: Array, depth: int) -> Array:
        out = np.zeros_like(p)
        owner = self.which(p, self.product.parts)
        for i, part in enumerate(self.product.parts):
            on = np.nonzero(owner == i)[0]
            if not len(on):
                continue
            if part.glass is None:
                out[:, on] = self.lit(part, p[:, on], d[:, on], depth)
            elif depth == 0:
                out[:, on] = self.through(p[:, on], d[:, on])
            else:
                out[:, on] = part.glass.tint**0.5 * 0.6
        return out

    # -- glass

    def behind(self, o: Array, d: Array) -> Array:
        """What is seen by a ray that has left the glass for good."""
        out = self.backdrop(d)
        t = np.where(d[1] < -0.005, -o[1] / np.minimum(d[1], -0.005), np.inf).astype(np.float32)
        on = np.nonzero((t > 0) & (t < 14))[0]
        if len(on):
            p = o[:, on] + d[:, on] * t[on]
            p[1] = 0
            edge = 1 - 0.85 * ramp(2.2, 5.5, np.abs(p[0])) * ramp(14, 4, t[on])
            near = np.clip(self.solid(p[0], p[1], p[2]) / 0.5, 0, 1)
            out[:, on] = (0.62 + 0.38 * near) * edge
        return out

    def backdrop(self, d: Array) -> Array:
        """A bright field straight behind, dark flags at the sides that draw the edges of glass."""
        light = 0.10 + 0.90 * ramp(0.50, 0.94, -d[2])
        light = np.maximum(light, room(d, 0.1, self.product.spin)[0] * 0.55 * ramp(0.2, 0.6, d[1]))
        return np.stack([light] * 3)

    def through(self, p: Array, d: Array) -> Array:
        parts = self.glass_parts

        def skin(x: Array, y: Array, z: Array) -> Array:
            g = parts[0].shape(x, y, z)
            for part in parts[1:]:
                g = np.minimum(g, part.shape(x, y, z))
            g = np.abs(g)
            return np.minimum(g, self.opaque(x, y, z)) if self.open_parts else g

        out = np.zeros_like(p)
        carry = np.ones_like(p)
        o, d = p.copy(), d.copy()
        at = np.arange(p.shape[1])
        inside = np.zeros(len(at), bool)
        for event in range(9):
            # every ray stands on a glass surface here
            owner = self.which(o, parts)
            n = np.zeros_like(o)
            index = np.ones(len(at), np.float32)
            tint = np.ones_like(o)
            for i, part in enumerate(parts):
                on = np.nonzero(owner == i)[0]
                assert part.glass is not None
                n[:, on] = self.normal(part, o[:, on])
                index[on], tint[:, on] = part.glass.index, part.glass.tint
            n = np.where(dot(n, d) > 0, -n, n)
            face = np.clip(-dot(n, d), 0, 1)
            eta = np.where(inside, index, 1 / index)
            k = 1 - eta * eta * (1 - face * face)
            total = k < 0
            base = ((1 - index) / (1 + index)) ** 2
            mirror = (
                base + (1 - base) * (1 - np.where(inside, np.sqrt(np.maximum(k, 0)), face)) ** 5
            )
            mirror = np.where(total, 1, mirror)
            bounce = unit(d + 2 * face * n)
            first = ~inside & (event < 3)
            if first.any():
                out[:, at[first]] += (
                    carry[:, at[first]]
                    * mirror[first]
                    * room(bounce[:, first], 0.02, self.product.spin)
                )
            carry[:, at] *= np.where(total, 1, 1 - mirror)
            bent = unit(eta * d + (eta * face - np.sqrt(np.maximum(k, 0))) * n)
            d = np.where(total, bounce, bent)
            inside = inside ^ ~total
            side = np.where(total, 1, -1) * n
            o = o + side * 0.004
            far = self.walk(o, d, 0.0, skin, 70)
            gone = ~np.isfinite(far)
            way = np.where(gone, 0, far)
            carry[:, at] *= np.where(inside, tint**way, 1)
            free = np.nonzero(gone)[0]
            if len(free):
                out[:, at[free]] += carry[:, at[free]] * self.behind(o[:, free], d[:, free])
            o = o + d * way
            stop = gone
            if self.open_parts:
                g = self.opaque(o[0], o[1], o[2])
                near = ~gone & (g < 0.003)
                on = np.nonzero(near)[0]
                if len(on):
                    owner = self.which(o[:, on], self.open_parts)
                    for i, part in enumerate(self.open_parts):
                        mine = on[owner == i]
                        if len(mine):
                            out[:, at[mine]] += carry[:, at[mine]] * self.lit(
                                part, o[:, mine], d[:, mine], 0
                            )
                stop = gone | near
            keep = np.nonzero(~stop)[0]
            if not len(keep):
                return out
            at, o, d, inside = at[keep], o[:, keep], d[:, keep], inside[keep]
        out[:, at] += carry[:, at] * 0.55
        return out

    # -- picture

    def rays(self, u: Array, v: Array, frame: tuple[float, float, float]) -> tuple[Array, Array]:
        """Rays for places, -1 to 1 along the longer side; frame is the middle and half size."""
        mid = (self.low + self.high) / 2
        reach = float(np.sqrt(((self.high - self.low) ** 2).sum())) / 2
        away = reach / math.tan(math.radians(self.product.lens))
        tilt = math.radians(self.product.tilt)
        ahead = np.array([[0], [-math.sin(tilt)], [-math.cos(tilt)]], np.float32)
        up = np.array([[0], [math.cos(tilt)], [-math.sin(tilt)]], np.float32)
        right = np.array([[1], [0], [0]], np.float32)
        eye = mid - ahead * np.float32(away)
        across, upward = (frame[0] + u * frame[2]) * reach, (frame[1] + v * frame[2]) * reach
        d = unit((ahead * np.float32(away) + right * across + up * upward).astype(np.float32))
        return np.repeat(eye, len(u), 1).astype(np.float32), d

    def frame(self, wide: float, tall: float) -> tuple[float, float, float]:
        """Middle and half size of the picture that shows the product at the wanted fill."""
        found = (0.0, 0.0, 1.15)
        size = 200
        for _ in range(2):
            g = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
            u, v = (q.ravel() for q in np.meshgrid(g, -g))
            o, d = self.rays(u, v, found)
            hit = np.isfinite(self.walk(o, d, 0.0, self.solid, 60))
            u, v = found[0] + u[hit] * found[2], found[1] + v[hit] * found[2]
            middle = (float(u.min() + u.max()) / 2, float(v.min() + v.max()) / 2)
            need = max(float(u.max() - u.min()) / wide, float(v.max() - v.min()) / tall) / 2
            found = (*middle, need * 1.06)
        half = found[2] / 1.06 / self.product.fill
        return found[0], found[1] - half * tall * 0.012, half

    def expose(
        self, u: Array, v: Array, frame: tuple[float, float, float], ground: Sheet | None
    ) -> tuple[Array, Array]:
        """Colour (as display light) and what was hit: 1 the product, 0 the ground."""
        color = np.ones((3, len(u)), np.float32)
        kind = np.zeros(len(u), np.float32)
        for begin in range(0, len(u), BATCH):
            part = slice(begin, begin + BATCH)
            o, d = self.rays(u[part], v[part], frame)
            far = self.walk(o, d, 0.0, self.solid)
            out = np.ones((3, o.shape[1]), np.float32) * self.product.ground
            hit = np.nonzero(np.isfinite(far))[0]
            if len(hit):
                light = self.surface(o[:, hit] + d[:, hit] * far[hit], d[:, hit], 0)
                out[:, hit] = np.where(
                    light < 0.6, light, 0.6 + 0.4 * (1 - np.exp((0.6 - light) / 0.4))
                )
                kind[begin + hit] = 1
            if ground is not None:
                miss = np.nonzero(~np.isfinite(far))[0]
                dark = ground.read(u[part][miss], v[part][miss])[0]
                out[:, miss] = self.product.ground * (1 - dark * (1.02 - 0.30 * self.product.cast))
            color[:, part] = np.clip(out, 0, 1)
        return color, kind

    def picture(self, longest: int) -> Image.Image:
        """The photo: one ray a pixel, then more in every pixel with an edge or a pattern in it."""
        rw, rh = self.product.ratio
        width, height = round(longest * rw / max(rw, rh)), round(longest * rh / max(rw, rh))
        cut = self.product.suffix == "png"
        frame = self.frame(rw / max(rw, rh), rh / max(rw, rh))
        scale = 2 / longest
        px = (np.arange(width, dtype=np.float32) - (width - 1) / 2) * scale
        py = ((height - 1) / 2 - np.arange(height, dtype=np.float32)) * scale
        u, v = (q.ravel().astype(np.float32) for q in np.meshgrid(px, py))
        ground = None if cut else self.ground_sheet(frame, longest)
        color, kind = self.expose(u, v, frame, ground)
        tone, body = (color.mean(0) ** 0.45).reshape(height, width), kind.reshape(height, width)
        outline, pattern = contrast(body) > 0, contrast(tone) > 0.03
        light = color * kind if cut else color
        cover = kind.copy()
        # nine rays where the outline runs, five where a surface has a pattern or a crease
        for where, spots in (
            (outline, (0, 1, 2, 3, 5, 6, 7, 8)),
            (pattern & ~outline, (0, 2, 6, 8)),
        ):
            at = np.nonzero(where.ravel())[0]
            total, found = light[:, at].copy(), kind[at].copy()
            for i in spots:
                du, dv = np.float32((i % 3 - 1) * scale / 3), np.float32((i // 3 - 1) * scale / 3)
                c, k = self.expose(u[at] + du, v[at] + dv, frame, ground)
                total += c * k if cut else c
                found += k
            color[:, at] = total / (np.maximum(found, 1) if cut else len(spots) + 1)
            cover[at] = found / (len(spots) + 1)
        kind = cover
        shown = np.where(
            color <= 0.0031308, color * 12.92, 1.055 * np.maximum(color, 1e-6) ** (1 / 2.4) - 0.055
        )
        # an even grain below one step of eight bits, so that soft shadows do not band
        dice = (
            np.asarray(np.random.Generator(np.random.PCG64(3)).random(shown.shape[1]), np.float32)
            - 0.5
        )
        levels = np.clip(
            shown * 255 + 0.5 + (0 if cut else dice * (shown.max(0) < 0.999)), 0, 255
        ).astype(np.uint8)
        levels = levels.T.reshape(height, width, 3)
        if not cut:
            return Image.fromarray(levels, "RGB")
        alpha = (kind * 255 + 0.5).astype(np.uint8).reshape(height, width, 1)
        return Image.fromarray(
            np.concatenate([np.where(alpha > 0, levels, 255).astype(np.uint8), alpha], 2), "RGBA"
        )


# --- drawn patterns -----------------------------------------------------------------------------


def drawn(
    wide: int, tall: int, paint: Callable[[ImageDraw.ImageDraw], None], blur: float = 0.0
) -> Sheet:
    """A grey drawing as a sheet from 0 (black) to 1 that spans -1 to 1 across."""
    canvas = Image.new("L", (wide, tall), 0)
    paint(ImageDraw.Draw(canvas))
    if blur:
        canvas = canvas.filter(ImageFilter.GaussianBlur(blur))
    values = np.flipud(np.asarray(canvas, np.float32) / 255)
    return Sheet(values, -1.0, -tall / wide, 2 / wide)


def letters(
    draw: ImageDraw.ImageDraw, x: float, y: float, text: str, size: float, gap: float = 0.0
) -> None:
    """Writes spaced text around the middle x."""
    font = ImageFont.load_default(size)
    total = sum(font.getlength(c) + gap for c in text) - gap
    x -= total / 2
    for c in text:
        draw.text((x, y), c, fill=255, font=font, anchor="ls")
        x += font.getlength(c) + gap


def stars(x: float, y: float, r: float, count: int, inner: float) -> list[tuple[float, float]]:
    """The points of a star or, with many points, a sun."""
    spots = []
    for i in range(2 * count):
        a, q = math.pi * i / count, r if i % 2 == 0 else r * inner
        spots.append((x + q * math.sin(a), y - q * math.cos(a)))
    return spots


def even(color: str, **more: float) -> Callable[[Array, Array], Look]:
    """The same material everywhere."""
    paint = ink(color)
    return lambda p, n: Look(np.repeat(paint, p.shape[1], 1), **more)


# --- the twelve products ------------------------------------------------------------------------


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

    def look(p: Array, n: Array) -> Look:
        x, z = turn(p[0], p[2], -28)
        y = p[1]
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
        d = join(pot(x, y, z), np.maximum(spout(x, y, z), 0.45 - hypot(x, z)), 0.10)
        d = carve(d, rod(x, y, z, (1.30, 1.06, 0), (1.50, 1.36, 0), 0.055, 0.07), 0.02)
        d = np.maximum(d, (x - 1.36) * 0.45 + (y - 1.19) * 0.89)
        return join(d, ear(x, y, z), 0.06)

    def look(p: Array, n: Array) -> Look:
        x, z = turn(p[0], p[2], angle)
        y = p[1]
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

    def lid_look(p: Array, n: Array) -> Look:
        edge = ramp(0.425, 0.445, hypot(p[0], p[2]))
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
        d = join(stem(x, y, z), rod(x, y, z, (-0.30, 0.09, 0), (-0.30, 0.16, 0), 0.06, 0.05), 0.03)
        knob = rod(x, y, z, (0.18, 0.14, 0.20), (0.18, 0.10, 0.20), 0.05, 0.05)
        x, y = turn(x - 0.60, y - 1.72, 22)
        return np.minimum(np.minimum(d, knob), cap(x, y, z))

    def base(x: Array, y: Array, z: Array) -> Array:
        x, z = turn(x, z, angle)
        return foot(x + 0.16, y, z)

    paint = ink("#D99A1C")

    def shade_look(p: Array, n: Array) -> Look:
        x, y, z = head(p[0], p[1], p[2])
        nx, nz = turn(n[0], n[2], angle)
        nx, _ = turn(nx, n[1], 22)
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

    def look(p: Array, n: Array) -> Look:
        grain = cloud(p[0], p[1], p[2], 22)
        color = mix(ink("#C98271"), ink("#D9988A"), grain)
        color = color * (1 - 0.30 * rib(p[0], p[1], p[2]) ** 3)
        inner = (n[0] * p[0] + n[2] * p[2] < 0) & (p[1] > 1.5)
        deep = ramp(2.2, 1.7, p[1]) * inner
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

    def look(p: Array, n: Array) -> Look:
        x, y, z = loose(p[0], p[1], p[2])
        h, _ = stitch(x, y)
        fibre = cloud(x, y, z, 30, 2)
        wool = mix(ink("#7E8862"), ink("#AEB68F"), ramp(0.15, 0.6, fibre))
        return Look(
            wool * (0.48 + 0.62 * h) * (0.9 + 0.25 * cloud(x, y, z, 3, 2)),
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
        d = rod(np.abs(x), y, np.abs(z), top, end, 0.075, 0.052)
        return np.maximum(d, -y)

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

    def seat_look(p: Array, n: Array) -> Look:
        x, z = turn(p[0], p[2], angle + 20)
        plank = np.floor(z / 0.36 + 0.5)
        seam = ramp(0.010, 0.003, np.abs(z / 0.36 + 0.5 - np.round(z / 0.36 + 0.5)) * 0.36)
        look = grain(x + plank * 3.1, z + plank * 0.77, p[1] + plank * 0.4)
        look.color = look.color * (0.96 + 0.05 * plank) * (1 - 0.35 * seam)
        return look

    def leg_look(p: Array, n: Array) -> Look:
        x, z = turn(p[0], p[2], angle)
        return grain(
            p[1] + np.sign(x) * 2 + np.sign(z) * 5, np.abs(x) * 0.8 + 0.2 * p[1], np.abs(z) * 0.8
        )

    def rung_look(p: Array, n: Array) -> Look:
        x, z = turn(p[0], p[2], angle)
        lower = p[1] < 0.59
        return grain(np.where(lower, x, z), p[1], np.where(lower, z, x))

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
        d = box(x, y, z, 0.80, 0.24, 0.50, 0.13)
        swell = 0.03 * np.clip(1 - (x / 0.8) ** 2, 0, 1) * np.clip(1 - (z / 0.5) ** 2, 0, 1)
        mark = seal.read(x * 1.42, -z * 1.42)[0] * (
            (np.abs(x) < 0.68) & (np.abs(z) < 0.34) & (y > 0)
        )
        return d - swell + 0.026 * mark

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
        def look(p: Array, n: Array) -> Look:
            x, y, z = place(p[0], p[1], p[2])
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

    def dial(p: Array, n: Array) -> Look:
        mark = dial_print.read(p[0] / 0.885, -p[2] / 0.885)[0]
        return Look(mix(ink("#F4EFE4"), ink("#22262B"), mark), rough=0.7, shine=0.03)

    def walnut(p: Array, n: Array) -> Look:
        x, y, z = p
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
        d = np.maximum(np.maximum(skin, np.abs(y - 0.70) - 0.53), side)
        return np.maximum(d, -z)

    def label_look(p: Array, n: Array) -> Look:
        a = np.arctan2(p[0], p[2]) / half
        mark = paper.read(a, (p[1] - 0.70) / 0.53 * 0.8)[0]
        fibre = cloud(p[0], p[1], p[2], 30, 2)
        inner = ramp(0.688, 0.684, hypot(p[0], p[2]))
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
            p: Array, n: Array, one: str = one, two: str = two, dy: float = dy, i: int = i
        ) -> Look:
            x, y, z = p
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
        d = join(dish(x, y, z), np.maximum(join(flat, ear, 0.02), 0.90 - hypot(x, z)), 0.05)
        lip = hypot(np.abs(z) - 1.06, y - 0.44)
        return carve(d, hypot(lip, x * 0.9) - 0.16, 0.05)

    outline = tube("0.86,0,0.16 1.02,0,0.085 1.3,0,0.07 1.6,0,0.088 1.8,0,0.112")

    def rodlike(x: Array, z: Array, h: Array) -> Array:
        side = outline(x, z, np.zeros_like(x))
        qa, qb = side + 0.02, np.abs(h) - 0.018
        return (
            np.minimum(np.maximum(qa, qb), 0) + hypot(np.maximum(qa, 0), np.maximum(qb, 0)) - 0.02
        )

    def bump(x: Array, y: Array, z: Array) -> Array:
        return 0.0045 * cloud(x, y, z, 34, 2)

    def look(p: Array, n: Array) -> Look:
        patch = cloud(p[0], p[1], p[2], 4)
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


PRODUCTS: tuple[Callable[[], Product], ...] = (
    mug,
    teapot,
    bottle,
    lamp,
    vase,
    cushion,
    stool,
    soap,
    clock,
    candle,
    bowls,
    pan,
)


def save(product: Product, picture: Image.Image, folder: Path) -> Path:
    """Writes the photo; with an EXIF orientation the pixels lie as a turned camera stores them."""
    path = folder / f"{product.name}.{product.suffix}"
    if product.suffix == "png":
        picture.save(path, optimize=True)
        return path
    if product.exif == 6:
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    if product.exif:
        exif[0x0112] = product.exif
    picture.save(path, quality=product.quality, optimize=True, progressive=True, exif=exif)
    return path


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument(
        "--only", metavar="NAME", action="append", help="one product; may be given several times"
    )
    words.add_argument("--size", metavar="PX", type=int, help="longest side in pixels, for a try")
    words.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path(__file__).parent / "photos"
    )
    given = words.parse_args()
    known = {make.__name__: make for make in PRODUCTS}
    for name in given.only or known:
        if name not in known:
            words.error(f"no product is called {name!r}; known are {', '.join(known)}")
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.only or known:
        begin = time.perf_counter()
        product = known[name]()
        picture = Studio(product).picture(given.size or product.longest)
        path = save(product, picture, given.out)
        took = time.perf_counter() - begin
        print(
            f"{path.name}  {picture.width} x {picture.height}  "
            f"{path.stat().st_size / 1000:.0f} kB  {took:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
