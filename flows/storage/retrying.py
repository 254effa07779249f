"""Asking a store again where it was busy or the line broke, for so long and no longer."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from flows.storage.faults import may_pass

T = TypeVar("T")

TRIES = 8
PATIENCE_S = 120.0
"""From the first try: after it no new one is begun."""
FIRST_S = 0.2
LONGEST_S = 8.0


def persistently(
    call: Callable[[], T],
    errors: tuple[type[Exception], ...],
    tries: int = TRIES,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `call` gives, asked again with growing, jittered waits while its error may pass.

    `call` must be safe to repeat: whole objects, reads, removals are.
    """
    began = time.monotonic()
    for number in range(tries - 1):
        try:
            return call()
        except errors as error:
            if not may_pass(error) or time.monotonic() - began > PATIENCE_S:
                raise
        longest = min(LONGEST_S, FIRST_S * 2**number)
        # no secret hangs on it
        sleep(random.uniform(longest / 2, longest))  # noqa: S311
    return call()
