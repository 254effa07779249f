"""Colour as the eye sees it: sRGB to OKLab and back; lightness, chroma and hue.

OKLab is Björn Ottosson's perceptual space (https://bottosson.github.io/posts/oklab/):
equal steps look equal, so that "a little lighter" means the same for yellow and for blue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

# The transfer curve of sRGB (IEC 61966-2-1), once for all 256 values.
_CODES = np.arange(256, dtype=np.float64) / 255
LINEAR: Floats = np.where(
    _CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4
).astype(np.float32)


def oklab(pixels: Bytes) -> Floats:
    """OKLab (…, 3) of sRGB bytes (…, 3): lightness 0 to 1, then green-red and blue-yellow."""
    linear = LINEAR[pixels]
    r, g, b = linear[..., 0], linear[..., 1], linear[..., 2]
    long = np.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = np.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = np.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    out = np.empty(pixels.shape, dtype=np.float32)
    out[..., 0] = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    out[..., 1] = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    out[..., 2] = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return out


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour: lightness 0 to 1, chroma 0 to about 0.3, hue in degrees (OKLCH)."""

    lightness: float
    chroma: float
    hue: float

    @classmethod
    def of_bytes(cls, red: int, green: int, blue: int) -> Colour:
        lab = oklab(np.array([red, green, blue], dtype=np.uint8))
        return cls.of_lab(float(lab[0]), float(lab[1]), float(lab[2]))

    @classmethod
    def of_hex(cls, text: str) -> Colour:
        """From "#RRGGBB"; ValueError for anything else."""
        if len(text) != 7 or text[0] != "#":
            raise ValueError(text)
        return cls.of_bytes(*bytes.fromhex(text[1:]))

    @classmethod
    def of_lab(cls, lightness: float, a: float, b: float) -> Colour:
        return cls(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)

    def but(
        self,
        *,
        lightness: float | None = None,
        chroma: float | None = None,
        hue: float | None = None,
    ) -> Colour:
        """The same colour with one or more of its parts replaced."""
        return Colour(
            self.lightness if lightness is None else min(1.0, max(0.0, lightness)),
            self.chroma if chroma is None else max(0.0, chroma),
            self.hue if hue is None else hue % 360,
        )

    def mixed(self, other: Colour, share: float) -> Colour:
        """This colour with `share` (0 to 1) of another."""
        mine, theirs = self._lab(), other._lab()
        light, a, b = (x + (y - x) * share for x, y in zip(mine, theirs, strict=True))
        return Colour.of_lab(light, a, b)

    def _lab(self) -> tuple[float, float, float]:
        angle = math.radians(self.hue)
        return self.lightness, self.chroma * math.cos(angle), self.chroma * math.sin(angle)

    def distance(self, other: Colour) -> float:
        """How far apart two colours look: 0.02 is just seen, 0.2 is plain to see."""
        return math.dist(self._lab(), other._lab())

    def linear(self) -> tuple[float, float, float]:
        """Linear-light red, green, blue in 0 to 1; chroma gives way where sRGB ends."""
        shade = self
        for _ in range(24):
            if all(-0.002 <= part <= 1.002 for part in shade.unbounded()):
                break
            shade = shade.but(chroma=shade.chroma * 0.92)
        red, green, blue = (min(1.0, max(0.0, part)) for part in shade.unbounded())
        return red, green, blue

    def unbounded(self) -> tuple[float, float, float]:
        """Linear light that may lie outside what sRGB can show."""
        lightness, a, b = self._lab()
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )

    def bytes(self) -> tuple[int, int, int]:
        """sRGB, 0 to 255 each."""
        red, green, blue = (round(_encoded(part) * 255) for part in self.linear())
        return red, green, blue


def _encoded(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


_STEPS = 4096
_ENCODED: Floats = np.array(
    [_encoded(step / _STEPS) * 255 for step in range(_STEPS + 1)], dtype=np.float32
)


def encode(linear: Floats, noise: Floats | float = 0.0) -> Bytes:
    """Linear light (0 to 1, clipped) as sRGB bytes, with noise (in bytes) before rounding."""
    steps = np.clip(linear, 0, 1) * np.float32(_STEPS)
    codes = _ENCODED[np.rint(steps).astype(np.uint16)] + noise
    return np.asarray(np.clip(np.rint(codes), 0, 255).astype(np.uint8))
