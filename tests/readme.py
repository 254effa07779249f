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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from unittest import mock

from flows import providers
from flows.cli import run_command
from flows.plan.prompts import filters
from flows.providers import Provider
from flows.providers.base import Limits, Treatment

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
_BESIDE_STAR = re.compile(r" {3}--[a-z]")


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
            # beside a starred row the others stand three to the right
            is_new = not row["row"].startswith(" ") or _BESIDE_STAR.match(row["row"])
            if is_new or not found[title]:
                found[title].append(row["row"].strip())
            else:
                found[title][-1] += f"\n{row['row']}"
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


def _hosts() -> list[type[Provider]]:
    """The hosts that sell."""
    known = [providers.host(name) for name in providers.names()]
    return [host for host in known if host.key_variable is not None]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _host_tables() -> str:
    """Each host with its key, price, limits and references, then what becomes of parameters."""
    hosts = _hosts()
    rows = [
        [
            f"`{host.name}`",
            host.title,
            f"`{host.key_variable}`",
            _price(host),
            f"{_limits(host.limits)} ({host.limits_note})",
            _references(host),
        ]
        for host in hosts
    ]
    told = _table(["host", "who", "key", "USD an image", "limits", "references"], rows)
    parameters = [
        [f"`{name}`", *(_treated(host.capabilities.treatments[name]) for host in hosts)]
        for name in hosts[0].capabilities.treatments
    ]
    return f"{told}\n{_table(['parameter', *(host.name for host in hosts)], parameters)}"


def _price(host: type[Provider]) -> str:
    price = "not known" if host.usd_per_image is None else str(host.usd_per_image)
    return f"{price} ({host.price_note})"


def _limits(limits: Limits) -> str:
    told = [f"{one.amount:,} {one.counts} in {one.per_s:g} s" for one in limits.windows]
    if limits.running is not None:
        told.append(f"{limits.running} running")
    return ", ".join(told)


def _references(host: type[Provider]) -> str:
    one = host.capabilities.references
    return (
        f"{one.count} by {one.by}, to {one.most_bytes / 1e6:g} MB, from {one.least_side} px a side"
    )


def _treated(treatment: Treatment) -> str:
    native = _code(treatment.native.split(", ")) if treatment.native else ""
    return f"{treatment.way} {native}".strip()


def _address_table() -> str:
    """Where each host is asked, and the variable that leads elsewhere."""
    rows = [
        [
            f"`{host.name}`",
            "<br>".join(f"`{name}` {address}" for name, address in host.addresses.items()),
            f"`{host.secret_variable}`" if host.secret_variable else "",
        ]
        for host in _hosts()
    ]
    return _table(["host", "address variable and what it is without", "webhook secret"], rows)


PARTS: Mapping[str, Callable[[], str]] = {
    "help": _help_of_commands,
    "filters": _filter_table,
    "hosts": _host_tables,
    "addresses": _address_table,
}


def generated(text: str) -> dict[str, str]:
    """The generated parts that a README holds now, by name."""
    return {part["name"]: part["text"] for part in _PART.finditer(text)}


def renewed(text: str) -> str:
    """The README with every generated part as the code has it today."""
    return _PART.sub(lambda part: part["begin"] + PARTS[part["name"]]() + part["end"], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
