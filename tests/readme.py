"""What README.md says that the code says too: made from the code, so that it stays current.

    python -m tests.readme

writes these parts anew, each between `<!-- generated: name -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

from flows.cli import run_command
from flows.plan.prompts import filters

README = Path(__file__).parent.parent / "README.md"
RENEW = "python -m tests.readme"
EVERYWHERE = "Everywhere"
WIDTH = 104

_PART = re.compile(
    r"(?P<begin><!-- generated: (?P<name>[a-z-]+) -->\n)(?P<text>.*?)(?P<end><!-- /generated -->)",
    re.DOTALL,
)
_TITLE = re.compile(r"╭─ (?P<title>.+?) ─*╮")
_ROW = re.compile(r"│ (?P<row>.*?) *│")
_ROW_NAME = re.compile(r"(\*  )?\S+( \S+)*  +")


def help_text(*words: str) -> str:
    """What `shotlist … --help` prints on a terminal of 80 columns without colours."""
    plain = {"COLUMNS": "80", "NO_COLOR": "1", "FORCE_COLOR": "", "TTY_COMPATIBLE": "0"}
    printed = io.StringIO()
    with mock.patch.dict(os.environ, plain), contextlib.redirect_stdout(printed):
        code = run_command([*words, "--help"])
    assert code == 0, f"shotlist {' '.join(words)} --help ended with {code}"
    return printed.getvalue()


def panels(text: str) -> dict[str, list[str]]:
    """The frames of a help text by their titles; each row with the lines that continue it."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in text.splitlines():
        if head := _TITLE.fullmatch(line):
            title = head["title"]
            found[title] = []
        elif row := _ROW.fullmatch(line):
            if row["row"].startswith(" ") and found[title]:
                found[title][-1] += f"\n{row['row']}"
            else:
                found[title].append(row["row"])
    return found


def _name(row: str) -> str:
    return row.split(maxsplit=1)[0]


def commands() -> list[str]:
    """Each command, in the order of `shotlist --help`."""
    rows = panels(help_text())["Commands"]
    return {_name(row): " ".join(row.split()[1:]) for row in rows if not _name(row).startswith("-")}


def _help_of_commands() -> str:
    """Every command's help without its frames; what all of them know is told once, on top."""
    everywhere = panels(help_text())[EVERYWHERE]
    known = {_name(row) for row in everywhere}
    told = [_block("with every command", "", everywhere)]
    for name in commands():
        text = help_text(name)
        usage, _, rest = text.partition("\n\n")
        does = " ".join(rest.partition("\n\n")[0].split())
        rows = [row for rows in panels(text).values() for row in rows if _name(row) not in known]
        told.append(_block(usage.removeprefix("Usage: "), does, rows))
    return "```text\n" + "\n\n".join(told) + "\n```\n"


def _block(head: str, does: str, rows: list[str]) -> str:
    lines = [does, *(line for row in rows for line in _wrapped(row))]
    return "\n".join([head, *(f"  {line}" for line in lines if line)])


def _wrapped(row: str) -> list[str]:
    """A row in wider lines than a terminal's, without defaults that go without saying."""
    text = " ".join(line.strip() for line in row.splitlines()).replace(" [default: False]", "")
    name = _ROW_NAME.match(text)
    indent = " " * (name.end() if name else 0)
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _filter_table() -> str:
    """The table in the docstring of the filters."""
    lines = inspect.cleandoc(filters.__doc__ or "").splitlines()
    return "\n".join([*(line for line in lines if line.startswith("|")), ""])


PARTS: Mapping[str, Callable[[], str]] = {
    "help": _help_of_commands,
    "filters": _filter_table,
}


def generated(text: str) -> dict[str, str]:
    """The generated parts that a README holds now, by name."""
    return {part["name"]: part["text"] for part in _PART.finditer(text)}


def renewed(text: str) -> str:
    """The README with every generated part as the code has it today."""
    return _PART.sub(lambda part: part["begin"] + PARTS[part["name"]]() + part["end"], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
