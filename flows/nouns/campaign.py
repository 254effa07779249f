"""Campaign: a campaign file as it is spelled. An unknown key is an error.

The JSON Schema that editors use is made from these classes, so each description is written for
the person who types the file. Text fields that hold Jinja are kept as written; `plan` renders them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from flows.nouns.focus_wish import Wish, wrong_shares

Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar] | dict[str, Scalar]
Variables = dict[str, Value]

Role = Literal["product", "style", "logo", "hero", "canvas"]
Format = Literal["jpeg", "png", "webp", "avif", "tiff"]
Dialect = Literal[
    "auto", "csv", "shopify", "woocommerce", "merchant", "meta", "spree", "vendure"
]  # fmt: skip

DOMAIN_PATTERN = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"
ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
RATIO_PATTERN = r"^[1-9][0-9]*([.][0-9]+)?:[1-9][0-9]*([.][0-9]+)?$"
SIZE_PATTERN = r"^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$"

_BYTE_UNITS = {
    "": 1,
    "B": 1,
    "kB": 1_000,
    "KB": 1_000,
    "MB": 1_000_000,
    "KiB": 1024,
    "MiB": 1 << 20,
}


MOST_SHAPE = 16
"""Longer side over shorter: what the model's hosts make at all (docs.evolink.ai, seedream-4.0)."""
MOST_PIXELS = 64_000_000
"""Of one output; twice the largest preset of any channel."""


def possible_ratio(text: str) -> str:
    """A ratio that a host can make."""
    width, _, height = text.partition(":")
    shape = float(width) / float(height)
    if not 1 / MOST_SHAPE <= shape <= MOST_SHAPE:
        msg = f"a ratio from 1:{MOST_SHAPE} to {MOST_SHAPE}:1"
        raise ValueError(msg)
    return text


def possible_size(text: str) -> str:
    """A size that a host's master can be cut to."""
    width, _, height = text.partition("x")
    if int(width) * int(height) > MOST_PIXELS:
        msg = f"a size of at most {MOST_PIXELS // 1_000_000} megapixels"
        raise ValueError(msg)
    possible_ratio(f"{width}:{height}")
    return text


