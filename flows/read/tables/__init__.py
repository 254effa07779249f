"""In: the bytes of a file. Out: a Table, whatever the file was, or BadInput with the places.

The format is found by the content first and by the file's ending where the content leaves it open.
"""

from __future__ import annotations

from flows.read.tables import delimited, feeds, objects
from flows.read.tables.table import BadRow, Row, Table, unusable
from flows.read.tables.text import decoded

__all__ = ["BadRow", "Row", "Table", "table"]

_FORMATS = "CSV, TSV, JSON, JSONL, Parquet, RSS or Atom XML"
_NO_TABLES = (
    (b"PK\x03\x04", "a workbook or a ZIP archive", "export the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "export the sheet as CSV"),
    (b"\x1f\x8b", "compressed (gzip)", "unpack it first"),
    (b"%PDF", "a PDF document", ""),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
)


def table(data: bytes, name: str) -> Table:
    """Rows of a file that is called `name`.

    Raises:
        BadInput: no catalogue, damaged, empty, or a header with nothing below it.

    """
    for magic, what, remedy in _NO_TABLES:
        if data.startswith(magic):
            raise unusable(name, f"the file is {what}", allowed=_FORMATS, remedy=remedy)
    if data.startswith(b"PAR1"):
        return objects.parquet_table(data, name)
    ending = name.lower().rpartition(".")[2]
    if ending in ("xml", "rss", "atom") or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _markup(data, name)
    text, note = decoded(data, name)
    notes = [note] if note else []
    start = text.lstrip()[:1]
    if ending in ("jsonl", "ndjson"):
        return objects.json_lines_table(text, name, notes=notes)
    if ending == "json" or (start and start in "[{" and ending not in ("csv", "tsv", "txt")):
        return objects.json_table(text, name, notes=notes)
    return delimited.table(text, name, notes=notes)


def _markup(data: bytes, name: str) -> Table:
    if not data.strip():
        raise unusable(name, "the file is empty")
    opening = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if opening.startswith((b"<!doctype html", b"<html")):
        raise unusable(
            name, "the file is a web page", allowed=_FORMATS, remedy="check the catalogue's address"
        )
    return feeds.table(data, name)
