"""What a product is made of: looks, glass, parts, and how its photo is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tests.studio.vectors import Array, Field


def ink(code: str) -> Array:
    """A colour written #RRGGBB as linear light, shape (3, 1)."""
    srgb = np.array([int(code[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)[:, None]


@dataclass
class Look:
    """What a surface does with light. Colours are linear; arrays are per point."""

    color: Array
    rough: float | Array = 0.5
    # reflection looking straight at it; metals reflect their colour instead
    shine: float | Array = 0.04
    metal: float | Array = 0.0
    fuzz: float = 0.0  # light caught by fibres at grazing view
    glow: float = 0.0  # light that goes through: wax, soap


@dataclass
class Glass:
    """A clear material."""

    tint: Array  # what is left of white light after one unit of way
    index: float = 1.48


@dataclass
class Part:
    """One shape of one material: either `look` or `glass` is given."""

    shape: Field
    look: Callable[[Array, Array], Look] | None = None  # point, normal to look
    bump: Field | None = None  # height added to the surface where only the normal sees it
    glass: Glass | None = None
    mirror: bool = True  # reflects its surroundings by a second ray
    fine: float = 0.004  # over which way the normal is taken


@dataclass
class Product:
    """The parts, the box that holds them from `low` to `high`, the camera and the file."""

    name: str
    parts: list[Part]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    tilt: float = 16.0  # degrees the camera looks down
    ratio: tuple[int, int] = (1, 1)
    fill: float = 0.80
    # half field of view in degrees when the product fills the frame: small is a long lens
    lens: float = 9.0
    spin: float = 0.0  # degrees the lights are turned around the product
    shade: float = 1.0  # how deep the shadow on the ground is
    ground: Array = field(default_factory=lambda: ink("#FFFFFF"))
    cast: Array = field(default_factory=lambda: ink("#FFFFFF"))  # colour of the light in the shadow
    suffix: str = "jpg"
    quality: int = 88
    longest: int = 1200
    exif: int = 0  # EXIF orientation; 0 writes none
    pace: float = 1.0  # share of a distance that is safe to walk


def even(color: str, **more: float) -> Callable[[Array, Array], Look]:
    """The same material everywhere."""
    paint = ink(color)
    return lambda point, normal: Look(np.repeat(paint, point.shape[1], 1), **more)
