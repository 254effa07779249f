"""Scenes for crops whose subject is known to the judge alone, drawn from a seed."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (1600, 600)


def scene(seed):
    """A wide take with one textured subject off its centre on a busy ground; the subject's box in
    pixels; and a reference: the subject by itself on a plain ground, larger or smaller and turned.
    """
    dice = np.random.default_rng(seed)
    take = busy_ground(dice, SIZE)
    width, height = int(dice.integers(150, 400)), int(dice.integers(180, 480))
    subject = _subject(dice, (width, height))
    on_the_left = dice.random() < 0.5
    x = dice.integers(10, 500) if on_the_left else dice.integers(1100 - width // 2, 1590 - width)
    y = dice.integers(5, 595 - height)
    take.paste(subject, (int(x), int(y)), subject)
    box = (int(x), int(y), int(x) + width, int(y) + height)
    return take, box, _reference(dice, subject)


def busy_ground(dice, size):
    levels = np.zeros((size[1], size[0], 3), np.float32)
    for cells, weight in ((6, 108), (20, 72), (80, 48), (300, 26)):
        grid = dice.integers(0, 256, (cells * size[1] // size[0] + 2, cells, 3), np.uint8)
        layer = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        levels += (np.asarray(layer, np.float32) / 255 - 0.5) * weight
    levels += dice.integers(80, 180, 3)
    ground = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(ground)
    for _ in range(60):
        x, y = (int(dice.integers(0, edge)) for edge in size)
        wide, tall = (int(dice.integers(6, 60)) for _ in range(2))
        around = (x - wide, y - tall, x + wide, y + tall)
        match dice.integers(0, 3):
            case 0:
                pen.ellipse(around, fill=_colour(dice))
            case 1:
                end = (x + int(dice.integers(-200, 200)), y + int(dice.integers(-120, 120)))
                pen.line((x, y, *end), fill=_colour(dice), width=int(dice.integers(2, 9)))
            case _:
                pen.rectangle(around, outline=_colour(dice), width=int(dice.integers(1, 6)))
    return ground.filter(ImageFilter.GaussianBlur(0.7))


def _subject(dice, size):
    width, height = size[0] * 2, size[1] * 2
    subject = Image.new("RGB", (width, height), _colour(dice))
    pen = ImageDraw.Draw(subject)
    for _ in range(dice.integers(25, 60)):
        x, y = int(dice.integers(0, width)), int(dice.integers(0, height))
        wide, tall = (int(dice.integers(4, min(width, height) // 6)) for _ in range(2))
        draw = pen.rectangle if dice.random() < 0.5 else pen.ellipse
        draw((x - wide, y - tall, x + wide, y + tall), fill=_colour(dice))
    outline = Image.new("L", subject.size, 0)
    pen = ImageDraw.Draw(outline)
    match dice.integers(0, 3):
        case 0:
            pen.ellipse((0, 0, width - 1, height - 1), fill=255)
        case 1:
            corner = min(width, height) // 6
            pen.rounded_rectangle((0, 0, width - 1, height - 1), corner, fill=255)
        case _:
            pen.rectangle((0, 0, width - 1, height - 1), fill=255)
    subject.putalpha(outline)
    return subject.resize(size, Image.Resampling.LANCZOS)


def _reference(dice, subject):
    factor, turn = dice.uniform(0.6, 1.8), dice.uniform(-12, 12)
    size = (int(subject.width * factor), int(subject.height * factor))
    shown = subject.resize(size, Image.Resampling.LANCZOS)
    shown = shown.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    rim = int(dice.integers(30, 150))
    ground = tuple(int(level) for level in dice.integers(225, 256, 3))
    reference = Image.new("RGB", (shown.width + 2 * rim, shown.height + 2 * rim), ground)
    reference.paste(shown, (rim, rim), shown)
    return reference


def _colour(dice):
    return tuple(int(level) for level in dice.integers(0, 256, 3))
