"""The command, killed in the middle of its publishing.

    python killing.py PLACE CALL PATTERN NUMBER WHEN words of the command…

At the NUMBER-th CALL (`write`, `create`, `stage`, `settle`,
`replace`) of the place at the address PLACE with
a path like PATTERN the process is killed by SIGKILL: WHEN it is to begin (`before`), has come back
(`after`), or so many milliseconds after it began.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

from flows.cli import main
from flows.storage import Place


def killed(call: Callable[..., Any], url: str, pattern: str, number: int, when: str) -> Any:
    """The call, deadly at its time."""
    turn = threading.Lock()
    seen = 0

    @functools.wraps(call)
    def deadly(self: Place, path: str, *words: Any, **more: Any) -> Any:
        nonlocal seen
        is_it = False
        if self.url == url and fnmatch(path, pattern):
            with turn:
                seen += 1
                is_it = seen == number
        if is_it and when == "before":
            die()
        elif is_it and when != "after":
            threading.Timer(int(when) / 1000, die).start()
        result = call(self, path, *words, **more)
        if is_it and when == "after":
            die()
        return result

    return deadly


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    place, name, pattern, number, when, *words = sys.argv[1:]
    setattr(Place, name, killed(getattr(Place, name), place, pattern, int(number), when))
    sys.argv = ["shotlist", *words]
    sys.exit(main())
