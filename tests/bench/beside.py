"""A server in a process of its own, so that it and a client do not share one interpreter.

Such a module, run by `python -m`, prints its address, serves until its standard input ends, and
then prints what it saw as one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving(module: str, *words: str) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Its address, and what ends it and tells what it saw."""
    command = [sys.executable, "-m", module, *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def ended() -> dict[str, Any]:
            said, _ = process.communicate()
            found: dict[str, Any] = json.loads(said)
            return found

        try:
            yield url, ended
        finally:
            if process.poll() is None:
                process.communicate()
