"""The arrangement: where each overlay of a picture stands and how large, without a single pixel.

It depends on words, fonts, canvas and safe zone alone, so the plan can ask for it before anything
is bought: what has no room is a fault there and not a spoilt file later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from flows.errors import BadInput, Fault
from flows.lettering.fit import Block, fitted
from flows.lettering.logo import Logo
from flows.lettering.wishes import Wish, has_plate, wished
from flows.lettering.words import reads_leftward, ready
from flows.lettering.zone import Box, Down, Place, SafeZone, place
from flows.nouns.campaign import BoxName, Side
from flows.nouns.overlay import BrandKit, LaidOverlay

CLEAR = 0.5
"""What a logo keeps around itself, in its heights."""
PLATE = 0.34
"""Heights between a logo and the edge of its plate."""
_PLATE_X, _PLATE_Y = 0.62, 0.46
"""Ems between letters and the edge of their plate."""
_SHRINK = 0.93


@dataclass(frozen=True, slots=True)
class Item:
    """An overlay at its place. `ink` is what is drawn, `outer` that with its plate."""

    overlay: LaidOverlay
    ink: Box
    outer: Box
    room: Box
    """The box that it may move in."""
    size: int
    align: Side
    group: int
    has_plate: bool
    block: Block | None = None
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All overlays of a picture, in the order of the campaign."""

    items: tuple[Item, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sized:
    """An overlay that has its size and not yet its place."""

    wish: Wish
    width: int
    height: int
    size: int
    pad_x: int = 0
    pad_y: int = 0
    block: Block | None = None


def arranged(
    size: tuple[int, int],
    overlays: Sequence[LaidOverlay],
    *,
    safe_zone: SafeZone | None,
    kit: BrandKit,
    locale: str,
) -> Arrangement:
    """Where everything stands on a canvas of this size. Overlays in one box are stacked in order;
    what stands in a wide box makes way for what stands in a corner.

    Raises:
        BadInput: every text that has no room or no letters, and a font or logo that is missing.

    """
    faults: list[Fault] = []
    notes: list[str] = []
    groups: dict[BoxName | tuple[float, float, float, float], list[Wish]] = {}
    for overlay in overlays:
        try:
            wish = wished(size, overlay, kit, locale, notes)
        except BadInput as error:
            faults += error.faults
            continue
        groups.setdefault(_box(overlay), []).append(wish)
    items: list[Item] = []
    for number, (box, wishes) in enumerate(sorted(groups.items(), key=_rank)):
        spot = _spot(size, safe_zone, box, wishes, items)
        try:
            stack = _stacked(size, spot.box, wishes)
        except BadInput as error:
            faults += error.faults
            continue
        items += _placed(stack, spot, number, locale)
    if faults:
        raise BadInput("the overlays cannot be laid", faults)
    notes += _collisions(items)
    order = {id(overlay): number for number, overlay in enumerate(overlays)}
    items.sort(key=lambda item: order[id(item.overlay)])
    return Arrangement(tuple(items), tuple(dict.fromkeys(notes)))


def _box(overlay: LaidOverlay) -> BoxName | tuple[float, float, float, float]:
    return overlay.box or ("top-right" if overlay.logo else "bottom")


def _rank(
    group: tuple[BoxName | tuple[float, float, float, float], list[Wish]],
) -> tuple[int, str]:
    """Who chooses first: boxes in numbers, logos, corners, and then those that can make way."""
    box, wishes = group
    if not isinstance(box, str):
        return 0, ""
    if any(wish.logo for wish in wishes):
        return 1, box
    return (2 if "-" in box else 3), box


def _spot(
    size: tuple[int, int],
    safe_zone: SafeZone | None,
    box: BoxName | tuple[float, float, float, float],
    wishes: Sequence[Wish],
    taken: Sequence[Item],
) -> Place:
    spot = place(size, safe_zone, box, several=len(wishes) > 1)
    if not spot.named:
        return spot
    room = spot.box
    for wish in wishes:
        if wish.logo:  # its clear space counts towards the canvas's edges as well
            clear = math.ceil(CLEAR * min(wish.largest, room.height / (1 + CLEAR)))
            edge = Box(clear, clear, size[0] - clear, size[1] - clear)
            room = room.within(edge)
    for item in taken:
        away = _away(item)
        if room.meets(away):
            room = room.beside(away)
    return Place(room, spot.across, spot.down, named=True)


def _away(item: Item) -> Box:
    """What others keep out of."""
    if item.logo:
        # a plate, if it gets one, moves it into its box by the plate's rim
        clear = math.ceil(max(CLEAR, 2 * PLATE) * item.ink.height)
        return item.ink.grown(clear, clear)
    air = round(item.size * 0.4)
    return item.outer.grown(air, air)


def _stacked(size: tuple[int, int], box: Box, wishes: Sequence[Wish]) -> list[_Sized]:
    """All of a box at the largest common share of their sizes at which the stack has room."""
    share = 1.0
    failed: Wish | None = None
    while True:
        stack: list[_Sized] = []
        failed = None
        for wish in wishes:
            sized = _sized(wish, box, share)
            if sized is None:
                failed = wish
                break
            stack.append(sized)
        if failed is None and _total(stack) <= box.height:
            return stack
        if failed is not None and share < 1 and failed.largest * share > failed.smallest:
            pass
        elif failed is not None or all(w.largest * share <= w.smallest for w in wishes):
            raise _no_room(size, box, wishes, failed)
        share *= _SHRINK


def _total(stack: Sequence[_Sized]) -> int:
    gaps = sum(_gap(upper, lower) for upper, lower in pairwise(stack))
    return sum(one.height + 2 * one.pad_y for one in stack) + gaps


def _gap(upper: _Sized, lower: _Sized) -> int:
    if upper.wish.logo or lower.wish.logo:
        logo = upper if upper.wish.logo else lower
        return math.ceil(CLEAR * logo.height)
    return round(0.36 * max(upper.size, lower.size) + 0.3 * min(upper.size, lower.size))


def _sized(wish: Wish, box: Box, share: float) -> _Sized | None:
    largest = max(wish.smallest, round(wish.largest * share))
    if wish.logo is not None:
        plate = PLATE if has_plate(wish.overlay) else 0.0
        ratio = wish.logo.ratio
        height = min(largest, box.height / (1 + 2 * plate), box.width / (ratio + 2 * plate))
        if height < wish.smallest:
            return None
        height = math.floor(height)
        width = max(1, min(round(height * ratio), box.width))
        pad = math.floor(plate * height)
        return _Sized(wish, width, height, height, pad, pad)
    if wish.setting is None or box.width <= 0 or box.height <= 0:
        return None
    plate_x, plate_y = (_PLATE_X, _PLATE_Y) if has_plate(wish.overlay) else (0.0, 0.0)
    while True:
        pad_x, pad_y = math.ceil(plate_x * largest), math.ceil(plate_y * largest)
        block = fitted(
            wish.setting,
            width=box.width - 2 * pad_x,
            height=box.height - 2 * pad_y,
            largest=largest,
            smallest=wish.smallest,
            leading=wish.leading,
        )
        if block is not None:
            pad_x, pad_y = math.ceil(plate_x * block.size), math.ceil(plate_y * block.size)
            return _Sized(wish, block.width, block.height, block.size, pad_x, pad_y, block)
        if largest <= wish.smallest or not plate_x:
            return None
        largest = max(wish.smallest, round(largest * _SHRINK))


def _no_room(
    size: tuple[int, int], box: Box, wishes: Sequence[Wish], failed: Wish | None
) -> BadInput:
    wish = failed or max(wishes, key=lambda one: len(one.overlay.text))
    words = ready(wish.overlay.text)[0].replace("\n", " ")
    what = "the logo" if wish.logo else f"'{words if len(words) <= 60 else words[:59] + '…'}'"
    fault = Fault(
        wish.overlay.place,
        f"{what} has no room in {max(box.width, 0)} x {max(box.height, 0)} pixels of "
        f"{size[0]}x{size[1]}, even at {wish.smallest} pixels",
        remedy="shorten it, give it a larger box, or leave this output out by its `channels`",
    )
    return BadInput("an overlay has no room", [fault])


def _placed(stack: Sequence[_Sized], spot: Place, group: int, locale: str) -> list[Item]:
    leftward = any(
        one.block.setting.leftward if one.block else reads_leftward("", locale) for one in stack
    )
    start: Side = "right" if leftward else "left"
    room, total = spot.box, _total(stack)
    down = {
        Down.TOP: room.top,
        Down.MIDDLE: room.top + (room.height - total) // 2,
        Down.BOTTOM: room.bottom - total,
    }[spot.down]
    items = []
    for index, one in enumerate(stack):
        if index:
            down += _gap(stack[index - 1], one)
        align = one.wish.overlay.align or spot.across or start
        block = one.block.aligned(align) if one.block else None
        width = (block.width if block else one.width) + 2 * one.pad_x
        left = {
            "left": room.left,
            "center": room.left + (room.width - width) // 2,
            "right": room.right - width,
        }[align]
        outer = Box(left, down, left + width, down + one.height + 2 * one.pad_y)
        items.append(
            Item(
                overlay=one.wish.overlay,
                ink=outer.grown(-one.pad_x, -one.pad_y),
                outer=outer,
                room=room,
                size=one.size,
                align=align,
                group=group,
                has_plate=has_plate(one.wish.overlay),
                block=block,
                logo=one.wish.logo,
            )
        )
        down = outer.bottom
    return items


def _collisions(items: Sequence[Item]) -> list[str]:
    return [
        f"{one.overlay.place} and {other.overlay.place} overlap"
        for index, one in enumerate(items)
        for other in items[index + 1 :]
        if one.group != other.group and one.outer.meets(other.outer)
    ]
