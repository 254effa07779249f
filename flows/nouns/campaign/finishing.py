"""Finishing: how takes become files, and what is laid over them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flows.nouns.campaign.part import Format, HexColour, Part
from flows.nouns.focus_wish import Wish, wrong_shares


class Finish(Part):
    """How takes become files."""

    formats: list[Format] = Field(default=["jpeg"], min_length=1)
    quality: int = Field(82, ge=1, le=100)
    fit: Literal["crop", "pad", "extend"] = "crop"
    pad: Literal["edge", "blur", "brand"] | Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = (
        Field(
            "edge",
            description=(
                "What fit: pad fills the rest with: edge (its colour), blur, brand (the first "
                "colour of brand.palette), or #RRGGBB."
            ),
        )
    )
    focus: Wish = Field(
        "auto",
        description=(
            "auto, center, a point [x, y] or a box [left, top, right, bottom] as shares of width "
            "and height."
        ),
    )

    @model_validator(mode="after")
    def _focus_is_a_place(self) -> Finish:
        if isinstance(self.focus, list) and (wrong := wrong_shares(self.focus)):
            msg = f"focus: {wrong}; write a point, [0.5, 0.4], or a box, [0.2, 0.1, 0.8, 0.9]"
            raise ValueError(msg)
        return self


class Brand(Part):
    """Colours, logo and fonts of the house."""

    palette: list[HexColour] = Field(
        default_factory=list, description="#RRGGBB, the leading colour first."
    )
    logo: str | None = Field(None, description="SVG (outlines only) or PNG beside this file.")
    logo_on_dark: str | None = Field(
        None, description="The logo for dark grounds; taken where it stands out better."
    )
    fonts: list[str] = Field(
        default_factory=list,
        description="Font files (ttf, otf, ttc), or names of fonts of this machine; first wins.",
    )


BoxName = Literal[
    "top", "bottom", "left", "right", "center",
    "top-left", "top-right", "bottom-left", "bottom-right",
]  # fmt: skip
BoxShares = Annotated[list[float], Field(min_length=4, max_length=4)]
OverlayRole = Literal["headline", "price", "badge", "body"]
Side = Literal["left", "center", "right"]


class Overlay(Part):
    """Words or the logo laid over the picture; they never go to the model."""

    text: str | None = Field(
        None, min_length=1, description="Jinja, rendered for each product, variant and locale."
    )
    logo: bool = Field(False, description="`brand.logo` instead of words.")
    role: OverlayRole = Field("headline", description="Sets size and weight.")
    box: BoxName | BoxShares | None = Field(
        None,
        description=(
            "A place, or [left, top, right, bottom] as shares of what the channel's safe zone "
            "leaves free. Default: bottom; the logo: top-right."
        ),
    )
    align: Side | None = Field(None, description="Default: where the language starts to read.")
    color: HexColour | Literal["brand", "black", "white"] | None = Field(
        None, description="Default: black or white, whichever can be read better."
    )
    background: HexColour | Literal["none", "scrim", "plate"] | None = Field(
        None, description="Default: a scrim where the contrast is below 4.5:1; a badge: a plate."
    )
    font: str | None = Field(
        None, description="One of `brand.fonts`, or a font of this machine by its name."
    )
    size: float | None = Field(
        None, gt=0, le=1, description="Largest size as a share of the picture's shorter edge."
    )
    locales: list[str] = Field(default_factory=list, description="Only these; default: all.")
    channels: list[str] = Field(default_factory=list, description="Only these; default: all.")

    @model_validator(mode="after")
    def _is_words_or_the_logo(self) -> Overlay:
        if (self.text is None) == (not self.logo):
            msg = "either `text` or `logo: true`"
            raise ValueError(msg)
        if self.logo and (self.font or self.color):
            msg = "`font` and `color` are for words: the logo keeps its own"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _box_has_an_inside(self) -> Overlay:
        if isinstance(self.box, list):
            left, top, right, bottom = self.box
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                msg = "box: left < right and top < bottom, each from 0 to 1: [0, 0.6, 1, 1]"
                raise ValueError(msg)
        return self
