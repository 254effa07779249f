"""Boxes in a picture, as shares of its width and height: no pixel is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def around(boxes: Iterable[Box]) -> Box:
    """The box that holds all of them."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def area(box: Box) -> float:
    """Share of the picture."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(one: Box, other: Box) -> Box:
    """What both hold; its area is 0 where that is nothing."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def within(box: Box) -> Box:
    """The part of it that lies in the picture."""
    return overlap(box, (0.0, 0.0, 1.0, 1.0))


def distinct(boxes: Sequence[Box]) -> list[Box]:
    """Without those that mostly lie in one before them, or hold most of it."""
    kept: list[Box] = []
    for box in boxes:
        smaller = [min(area(box), area(other)) for other in kept]
        shared = [area(overlap(box, other)) for other in kept]
        if all(2 * both <= least for both, least in zip(shared, smaller, strict=True)):
            kept.append(box)
    return kept
