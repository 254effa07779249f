"""Vendure's product CSV: a row without a name is a further variant of the product above it.

docs.vendure.io, importing product data
"""

from __future__ import annotations

from collections.abc import Sequence

from flows.read.dialects.base import Dialect, Folded, Group, Line, Options, Rule, any_of
from flows.read.dialects.names import snake
from flows.read.tables.table import BadRow, shown


def fold(lines: Sequence[Line], rule: Rule) -> Folded:
    folded = Folded()
    for line in lines:
        slug = line.cells.get("slug", "")
        if line.cells.get("name", "") or not rule.continuation:
            key = rule.key(line)
            if key:
                folded.groups.append(Group(key, line))
            else:
                folded.bad.append(rule.blank(line))
        elif not folded.groups or slug not in ("", folded.groups[-1].main.cells.get("slug", "")):
            folded.bad.append(
                BadRow(
                    number=line.number,
                    column="name",
                    found=f"no name, but {shown(slug)} is not the product above"
                    if slug
                    else "no name, and no product above that the row could continue",
                    remedy="name the product",
                    product=slug,
                )
            )
        else:
            folded.groups[-1].more.append(line)
    return folded


def pictures(group: Group, columns: Sequence[str]) -> list[str]:
    return [
        image.strip()
        for column in columns
        for line in group.lines
        for image in line.cells.get(column, "").split("|")
        if image.strip()
    ]


def options(group: Group) -> Options:
    """Options (`size:shoe-size` has a name and a code), and facets of product and variants."""
    found: dict[str, list[str]] = {}
    names = group.main.cells.get("option_groups", "").split("|")
    for line in group.lines:
        for name, value in zip(names, line.cells.get("option_values", "").split("|"), strict=False):
            if name.strip() and value.strip():
                found.setdefault(snake(name.partition(":")[0]), []).append(value.strip())
    facets: dict[str, list[str]] = {}
    for facet in "|".join(group.values(("facets", "variant_facets"))).split("|"):
        name, colon, value = facet.partition(":")
        if colon and value.strip():
            facets.setdefault(snake(name), []).append(value.strip())
    # A variant's own word (mustard) says more than the facet that shops filter by (yellow).
    merged = {**facets, **found}
    return {name: list(dict.fromkeys(values)) for name, values in merged.items() if name}


DIALECT = Dialect(
    name="vendure",
    label="Vendure",
    signature=(
        any_of("name"),
        any_of("slug"),
        any_of("assets"),
        any_of("facets", "option_groups", "option_values", "variant_assets"),
    ),
    key=("slug",),
    names={"title": ("name",), "stock": ("stock_on_hand",)},
    continuation=True,
    fold=fold,
    image_columns=("assets", "variant_assets"),
    images=pictures,
    options=options,
)
