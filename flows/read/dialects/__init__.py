"""In: a table's columns. Out: the Dialect that they are written in, found or named."""

from __future__ import annotations

from flows.errors import Fault, nearest
from flows.read.dialects import merchant, shopify, spree, vendure, woocommerce
from flows.read.dialects.base import Dialect

__all__ = ["PLAIN", "Dialect", "find", "named"]

PLAIN = Dialect(name="csv", label="a plain table")

# The most particular signature first. Meta and Google differ little: see `find`.
_DIALECTS = {
    dialect.name: dialect
    for dialect in (
        PLAIN,
        shopify.DIALECT,
        woocommerce.DIALECT,
        spree.DIALECT,
        vendure.DIALECT,
        merchant.META,
        merchant.MERCHANT,
    )
}


def find(columns: frozenset[str], *, kind: str, delimiter: str) -> Dialect:
    """The dialect whose headers these are, or PLAIN.

    Google takes tab-separated text and XML, Meta comma-separated text too; headers that only Meta
    knows decide before that.
    """
    for dialect in _DIALECTS.values():
        if not dialect.signature or dialect.missing(columns):
            continue
        if dialect is merchant.META and not columns & merchant.META_ONLY:
            return merchant.META if kind == "csv" and delimiter == "," else merchant.MERCHANT
        return dialect
    return PLAIN


def named(name: str, columns: frozenset[str], place: str) -> tuple[Dialect, list[Fault]]:
    """The dialect that the campaign names, and what the file lacks for it."""
    dialect = _DIALECTS[name]
    faults = []
    for names in dialect.missing(columns):
        wanted = " or ".join(sorted(names))
        near = next(filter(None, (nearest(one, columns) for one in sorted(names))), "")
        faults.append(
            Fault(
                place,
                f"`format: {name}` needs a column {wanted}, which the file does not have",
                remedy=f"is it '{near}'? Write `format: auto`" if near else "write `format: auto`",
            )
        )
    return dialect, faults
