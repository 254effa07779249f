"""Fit: the largest size at which a text has room, broken so that it looks at ease."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from flows.lettering.lines import Broken, Measures, even, fewest, measures
from flows.lettering.setting import SetLine, Setting, set_line
from flows.nouns.campaign import Side

SIDES: tuple[Side, ...] = ("left", "center", "right")
_STEP = 0.96
_WORTH_A_HYPHEN = 1.25
"""Words are broken only where the type becomes so much larger by it."""
_ROOM_FOR_TASTE = 0.8
"""How much smaller than possible the type may become for a better break."""
_CAPITALS, _BELOW = 0.74, 0.24
"""Ems that a line takes above and below its base line, about; the ink is measured in the end."""
_SMALLNESS, _LENGTH = 1.3, 0.06
_AIR = 0.06
"""Ems that stay free between the ink of two lines."""


@dataclass(frozen=True, slots=True)
class Block:
    """A text in lines at its size; what is drawn begins at 0, 0. It has room however aligned."""

    setting: Setting
    lines: tuple[SetLine, ...]
    size: int
    baselines: tuple[int, ...]
    lefts: tuple[int, ...]
    """Where the left end of each line stands."""
    width: int
    height: int

    def aligned(self, side: Side) -> Block:
        """The same with its lines flush at a side, as an eye sees it, or centred."""
        lefts, width = _flush(self.lines, side)
        return replace(self, lefts=lefts, width=width)


def _flush(lines: Sequence[SetLine], side: Side) -> tuple[tuple[int, ...], int]:
    at = {
        "left": [-line.edges[0] for line in lines],
        "center": [-(line.edges[0] + line.edges[1]) // 2 for line in lines],
        "right": [-line.edges[1] for line in lines],
    }[side]
    left = min(one + line.ink[0] for one, line in zip(at, lines, strict=True))
    right = max(one + line.ink[2] for one, line in zip(at, lines, strict=True))
    return tuple(one - left for one in at), right - left


def fitted(
    setting: Setting,
    *,
    width: int,
    height: int,
    largest: int,
    smallest: int,
    leading: float,
) -> Block | None:
    """The text within width and height, or None where it has no room even at the smallest size."""
    plain = measures(setting, hyphenate=False)
    hyphenated = measures(setting, hyphenate=True)
    sizes = list(_sizes(largest, smallest))
    whole = _first(plain, sizes, width, height, leading)
    if len(hyphenated.stops) > len(plain.stops):
        divided = _first(hyphenated, sizes, width, height, leading)
        if divided and (whole is None or divided >= whole * _WORTH_A_HYPHEN):
            found = _settled(setting, hyphenated, divided, smallest, width, height, leading)
            if found is not None:
                return found
    if whole is None:
        return None
    return _settled(setting, plain, whole, smallest, width, height, leading)


def _sizes(largest: int, smallest: int) -> Iterator[int]:
    size = largest
    while size > smallest:
        yield size
        size = min(size - 1, round(size * _STEP))
    yield min(largest, smallest)


def _height(size: int, lines: int, leading: float) -> float:
    return size * (_CAPITALS + _BELOW + (lines - 1) * leading)


def _first(
    found: Measures, sizes: list[int], width: int, height: int, leading: float
) -> int | None:
    for size in sizes:
        lines = fewest(found, width / size)
        if lines is not None and (lines == 1 or _height(size, lines, leading) <= height):
            return size
    return None


def _settled(
    setting: Setting,
    found: Measures,
    size: int,
    smallest: int,
    width: int,
    height: int,
    leading: float,
) -> Block | None:
    best = None
    for tried in _sizes(size, max(smallest, math.ceil(size * _ROOM_FOR_TASTE))):
        for broken in _ways(found, tried, width, height, leading):
            lines = len(broken.ends)
            cost = broken.unevenness + _SMALLNESS * (1 - tried / size) + _LENGTH * (lines - 1)
            if best is None or cost < best[0]:
                best = cost, tried, broken
    while best is not None:
        block = _made(setting, found, best[2], best[1], leading)
        if block.width <= width and block.height <= height:
            return block
        # measured in pixels it is a little more than the ems foretold
        tried = best[1] - 1
        if tried < smallest:
            return None
        best = next(
            ((0.0, tried, one) for one in _ways(found, tried, width, height, leading)), None
        )
    return None


def _ways(found: Measures, size: int, width: int, height: int, leading: float) -> Iterator[Broken]:
    lines = fewest(found, width / size)
    if lines is None:
        return
    for number in (lines, lines + 1):
        if number == 1 or _height(size, number, leading) <= height:
            broken = even(found, width / size, number)
            if broken is not None:
                yield broken


def _made(setting: Setting, found: Measures, broken: Broken, size: int, leading: float) -> Block:
    lines = []
    start = 0
    for end in broken.ends:
        stop = found.stops[end]
        lines.append(set_line(setting, start, stop.at, size, hyphen=stop.hyphen))
        start = stop.at
    apart = round(size * leading)
    for upper, lower in pairwise(lines):
        apart = max(apart, math.ceil(upper.ink[3] - lower.ink[1] + _AIR * size))
    top = -lines[0].ink[1]
    baselines = tuple(top + number * apart for number in range(len(lines)))
    return Block(
        setting=setting,
        lines=tuple(lines),
        size=size,
        baselines=baselines,
        lefts=(0,) * len(lines),
        width=max(_flush(lines, side)[1] for side in SIDES),
        height=baselines[-1] + lines[-1].ink[3],
    )
