"""A turn: what runs of several processes do at a place one after the other."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.errors import EnvironmentFault
from flows.storage.place import Place
from flows.storage.store import OvertakenError

_log = logging.getLogger("shotlist.storage")

TURN = ".turn"
"""The file that stands for it; nothing names it."""

LOOK_S = 0.5
TELL_S = 2.0
BEAT_S = 5.0
"""How often its holder says that it goes on."""
DEAD_S = 30.0
"""Who said nothing for so long, by the clock of who waits, is taken to be dead."""
PATIENCE_S = 900.0
"""No run publishes for so long, once its pictures are there."""


class Turn:
    """Had by one at a time, where the store can be held to that; it is renewed until it ends."""

    def __init__(self, place: Place, *, is_kept: bool = True) -> None:
        self._place = place
        self._is_kept = is_kept
        self._mark = secrets.token_hex(16)
        self._beats = 0
        self._busy = threading.Lock()
        self._has_ended = threading.Event()

    def check(self) -> None:
        """Ask whether it is still had.

        Raises:
            EnvironmentFault: another one took us to be dead, for we stood still too long.

        """
        if self._is_kept and not self._is_ours():
            raise EnvironmentFault(
                f"{self._place.full(TURN)}: this run stood still for so long that another one went "
                f"on in its place; what was made is kept: run again"
            )

    def _is_ours(self) -> bool:
        return self._mark.encode() in (self._place.read(TURN) or b"")

    def take(self) -> None:
        """Wait for it.

        Raises:
            EnvironmentFault: others had it for too long, or the place cannot be read or written.

        """
        began = time.monotonic()
        watched: bytes | None = None
        until = 0.0
        was_told = False
        while time.monotonic() - began < PATIENCE_S:
            now = self._place.condition(TURN)
            theirs = self._place.read(TURN) if now is not None and now.mark is not None else None
            if theirs != watched:
                watched, until = theirs, time.monotonic() + (0 if _is_dead(theirs) else DEAD_S)
            if theirs is None or time.monotonic() >= until:
                with suppress(OvertakenError):  # another one was quicker
                    self._place.replace(TURN, self._said(), now)
                    return
            elif not was_told and time.monotonic() - began > TELL_S:
                was_told = True
                _log.warning("%s: another run publishes there; waiting for it", self._place.shown)
            time.sleep(LOOK_S)
        raise EnvironmentFault(
            f"{self._place.full(TURN)}: other runs publish there without end; what was made is "
            f"kept: run again, and remove that file if no other run is at work"
        )

    def renew(self) -> None:
        """Say now and then that we go on."""
        while not self._has_ended.wait(BEAT_S):
            # a beat that is lost may be followed by one that is not
            with self._busy, suppress(EnvironmentFault, OvertakenError):
                now = self._place.condition(TURN)
                if not self._is_ours():
                    return
                self._beats += 1
                self._place.replace(TURN, self._said(), now)

    def end(self) -> None:
        """Let the next one have it."""
        self._has_ended.set()
        # what was done is done: else the next one waits
        with self._busy, suppress(EnvironmentFault):
            if self._is_ours():
                self._place.remove(TURN)

    def _said(self) -> bytes:
        said = {"mark": self._mark, "beat": self._beats, "pid": os.getpid(), "at": _here()}
        return json.dumps(said).encode()


@contextmanager
def turn(place: Place) -> Iterator[Turn]:
    """Alone at a place; where its store keeps no conditions, nothing is held.

    Who does not renew it is taken to be dead after a while; at once where it was a process beside
    this one and is none any more. Nothing can stop one that stood still in the middle and then goes
    on, so it asks, with `check`, before what must not be mixed.

    Raises:
        EnvironmentFault: others had it for too long, or the place cannot be read or written.

    """
    if not place.keeps_conditions():
        yield Turn(place, is_kept=False)
        return
    ours = Turn(place)
    ours.take()
    threading.Thread(target=ours.renew, daemon=True).start()
    try:
        yield ours
    finally:
        ours.end()


def _is_dead(theirs: bytes | None) -> bool:
    """Whether a holder was a process beside this one, and is none any more."""
    try:
        said: Mapping[str, object] = json.loads(theirs or b"{}")
        pid, at = said.get("pid"), said.get("at")
    except (AttributeError, ValueError):  # none of ours
        return False
    if not at or at != _here() or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # somebody else's
    return False


def _here() -> str:
    """Those that share one list of processes, until the machine starts anew; nothing where the
    system does not tell (proc(5), pid_namespaces(7)), as on Windows, which knows no signal 0.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
        names = Path("/proc/self/ns/pid").readlink()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"{boot} {names}".encode()).hexdigest()[:16]
