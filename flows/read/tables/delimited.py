"""CSV and its relatives: text to rows, strict about what would move a cell to another column.

Its own reader, because Python's `csv` joins an unclosed quote with the rest of the file without a
word unless it is strict, and when strict refuses blanks between a closing quote and the delimiter,
which padded exports have. It also keeps the line where each row begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from flows.read.plain import visible
from flows.read.tables.table import BadRow, Row, Table, shown, unusable

_LINE_END = re.compile("\r\n|\r|\n")
_DELIMITERS = "\t,;|"
_DELIMITER_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}
_OPENING = re.compile(r' *"')


class _BrokenQuoteError(Exception):
    def __init__(self, cell: int, found: str) -> None:
        super().__init__(found)
        self.cell, self.found = cell, found


def table(text: str, name: str, *, notes: Sequence[str] = ()) -> Table:
    """The rows of a CSV, TSV, semicolon or pipe file; rows that cannot be used are in `bad`.

    Leading lines that begin with `#` are skipped (Meta writes such comments above the header:
    developers.facebook.com, catalog metadata tags), so is Excel's `sep=;`. Blank rows are dropped.

    Raises:
        BadInput: there is no header, or nothing below it.

    """
    lines = _LINE_END.split(text.rstrip("\x1a"))
    start = 0
    delimiter = ""
    while start < len(lines):
        line = lines[start].strip()
        if line.lower().startswith("sep=") and len(line) == 5 and line[4] in ",;|":
            delimiter = line[4]
        elif line and not line.startswith("#"):
            break
        start += 1
    if start == len(lines):
        raise unusable(
            name,
            "the file is empty" if not text.strip() else "the file holds nothing but comments",
            remedy="it needs a line of column names and a line for each product",
        )
    delimiter = delimiter or _delimiter(lines[start])
    try:
        header, below = _record(lines, start, delimiter)
    except _BrokenQuoteError as broken:
        raise unusable(
            name, broken.found, at=f"{name}: line {start + 1}, cell {broken.cell + 1} of the header"
        ) from broken
    if "\0" in lines[start]:
        raise unusable(name, _NUL, at=f"{name}: line {start + 1}", remedy=_NUL_REMEDY)
    columns = [visible(column).strip() for column in header]
    rows: list[Row] = []
    bad: list[BadRow] = []
    for record in _records(lines, below, delimiter, columns):
        if isinstance(record, Row):
            rows.append(record)
        else:
            bad.append(record)
    if not rows and not bad:
        raise unusable(
            name,
            "there is a header but no product below it (0 products)",
            remedy="export the catalogue again, or give another file",
        )
    columns, rows = _without_nameless(columns, rows, bad)
    return Table(
        name=name,
        kind="tsv" if delimiter == "\t" else "csv",
        columns=tuple(columns),
        rows=rows,
        bad=bad,
        notes=list(notes),
        delimiter=delimiter,
    )


_NUL = "a NUL byte, which no text has"
_NUL_REMEDY = "save the file as UTF-8 text (UTF-16 without a byte-order mark looks like this)"


def _delimiter(header: str) -> str:
    """The delimiter that the header has most of, outside quotes."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=lambda sign: (bare.count(sign), sign == ","))


def _records(
    lines: Sequence[str], start: int, delimiter: str, columns: Sequence[str]
) -> Iterator[Row | BadRow]:
    width = len(columns)
    blanks = delimiter + " \t"
    at = start
    while at < len(lines):
        number, line = at + 1, lines[at]
        at += 1
        if not line.strip(blanks):
            continue
        if "\0" in line:
            column = _column(columns, line[: line.index("\0")].count(delimiter))
            yield BadRow(number=number, column=column, found=_NUL, remedy=_NUL_REMEDY)
            continue
        if '"' not in line:
            cells = line.split(delimiter)
        else:
            try:
                cells, at = _quoted(lines, at - 1, delimiter, width)
            except _BrokenQuoteError as broken:
                yield BadRow(
                    number=number,
                    column=_column(columns, broken.cell),
                    found=broken.found,
                    remedy='close the quote, or double it ("") where it is part of the text',
                )
                continue
        if len(cells) != width:
            surplus = cells[width:]
            if surplus and not any(map(str.strip, surplus)):
                cells = cells[:width]
            else:
                yield _ragged(number, cells, columns, delimiter)
                continue
        if any(map(str.strip, cells)):
            yield Row(number, cells)


