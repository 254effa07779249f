"""Our names for columns: how a header becomes a field, and which headers mean the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GOOGLE = re.compile(r"(?:^|(?<=\.))g:", re.IGNORECASE)
_NO_WORD = re.compile(r"[\W_]+")

KEYS = ("sku", "id", "handle", "slug")
"""Columns that name a product, in the order in which they are looked for."""

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "title": (
            "title",
            "name",
            "product_name",
            "product_title",
            "item_name",
            "structured_title",
        ),
        "description": (
            "description",
            "body_html",
            "product_description",
            "long_description",
            "body",
            "structured_description",
            "short_description",
            "summary",
            "content",
        ),
        "price": ("price", "regular_price", "unit_price", "variant_price"),
        "currency": ("currency", "currency_code", "price_currency"),
        "brand": ("brand", "vendor", "manufacturer"),
        "category": (
            "category",
            "categories",
            "product_category",
            "product_type",
            "google_product_category",
        ),
        "tags": ("tags", "keywords", "labels"),
        "link": ("link", "url", "product_url"),
        "color": ("color", "colour"),
        "size": ("size",),
        "material": ("material",),
        "stock": (
            "stock",
            "stock_quantity",
            "stock_on_hand",
            "inventory",
            "inventory_quantity",
            "inventory_count",
            "quantity",
            "qty",
        ),
        "sku": ("sku", "variant_sku"),
    }
)
"""Our name: the columns that it is read from, the first that says something wins."""

IMAGES = (
    "image",
    "image_link",
    "image_url",
    "image_src",
    "main_image",
    "main_image_url",
    "main_image_link",
    "product_image",
    "product_image_url",
    "images",
    "image_urls",
    "photo",
    "photos",
    "picture",
    "pictures",
)
MORE_IMAGES = (
    "additional_image_link",
    "additional_image_links",
    "additional_images",
    "gallery",
    "lifestyle_image_link",
    "enclosure",
    "media_content",
    "media_thumbnail",
)
_NUMBERED = re.compile(
    r"(?:other_)?(?:image|picture|photo|img)_?(?:url_|link_|src_)?(\d+)(?:_(?:url|src|link))?"
)


@cache
def snake(header: str) -> str:
    """A header as a field's name: `Body (HTML)` is body_html, `stockOnHand` stock_on_hand,
    `g:image_link` image_link. Letters of all scripts stay.
    """
    bare = _GOOGLE.sub("", header.strip())
    return _NO_WORD.sub("_", _CAMEL.sub("_", bare)).strip("_").lower()


def image_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that hold pictures, main picture first, numbered ones in their order."""
    there = set(columns)
    numbered = sorted(
        (int(match[1]), column) for column in columns if (match := _NUMBERED.fullmatch(column))
    )
    return (
        *(name for name in IMAGES if name in there),
        *(column for _, column in numbered),
        *(name for name in MORE_IMAGES if name in there),
    )
