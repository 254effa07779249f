"""Files beside a campaign: found by the name as it is written, else by what it was meant to be."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from flows.errors import nearest


def found_file(folder: Path, name: str) -> Path | None:
    """The file that `name` means below `folder` (or anywhere, where it is absolute), or None.

    Tried in this order: as written, percent-decoded, and both in Unicode's composed and decomposed
    forms, since file systems and exports disagree about accents.
    """
    for spelled in _spellings(name):
        path = folder / spelled
        try:
            if path.is_file():
                return path
        except OSError:  # a name too long for a file system
            continue
    return None


def _spellings(name: str) -> Iterator[str]:
    seen: set[str] = set()
    for text in (name, unquote(name)):
        for one in (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
            if one and "\0" not in one and one not in seen:
                seen.add(one)
                yield one


def listed(folder: Path) -> list[str]:
    """The names of the files in a folder, sorted; nothing where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file())
    except (OSError, ValueError):
        return []


def nearest_file(folder: Path, name: str) -> str:
    """`did you mean 'brand/style.jpg'?` for a file that is not there, or an empty string."""
    parent, _, last = name.rpartition("/")
    match = nearest(last, listed(folder / parent)) if "\0" not in name else ""
    return f"did you mean '{parent}/{match}'?".replace("'/", "'") if match else ""
