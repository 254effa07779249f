"""Publishing: where the files go, who is told of them, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from flows.nouns.campaign.part import ID_PATTERN, Part

DOMAIN_PATTERN = r"^[a-z0-9-]+(\.[a-z0-9-]+)+$"


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
    retire_at_most: float = Field(
        0.3,
        ge=0,
        le=1,
        description=(
            "The share of the published shots that a catalogue may take away at once; beyond it "
            "(and 5 products) a run asks at a terminal, and stops elsewhere. 1: no bound."
        ),
    )
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
