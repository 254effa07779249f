"""A table of key, locale and texts, joined to the products as their words in other languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flows.errors import BadInput, Fault, did_you_mean
from flows.nouns.product import Product
from flows.read.dialects.names import KEYS, NAMES, snake
from flows.read.plain import cell, visible
from flows.read.records import worded
from flows.read.tables import Table

_LOCALE_COLUMNS = ("locale", "language", "lang")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def translated(
    products: Sequence[Product], table: Table, key_field: str
) -> tuple[tuple[Product, ...], list[str]]:
    """The products with their translations, and notes on what was joined and what was not.

    A row is found by a column `key`, by the catalogue's own key column, else by the first of
    sku, id, handle, slug. Blank cells say nothing.

    Raises:
        BadInput: no such columns, a locale that is none, a product twice in one locale, bad rows.

    """
    fields = [snake(column) for column in table.columns]
    faults = [
        Fault(table.place(bad.number, bad.column), bad.found, remedy=bad.remedy)
        for bad in table.bad
    ]
    key = next((name for name in ("key", key_field, *KEYS) if name in fields), None)
    locale = next((name for name in _LOCALE_COLUMNS if name in fields), None)
    if key is None:
        faults.append(_missing(table, key_field))
    if locale is None:
        faults.append(_missing(table, "locale"))
    if repeated := sorted({name for name in fields if fields.count(name) > 1}):
        faults.append(Fault(f"{table.name}: header", f"several columns mean {', '.join(repeated)}"))
    if key is None or locale is None or repeated:
        raise BadInput(f"{table.name} cannot be used", faults)
    by_key = {
        product.key if key in ("key", key_field) else product.fields.get(key, ""): product.key
        for product in products
    }
    spoken: dict[str, dict[str, Mapping[str, str]]] = {}
    seen: dict[tuple[str, str], int] = {}
    unknown: dict[str, None] = {}
    for row in table.rows:
        cells = dict(zip(fields, map(cell, row.cells), strict=True))
        name, language = cells.pop(key), cells.pop(locale).replace("_", "-")
        if fault := _fault(name, language, table.place(row.number, locale), seen):
            faults.append(fault)
        elif name in by_key:
            spoken.setdefault(by_key[name], {})[language] = _words(cells)
        else:
            unknown[name] = None
        seen.setdefault((name, language), row.number)
    if faults:
        raise BadInput(f"{table.name} cannot be used", faults)
    return tuple(
        replace(product, translations=spoken[product.key]) if product.key in spoken else product
        for product in products
    ), [*table.notes, *_notes(table, spoken, list(unknown))]


def _fault(
    name: str, language: str, place: str, seen: Mapping[tuple[str, str], int]
) -> Fault | None:
    if not _LOCALE.fullmatch(language):
        return Fault(place, f"'{language}' is no locale", allowed="de, fr, pt-BR …")
    if (name, language) in seen:
        found = f"'{name}' in {language} stands here and on line {seen[name, language]}"
        return Fault(place, found, remedy="keep one of the two")
    return None


def _notes(
    table: Table, spoken: Mapping[str, Mapping[str, object]], unknown: Sequence[str]
) -> list[str]:
    locales = dict.fromkeys(language for words in spoken.values() for language in words)
    notes = []
    if spoken:
        notes.append(f"{table.name} was joined: {len(spoken)} products in {', '.join(locales)}")
    if unknown:
        more = " …" if len(unknown) > 5 else ""
        notes.append(
            f"{table.name} has {len(unknown)} products that the catalogue does not have:"
            f" {', '.join(unknown[:5])}{more}"
        )
    return notes


def _words(cells: Mapping[str, str]) -> dict[str, str]:
    """What a row says, under its own names and, for title and description, under ours."""
    words = {name: visible(text) for name, text in cells.items() if text}
    for ours in ("title", "description"):
        text = next(filter(None, (cells.get(name, "") for name in NAMES[ours])), "")
        if text:
            words[ours] = worded(ours, text)
    return words


def _missing(table: Table, name: str) -> Fault:
    return Fault(
        table.name,
        f"no column '{name}', so its rows cannot be joined",
        allowed=", ".join(table.columns),
        remedy=did_you_mean(name, table.columns),
    )
