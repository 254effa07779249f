"""The photo of a product: rays for every pixel, more where there is an edge, and the file."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.studio.camera import Frame, framed, rays
from tests.studio.march import Scene
from tests.studio.materials import Product
from tests.studio.shadow import table
from tests.studio.sheet import Sheet
from tests.studio.surface import surface
from tests.studio.vectors import Array

BATCH = 24_000  # rays walked together: their arrays stay in the processor's cache
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held


def photograph(product: Product, longest: int) -> Image.Image:
    """The photo, `longest` pixels along its longer side; with alpha where the product is cut out.

    One ray a pixel, then more in every pixel with an edge or a pattern in it.
    """
    scene = Scene(product)
    across, upright = product.ratio
    width = round(longest * across / max(across, upright))
    height = round(longest * upright / max(across, upright))
    cut = product.suffix == "png"
    frame = framed(scene, across / max(across, upright), upright / max(across, upright))
    scale = 2 / longest
    px = (np.arange(width, dtype=np.float32) - (width - 1) / 2) * scale
    py = ((height - 1) / 2 - np.arange(height, dtype=np.float32)) * scale
    u, v = (values.ravel().astype(np.float32) for values in np.meshgrid(px, py))
    ground = None if cut else _ground_sheet(scene, frame, longest)
    color, kind = _expose(scene, u, v, frame, ground)
    tone, body = (color.mean(0) ** 0.45).reshape(height, width), kind.reshape(height, width)
    outline, pattern = _contrast(body) > 0, _contrast(tone) > 0.03
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
            more, met = _expose(scene, u[at] + du, v[at] + dv, frame, ground)
            total += more * met if cut else more
            found += met
        color[:, at] = total / (np.maximum(found, 1) if cut else len(spots) + 1)
        cover[at] = found / (len(spots) + 1)
    levels = _levels(color, grain=not cut).T.reshape(height, width, 3)
    if not cut:
        return Image.fromarray(levels, "RGB")
    alpha = (cover * 255 + 0.5).astype(np.uint8).reshape(height, width, 1)
    return Image.fromarray(
        np.concatenate([np.where(alpha > 0, levels, 255).astype(np.uint8), alpha], 2), "RGBA"
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
        exif[ORIENTATION] = product.exif
    picture.save(path, quality=product.quality, optimize=True, progressive=True, exif=exif)
    return path


def _contrast(values: Array) -> Array:
    """The largest difference within each pixel and its four neighbours."""
    pad = np.pad(values, 1, mode="edge")
    near = np.stack([pad[1:-1, 1:-1], pad[:-2, 1:-1], pad[2:, 1:-1], pad[1:-1, :-2], pad[1:-1, 2:]])
    return near.max(0) - near.min(0)


def _levels(color: Array, *, grain: bool) -> Array:
    """Linear light as eight bits of sRGB."""
    shown = np.where(
        color <= 0.0031308, color * 12.92, 1.055 * np.maximum(color, 1e-6) ** (1 / 2.4) - 0.055
    )
    # an even grain below one step of eight bits, so that soft shadows do not band
    random = np.random.Generator(np.random.PCG64(3)).random(shown.shape[1])
    dice = np.asarray(random, np.float32) - 0.5
    return np.clip(
        shown * 255 + 0.5 + (dice * (shown.max(0) < 0.999) if grain else 0), 0, 255
    ).astype(np.uint8)


def _ground_sheet(scene: Scene, frame: Frame, longest: int) -> Sheet:
    """The darkness of the ground over the picture: soft, so a third of the pixels will do."""
    size = max(120, round(longest * 0.36))
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    u, v = (values.ravel() for values in np.meshgrid(grid, grid))
    dark = np.zeros(len(u), np.float32)
    for begin in range(0, len(u), BATCH):
        origin, ray = rays(scene, u[begin : begin + BATCH], v[begin : begin + BATCH], frame)
        way = np.where(ray[1] < -1e-4, -origin[1] / np.minimum(ray[1], -1e-4), 0)
        point = origin + ray * way
        point[1] = 0
        near = np.all((point > scene.low - 1.5) & (point < scene.high + 1.5), 0) & (way > 0)
        on = np.nonzero(near)[0]
        if len(on):
            dark[begin + on] = table(scene, point[:, on])
    return Sheet(dark.reshape(size, size), -1 + 1 / size, -1 + 1 / size, 2 / size)


def _expose(
    scene: Scene, u: Array, v: Array, frame: Frame, ground: Sheet | None
) -> tuple[Array, Array]:
    """Linear light, its highlights rolled off, and what was hit: 1 the product, 0 the ground."""
    product = scene.product
    color = np.ones((3, len(u)), np.float32)
    kind = np.zeros(len(u), np.float32)
    for begin in range(0, len(u), BATCH):
        part = slice(begin, begin + BATCH)
        origin, ray = rays(scene, u[part], v[part], frame)
        far = scene.walk(origin, ray, 0.0, scene.solid)
        out = np.ones((3, origin.shape[1]), np.float32) * product.ground
        hit = np.nonzero(np.isfinite(far))[0]
        if len(hit):
            light = surface(scene, origin[:, hit] + ray[:, hit] * far[hit], ray[:, hit], 0)
            rolled = 0.6 + 0.4 * (1 - np.exp((0.6 - light) / 0.4))
            out[:, hit] = np.where(light < 0.6, light, rolled)
            kind[begin + hit] = 1
        if ground is not None:
            miss = np.nonzero(~np.isfinite(far))[0]
            dark = ground.read(u[part][miss], v[part][miss])[0]
            out[:, miss] = product.ground * (1 - dark * (1.02 - 0.30 * product.cast))
        color[:, part] = np.clip(out, 0, 1)
    return color, kind
