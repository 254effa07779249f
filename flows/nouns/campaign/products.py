"""Products: which there are, and where their rows come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flows.nouns.campaign.part import Part, Value

Dialect = Literal[
    "auto", "csv", "shopify", "woocommerce", "merchant", "meta", "spree", "vendure"
]  # fmt: skip


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
