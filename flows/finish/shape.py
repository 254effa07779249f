"""Shape: a take brought to an output's pixels, by cutting, padding or continuing it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flows.finish import fit
from flows.finish.credentials import Step
from flows.finish.crop import MOST_LOSS, cut, cut_off
from flows.finish.focus import CENTRE, Focus, Found, focus_of
from flows.finish.look import Look
from flows.finish.resize import Source, enlarged
from flows.nouns.output import Output

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """Pixels of an output, and what a person should know of how they came."""

    pixels: Image.Image
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    found: Found | None
    """What the cut went by; None where nothing is cut off."""
    kept: float | None
    """Share of it that the cut kept."""


class Eye:
    """What the cuts of a take go by: looked for once, and only where a cut takes enough away."""

    def __init__(self, source: Source, look: Look) -> None:
        self._source = source
        self._look = look
        self._lock = threading.Lock()
        self._seen: Focus | None = None

    def focus(self, output: Output) -> Focus:
        """The centre where hardly anything is cut off, whatever else is made of the take."""
        width, height = self._source.take.size
        shape = Fraction(width, height)
        lost = 1 - min(shape, output.shape) / max(shape, output.shape)
        if lost <= MOST_LOSS and self._look.focus == "auto":
            return CENTRE
        with self._lock:
            if self._seen is None:
                products = [one.data for one in self._look.references if one.role == "product"]
                self._seen = focus_of(self._source.take, self._look.focus, products)
            return self._seen


def shaped(source: Source, output: Output, eye: Eye, look: Look) -> Shaped:
    """Exactly the output's pixels; a piece of the take as it is where the output names none."""
    take = source.take
    if look.finish.fit != "crop":
        is_padded = look.finish.fit == "pad"
        return _filled(take, output, look.finish.pad, look.brand.palette, is_padded=is_padded)
    focus = eye.focus(output)
    part = cut(take.size, output, focus, output.clear_zone)
    is_whole = part.width == take.width and part.height == take.height
    steps: list[Step] = [] if is_whole else ["cropped"]
    if part.scale != 1:
        steps.append("resized")
    notes = (enlarged(part), cut_off(part, focus))
    return Shaped(
        pixels=source.resized(part),
        steps=tuple(steps),
        notes=tuple(note for note in notes if note),
        found=focus.found,
        kept=round(part.kept, 3),
    )


def _filled(
    take: Image.Image, output: Output, pad: str, palette: Sequence[str], *, is_padded: bool
) -> Shaped:
    pixels = fit.padded(take, output, pad, palette) if is_padded else fit.extended(take, output)
    scale = fit.scale(take.size, output)
    steps: list[Step] = ["resized"] if scale != 1 else []
    if pixels.width * take.height != pixels.height * take.width:
        steps.append("extended")
    note = f"upscaled {float(scale):.2f}x from {take.width}x{take.height}" if scale > 1 else ""
    return Shaped(
        pixels=pixels,
        steps=tuple(steps),
        notes=(note,) if note else (),
        found=None,
        kept=None,
    )