def _quoted(lines: Sequence[str], start: int, delimiter: str, width: int) -> tuple[list[str], int]:
    """A record with quotes in it.

    Google's tab-separated feeds have no quoting: there a quote is a quote
    (support.google.com/merchants/answer/6324370). So a tab-separated line that has the right
    number of cells only without quoting is read without.
    """
    bare = lines[start].split(delimiter)
    may_be_bare = delimiter == "\t" and len(bare) == width
    try:
        cells, after = _record(lines, start, delimiter)
    except _BrokenQuoteError:
        if may_be_bare:
            return bare, start + 1
        raise
    return (bare, start + 1) if may_be_bare and len(cells) != width else (cells, after)


def _record(lines: Sequence[str], start: int, delimiter: str) -> tuple[list[str], int]:
    """The cells of the record that begins at line index `start`, and the index after it."""
    cells: list[str] = []
    index, line, at = start, lines[start], 0
    while True:
        opening = _OPENING.match(line, at)
        if opening is None:
            end = line.find(delimiter, at)
            end = len(line) if end < 0 else end
            cells.append(line[at:end])
            at = end
        else:
            at = opening.end()
            pieces: list[str] = []
            while True:
                end = line.find('"', at)
                if end < 0:
                    pieces += line[at:], "\n"
                    index += 1
                    if index == len(lines):
                        raise _BrokenQuoteError(
                            len(cells), "the quote that opens this cell is never closed"
                        )
                    line, at = lines[index], 0
                elif line.startswith('""', end):
                    pieces.append(line[at : end + 1])
                    at = end + 2
                else:
                    pieces.append(line[at:end])
                    at = end + 1
                    break
            while line.startswith(" ", at):
                at += 1
            if at < len(line) and line[at] != delimiter:
                raise _BrokenQuoteError(
                    len(cells),
                    f"text goes on after the closing quote on line {index + 1}:"
                    f" {shown(line[at:], 24)}",
                )
            cells.append("".join(pieces))
        if at >= len(line):
            return cells, index + 1
        at += 1


def _ragged(number: int, cells: Sequence[str], columns: Sequence[str], delimiter: str) -> BadRow:
    counted = f"{len(cells)} cells where the header has {len(columns)}"
    sign = _DELIMITER_NAMES[delimiter]
    if len(cells) < len(columns):
        missing = columns[len(cells)]
        return BadRow(
            number=number,
            column=missing,
            found=f"{counted}: nothing for {shown(missing)}",
            remedy=f"write a {sign} for each blank cell",
        )
    extra = next(cell for cell in cells[len(columns) :] if cell.strip())
    return BadRow(
        number=number,
        column=columns[-1],
        found=f"{counted}: no column for {shown(extra)}",
        remedy=f"put quotes around a cell that holds a {sign}",
    )


def _column(columns: Sequence[str], index: int) -> str:
    return columns[index] if index < len(columns) else f"cell {index + 1}"


def _without_nameless(
    columns: list[str], rows: list[Row], bad: list[BadRow]
) -> tuple[list[str], list[Row]]:
    """Columns without a name are dropped where they are blank; what stands in one is a fault."""
    named = [index for index, column in enumerate(columns) if column]
    if len(named) == len(columns):
        return columns, rows
    nameless = [index for index, column in enumerate(columns) if not column]
    kept: list[Row] = []
    for row in rows:
        lost = next((index for index in nameless if row.cells[index].strip()), None)
        if lost is None:
            kept.append(Row(row.number, [row.cells[index] for index in named]))
        else:
            bad.append(
                BadRow(
                    number=row.number,
                    column=f"cell {lost + 1}",
                    found=f"{shown(row.cells[lost])} stands in a column without a name",
                    remedy="name the column in the header",
                )
            )
    return [columns[index] for index in named], kept
