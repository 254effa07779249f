"""The rows of one product to a Product: our fields, clean text, pictures in order."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flows.nouns.product import Product
from flows.read.columns import Columns
from flows.read.dialects.base import Group, Line
from flows.read.dialects.images import unique
from flows.read.dialects.names import NAMES
from flows.read.dialects.prices import decimal, is_zero
from flows.read.plain import LIST, one_line, plain, visible
from flows.read.tables.table import BadRow

_WORDS = frozenset(("description", "short_description", "brand", "category", "tags"))
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COLOURS = {"colour": "color"}


class Records:
    """Makes Products of one table; what depends on its header is found out once."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._table = columns.table
        self._sources = columns.sources(dict(NAMES))
        self._texts = [
            (ours, theirs)
            for ours, theirs in self._sources.items()
            if ours not in ("price", "stock", "category")
        ]
        self._images = columns.images()
        self.untitled: list[str] = []
        """Keys of products whose key stands in for a title."""

    def product(self, group: Group) -> Product | BadRow:
        """The product, or why its row cannot be one. `row` is the product's own row as it is."""
        main = group.main
        if _CONTROL.search(group.key):
            return self._bad(group, f"the key {group.key!r} holds a control character")
        if not group.more and self._says_only_its_key(main):
            return self._bad(group, "the row has a key and nothing else")
        fields = {name: visible(value) for name, value in main.cells.items()}
        fields.update(self._canonical(group, fields))
        self._add_options(group, fields)
        images = unique(self._columns.dialect.images(group, self._images))
        if images or self._images:
            fields["image"] = images[0] if images else ""
        title = fields.get("title", "")
        if not title:
            self.untitled.append(group.key)
            title = humanised(group.key)
        fields["title"] = title
        return Product(
            key=group.key,
            title=title,
            fields=fields,
            row=self._row(main),
            images=images,
            source=self._table.name,
            row_number=main.number,
        )

    def _says_only_its_key(self, line: Line) -> bool:
        cells = self._table.rows[line.position].cells
        return sum(1 for text in cells if text and not text.isspace()) < 2

    def _canonical(self, group: Group, seen: Mapping[str, str]) -> dict[str, str]:
        """Our fields of the rows of one product; what its own row leaves blank, the next says.

        `seen` is the product's own row without what nobody sees.
        """
        lines = group.lines
        fields: dict[str, str] = {}
        for ours, theirs in self._texts:
            text = next(filter(None, [seen[name] for name in theirs]), "")
            if not text and group.more:
                text = next(filter(None, (line.first(theirs) for line in group.more)), "")
            fields[ours] = worded(ours, text) if text else ""
        if theirs := self._sources.get("category", ()):
            fields["category"] = self._category(theirs, lines)
        if fields.get("currency", "").isalpha():
            fields["currency"] = fields["currency"].upper()
        if theirs := self._sources.get("price", ()):
            price, currency = _price(lines, theirs, fields.get("currency", ""))
            fields["price"] = price
            if currency and not fields.get("currency"):
                fields["currency"] = currency
        if theirs := self._sources.get("stock", ()):
            fields["stock"] = _stock(lines, theirs)
        return fields

    def _category(self, theirs: tuple[str, ...], lines: list[Line]) -> str:
        if self._columns.dialect.name == "spree" and "category" not in self._columns.mapped:
            named = (line.cells.get(name, "") for line in lines[:1] for name in theirs)
            return worded("category", ", ".join(filter(None, named)))
        return worded("category", next(filter(None, (line.first(theirs) for line in lines)), ""))

    def _add_options(self, group: Group, fields: dict[str, str]) -> None:
        """Options and facets become fields where no column has said it already."""
        for name, values in self._columns.dialect.options(group).items():
            ours = _COLOURS.get(name, name)
            if not fields.get(ours):
                fields[ours] = plain(", ".join(values))

    def _row(self, line: Line) -> Mapping[str, str]:
        cells = self._table.rows[line.position].cells
        row = dict(zip(self._table.columns, map(str.strip, cells), strict=True))
        if self._table.kind in ("csv", "tsv"):
            return row
        return {column: text.replace(LIST, " | ") for column, text in row.items()}

    def _bad(self, group: Group, found: str) -> BadRow:
        return BadRow(
            number=group.main.number,
            column=self._columns.rule.key_label,
            found=found,
            remedy="fill or remove the row",
            product=group.key,
        )


def worded(name: str, text: str) -> str:
    """A cell under one of our names: plain words where catalogues put HTML."""
    if name == "title":
        return one_line(text)
    return plain(text) if name in _WORDS else visible(text)


def humanised(key: str) -> str:
    """A title for a product without one: `blue-shirt` reads as Blue shirt, `MUG-01` stays."""
    if not _SLUG.fullmatch(key):
        return key
    words = key.replace("-", " ").replace("_", " ")
    return words[0].upper() + words[1:]


def _price(lines: list[Line], theirs: tuple[str, ...], currency: str) -> tuple[str, str]:
    """The first price that is not zero: a product's own row may leave it to its variants."""
    first = ("", "")
    for line in lines:
        if text := line.first(theirs):
            found = decimal(visible(text), currency)
            if not is_zero(found[0]):
                return found
            first = first if first[0] else found
    return first


def _stock(lines: list[Line], theirs: tuple[str, ...]) -> str:
    """What is there of all variants together, where all are whole numbers; else the first."""
    said = [text for line in lines if (text := visible(line.first(theirs)))]
    if len(said) > 1 and all(re.fullmatch(r"-?[0-9]+", text) for text in said):
        return str(sum(map(int, said)))
    return said[0] if said else ""
