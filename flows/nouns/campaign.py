"""Campaign: a campaign file as it is spelled. An unknown key is an error.

The JSON Schema that editors use is made from these classes, so each description is written for
the person who types the file. Text fields that hold Jinja are kept as written; `plan` renders them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar] | dict[str, Scalar]
Variables = dict[str, Value]

Role = Literal["product", "style", "logo", "hero", "canvas"]
Format = Literal["jpeg", "png", "webp", "avif", "tiff"]
Dialect = Literal[
    "auto", "csv", "shopify", "woocommerce", "merchant", "meta", "spree", "vendure"
]  # fmt: skip

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
    design: Literal["full", "sampled", "one-factor"] = "full"
    n: int | None = Field(None, gt=0)
    seed: int = 0


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

    retries: int = Field(1, ge=0)
    soften: str | None = None
    then: Literal["other-host", "report"] = "report"


class Finish(Part):
    """How takes become files."""

    formats: list[Format] = Field(default=["jpeg"], min_length=1)
    quality: int = Field(82, ge=1, le=100)
    fit: Literal["crop", "pad", "extend"] = "crop"
    focus: Literal["auto", "center"] | list[float] = Field(
        "auto", description="auto, center, or a point [x, y] as shares of width and height."
    )

    @model_validator(mode="after")
    def _focus_is_a_point(self) -> Finish:
        if isinstance(self.focus, list) and (
            len(self.focus) != 2 or not all(0 <= share <= 1 for share in self.focus)
        ):
            msg = "focus: two shares between 0 and 1, for example [0.5, 0.4]"
            raise ValueError(msg)
        return self


HexColour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Brand(Part):
    """Colours, logo and fonts of the house."""

    palette: list[HexColour] = Field(default_factory=list)
    logo: str | None = None
    fonts: list[str] = Field(default_factory=list)


class Overlay(Part):
    """Words laid over the picture; they never go to the model."""

    text: str
    box: str = "bottom"


class Rights(Part):
    """Whose picture it is; written into every file."""

    creator: str | None = None
    copyright: str | None = None
    credit: str | None = None
    license_url: str | None = None


class Feed(Part):
    """A feed that hands the new images to a channel."""

    name: str
    column: str | None = None
    channel: str | None = None


class Publish(Part):
    """Where the files go and what they are called."""

    to: str | None = Field(None, description="Any fsspec URL; default outputs/<campaign>.")
    public_url: str | None = Field(
        None, description="What `url` in manifest and feeds begins with."
    )
    path: str | None = Field(None, description="Jinja for the file's path under images/.")
    takes: Literal["first", "all"] = "first"
    feeds: list[Feed] = Field(default_factory=list)


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
