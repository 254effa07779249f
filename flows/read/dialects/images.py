"""Image cells to image addresses: several in a cell, in the ways that feeds write them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from flows.read.plain import LIST

_SURE = re.compile(f"[|\n{LIST}]")
_PARTING = re.compile(f"[\\[|,;\\s{LIST}]")
_COMMA = re.compile(r"[,;]")
_BEFORE_ADDRESS = re.compile(r"[,;\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_FILE = re.compile(r"[^\s].*\.[A-Za-z][A-Za-z0-9]{1,4}")


def several(cell: str) -> list[str]:
    """The images of a cell: split at `|` and line ends, at commas and semicolons only between
    what looks like addresses or files. `a, b.jpg` is one file, a data: address stays whole.
    """
    if not _PARTING.search(cell):
        return [cell] if cell else []
    if cell.startswith("[") and '"' in cell and (found := _of_json(cell)) is not None:
        return found
    if LIST in cell:
        return _stripped(cell.split(LIST))
    images: list[str] = []
    for piece in _SURE.split(cell):
        images += _parted(piece.strip())
    return _stripped(images)


def by_comma(cell: str) -> list[str]:
    """The images of a cell in which every comma separates, as WooCommerce's importer reads it.

    Where that gives one piece, other separators are tried: the comma can be changed by a filter.
    """
    if cell.startswith("data:"):
        return [cell]
    pieces = _stripped(cell.replace("\n", ",").split(","))
    return pieces if len(pieces) > 1 else several(cell)


def unique(images: Iterable[str]) -> tuple[str, ...]:
    """Without repetitions, in the order of first sight."""
    return tuple(dict.fromkeys(images))


def _parted(piece: str) -> list[str]:
    if piece.startswith("data:") or not piece:
        return [piece]
    if "://" in piece:
        # A comma inside an address (a CDN's w_100,h_100) is no separator, one before the next is.
        return _BEFORE_ADDRESS.split(piece)
    parts = _COMMA.split(piece)
    return parts if all(_FILE.fullmatch(part.strip()) for part in parts) else [piece]


def _of_json(cell: str) -> list[str] | None:
    """The addresses of Meta's JSON cells: `[{"url": …, "tag": […]}]` or a list of texts."""
    try:
        found: Any = json.loads(cell)
    except ValueError:
        return None
    addresses = [one.get("url", "") if isinstance(one, dict) else one for one in found]
    return _stripped(one for one in addresses if isinstance(one, str))


def _stripped(pieces: Iterable[str]) -> list[str]:
    return [piece for piece in (piece.strip() for piece in pieces) if piece]
