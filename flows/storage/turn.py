"""A turn: what runs of several processes do at a place one after the other."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.errors import EnvironmentFault
from flows.storage.place import Place
from flows.storage.store import OvertakenError

TURN = ".turn"
"""The file that stands for it; nothing names it."""

LOOK_S = 0.5
LONGEST_S = 30.0
"""For one quick thing: far more than it takes, also where a store is busy."""


@contextmanager
def turn(place: Place, longest_s: float = LONGEST_S) -> Iterator[None]:
    """Alone at a place; where its store keeps no conditions, nothing is held.

    On a file system the turn of a process that dies falls to the next. At a store who holds it
    says for how long at most, `longest_s`: others watch it so long, by their own clocks, and then
    take it to be dead; at once where they see that it is.

    Raises:
        EnvironmentFault: the place cannot be read or written.

    """
    if not place.keeps_conditions():
        yield
        return
    if (lock := place.locked(TURN)) is not None:
        with lock:
            yield
        return
    said = {"mark": secrets.token_hex(16), "s": longest_s, "pid": os.getpid(), "at": _here()}
    ours = json.dumps(said).encode()
    _wait(place, ours)
    try:
        yield
    finally:
        with suppress(EnvironmentFault):  # what was done is done: then the next one waits
            if place.read(TURN) == ours:  # else somebody took us to be dead
                place.remove(TURN)


def _wait(place: Place, ours: bytes) -> None:
    watched: bytes | None = None
    until = 0.0
    while True:
        now = place.condition(TURN)
        theirs = place.read(TURN) if now is not None and now.mark is not None else None
        if theirs != watched:
            watched, until = theirs, time.monotonic() + _left_s(theirs)
        if theirs is None or time.monotonic() >= until:
            try:
                place.replace(TURN, ours, now)
            except OvertakenError:
                continue  # another one was quicker
            return
        time.sleep(LOOK_S)


def _left_s(theirs: bytes | None) -> float:
    """How long a holder may still be at it."""
    try:
        said: Mapping[str, object] = json.loads(theirs or b"{}")
        return 0.0 if _is_dead(said) else float(str(said["s"]))
    except (AttributeError, KeyError, TypeError, ValueError):  # none of ours
        return LONGEST_S


def _is_dead(said: Mapping[str, object]) -> bool:
    """Whether a holder was a process beside this one, and is none any more."""
    pid, at = said.get("pid"), said.get("at")
    if not at or at != _here() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # somebody else's
    return False


def _here() -> str:
    """Those that share one list of processes, until the machine starts anew; nothing where the
    system does not tell (proc(5), pid_namespaces(7)).
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return ""
