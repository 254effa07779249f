"""Campaign: a campaign file as it is spelled. An unknown key is an error."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from flows.nouns.campaign.asking import Budget, Model, Moderation, ProviderChoice, ReferenceWish
from flows.nouns.campaign.axes import Cell, Experiment, Locale, Sample, Size, Variant
from flows.nouns.campaign.finishing import Brand, Finish, Overlay
from flows.nouns.campaign.part import ID_PATTERN, RATIO_PATTERN, Part, Variables, possible_ratio
from flows.nouns.campaign.products import Products
from flows.nouns.campaign.publishing import Publish, Schedule
from flows.nouns.campaign.saying import Rights, Tagging


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
