"""AccountWish: what `SHOTLIST_ACCOUNTS` says of a host where it differs from what is published."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class WindowWish(BaseModel):
    """At most so many in any `per_s` seconds: requests of all kinds, creates alone, or images."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_s: Annotated[float, Field(gt=0)]
    requests: int | None = Field(None, gt=0)
    creates: int | None = Field(None, gt=0)
    images: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _counts_one(self) -> WindowWish:
        if sum(one is not None for one in (self.requests, self.creates, self.images)) != 1:
            msg = "exactly one of `requests`, `creates` and `images`"
            raise ValueError(msg)
        return self


class AccountWish(BaseModel):
    """Limits, price, latency and header of one host. None: as published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    windows: tuple[WindowWish, ...] | None = None
    running: int | None = Field(None, gt=0)
    usd_per_image: Decimal | None = Field(None, ge=0)
    latency_s: float | None = Field(None, gt=0)
    auth: str | None = None
