"""A primary feed: all that a platform must know of every product, with new pictures.

Pinterest reads no file of ids and pictures alone, as far as its pages say: the catalogue is
written anew (help.pinterest.com/en/business/article/before-you-get-started-with-catalogs).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flows.feeds.addresses import encoded
from flows.feeds.formats import Column, FeedFormat
from flows.feeds.lines import Line
from flows.feeds.notes import Notes
from flows.feeds.source import Source
from flows.feeds.tables import Ids, Table, identified

_REQUIRED = ("title", "description", "link", "image_link", "price", "availability")
_OPTIONAL = (
    "additional_image_link", "item_group_id", "condition", "brand", "gtin", "mpn", "color", "size",
    "google_product_category", "product_type", "sale_price", "sale_price_effective_date",
)  # fmt: skip
MOST_ADDITIONAL = 10
_CURRENCY = re.compile(r"(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])")
"""ISO 4217, which Pinterest asks for behind the number."""
_OF_FIELDS = frozenset(("title", "description", "link", "brand", "color", "size"))


def primary(
    of: FeedFormat, columns: Sequence[Column], lines: Sequence[Line], ids: Ids, notes: Notes
) -> Table:
    """A row for every product. Cells of a catalogue that is a feed itself stay as they are."""
    found = list(identified(of, lines, ids, notes))
    known = (*_REQUIRED, *_OPTIONAL)
    more = dict.fromkeys(
        name
        for _, line in found
        if line.source.is_merchant
        for name in line.source.cells
        if name and name not in ("id", "lifestyle_image_link", *known)
    )
    made = [(name, _cells(line, columns, [*known, *more])) for name, line in found]
    wished = {column.name for column in columns}
    header = [
        name for name in (*known, *more) if name in wished or any(cells[name] for _, cells in made)
    ]
    for (_, line), (_, cells) in zip(found, made, strict=True):
        if _is_bare(line.source, cells["price"]):
            notes.add(
                "prices have no currency: add a column `currency` (EUR) to the catalogue, or write"
                " it behind each price (39.60 EUR)",
                line.key,
            )
        lacking = [
            name
            for name in _REQUIRED
            if not cells[name] and not (name == "price" and _price(line.source))
        ]
        if lacking:
            words = ", ".join(lacking)
            notes.add(f"{of.label} needs {words}, which the catalogue does not say", line.key)
    rows = [(name, *(cells[column] for column in header)) for name, cells in made]
    return Table(("id", *header), rows, len(rows))


def _is_bare(source: Source, written: str) -> bool:
    """Whether there is a price and nobody can tell in what money."""
    return bool(_price(source)) and _CURRENCY.search(written) is None


def _price(source: Source) -> str:
    return (
        source.cells.get("price", "")
        if source.is_merchant
        else source.product.fields.get("price", "")
    )


def _cells(line: Line, columns: Sequence[Column], names: Sequence[str]) -> dict[str, str]:
    cells = {name: _said(line.source, name) for name in names}
    for column in columns:
        cell = line.cells[column.name]
        pictures = ",".join(picture.url for picture in (*cell.new, *cell.old))
        if pictures or column.is_list:
            cells[column.name] = pictures
    return cells


def _said(source: Source, name: str) -> str:
    """What the catalogue says under one of the platform's names."""
    if name == "image_link":
        return encoded(source.main()) if source.main() else ""
    if name == "additional_image_link":
        return ",".join(map(encoded, source.additional()[:MOST_ADDITIONAL]))
    if name == "availability":
        # written with spaces here, with underscores in Google's feeds
        return source.cells.get(name, "").replace("_", " ")
    if source.is_merchant:
        return source.cells.get(name, "") or (source.product.title if name == "title" else "")
    return _of_another(source, name)


def _of_another(source: Source, name: str) -> str:
    """The same of a catalogue that is no feed: what was understood of it."""
    fields = source.product.fields
    if name == "title":
        return source.product.title
    if name == "price":
        price, currency = fields.get("price", ""), fields.get("currency", "")
        return f"{price} {currency}" if price and currency else ""
    return fields.get(name, "") if name in _OF_FIELDS else source.cells.get(name, "")
