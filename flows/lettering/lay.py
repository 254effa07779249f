"""Lay an arrangement over a picture: plates and scrims first, then letters, and measure them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.lettering.arrange import Arrangement, Item, arranged
from flows.lettering.contrast import (
    BLACK,
    ENOUGH,
    RING,
    WHITE,
    Colour,
    Ground,
    colour_of,
    ground,
    hex_of,
    reached,
)
from flows.lettering.mark import lay_logo
from flows.lettering.readable import Tried, best_way, colours_of, ratio_of
from flows.lettering.scrim import (
    Shape,
    cloud,
    gradient,
    lay_plate,
    lay_scrim,
)
from flows.lettering.setting import draw_line
from flows.lettering.zone import Box, SafeZone
from flows.nouns.overlay import BrandKit, Laid, LaidOverlay, Placed

if TYPE_CHECKING:
    from PIL import Image

_ASKED_FOR = 110
"""Of 255: the least strength of a scrim that the campaign asks for."""
_CALM = 14.0
"""Levels of grey: letters over more unrest than this are hard to read whatever their contrast, so
their scrim takes it down."""
_REACH = 0.5
"""Ems: what is smaller counts as unrest, what is larger as a part of the picture."""
_ROUND = 0.3
"""Ems: the corners of a plate; a badge of one line has round ends."""


def laid(
    picture: Image.Image,
    overlays: Sequence[LaidOverlay],
    *,
    safe_zone: SafeZone | None,
    brand: BrandKit,
    locale: str,
) -> Laid:
    """A copy of an RGB picture with its overlays; the same bytes for the same arguments and fonts.

    `safe_zone` is top, right, bottom, left as shares of the canvas. Every text stands within it, in
    its box, at the largest size that has room, and is measured: where letters would be read at less
    than 4.5 to 1, a scrim is laid that is just strong enough.

    Raises:
        BadInput: what `arranged` raises.

    """
    found = arranged(picture.size, overlays, safe_zone=safe_zone, kit=brand, locale=locale)
    return _laid(picture, found, brand)


def _laid(picture: Image.Image, found: Arrangement, brand: BrandKit) -> Laid:
    canvas = picture.convert("RGB") if picture.mode != "RGB" else picture.copy()
    notes = list(found.notes)
    texts = [_Text(item, canvas) for item in found.items if item.block is not None]
    for text in texts:
        if text.item.has_plate:
            text.colour, text.background = _on_plate(canvas, text.item, brand)
    for number in dict.fromkeys(text.item.group for text in texts):
        bare = [one for one in texts if one.item.group == number and not one.item.has_plate]
        if bare:
            _make_readable(canvas, bare, brand)
    placed: dict[int, Placed] = {}
    for index, item in enumerate(found.items):
        if item.logo is not None:
            placed[index], said = lay_logo(canvas, item, brand)
            notes += said
    # all are measured before the first letter is drawn: a letter is not its neighbour's ground
    ratios = [reached(text.colour, text.ground.pixels(canvas)) for text in texts]
    for text, ratio in zip(texts, ratios, strict=True):
        canvas.paste(text.colour, text.item.ink.corners[:2], text.mask)
        if ratio < ENOUGH:
            notes.append(
                f"{text.item.overlay.place}: contrast {ratio:.2f} to 1, below {ENOUGH} to 1"
            )
        placed[found.items.index(text.item)] = _told(text, ratio)
    return Laid(canvas, tuple(placed[index] for index in sorted(placed)), tuple(notes))


class _Text:
    """Letters on their way: mask and ground are known, colour and background are found."""

    def __init__(self, item: Item, canvas: Image.Image) -> None:
        self.item = item
        self.mask = _mask(item)
        ring = max(1, round(RING * item.size))
        self.ground: Ground = ground(canvas, self.mask, item.ink.corners[:2], ring)
        self.colour: Colour = WHITE
        self.background = "none"


def _mask(item: Item) -> Image.Image:
    from PIL import Image, ImageDraw

    block = item.block
    if block is None:
        msg = "only letters have a mask"
        raise TypeError(msg)
    mask = Image.new("L", (item.ink.width, item.ink.height))
    draw = ImageDraw.Draw(mask)
    for line, left, base in zip(block.lines, block.lefts, block.baselines, strict=True):
        draw_line(draw, block.setting, line, (left, base), block.size)
    return mask


def _told(text: _Text, ratio: float) -> Placed:
    block = text.item.block
    lines = tuple(line.text for line in block.lines) if block else ()
    return Placed(
        text=block.setting.text if block else "",
        role=text.item.overlay.role,
        box=text.item.ink.corners,
        size_px=text.item.size,
        lines=lines,
        contrast=round(ratio, 2),
        color=hex_of(text.colour),
        background=text.background,
    )


def _on_plate(canvas: Image.Image, item: Item, brand: BrandKit) -> tuple[Colour, str]:
    """Lay the plate; the letters' colour and what was laid."""
    background, colours = item.overlay.background, colours_of(item.overlay, brand)
    if background is not None and background.startswith("#"):
        plates = [colour_of(background)]
    elif item.overlay.color is None:
        plates = [colour_of(one) for one in brand.palette[:1]] or [WHITE]
    else:
        plates = [*(colour_of(one) for one in brand.palette), WHITE, BLACK]
    plate, colour = next(
        (
            (plate, colour)
            for plate in plates
            for colour in colours
            if ratio_of(plate, colour) >= ENOUGH
        ),
        max(
            ((plate, colour) for plate in plates for colour in colours),
            key=lambda pair: ratio_of(*pair),
        ),
    )
    block = item.block
    is_badge = item.overlay.role == "badge" and block is not None and len(block.lines) == 1
    radius = item.outer.height // 2 if is_badge else round(_ROUND * item.size)
    lay_plate(canvas, item.outer, plate, radius)
    return colour, f"plate {hex_of(plate)}"


