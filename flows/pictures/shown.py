"""A picture's bytes in; out comes what a good viewer shows of them: upright, sRGB, 8 bits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flows.pictures.colour import gamma_in_srgb, in_srgb
from flows.pictures.depth import eight_bits
from flows.pictures.formats import FORMATS, Form
from flows.pictures.opening import opening

if TYPE_CHECKING:
    from PIL import Image

# The kinds of pixels whose profile drawing has always followed.
_FOLLOWED_IN_DRAWING = frozenset(
    {"RGB", "RGBA", "L", "CMYK", "P", "1", "LA", "La", "PA", "RGBa"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a picture is opened, where rooms differ on purpose."""

    most_pixels: int
    """One that claims more is refused before it is decoded."""
    formats: Collection[Form] = FORMATS
    enough: int | None = None
    """A JPEG may be decoded at a fraction of its size, for speed, while both of its sides keep so
    many pixels."""
    alpha: Literal["kept", "seen", "white"] = "seen"
    """`kept`: RGBA where the file has an alpha of any kind; `seen`: only where something in it is
    transparent; `white`: always RGB, on white."""
    follows_gamma: bool = False
    """Whether a PNG's gAMA counts where it has no profile. Takes and drawings do without: files
    that were made before must stay the same bytes."""
    as_drawn: bool = False
    """As drawing reads photos, whose files must stay the same bytes too: into LittleCMS's sRGB,
    grey of 16 bits by its contents, and no profile for it or for grey with transparency."""


def shown(data: bytes, terms: Terms) -> Image.Image:
    """The picture as RGB or RGBA with nothing in its `info`; of several, the first.

    Raises:
        UnreadableError: no picture, broken, cut short, or too large.

    """
    with opening(data, most_pixels=terms.most_pixels, formats=terms.formats) as picture:
        if terms.enough is not None:
            picture.draft(None, (terms.enough, terms.enough))
        picture.load()
        made = _as_shown(picture, terms)
    # a comment left here would be written into the next file unasked
    made.info.clear()
    return made


def on_white(picture: Image.Image) -> Image.Image:
    """What shows through is white, as it is on most pages."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _as_shown(picture: Image.Image, terms: Terms) -> Image.Image:
    from PIL import ImageOps

    profile = _followed_profile(picture, terms)
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith(("I", "F")):
        upright = eight_bits(upright, by_contents=terms.as_drawn)
    alpha = None
    if upright.has_transparency_data:
        clear = upright.convert("RGBA")
        alpha = clear.getchannel("A")
        is_grey = upright.mode.startswith("L") and not terms.as_drawn
        upright = upright.convert("L") if is_grey else clear.convert("RGB")
    elif upright.mode not in {"RGB", "L", "CMYK"}:
        upright = upright.convert("RGB")
    if profile:
        upright = in_srgb(upright, profile, into_library_srgb=terms.as_drawn)
    if upright.mode != "RGB":
        upright = upright.convert("RGB")
    if terms.follows_gamma and not profile and "srgb" not in picture.info:
        upright = gamma_in_srgb(upright, picture.info.get("gamma", 0))
    if alpha is not None and (terms.alpha == "kept" or alpha.getextrema() != (255, 255)):
        upright.putalpha(alpha)
    return on_white(upright) if terms.alpha == "white" else upright


def _followed_profile(picture: Image.Image, terms: Terms) -> bytes | None:
    profile: bytes | None = picture.info.get("icc_profile")
    if terms.as_drawn and picture.mode not in _FOLLOWED_IN_DRAWING:
        return None
    return profile