def bytes_from_text(value: object) -> object:
    """`300 kB` to 300000 (decimal units: the safe reading of a channel's page)."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", value)
    if match is None or match[2] not in _BYTE_UNITS:
        msg = "a number of bytes such as 300 kB, 2 MB or 150000"
        raise ValueError(msg)
    return int(float(match[1]) * _BYTE_UNITS[match[2]])


ByteCount = Annotated[
    int,
    BeforeValidator(bytes_from_text, json_schema_input_type=int | str),
    Field(gt=0),
]


class Part(BaseModel):
    """What every part of a campaign file has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Products(Part):
    """Which products: a catalogue file or inline items."""

    from_: str | None = Field(
        None,
        alias="from",
        description=(
            "Catalogue: path beside this file or fsspec URL "
            "(CSV, TSV, JSON, JSONL, Parquet, RSS/Atom XML)."
        ),
    )
    items: list[dict[str, Value]] | None = Field(
        None, description="Products written inline instead of a file."
    )
    format: Dialect = Field(
        "auto", description="Dialect of the catalogue; auto finds it by its headers."
    )
    key: str | None = Field(
        None,
        description="Column that names a product; default: the first of sku, id, handle, slug.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="Our name: the catalogue's column."
    )
    image_base: str | None = Field(
        None, description="Folder or URL that image paths begin at; default: beside the catalogue."
    )
    translations: str | None = Field(
        None, description="A table of key, locale and translated columns, joined to the products."
    )
    continuation: bool | None = Field(
        None, description="A row with an empty key belongs to the product above it."
    )
    where: str | None = Field(
        None,
        description="A pandas query over whole products: stock > 0 and category == 'mugs'.",
    )
    limit: int | None = Field(
        None, gt=0, description="At most so many products, after folding and where."
    )
    on_bad_row: Literal["stop", "skip"] = Field(
        "stop", description="What a bad row does; skipped rows are listed."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Products:
        if (self.from_ is None) == (self.items is None):
            msg = "products need exactly one of `from` and `items`"
            raise ValueError(msg)
        return self


class Variant(Part):
    """One arm of an A/B test; its id survives into names, manifest and feeds."""

    id: str = Field(pattern=ID_PATTERN)
    weight: float = Field(1, gt=0)
    vars: Variables = Field(default_factory=dict)
    prompt: str | None = Field(None, description="A template that this variant uses instead.")
    prompt_text: str | None = Field(
        None, description="A template text that this variant uses instead."
    )


class Experiment(Part):
    """Factors with levels; each combination becomes a variant."""

    factors: dict[str, list[Scalar]]
    design: Literal["full", "sampled", "one-factor"] = Field(
        "full",
        description=(
            "full: every combination; one-factor: the first levels, and each other level alone; "
            "sampled: n combinations that tell the factors apart."
        ),
    )
    n: int | None = Field(None, gt=0, description="How many variants a sampled design takes.")
    seed: int = Field(0, description="Another sample, where design is sampled.")
    weights: dict[str, dict[str, Annotated[float, Field(gt=0)]]] = Field(
        default_factory=dict,
        description=(
            "Factor to level to its share of traffic; 1 where nothing is said. "
            "A variant weighs the product of its levels'."
        ),
    )


class Locale(Part):
    """What is said differently in one language."""

    vars: Variables = Field(default_factory=dict)


class Size(Part):
    """An own output in pixels."""

    name: str = Field(pattern=ID_PATTERN)
    size: Annotated[
        str,
        Field(pattern=SIZE_PATTERN, description="WIDTHxHEIGHT in pixels."),
        AfterValidator(possible_size),
    ]
    formats: list[Format] | None = Field(None, min_length=1)
    max_bytes: ByteCount | None = Field(
        None, description="Upper bound of the file, for example 300 kB."
    )


class Cell(Part):
    """A place in the matrix: any subset of the axes; what is not named matches everything."""

    product: str | None = None
    variant: str | None = None
    locale: str | None = None
    aspect_ratio: str | None = None
    name: str | None = Field(
        None, description="An output by name: 4x5, a channel's id, a size's name."
    )


class Sample(Part):
    """A designed cut through a matrix that is too large."""

    n: int = Field(gt=0)
    seed: int = 0
    by: Literal["product", "variant", "locale", "shot"] = "shot"


class ReferenceWish(Part):
    """An image that guides the model."""

    from_: str = Field(alias="from", description="Path, URL or Jinja such as {{ product.image }}.")
    role: Role = "product"
    required: bool = True


class Model(Part):
    """What is asked of the model."""

    name: Literal["seedream-4"] = "seedream-4"
    resolution: Literal["1K", "2K", "4K"] | None = Field(
        None,
        description="Tier of the master; default 2K, raised where an output needs more.",
    )
    guidance: float | None = Field(None, ge=0, le=20)
    safety: bool | None = None


class ProviderChoice(Part):
    """Which hosts may make the images."""

    use: list[str] | None = Field(None, min_length=1)
    policy: Literal["failover", "cheapest", "fastest"] = "failover"


class Budget(Part):
    """How much may be spent."""

    max_usd: Decimal = Field(ge=0)
    per: Literal["run", "month", "total"] = "run"


class Moderation(Part):
    """What happens when a host refuses a prompt."""

    retries: int = Field(
        1, ge=0, le=10, description="How often a host is asked again with the same prompt."
    )
    soften: str | None = Field(
        None,
        min_length=1,
        description=(
            "A template in templates/ for a softer prompt, tried once after that; it knows what "
            "the shot's own template knows, and the refused prompt as `prompt`."
        ),
    )
    then: Literal["other-host", "report"] = Field(
        "report",
        description=(
            "What comes last: report, or other-host: another host of the run, where nothing of it "
            "may have been paid."
        ),
    )


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


HexColour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


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


class Rights(Part):
    """Whose picture it is; written into every file."""

    creator: str | None = None
    copyright: str | None = None
    credit: str | None = None
    license_url: str | None = Field(None, description="A page with the terms of use.")
    usage_terms: str | None = Field(None, description="The terms in a sentence or two.")
    licensor_url: str | None = Field(None, description="A page where a licence is to be had.")


class AigcLabel(Part):
    """China's label in the file (GB 45438-2025): for pictures that are published there."""

    producer: str = Field(
        min_length=1,
        max_length=200,
        description="Name or code of who answers for the picture (ContentProducer).",
    )


class Tagging(Part):
    """What files say about how they were made, beside what is always said."""

    prompt: bool = Field(
        False, description="Publish the prompt in the files' tags, for everybody to read."
    )
    tc260: AigcLabel | None = Field(
        None, description="Write China's label of generated pictures (TC260)."
    )
    credentials: Literal["auto", "required", "off"] = Field(
        "auto",
        description=(
            "Content Credentials (C2PA). auto: where a certificate is set; "
            "required: no run without one; off: never."
        ),
    )


class Feed(Part):
    """A column of a feed that hands the new images to a shop or an ad platform.

    Several with one `name` and `file` are columns of the same file.
    """

    name: Literal["merchant", "merchant-xml", "meta", "shopify", "woocommerce", "pinterest"]
    column: str | None = Field(
        None,
        description=(
            "image_link, additional_image_link or lifestyle_image_link; default: the list of "
            "further pictures. Shopify and WooCommerce have one."
        ),
    )
    channel: str | None = Field(None, description="Only images of this channel; default: all.")
    output: str | None = Field(
        None, description="Only images of this output (4x5, or the name of a size); default: all."
    )
    variant: str | None = Field(None, description="Only images of this variant; default: all.")
    locale: str | None = Field(None, description="Only images of this locale; default: all.")
    file: str | None = Field(
        None,
        pattern=ID_PATTERN,
        max_length=80,
        description="Another file name, without ending: feeds/<file>.<ext>.",
    )
    id: str | None = Field(
        None,
        min_length=1,
        description=(
            "The catalogue's column that names a product on the platform; default: the platform's "
            "own where the catalogue comes from it, else the key."
        ),
    )
    existing: Literal["keep", "replace"] = Field(
        "keep",
        description="What happens to the pictures that the catalogue has in a list of pictures.",
    )


class Adcp(Part):
    """What a party that speaks the Ad Context Protocol is told beside the pictures."""

    brand: str | None = Field(
        None,
        pattern=DOMAIN_PATTERN,
        description="The brand's domain, such as acme.example.",
    )
    formats: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "Output (4x5, a channel, the name of a size) to the seller's id of the format option "
            "that it is for (format_option_id)."
        ),
    )


