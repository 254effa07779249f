"""Meter: the work of one rendering, counted; no clock, so that a plan is the same everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from flows.plan.prompts.refused import Refused
from flows.plan.prompts.values import MAX_ITEMS, MAX_TEXT
from flows.plan.prompts.words import Missing, Words

MAX_WORK = 1_000_000
"""Steps and characters of one rendering."""


class Meter:
    """What is left of the work that one rendering may do."""

    __slots__ = ("depth", "left", "left_out")

    def __init__(self) -> None:
        self.left = MAX_WORK
        self.depth = 0
        self.left_out = 0
        """Included templates that are put in later."""

    def spend(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise Refused(
                f"this does too much work (more than {MAX_WORK:,} steps and characters)",
                "loop over fewer entries, or print less",
            )


METER: ContextVar[Meter] = ContextVar("meter")


def weight(value: object) -> int:
    """Entries in a value and all that lies in it.

    Raises:
        Refused: more than a template may hold, or something that is neither text nor number.

    """
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, (list, tuple, range)):
            waiting.extend(one[: MAX_ITEMS + 1])
        elif isinstance(one, Mapping) and not isinstance(one, Words):
            waiting.extend([*one.values(), *one])
        if count + len(waiting) > MAX_ITEMS + 1:
            raise Refused(f"a list grows beyond {MAX_ITEMS:,} entries")
    return count


def metered(function: Callable[..., Any], *, knows_missing: bool = False) -> Callable[..., Any]:
    """The function, paid for by the size of what goes in and what comes out."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        meter = METER.get()
        for value in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(value, (str, list, tuple)):
                meter.spend(len(value) + 1)
            elif type(value) is Missing and not knows_missing:
                str(value)  # raises, with its name
        result = function(*args, **kwargs)
        if isinstance(result, (str, list)):
            if len(result) > (MAX_TEXT if isinstance(result, str) else MAX_ITEMS):
                raise Refused(
                    f"a value grows beyond {MAX_TEXT:,} characters or {MAX_ITEMS} entries"
                )
            meter.spend(len(result) + 1)
        return result

    return run
