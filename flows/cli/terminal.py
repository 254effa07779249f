"""What a person reads: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_ANY_WIDTH = 10_000
_quiet = False
_verbose = False
_log: IO[str] | None = None


def set_up(*, quiet: bool, verbose: bool, log_file: Path | None) -> None:
    """Decide how much is said, and where else it is written."""
    global _quiet, _verbose, _log  # noqa: PLW0603 - one terminal a process
    _quiet, _verbose = quiet, verbose
    _heed_warnings()
    if log_file is not None:
        from flows.errors import BadInput, Fault

        try:
            _log = log_file.open("a", encoding="utf-8")
        except OSError as error:
            raise BadInput(
                "the log cannot be written",
                [Fault("--log-file", f"{log_file}: {error.strerror}")],
            ) from error


def _heed_warnings() -> None:
    """What rooms that know no terminal say while they work, as a note; Prefect shows no log of
    others unless it shows its own.
    """
    import logging

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(self.format(record))

    ours = logging.getLogger("shotlist")
    if not ours.handlers:
        ours.addHandler(Notes(logging.WARNING))


def is_quiet() -> bool:
    return _quiet


def is_verbose() -> bool:
    return _verbose


def console() -> Console:
    """Standard error, for people; colours only where they are seen (NO_COLOR is honoured)."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def tables() -> Console:
    """Standard output for tables: as wide as the terminal, wide enough for ids elsewhere."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def fitting(table: Table) -> Console:
    """Where a table is printed whose cells are names: as `tables`, and wider where one would be
    broken, for what is broken cannot be copied. The terminal breaks such lines without a trace.
    """
    from rich.console import Console

    console = tables()
    needed = console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum
    return console if needed <= console.width else Console(highlight=False, width=needed)


def wrapped(text: str, stream: TextIO) -> str:
    """Broken at blanks where a terminal would break inside words; a name that is too long for a
    line stays whole. Elsewhere the text as it is.
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.lstrip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def say(text: str) -> None:
    """A line of progress."""
    write_log(text)
    if not _quiet:
        print(wrapped(text, sys.stderr), file=sys.stderr, flush=True)


def note(text: str) -> None:
    """Something worth knowing that stops nothing."""
    say(f"note: {text}")


def error(text: str) -> None:
    """What went wrong, in words that say what to do."""
    write_log(f"error: {text}")
    print(wrapped(f"shotlist: {text}", sys.stderr), file=sys.stderr, flush=True)


def result(text: str) -> None:
    """What was asked for."""
    write_log(text)
    print(wrapped(text, sys.stdout), flush=True)


def document(value: object, *, indent: int | None = None) -> None:
    """One JSON document on standard output, and nothing else there.

    On one line unless `indent` is given: a plan of a hundred thousand shots is written by the
    quick encoder, which does not indent.
    """
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=indent, default=_plain))
    sys.stdout.write("\n")
    sys.stdout.flush()


def write_log(text: str) -> None:
    if _log is not None:
        _log.write(text + "\n")
        _log.flush()


def _plain(value: Any) -> Any:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def money(usd: object) -> str:
    """USD for people; what is not known is never shown as 0."""
    return "not known" if usd is None else f"${float(str(usd)):,.2f}"


def duration(seconds: float | None) -> str:
    """90 to `1 min 30 s`."""
    if seconds is None:
        return "not known"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 shot`, `2 shots`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
