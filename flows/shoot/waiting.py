"""Waiting: the takes of a run that nobody buys yet, and those that one host left to others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from flows.shoot.outcome import Outcome, Wanted

MayGo = Callable[[Wanted, str], bool]
"""Whether a take that was handed on may be bought at the host of that name."""


class Waiting:
    """First come, first served, on one event loop."""

    def __init__(self, may_go: MayGo) -> None:
        self._may_go = may_go
        self._open: deque[Wanted] = deque()
        self._handed_on: list[tuple[Wanted, Outcome]] = []

    def __len__(self) -> int:
        """How many any account may take."""
        return len(self._open)

    def add(self, wanted: Wanted) -> None:
        self._open.append(wanted)

    def put_back(self, wanted: Wanted) -> None:
        """Nothing was bought: it is the next that somebody takes."""
        self._open.appendleft(wanted)

    def hand_on(self, wanted: Wanted, refused: Outcome) -> None:
        """A host refused it: who may still try takes it; where nobody does, that came of it."""
        self._handed_on.append((wanted, refused))

    def has_for(self, host: str) -> bool:
        return bool(self._open) or any(self._may_go(one, host) for one, _ in self._handed_on)

    def next_for(self, host: str) -> Wanted:
        """Take out what an account of this host buys next; `has_for` says that there is one."""
        if self._open:
            return self._open.popleft()
        for number, (wanted, _) in enumerate(self._handed_on):
            if self._may_go(wanted, host):
                del self._handed_on[number]
                return wanted
        msg = f"nothing waits for {host}"
        raise LookupError(msg)

    def left(self) -> Iterator[Wanted | Outcome]:
        """What nobody took: never tried, or as its last host refused it. Empties it."""
        while self._open:
            yield self._open.popleft()
        while self._handed_on:
            yield self._handed_on.pop(0)[1]