def _adcp_form(value: object) -> str:
    """By which of the two it was written: faults of the other would only confuse."""
    return "words" if isinstance(value, Mapping | Adcp) else "flag"


class Publish(Part):
    """Where the files go and what they are called."""

    to: str | None = Field(None, description="Any fsspec URL; default outputs/<campaign>.")
    public_url: str | None = Field(
        None, description="What `url` in manifest and feeds begins with."
    )
    path: str | None = Field(None, description="Jinja for the file's path under images/.")
    takes: Literal["first", "all"] = "first"
    feeds: list[Feed] = Field(default_factory=list)
    adcp: Annotated[
        Annotated[bool, Tag("flag")] | Annotated[Adcp, Tag("words")],
        Discriminator(_adcp_form),
    ] = Field(
        False,
        description=(
            "Write adcp.json: the pictures in the shape of AdCP's creative manifests. true, or "
            "what it shall say besides."
        ),
    )

    @property
    def adcp_wish(self) -> Adcp | None:
        """What adcp.json shall say; None where none is wanted."""
        if isinstance(self.adcp, Adcp):
            return self.adcp
        return Adcp() if self.adcp else None


class Schedule(Part):
    """When it runs by itself."""

    cron: str
    timezone: str = "UTC"


class Campaign(Part):
    """A campaign file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"$id": "https://shotlist.example/schema/campaign-1.json"},
    )

    campaign: str = Field(
        pattern=ID_PATTERN,
        max_length=80,
        description="The campaign's id: a-z, 0-9 and dashes.",
    )
    title: str | None = None
    products: Products | None = Field(
        None, description="Required, except in the defaults of a CSV of briefs."
    )
    prompt: str | None = Field(None, min_length=1, description="A template in templates/.")
    prompt_text: str | None = Field(None, description="The template itself, instead of `prompt`.")
    vars: Variables = Field(default_factory=dict)
    variants: list[Variant] = Field(default_factory=list)
    experiment: Experiment | None = None
    locales: dict[str, Locale] | list[str] = Field(default_factory=list)
    aspect_ratios: list[
        Annotated[str, Field(pattern=RATIO_PATTERN), AfterValidator(possible_ratio)]
    ] = Field(default_factory=list)
    channels: list[str] = Field(default_factory=list)
    sizes: list[Size] = Field(default_factory=list)
    share_masters: float = Field(0.0, ge=0, lt=1)
    exclude: list[Cell] = Field(default_factory=list)
    include: list[Cell] = Field(default_factory=list)
    sample: Sample | None = None
    references: list[ReferenceWish] = Field(default_factory=list)
    takes: int = Field(1, ge=1, le=20)
    seed: Literal["stable", "none"] | Annotated[int, Field(ge=0, le=2**31 - 1)] = "stable"
    model: Model = Field(default_factory=Model)
    strict: bool = True
    providers: ProviderChoice = Field(default_factory=ProviderChoice)
    budget: Budget | None = None
    on_unknown: Literal["park", "rebuy"] = "park"
    moderation: Moderation | None = None
    finish: Finish = Field(default_factory=Finish)
    brand: Brand = Field(default_factory=Brand)
    overlays: list[Overlay] = Field(default_factory=list)
    alt: str | None = None
    tags: list[str] = Field(default_factory=list)
    rights: Rights = Field(default_factory=Rights)
    tagging: Tagging = Field(default_factory=Tagging)
    publish: Publish = Field(default_factory=Publish)
    ask_above_usd: Decimal = Field(Decimal("1.00"), ge=0)
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _axes_agree(self) -> Campaign:
        if self.variants and self.experiment:
            msg = "`variants` and `experiment` are two ways to say the same: keep one"
            raise ValueError(msg)
        if self.prompt and self.prompt_text:
            msg = "`prompt` and `prompt_text` are two ways to say the same: keep one"
            raise ValueError(msg)
        return self

    def locale_variables(self) -> dict[str, Variables]:
        """Locale to its variables, whichever way they were written."""
        if isinstance(self.locales, list):
            return {name: {} for name in self.locales}
        return {name: locale.vars for name, locale in self.locales.items()}
