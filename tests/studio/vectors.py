"""Sums on many rays at once: an array has one value a ray, a vector one row an axis."""

# mypy: disable-error-code="no-any-return"
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 wherever there is one value a ray
# x, y, z to a distance; y is up, the ground is y = 0
Field = Callable[[Array, Array, Array], Array]


def ramp(low: float | Array, high: float | Array, value: Array) -> Array:
    """Smoothly from 0 at `low` to 1 at `high` (which may lie below `low`)."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def mix(a: Array, b: Array, share: Array) -> Array:
    """From `a` at share 0 to `b` at share 1."""
    return a + (b - a) * share


def dot(a: Array, b: Array) -> Array:
    """The scalar product of each pair of vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit(vector: Array) -> Array:
    """The same directions with length one."""
    return vector / np.sqrt(np.maximum(dot(vector, vector), 1e-12))


def direction(x: float, y: float, z: float) -> Array:
    """One direction of length one, shape (3, 1)."""
    return unit(np.array([[x], [y], [z]], np.float32))


def hypot(a: Array, b: Array) -> Array:
    """The length of (a, b)."""
    return np.sqrt(a * a + b * b)


def turn(a: Array, b: Array, degrees: float) -> tuple[Array, Array]:
    """Two coordinates as seen after a turn of their plane by so many degrees."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return a * c + b * s, b * c - a * s
