"""The label and the mark "FPO proof", small in a corner."""

from __future__ import annotations

import functools
import hashlib
import threading
import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from flows.drawing.colour import Colour
from flows.drawing.layout import Layout

MARK = "FPO proof"
_GAP = "  ·  "
_FONTS = threading.Lock()


def readable(text: str) -> str:
    """What the built-in font can show of a text: its Latin part, or a short hash of it.

    The font is made for Latin letters; others would come out as empty boxes.
    """
    printed = "".join(" " if unicodedata.category(one)[0] == "C" else one for one in text)
    words = " ".join(printed.split())
    kept = "".join(letter for letter in _latin(words) if _known(letter))
    kept = " ".join(kept.split()).strip(" -_.,;:/|()[]")
    letters = sum(letter.isalnum() for letter in kept)
    wanted = sum(letter.isalnum() for letter in words)
    if letters and letters * 3 >= wanted:
        return kept
    return (
        "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6] if words else ""
    )


def _latin(text: str) -> str:
    """Letters with their accents where the font has them, without where it does not."""
    out = []
    for letter in unicodedata.normalize("NFC", text):
        plain = unicodedata.normalize("NFKD", letter)
        out.append(letter if _known(letter) else plain)
    return "".join(out)


@functools.cache
def _known(letter: str) -> bool:
    """Printable, and in Latin-1, which the font covers whole."""
    return 32 <= ord(letter) < 127 or (161 <= ord(letter) < 256 and ord(letter) != 173)


@functools.lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def letter(picture: Image.Image, layout: Layout, label: Sequence[str], ink: Colour) -> None:
    """Set mark and label into the lower corner on the side away from the product, in place."""
    margin = max(3, round(0.035 * layout.unit))
    room = picture.width - 2 * margin
    shown = [part for part in (readable(part) for part in label) if part]
    # FreeType's faces are not made for several threads at once; the setting takes a millisecond.
    with _FONTS:
        size = max(8, round(0.021 * layout.unit))
        words = _GAP.join(shown)
        font = _font(size)
        while size > 7 and _wide(font, size, words) > room:
            size -= 1
            font = _font(size)
        while words and _wide(font, size, words) > room:
            words = words[:-2].rstrip(" ·") + "…" if len(words) > 3 else ""
        _set(picture, layout, words, size, margin, ink)


def _wide(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, size: int, words: str) -> float:
    """Width of the whole line: the mark in its outline, a gap, the words."""
    gap = 1.1 * size if words else 0
    return font.getlength(MARK) + 1.3 * size + gap + font.getlength(words)


def _set(
    picture: Image.Image, layout: Layout, words: str, size: int, margin: int, ink: Colour
) -> None:
    font = _font(size)
    whole = _wide(font, size, words)
    if whole > picture.width - margin:
        return
    pad, tall = 0.65 * size, round(1.75 * size)
    fine = 4
    left = margin if layout.words <= 0 else picture.width - margin - round(whole)
    top = picture.height - margin - tall
    box_width = round(font.getlength(MARK) + 2 * pad)
    frame = Image.new("L", ((box_width + 1) * fine, (tall + 1) * fine))
    ImageDraw.Draw(frame).rounded_rectangle(
        (fine // 2, fine // 2, box_width * fine, tall * fine),
        radius=tall * fine / 2,
        outline=190,
        width=max(fine, round(0.09 * size * fine)),
    )
    mask = Image.new("L", (min(round(whole) + 2 * size, picture.width - left), tall + 1))
    mask.paste(frame.reduce(fine), (0, 0))
    pen = ImageDraw.Draw(mask)
    middle = tall / 2
    pen.text((pad, middle), MARK, fill=240, font=font, anchor="lm")
    if words:
        pen.text((box_width + 1.1 * size, middle), words, fill=240, font=font, anchor="lm")
    picture.paste(ink.bytes(), (left, top), mask)
