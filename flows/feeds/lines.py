"""The lines of a feed: each product's id and, column by column, its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from flows.feeds.addresses import encoded
from flows.feeds.formats import Column, FeedFormat
from flows.feeds.notes import Notes
from flows.feeds.pictures import Picture, asked_for, joined, taken
from flows.feeds.source import Source
from flows.nouns.campaign import Feed
from flows.nouns.product import Product
from flows.nouns.rendition import RenditionRow


@dataclass(frozen=True, slots=True)
class Cell:
    """A column's pictures of one product: those of the campaign, and those that were there."""

    new: list[Picture]
    old: list[Picture]


@dataclass(frozen=True, slots=True)
class Line:
    """One product in a feed. `cells` has every column that is asked for."""

    source: Source
    cells: Mapping[str, Cell]

    @property
    def key(self) -> str:
        return self.source.product.key

    @property
    def is_shown(self) -> bool:
        """Whether the campaign has a picture for it."""
        return any(cell.new for cell in self.cells.values())


def lines(
    of: FeedFormat,
    wishes: Sequence[Feed],
    rows: Sequence[RenditionRow],
    products: Mapping[str, Product],
    notes: Notes,
) -> list[Line]:
    """A line for each product of the manifest, in its order; a primary feed has all products, in
    the catalogue's order, for what it leaves out leaves the platform.
    """
    columns = wished_columns(of, wishes)
    by_product: dict[str, list[RenditionRow]] = {}
    if of.style == "primary":
        by_product = {key: [] for key in products}
    for row in rows:
        by_product.setdefault(row["product"], []).append(row)
    ours = _our_folders(rows)
    made = [
        _line(of, columns, of_product, Source(products.get(key) or _unknown(key)), ours, notes)
        for key, of_product in by_product.items()
    ]
    return made if of.style == "primary" else [line for line in made if line.is_shown]


def wished_columns(of: FeedFormat, wishes: Sequence[Feed]) -> list[tuple[Column, list[Feed]]]:
    """The columns of a file in the format's order, each with the wishes for it."""
    found = [
        (column, [wish for wish in wishes if of.column(wish.column) == column])
        for column in of.columns
    ]
    return [(column, wished) for column, wished in found if wished]


def _line(
    of: FeedFormat,
    columns: Sequence[tuple[Column, list[Feed]]],
    rows: Sequence[RenditionRow],
    source: Source,
    ours: frozenset[str],
    notes: Notes,
) -> Line:
    cells: dict[str, Cell] = {}
    for column, wishes in columns:
        chosen = {id(row): row for wish in wishes for row in rows if asked_for(row, wish)}
        new = taken(chosen.values(), column, notes)
        main = cells.get("image_link")
        if main is not None and column.name == "additional_image_link":
            new = [picture for picture in new if picture not in main.new]
        old: list[Picture] = []
        if column.is_list and all(wish.existing == "keep" for wish in wishes):
            old = _old(of, column, source, ours)
        cells[column.name] = Cell(
            *joined(column, new, old, notes=notes, product=source.product.key)
        )
    return Line(source, cells)


def _old(of: FeedFormat, column: Column, source: Source, ours: frozenset[str]) -> list[Picture]:
    """What the catalogue shows there already, but for what an earlier run has put there."""
    is_gallery = of.style in ("shopify", "woocommerce")
    addresses = source.gallery() if is_gallery else source.additional()
    # a name of WooCommerce's media library is no address
    urls = [encoded(one) if "://" in one else one for one in addresses]
    return [
        Picture(url)
        for url in dict.fromkeys(urls)
        if not url.startswith(tuple(ours))
        and (column.longest is None or len(url) <= column.longest)
    ]


def _our_folders(rows: Sequence[RenditionRow]) -> frozenset[str]:
    """Where this campaign's pictures lie for the public, as feeds write it."""
    found = set()
    for row in rows:
        path = quote(row["path"])
        if row["url"] and row["url"].endswith(path):
            found.add(encoded(f"{row['url'][: -len(path)]}images/"))
    return frozenset(found)


def _unknown(key: str) -> Product:
    return Product(key=key, title=key, fields={}, row={})
