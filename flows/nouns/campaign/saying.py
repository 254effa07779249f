"""Saying: what the files tell of themselves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flows.nouns.campaign.part import Part


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
