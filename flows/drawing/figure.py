"""What stands in the scene when there is no cut-out: a photo as a print, or a wrapped box."""

from __future__ import annotations

from PIL import Image, ImageDraw

from flows.drawing.colour import Colour

PAPER = (250, 248, 245)


def print_room(box: tuple[int, int]) -> tuple[int, int]:
    """How large a photo may be so that its print fits into `box`."""
    return max(1, box[0] - 2 * _rim(box)), max(1, box[1] - 2 * _rim(box))


def _rim(box: tuple[int, int]) -> int:
    return max(1, round(0.022 * min(box)))


def print_of(photo: Image.Image, box: tuple[int, int]) -> Image.Image:
    """The whole photo as a print with a paper rim and rounded corners, RGBA.

    The photo is as large as `print_room(box)` lets it be. One longer than 2.6 to 1 is shown on a
    paper no longer than that.
    """
    rim = _rim(box)
    width, height = photo.size
    across = max(width, round(height / 2.6)) + 2 * rim
    down = max(height, round(width / 2.6)) + 2 * rim
    sheet = Image.new("RGB", (across, down), PAPER)
    sheet.paste(photo, ((across - width) // 2, (down - height) // 2))
    fine = 3
    corners = Image.new("L", (across * fine, down * fine))
    radius = max(1.0, 0.02 * min(box)) * fine
    ImageDraw.Draw(corners).rounded_rectangle(
        (0, 0, across * fine - 1, down * fine - 1), radius=radius, fill=255
    )
    sheet.putalpha(corners.reduce(fine))
    return sheet


def wrapped_box(box: tuple[int, int], colour: Colour, ribbon: Colour, light: int) -> Image.Image:
    """A box in paper with a band around it, seen a little from above, RGBA, inside `box`."""
    fine = 2 if max(box) < 1600 else 1
    side = min(box[0] / 1.12, box[1] / 1.06)
    width, height = max(8, int(side * 1.12)), max(8, int(side * 1.06))
    canvas = Image.new("RGBA", (width * fine, height * fine), (*colour.bytes(), 0))
    pen = ImageDraw.Draw(canvas)
    w, h = canvas.width - 1, canvas.height - 1

    def at(x: float, y: float) -> tuple[float, float]:
        return (x if light < 0 else 1 - x) * w, y * h

    def tone(base: Colour, step: float) -> tuple[int, int, int, int]:
        return (*base.but(lightness=base.lightness + step).bytes(), 255)

    # Front, side and top; the side lies away from the light.
    corners = {
        "front": ((0.0, 0.2), (0.68, 0.26), (0.68, 1.0), (0.0, 0.91)),
        "side": ((0.68, 0.26), (1.0, 0.14), (1.0, 0.84), (0.68, 1.0)),
        "top": ((0.0, 0.2), (0.36, 0.08), (1.0, 0.14), (0.68, 0.26)),
    }
    for face, step in (("front", 0.0), ("side", -0.1), ("top", 0.07)):
        quad = corners[face]
        pen.polygon([at(*corner) for corner in quad], fill=tone(colour, step))
        band = [
            _between(quad[0], quad[1], 0.42),
            _between(quad[0], quad[1], 0.58),
            _between(quad[3], quad[2], 0.58),
            _between(quad[3], quad[2], 0.42),
        ]
        pen.polygon([at(*corner) for corner in band], fill=tone(ribbon, step))
    crossing = [
        _between(corners["top"][0], corners["top"][3], 0.42),
        _between(corners["top"][0], corners["top"][3], 0.58),
        _between(corners["top"][1], corners["top"][2], 0.58),
        _between(corners["top"][1], corners["top"][2], 0.42),
    ]
    pen.polygon([at(*corner) for corner in crossing], fill=tone(ribbon, 0.07))
    for near, far in ((0.36, 0.51), (0.51, 0.66)):
        for inset, step in ((0.0, 0.03), (0.028, -0.09)):
            (left, top), (right, bottom) = at(near + inset, inset), at(far - inset, 0.17 - inset)
            pen.ellipse((min(left, right), top, max(left, right), bottom), fill=tone(ribbon, step))
    return canvas.resize((width, height), Image.Resampling.BOX)


def _between(
    start: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
