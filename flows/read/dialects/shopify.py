"""Shopify's product CSV, old and current headers: a row for each variant and each picture.

help.shopify.com/en/manual/products/import-export/using-csv
"""

from __future__ import annotations

from collections.abc import Sequence

from flows.read.dialects.base import Dialect, Group, Options, any_of, folded_by, listed_images
from flows.read.dialects.names import snake

_HANDLE = ("handle", "url_handle")
_SOURCES = ("product_image_url", "image_src")


def pictures(group: Group, columns: Sequence[str]) -> list[str]:
    """Product pictures by their position, then those that belong to single variants."""
    sources = [column for column in columns if column in _SOURCES]
    if not sources:
        return listed_images(group, columns)
    placed: list[tuple[float, str]] = []
    for line in group.lines:
        address = line.first(sources)
        if address:
            position = line.cells.get("image_position", "")
            place = float(position) if position.isdecimal() else float(len(placed) + 1)
            placed.append((place, address))
    placed.sort(key=lambda one: one[0])
    return [
        *(address for _, address in placed),
        *group.values(("variant_image_url", "variant_image")),
    ]


def options(group: Group) -> Options:
    """A product without variants has one option `Title` with the value `Default Title`."""
    found: dict[str, list[str]] = {}
    for number in (1, 2, 3):
        name = snake(group.main.cells.get(f"option{number}_name", ""))
        values = group.values((f"option{number}_value",))
        if name and values and values != ["Default Title"]:
            found[name] = values
    return found


DIALECT = Dialect(
    name="shopify",
    label="Shopify",
    signature=(
        any_of(*_HANDLE),
        any_of("title"),
        any_of(
            "option1_name", "image_src", "product_image_url", "body_html", "variant_price",
            "variant_sku",
        ),
    ),
    key=_HANDLE,
    names={
        "price": ("variant_price", "price"),
        "sku": ("variant_sku", "sku"),
        "category": ("product_category", "type"),
        "stock": ("variant_inventory_qty", "inventory_quantity"),
    },
    fold=folded_by(_HANDLE, ("title",)),
    images=pictures,
    options=options,
)  # fmt: skip
