"""What a person at a terminal is asked before a run; elsewhere the same is a fault."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flows.cli import terminal
from flows.errors import BadInput

if TYPE_CHECKING:
    from flows.jobs import Job


def is_possible() -> bool:
    return sys.stdin.isatty()


def confirm(question: str) -> None:
    """Ask, where a document on standard output is not disturbed.

    Raises:
        BadInput: the answer is not yes.

    """
    asked = terminal.wrapped(f"{question} [y/N]", sys.stderr)
    print(asked, end=" ", file=sys.stderr, flush=True)
    if input().strip().lower() not in {"y", "yes"}:
        raise BadInput("not started: the question was not answered with yes")


def about_leaving(job: Job, *, is_shown: bool = True) -> bool:
    """Whether a person was asked, and said yes, to retire more than `publish.retire_at_most`.
    `is_shown`: the plan comes first, on standard output.

    Raises:
        BadInput: more would be retired, and the answer is no or there is no terminal to ask at.

    """
    from flows import jobs
    from flows.cli.plan import ROWS, show

    if (found := jobs.leaving(job)) is None:
        return False
    if not is_possible():
        raise BadInput("nothing was begun", [found.fault])
    if is_shown:
        show(job, rows=ROWS)
    confirm(f"{found.catalogue}: {found.found}. Retire their shots?")
    return True
