"""Heeding: what a host's answers say of its limits, against what was declared.

A host may allow an account less than its documents say; it never gets more than was declared. Of a
limit whose period the host does not name only a reset tells, which is never further away than a
period is long: until one was seen that is more than half of ours away, it may be a second's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import httpx

from flows.providers.base import Window, retry_after_s
from flows.providers.base.rate_headers import Rate, rate
from flows.shoot.pace import Pace
from flows.shoot.polling import Schedule

_log = logging.getLogger("shotlist.shoot")

WAITING = frozenset({429, 503})
"""Answers whose `Retry-After` holds for the whole account (RFC 9110, section 10.2.3)."""
LONG_PAUSE_S = 60.0
"""A pause that a host asks for is said from here on: nothing seems to go on meanwhile."""


class Heeding:
    """Keeps an account's pace and schedule to what answers say. Each thing is said once a run."""

    def __init__(self, name: str, pace: Pace, schedule: Schedule) -> None:
        self._name = name
        self._pace = pace
        self._schedule = schedule
        self._told = Told(pace.windows)
        self._was_said: set[str] = set()

    def heed(self, response: httpx.Response, *, creates: bool) -> None:
        """An answer came: to a create, or to another request. (What a refusal of a create asks for
        concerns creates alone, and is not for here.)
        """
        if not creates and response.status_code in WAITING:
            self._wait(retry_after_s(response) or 0.0)
        said = rate(response.headers, now=time.time())
        if said is None:
            return
        advice = self._told.advice(said, creates=creates)
        self._wait(advice.pause_s, creates_alone=advice.creates_alone)
        if advice.windows is not None:
            self._pace.allow(advice.windows)
            self._schedule.allow(advice.windows)
            shown = ", ".join(
                f"{one.amount} {one.counts} in {one.per_s:g} s" for one in advice.windows
            )
            self._say("allows less than was declared; this run keeps to %s", shown)

    def _wait(self, seconds: float, *, creates_alone: bool = False) -> None:
        if seconds:
            self._pace.pause(seconds, creates_alone=creates_alone)
        if seconds > LONG_PAUSE_S:
            self._say("asks for a pause; it goes on after %.0f s", seconds)

    def _say(self, words: str, what: object) -> None:
        if words not in self._was_said:
            self._was_said.add(words)
            _log.warning(f"%s: {words}", self._name, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do after an answer."""

    windows: tuple[Window, ...] | None = None
    """Keep these from now on; None: as before."""
    pause_s: float = 0.0
    """Send nothing (or no create) for so long: nothing is left."""
    creates_alone: bool = False
    """Whether the pause is for creates, and everything else may go on."""


class Told:
    """What one account's answers said so far. `windows`: as declared. No clock, no waits."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = tuple(windows)
        self._farthest_s: dict[str, float] = {}

    def advice(self, rate: Rate, *, creates: bool) -> Advice:
        """What an answer to a create, or to another request, asks for."""
        counts_creates = any(one.counts == "creates" for one in self._windows)
        counted: Literal["creates", "requests"] = (
            "creates" if creates and counts_creates else "requests"
        )
        if rate.reset_s is not None:
            farthest = max(self._farthest_s.get(counted, 0.0), rate.reset_s)
            self._farthest_s[counted] = farthest
        windows = tuple(
            self._lowered(one, rate) if one.counts == counted else one for one in self._windows
        )
        is_lower = windows != self._windows
        self._windows = windows
        return Advice(
            windows=windows if is_lower else None,
            pause_s=(rate.reset_s or 0.0) if rate.remaining == 0 else 0.0,
            creates_alone=counted == "creates",
        )

    def _lowered(self, window: Window, rate: Rate) -> Window:
        if rate.limit is None:
            return window
        if rate.per_s is not None:
            per_s = rate.per_s
        else:
            farthest = self._farthest_s.get(window.counts, 0.0)
            if farthest <= window.per_s / 2:
                return window
            per_s = max(window.per_s, farthest)
        if per_s > 2 * window.per_s:
            return window  # an hour's or a day's may be spent in a minute; a pause comes at its end
        amount = max(1, int(rate.limit * max(1.0, window.per_s / per_s)))
        return replace(window, amount=amount) if amount < window.amount else window
