"""Spree's product CSV: a row for the product, a row for each variant, joined by the slug.

github.com/spree/spree, spree/core/db/sample_data/products.csv
"""

from __future__ import annotations

from flows.read.dialects.base import Dialect, Group, Options, any_of, folded_by
from flows.read.dialects.names import snake

TRANSLATIONS = "product_translations.csv"
"""The file that Spree exports beside the products, in the columns slug, locale and texts."""


def options(group: Group) -> Options:
    found: dict[str, list[str]] = {}
    for number in (1, 2, 3):
        for name in group.values((f"option{number}_name",)):
            found.setdefault(snake(name), group.values((f"option{number}_value",)))
    return found


DIALECT = Dialect(
    name="spree",
    label="Spree",
    signature=(
        any_of("slug"),
        any_of("sku"),
        any_of("name"),
        any_of("image1_src", "category1", "option1_name"),
    ),
    key=("slug",),
    names={
        "title": ("name",),
        "category": ("category1", "category2", "category3"),
        "stock": ("inventory_count",),
    },
    fold=folded_by(("slug",), ("name",)),
    options=options,
)
