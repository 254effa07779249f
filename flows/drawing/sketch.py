"""What is asked for: size, product, colours, label. And the dice that are thrown from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flows.errors import BadInput, Fault

SMALLEST = 32
LARGEST = 8192

_Kind = TypeVar("_Kind")
_RATIO = re.compile(r"\s*\d+(?:\.\d+)?\s*[:x×]\s*\d+(?:\.\d+)?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """All that decides a drawing: the same sketch always gives the same bytes.

    `product` is the product's own photo as it came; None draws a wrapped box in its place.
    `others` are further references; the first that can be read tints the scene where no brand
    colours are given, the rest are not looked at. `palette` holds brand colours as "#RRGGBB".
    `label` is set small in a corner. Seed and label (but for a ratio in it, so that one motif looks
    alike in all its ratios) decide light, surface and backdrop. Of `prompt` only words for the
    scene are used: a colour named for the backdrop ("sage green wall"), daylight, night.

    Raises:
        BadInput: a size outside 32 to 8192 pixels or a colour that is not "#RRGGBB".

    """

    width: int
    height: int
    product: bytes | None = field(default=None, repr=False)
    others: tuple[bytes, ...] = field(default=(), repr=False)
    palette: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    seed: int = 0
    prompt: str = ""

    def __post_init__(self) -> None:
        faults = [
            Fault(name, f"{size} pixels", allowed=f"{SMALLEST} to {LARGEST}")
            for name, size in (("width", self.width), ("height", self.height))
            if not SMALLEST <= size <= LARGEST
        ]
        faults += [
            Fault("palette", f"'{colour}' is not a colour", allowed="#RRGGBB")
            for colour in self.palette
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour)
        ]
        if faults:
            raise BadInput("the sketch cannot be drawn", faults)


@dataclass(frozen=True, slots=True)
class Dice:
    """Choices that look free and are not: each follows from the sketch and the question's name."""

    motif: str

    @classmethod
    def of(cls, sketch: Sketch) -> Dice:
        spoken = [part.strip() for part in sketch.label if not _RATIO.fullmatch(part)]
        return cls("\x1f".join([str(sketch.seed), *spoken]))

    def number(self, question: str) -> float:
        """From 0 up to, not including, 1."""
        digest = hashlib.sha256(f"{question}\x1f{self.motif}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def between(self, question: str, low: float, high: float) -> float:
        return low + (high - low) * self.number(question)

    def choose(self, question: str, kinds: Sequence[_Kind]) -> _Kind:
        return kinds[int(self.number(question) * len(kinds))]
