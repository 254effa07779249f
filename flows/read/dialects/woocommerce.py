"""WooCommerce's product CSV: variable products and their variations, linked by `Parent`.

github.com/woocommerce/woocommerce, class-wc-product-csv-importer.php
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.read.dialects import images
from flows.read.dialects.base import Dialect, Folded, Group, Line, Options, Rule, any_of
from flows.read.dialects.names import snake
from flows.read.plain import one_line
from flows.read.tables.table import BadRow, shown


def fold(lines: Sequence[Line], rule: Rule) -> Folded:
    """Variations go into their parents, which may stand below them.

    The shop itself makes the name into an address where a product has neither SKU nor ID; so do we.
    """
    folded = Folded()
    parents: dict[str, Group] = {}
    variations: list[Line] = []
    for line in lines:
        if "variation" in re.split(r"\s*,\s*", line.cells.get("type", "").lower()):
            variations.append(line)
            continue
        key = rule.key(line)
        if not key and rule.continuation and folded.groups:
            folded.groups[-1].more.append(line)
            continue
        key = key or _made_from_name(line, folded.notes)
        if not key:
            folded.bad.append(rule.blank(line))
            continue
        group = Group(key, line)
        folded.groups.append(group)
        for name in (line.cells.get("sku", ""), _numbered(line.cells.get("id", ""))):
            if name:
                parents.setdefault(name, group)
    for line in variations:
        named = re.sub(r"^id:\s*", "id:", line.cells.get("parent", ""))
        if named in parents:
            parents[named].more.append(line)
        else:
            folded.bad.append(_orphan(line, named))
    return folded


def _made_from_name(line: Line, notes: list[str]) -> str:
    name = one_line(line.cells.get("name", "")).lower()
    key = re.sub(r"[\W_]+", "-", name).strip("-")
    if key:
        notes.append(
            f"line {line.number} has neither SKU nor ID; its key is made from its name: {key}"
        )
    return key


def _numbered(number: str) -> str:
    return f"id:{number}" if number else ""


def _orphan(line: Line, parent: str) -> BadRow:
    return BadRow(
        number=line.number,
        column="Parent",
        found=f"the variation's parent {shown(parent)} is not in the file"
        if parent
        else "a variation without a parent",
        remedy="export the parent with it: its SKU, or id: and its number",
        product=line.cells.get("sku", ""),
    )


def pictures(group: Group, columns: Sequence[str]) -> list[str]:
    return [
        image
        for line in group.lines
        for column in columns
        for image in images.by_comma(line.cells.get(column, ""))
    ]


def options(group: Group) -> Options:
    """Attributes: a parent lists all values with commas, a variation has its own."""
    found: dict[str, list[str]] = {}
    for number in range(1, 10):
        name = snake(group.main.cells.get(f"attribute_{number}_name", ""))
        values = group.values((f"attribute_{number}_value_s", f"attribute_{number}_value"))
        if name and values:
            parts = [part.strip() for value in values for part in value.split(",")]
            found.setdefault(name, list(dict.fromkeys(filter(None, parts))))
    return found


DIALECT = Dialect(
    name="woocommerce",
    label="WooCommerce",
    signature=(
        any_of("type"),
        any_of("images"),
        any_of("sku", "id"),
        any_of("regular_price", "categories", "parent", "is_featured", "visibility_in_catalog"),
    ),
    key=("sku", "id"),
    key_by_row=True,
    names={
        "title": ("name",),
        "description": ("description", "short_description"),
        "price": ("regular_price", "price"),
        "category": ("categories",),
        "brand": ("brands", "brand"),
        "sku": ("sku",),
    },
    fold=fold,
    image_columns=("images",),
    images=pictures,
    options=options,
)
