"""Lines: the breaks that fill a width with the fewest lines and an even edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from flows.lettering.breaks import Break, breaks
from flows.lettering.faces import loaded
from flows.lettering.setting import HYPHEN, Setting, advances

MEASURED_AT = 200
"""Pixels at which lengths are measured once; they grow with the size to about a thousandth."""
_WEIGHT = 0.5
"""What a break's cost counts beside the squares of what lines lack."""
_STUB = 0.33
"""A last line shorter than this share of the longest looks left over."""
_STUB_COST, _RAGGED = 0.1, 0.4


@dataclass(frozen=True, slots=True)
class Measures:
    """The lengths of a text in ems between the places where it may be broken."""

    stops: tuple[Break, ...]
    starts: tuple[int, ...]
    upto: tuple[float, ...]
    """Ems from the start to each place; one more than `stops`."""
    blank: tuple[float, ...]
    """Ems of the blanks before each stop, which vanish at a line's end."""
    hyphen: float


@dataclass(frozen=True, slots=True)
class Broken:
    """A text in lines: the ends as indices into `stops`."""

    ends: tuple[int, ...]
    widest: float
    """Ems."""
    unevenness: float
    """0 is even; all that a typesetter dislikes is added to it."""


def measures(setting: Setting, *, hyphenate: bool) -> Measures:
    """Measure a text once for all sizes."""
    stops = tuple(breaks(setting.text, setting.locale, hyphenate=hyphenate))
    cuts = [0, *(stop.at for stop in stops)]
    lengths = [one / MEASURED_AT for one in advances(setting, cuts, MEASURED_AT)]
    blank = []
    for start, end in pairwise(cuts):
        segment = setting.text[start:end]
        kept = len(segment.rstrip(" \n"))
        trailing = (
            advances(setting, [start + kept, end], MEASURED_AT)[0] if kept < len(segment) else 0
        )
        blank.append(trailing / MEASURED_AT)
    font = loaded(setting.chain.faces[0], MEASURED_AT, setting.chain.weight)
    return Measures(
        stops=stops,
        starts=(0, *(stop.at for stop in stops[:-1])),
        upto=(0.0, *accumulate(lengths)),
        blank=tuple(blank),
        hyphen=float(font.getlength(HYPHEN)) / MEASURED_AT,
    )


def _width(found: Measures, first: int, last: int) -> float:
    """Ems of a line that holds the segments `first` to `last`."""
    width = found.upto[last + 1] - found.upto[first] - found.blank[last]
    return width + (found.hyphen if found.stops[last].hyphen else 0.0)


def fewest(found: Measures, ems: float) -> int | None:
    """How many lines a width asks for at least; None where a segment is wider than it."""
    lines, first = 0, 0
    count = len(found.stops)
    while first < count:
        last = first - 1
        for end in range(first, count):
            if _width(found, first, end) <= ems:
                last = end
            elif not found.stops[end].hyphen:
                break  # a hyphen's own width may be all that is too much
            if found.stops[end].forced:
                break
        if last < first:
            return None
        lines, first = lines + 1, last + 1
    return lines


def even(found: Measures, ems: float, lines: int) -> Broken | None:
    """The most even way to break into so many lines; None where there is none."""
    count = len(found.stops)
    whole = found.upto[-1]
    target = min(ems, whole / lines)
    best: list[dict[int, tuple[float, tuple[int, ...]]]] = [{0: (0.0, ())}]
    for number in range(lines):
        reached: dict[int, tuple[float, tuple[int, ...]]] = {}
        for first, (cost, ends) in best[-1].items():
            for end in range(first, count):
                width = _width(found, first, end)
                if width <= ems:
                    is_last = number == lines - 1
                    if not is_last or end == count - 1:
                        more = cost + _cost(found.stops[end], width, target, ems)
                        known = reached.get(end + 1)
                        if known is None or more < known[0]:
                            reached[end + 1] = (more, (*ends, end))
                elif not found.stops[end].hyphen:
                    break
                if found.stops[end].forced:
                    break
        best.append(reached)
    if count not in best[-1]:
        return None
    ends = best[-1][count][1]
    return Broken(ends, max(_widths(found, ends)), _unevenness(found, ends))


def _cost(stop: Break, width: float, target: float, ems: float) -> float:
    return ((width - target) / ems) ** 2 + (0.0 if stop.forced else stop.cost * _WEIGHT)


def _widths(found: Measures, ends: Sequence[int]) -> list[float]:
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [_width(found, first, end) for first, end in zip(starts, ends, strict=True)]


def _unevenness(found: Measures, ends: Sequence[int]) -> float:
    """Lines are compared within a paragraph: where one ends is the writer's will."""
    ragged = disliked = 0.0
    paragraph: list[float] = []
    for end, width in zip(ends, _widths(found, ends), strict=True):
        paragraph.append(width)
        if not found.stops[end].forced:
            disliked += found.stops[end].cost
            continue
        widest = max(paragraph) or 1.0
        ragged += sum(((widest - one) / widest) ** 2 for one in paragraph)
        if len(paragraph) > 1 and width < _STUB * widest:
            disliked += _STUB_COST
        paragraph = []
    return float((ragged / len(ends)) ** 0.5 * _RAGGED + disliked)
