"""Wishes to files: those of one name and file are columns of one feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from flows.feeds import tables, writing
from flows.feeds.formats import FORMATS, Column, FeedFormat
from flows.feeds.lines import Line, lines, wished_columns
from flows.feeds.notes import Notes
from flows.feeds.primary import primary
from flows.nouns.campaign import Feed
from flows.nouns.product import Product
from flows.nouns.rendition import Manifest

FOLDER = "feeds/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """A feed as it is published; the same manifest and catalogue give the same bytes."""

    path: str
    """Below the destination: feeds/<name>.<ext>."""
    data: bytes
    products: int
    """How many it names."""
    notes: tuple[str, ...]
    """What a person should know: pictures and products that are left out, and why."""


def paths(wishes: Sequence[Feed]) -> tuple[str, ...]:
    """The files that these wishes make, in their order."""
    return tuple(_by_path(wishes))


def feeds(
    manifest: Manifest, products: Mapping[str, Product], wishes: Sequence[Feed]
) -> list[FeedFile]:
    """The files of all feeds that a campaign asks for. The wishes are sound (see `sound`).

    Only what the manifest names is in them, with its `url`; a failed shot has no rendition there.
    `products` are the campaign's, by key, in the catalogue's order. What is to be said of all
    stands with the first.
    """
    files = [_file(path, of_one, manifest, products) for path, of_one in _by_path(wishes).items()]
    if files and manifest["realm"] != "live":
        said = f"{FOLDER}: the pictures are of a {manifest['realm']} run: hand no feed to a shop"
        files[0] = replace(files[0], notes=(said, *files[0].notes))
    return files


def path_of(wish: Feed) -> str:
    return f"{FOLDER}{wish.file or wish.name}.{FORMATS[wish.name].ending}"


def _by_path(wishes: Sequence[Feed]) -> dict[str, list[Feed]]:
    found: dict[str, list[Feed]] = {}
    for wish in wishes:
        found.setdefault(path_of(wish), []).append(wish)
    return found


def _file(
    path: str, wishes: Sequence[Feed], manifest: Manifest, products: Mapping[str, Product]
) -> FeedFile:
    of = FORMATS[wishes[0].name]
    notes = Notes(path)
    columns = [column for column, _ in wished_columns(of, wishes)]
    found = lines(of, wishes, manifest["renditions"], products, notes)
    data, count = _written(of, columns, found, _ids(wishes), notes, manifest)
    if not any(line.is_shown for line in found):
        notes.add("no picture of the campaign is in it")
    return FeedFile(path=path, data=data, products=count, notes=notes.all())


def _written(
    of: FeedFormat,
    columns: Sequence[Column],
    found: Sequence[Line],
    ids: tables.Ids,
    notes: Notes,
    manifest: Manifest,
) -> tuple[bytes, int]:
    """The file's bytes and how many products it names."""
    if of.ending == "xml":
        items = tables.supplement_items(of, columns, found, ids, notes)
        title = manifest["title"] or manifest["campaign"]
        return writing.rss(title, _home(items), items), len(items)
    match of.style:
        case "shopify":
            table = tables.shopify(of, columns[0], found, ids, notes)
        case "woocommerce":
            table = tables.woocommerce(of, columns[0], found, ids, notes)
        case "primary":
            table = primary(of, columns, found, ids, notes)
        case "supplement":
            table = tables.supplement(of, columns, found, ids, notes)
    write = writing.tab_separated if of.ending == "tsv" else writing.comma_separated
    return write(table.header, table.rows), table.products


def _home(items: Sequence[Sequence[tuple[str, str]]]) -> str:
    """RSS wants a link of its own: the address that the pictures lie at."""
    first = next((value for item in items for name, value in item if name != "id"), "")
    parts = urlsplit(first)
    return f"{parts.scheme}://{parts.netloc}/" if first else ""


def _ids(wishes: Sequence[Feed]) -> tables.Ids:
    column = next((wish.id for wish in wishes if wish.id), None)

    def named(line: Line) -> str | None:
        return None if column is None else line.source.cell(column) or ""

    return named
