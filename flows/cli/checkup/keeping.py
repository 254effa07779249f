"""Keeping: ledger, takes and outputs, whether they can be written, and the room that is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli import terminal
from flows.cli.checkup.finding import Finding
from flows.errors import ShotlistError
from flows.nouns.address import shown

if TYPE_CHECKING:
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

LEAST_FREE = 1e9
"""Bytes: some fifty takes of 4K with their files, and a run's staging."""


def keeping(settings: Settings, workspace: Workspace) -> Iterator[Finding]:
    yield from _ledger(settings.ledger_url, settings.ledger_is_there())
    yield _takes(settings.takes_url, is_shared=not settings.ledger_url.startswith("sqlite"))
    yield _writable(workspace.root / "outputs")
    yield _disk(workspace.root)


def _ledger(url: str, is_there: bool) -> Iterator[Finding]:
    from flows.ledger import open_ledger

    if not is_there:
        yield Finding("ledger", None, "not begun; the first run makes it in .shotlist/")
        return
    try:
        with open_ledger(url) as book:
            takes = sum(row[3] for row in book.tally())
            said = f"{book.shown}, {terminal.counted(takes, 'take')}; back it up together with the "
            yield Finding("ledger", True, f"{said}takes, while no run is going")
            file = book.pace_file
            if file is not None and file.exists():
                size = file.stat().st_size / 1e6
                at_work = terminal.counted(len(book.alive()), "account")
                said = f"{file}, {size:,.1f} MB, {at_work} at work now; needs no backup"
                yield Finding("pace", True, said)
    except ShotlistError as error:
        yield Finding("ledger", False, str(error))


def _takes(url: str, *, is_shared: bool) -> Finding:
    from flows.storage import Place

    try:
        sizes = Place(url).sizes()
    except ShotlistError as error:
        return Finding("takes", False, str(error))
    total = sum(sizes.values()) / 1e6
    said = f"{shown(url)}, {terminal.counted(len(sizes), 'file')}, {total:,.1f} MB"
    if is_shared and "://" not in url:
        rest = "others share its ledger: set SHOTLIST_TAKES_URL if they are on other machines"
        return Finding("takes", None, f"{said}; only this machine has them, and {rest}")
    return Finding("takes", True, said)


def _writable(folder: Path) -> Finding:
    import tempfile

    place = folder if folder.is_dir() else folder.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding("outputs", True, f"{folder} can be written")
    except OSError as error:
        return Finding("outputs", False, f"{folder} cannot be written: {error.strerror}")


def _disk(folder: Path) -> Finding:
    import shutil

    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("disk", False, f"{folder} cannot be looked at: {error.strerror}")
    said = f"{free / 1e9:,.1f} GB free at {folder}"
    if free < LEAST_FREE:
        return Finding("disk", False, f"{said}; a run needs {LEAST_FREE / 1e9:g} GB or more")
    return Finding("disk", True, said)
