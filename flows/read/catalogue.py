"""A catalogue's file, or items written inline, to Products: whatever the shop, one shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.errors import BadInput, Fault
from flows.nouns.address import shown as address_shown
from flows.nouns.campaign import Products
from flows.nouns.product import Product
from flows.nouns.shot import SkippedRow
from flows.read import addresses, filters
from flows.read.columns import Columns, columns_of
from flows.read.dialects.base import Group
from flows.read.dialects.spree import TRANSLATIONS
from flows.read.records import Records
from flows.read.tables import BadRow, Table, table
from flows.read.tables.objects import objects_table
from flows.read.tables.table import shown
from flows.read.translations import translated

_INLINE = "products.items"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What was read. `image_base` is the folder or URL that image paths begin at."""

    products: tuple[Product, ...]
    skipped: tuple[SkippedRow, ...]
    notes: tuple[str, ...]
    image_base: str
    left_out: Mapping[str, str]
    """Key of a product that is not chosen to what leaves it out: `where` or `limit`."""


def products(wish: Products, *, folder: str) -> Catalogue:
    """The products that a campaign in `folder` asks for, in the order of the catalogue.

    Relative paths begin at `folder`; a bad row stops the reading with all faults of the file, or is
    skipped and listed (`on_bad_row`). Of two rows with one key the first is kept.

    Raises:
        BadInput: what the campaign's writer or the catalogue's owner can mend, with the places.
        EnvironmentFault: the place is there but cannot be reached.

    """
    asked = filters.query(wish.where) if wish.where else None
    found = _table(wish, folder)
    columns, faults = columns_of(found, wish)
    if columns is None:
        raise BadInput(f"{found.name} cannot be used", [*faults, *_faults(found, found.bad)])
    kept, bad, notes = _products(columns)
    if bad and (wish.on_bad_row == "stop" or not kept):
        raise BadInput(f"{found.name} cannot be used", _faults(found, bad))
    notes = [*found.notes, *_guessed(wish, columns), *notes]
    if (words := _translations(wish, columns, folder)) is not None:
        kept, said = translated(kept, words, columns.rule.keys[0])
        notes += said
    left_out: dict[str, str] = {}
    if asked is not None:
        left_out = {one.key: "where" for one in kept}
        before = len(kept)
        kept = filters.matching(kept, asked)
        for one in kept:
            del left_out[one.key]
        if not kept:
            notes.append(f"`where` leaves none of {before} products")
    if wish.limit is not None:
        left_out |= {one.key: "limit" for one in kept[wish.limit :]}
    return Catalogue(
        products=tuple(kept[: wish.limit]),
        skipped=tuple(
            SkippedRow(
                place=found.place(row.number, row.column), product=row.product, reason=row.found
            )
            for row in bad
        ),
        notes=tuple(notes),
        image_base=_image_base(wish, folder),
        left_out=left_out,
    )


def _table(wish: Products, folder: str) -> Table:
    if wish.from_ is not None:
        return _file(folder, wish.from_)
    items = enumerate(wish.items or [], start=1)
    return objects_table(items, _INLINE, kind="inline", unit="item")


def _file(folder: str, path: str) -> Table:
    name = address_shown(path)
    return table(addresses.read(addresses.resolved(folder, path), name), name)


def _products(columns: Columns) -> tuple[tuple[Product, ...], list[BadRow], list[str]]:
    """Products in order, rows that are none in order, and what a reader should know."""
    folded = columns.dialect.fold(columns.lines(), columns.rule)
    records = Records(columns)
    kept: dict[str, tuple[Product, Group]] = {}
    bad = [*columns.table.bad, *folded.bad]
    repeated: list[tuple[Group, Group]] = []
    for group in folded.groups:
        made = records.product(group)
        if isinstance(made, BadRow):
            bad.append(made)
        elif group.key in kept:
            repeated.append((kept[group.key][1], group))
        else:
            kept[group.key] = (made, group)
    bad += _repeated(columns, repeated)
    bad.sort(key=lambda row: row.number)
    notes = folded.notes
    if records.untitled:
        count, names = len(records.untitled), ", ".join(records.untitled[:3])
        more = " …" if count > 3 else ""
        notes.append(f"{count} without a title are called by their key: {names}{more}")
    return tuple(product for product, _ in kept.values()), bad, notes


def _repeated(columns: Columns, pairs: Sequence[tuple[Group, Group]]) -> list[BadRow]:
    """A row for each product whose key is taken.

    Raises:
        BadInput: all differ in their locale: this is a table of translations, not a catalogue.

    """
    unit, label = columns.table.unit, columns.rule.key_label
    bad = [
        BadRow(
            number=again.main.number,
            column=label,
            found=f"{shown(again.key)} stands here and on {unit} {first.main.number}",
            remedy="give each product a key of its own, or remove one of the rows",
            product=again.key,
        )
        for first, again in pairs
    ]
    locales = [{group.main.cells.get("locale", "") for group in pair} for pair in pairs]
    if bad and all(len(two) == 2 for two in locales):
        fault = Fault(
            columns.table.place(bad[0].number, label),
            f"{bad[0].found}, once for each locale: these are translations, not products",
            remedy="name the file under `translations:`, beside the catalogue it belongs to",
        )
        raise BadInput(f"{columns.table.name} cannot be used", [fault])
    return bad


def _faults(found: Table, bad: Sequence[BadRow]) -> list[Fault]:
    return [Fault(found.place(row.number, row.column), row.found, remedy=row.remedy) for row in bad]


def _guessed(wish: Products, columns: Columns) -> list[str]:
    if wish.format != "auto" or columns.dialect.name == "csv":
        return []
    return [f"{columns.table.name} was read as {columns.dialect.label}, by its columns"]


def _translations(wish: Products, columns: Columns, folder: str) -> Table | None:
    """The table that the campaign names, or the one that Spree exports beside its products."""
    if wish.translations is not None:
        return _file(folder, wish.translations)
    if columns.dialect.name != "spree" or wish.from_ is None:
        return None
    address = addresses.resolved(folder, wish.from_)
    beside = addresses.resolved(addresses.parent(address), TRANSLATIONS)
    if beside == address or not addresses.is_there(beside):
        return None
    return table(addresses.read(beside, TRANSLATIONS), TRANSLATIONS)


def _image_base(wish: Products, folder: str) -> str:
    if wish.image_base is not None:
        return addresses.resolved(folder, wish.image_base)
    if wish.from_ is None:
        return folder
    return addresses.parent(addresses.resolved(folder, wish.from_))
