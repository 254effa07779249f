"""Asking: what is asked of the model and its hosts, and what it may cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from flows.nouns.campaign.part import Part

Role = Literal["product", "style", "logo", "hero", "canvas"]


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
