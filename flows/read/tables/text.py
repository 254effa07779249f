"""Bytes to text: a byte-order mark, else strict UTF-8, else Windows-1252 with a word about it."""

from __future__ import annotations

import codecs
import re

from flows.errors import BadInput, Fault
from flows.read.tables.table import place, unusable

_MARKS = (
    # UTF-32's mark begins with UTF-16's: the longer one is looked for first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LINE_END = re.compile(rb"\r\n|\r|\n")


def decoded(data: bytes, name: str) -> tuple[str, str]:
    """The text, and a note where the encoding was guessed.

    Raises:
        BadInput: the bytes are no text in any of the encodings, with the lines that show it.

    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), ""
            except UnicodeDecodeError as error:
                raise unusable(
                    name,
                    f"the file says it is {encoding.removesuffix('-sig').upper()}, but byte"
                    f" {error.start + 1} is not",
                    remedy="save it again as UTF-8",
                ) from error
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        first_line = _line(data, error.start)
    if broken := _broken_utf8(data):
        raise BadInput(
            f"{name} cannot be read",
            [
                Fault(
                    place(name, line),
                    f"byte 0x{byte:02X} is not UTF-8, though the rest of the file is",
                    remedy="mend the line and save the file as UTF-8",
                )
                for line, byte in broken
            ],
        )
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise unusable(
            name,
            f"byte 0x{data[error.start]:02X} is neither UTF-8 nor Windows-1252",
            at=place(name, _line(data, error.start)),
            remedy="save the file as UTF-8",
        ) from error
    return text, (
        f"{name} is not UTF-8 (line {first_line}) and was read as Windows-1252;"
        " save it as UTF-8 if words look wrong"
    )


def _line(data: bytes, position: int) -> int:
    return len(_LINE_END.findall(data, 0, position)) + 1


def _broken_utf8(data: bytes) -> list[tuple[int, int]]:
    """Lines and bytes of damage, where the file is UTF-8 for the most part; else nothing.

    Reading such a file as Windows-1252 would spoil every accent in it.
    """
    text = data.decode("utf-8", "surrogateescape")
    foreign = [sign for sign in text if sign > "\x7f"]
    damage = [sign for sign in foreign if "\udc80" <= sign <= "\udcff"]
    if len(foreign) - len(damage) <= len(damage):
        return []
    lines = re.split("\r\n|\r|\n", text)
    return [
        (number, ord(match[0]) - 0xDC00)
        for number, line in enumerate(lines, start=1)
        if (match := re.search("[\udc80-\udcff]", line))
    ]
