"""Axes: what a campaign is multiplied by, and which cells of that are wanted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from flows.nouns.campaign.part import (
    ID_PATTERN,
    SIZE_PATTERN,
    ByteCount,
    Format,
    Part,
    Scalar,
    Variables,
    possible_size,
)


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