def _make_readable(canvas: Image.Image, texts: Sequence[_Text], brand: BrandKit) -> None:
    """Find the colours and, where one is needed, lay one scrim for the texts of a box."""
    with_scrim = [one for one in texts if one.item.overlay.background != "none"]
    shape = _shape(canvas, with_scrim) if with_scrim else None
    grounds = [text.ground.thinned() for text in texts]
    pixels = [ground.pixels(canvas) for ground in grounds]
    tried = [
        Tried(
            text.item.overlay, own, None if shape is None else shape.at(where.rows, where.columns)
        )
        for text, where, own in zip(texts, grounds, pixels, strict=True)
    ]
    best = best_way(tried, brand)
    for text, colour in zip(texts, best.colours, strict=True):
        text.colour = colour
    strength = best.strength
    if any(one.item.overlay.background == "scrim" for one in with_scrim):
        strength = max(strength, _ASKED_FOR)
    for text in with_scrim:
        unrest = text.ground.unrest(canvas, max(1, round(_REACH * text.item.size)))
        if unrest > _CALM:
            strength = max(strength, round(255 * (1 - _CALM / unrest)))
    if shape is not None and strength:
        lay_scrim(canvas, shape, best.scrim, strength)
        for text in with_scrim:
            text.background = f"scrim {strength / 255:.2f}"


def _shape(canvas: Image.Image, texts: Sequence[_Text]) -> Shape:
    ink = texts[0].item.ink
    for text in texts[1:]:
        ink = ink.joined(text.item.ink)
    size = max(text.item.size for text in texts)
    ring = max(1, round(RING * size))
    pad = max(round(0.5 * size), ring + 1)
    around = ink.grown(ring, ring).within(Box(0, 0, *canvas.size))
    match texts[0].item.overlay.box or "bottom":
        case "top" | "bottom" as edge if ink.height <= 0.6 * canvas.height:
            return gradient(canvas.size, around, edge, pad)
        case "left" | "right" as edge if ink.width <= 0.6 * canvas.width:
            return gradient(canvas.size, around, edge, pad)
        case _:
            return cloud(canvas.size, around, pad)
