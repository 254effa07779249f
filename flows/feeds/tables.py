"""Lines to a platform's table: which cells stand beside the pictures, and under which headers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from flows.feeds.formats import Column, FeedFormat
from flows.feeds.lines import Line
from flows.feeds.notes import Notes
from flows.feeds.pictures import Picture
from flows.feeds.writing import CONTROL, guarded

_NO_SUFFIX = ("_thumb", "_small", "_medium")


@dataclass(frozen=True, slots=True)
class Table:
    """Headers and rows; `products` counts what they are of."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    products: int


class Ids(Protocol):
    """The id that a wish's own column (`id`) gives a product; None where no column is named."""

    def __call__(self, line: Line) -> str | None: ...


def identified(
    of: FeedFormat, lines: Sequence[Line], ids: Ids, notes: Notes
) -> Iterator[tuple[str, Line]]:
    """Lines with the id that the platform knows the product by, each once and as it is written."""
    seen: set[str] = set()
    for line in lines:
        found = ids(line)
        if found is None:
            found = _own_id(of, line)
        if not found:
            notes.add(f"left out: the catalogue has no {_id_word(of)} of it", line.key)
        elif CONTROL.search(found):
            notes.add("left out: its id holds a tab, a line end or a control character", line.key)
        elif of.longest_id is not None and len(found) > of.longest_id:
            notes.add(f"left out: its id is longer than {of.longest_id} characters", line.key)
        elif found in seen:
            notes.add("left out: a product above has the same id", line.key)
        else:
            seen.add(found)
            yield found, line


def _own_id(of: FeedFormat, line: Line) -> str:
    match of.style:
        case "shopify":
            return line.source.handle()
        case "woocommerce":
            sku, number = line.source.sku_and_number()
            return sku or number
        case "supplement" | "primary":
            return line.source.merchant_id()


def _id_word(of: FeedFormat) -> str:
    return {"shopify": "handle", "woocommerce": "SKU and no ID"}.get(of.style, "id")


def supplement(
    of: FeedFormat, columns: Sequence[Column], lines: Sequence[Line], ids: Ids, notes: Notes
) -> Table:
    """Ids and what is added or overridden, nothing else
    (support.google.com/merchants/answer/9189153).
    """
    rows = [
        (found, *(_listed(line, column) for column in columns))
        for found, line in identified(of, lines, ids, notes)
    ]
    return Table(("id", *(column.name for column in columns)), rows, len(rows))


def supplement_items(
    of: FeedFormat, columns: Sequence[Column], lines: Sequence[Line], ids: Ids, notes: Notes
) -> list[list[tuple[str, str]]]:
    """The same for XML: name and value of each element, lists as repeated elements."""
    return [
        [
            ("id", found),
            *(
                (column.name, picture.url)
                for column in columns
                for picture in _new_first(line, column)
            ),
        ]
        for found, line in identified(of, lines, ids, notes)
    ]


def woocommerce(
    of: FeedFormat, column: Column, lines: Sequence[Line], ids: Ids, notes: Notes
) -> Table:
    """SKU (ID only where a product has no SKU, for numbers differ from shop to shop) and pictures:
    the first entry is the featured one (github.com/woocommerce/woocommerce,
    class-wc-product-csv-importer.php).
    """
    found = list(identified(of, lines, ids, notes))
    pairs = [
        ((name, "") if ids(line) is not None else line.source.sku_and_number())
        for name, line in found
    ]
    header = [
        name for at, name in enumerate(("SKU", "ID")) if any(pair[at] for pair in pairs) or not at
    ]
    rows = [
        (*(guarded(cell) for cell in pair[: len(header)]), _addresses(_old_first(line, column)))
        for pair, (_, line) in zip(pairs, found, strict=True)
    ]
    return Table((*header, column.name), rows, len(rows))


def shopify(of: FeedFormat, column: Column, lines: Sequence[Line], ids: Ids, notes: Notes) -> Table:
    """A row a picture; the first of a product has its title too, which an import asks for
    (help.shopify.com/en/manual/products/import-export/using-csv).
    """
    rows: list[tuple[str, ...]] = []
    count = 0
    for handle, line in identified(of, lines, ids, notes):
        count += 1
        alt_there = line.source.cells.get("image_alt_text", "")
        for at, picture in enumerate(_old_first(line, column), start=1):
            is_old = picture in line.cells[column.name].old
            # the product's own row says the words of its first picture; those of others are not
            # in a Product
            alt = (alt_there if at == 1 else "") if is_old else _alt(of, picture, line, notes)
            if picture.url.rpartition("/")[2].rpartition(".")[0].endswith(_NO_SUFFIX):
                notes.add("Shopify renames files that end in _thumb, _small or _medium", line.key)
            title = _title(line) if at == 1 else ""
            rows.append((handle, title, picture.url, str(at), alt))
    header = ("URL handle", "Title", column.name, "Image position", "Image alt text")
    return Table(header, rows, count)


def _title(line: Line) -> str:
    return line.source.cells.get("title") or line.source.product.title


def _alt(of: FeedFormat, picture: Picture, line: Line, notes: Notes) -> str:
    text = guarded(" ".join(picture.alt.split()))
    if of.longest_alt is not None and len(text) > of.longest_alt:
        notes.add(f"alt texts are cut after {of.longest_alt} characters", line.key)
        text = text[: of.longest_alt].rstrip()
    return text


def _listed(line: Line, column: Column) -> str:
    return _addresses(_new_first(line, column))


def _new_first(line: Line, column: Column) -> list[Picture]:
    cell = line.cells[column.name]
    return [*cell.new, *cell.old]


def _old_first(line: Line, column: Column) -> list[Picture]:
    """A shop's featured picture is its first: what was there stays in front."""
    cell = line.cells[column.name]
    return [*cell.old, *cell.new]


def _addresses(pictures: Sequence[Picture]) -> str:
    return ",".join(picture.url for picture in pictures)
