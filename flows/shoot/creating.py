"""Creating: how creates go on after a host turned some away. No clock, no waiting, no network.

A single refusal costs its own wait and little else. Refusals in a row say that the host's pace is
slower than what was declared: creates then go one by one, with a gap between them. The gap halves
with each create that passes, so that after a storm all is soon as it was; where a shorter gap is
refused, the host's pace is known, and going faster is tried ever more rarely.
"""

from __future__ import annotations

STEP_S = 0.02
"""How often it is looked whether the one create has its answer."""
LONGEST_GAP_S = 60.0
CALM_AFTER = 3
"""Creates that must pass before an earlier refusal is forgotten, or a gap that was found to be
needed is halved again."""
LONG_CALM = 48
"""The same at most: each refusal of a shorter gap doubles it."""


class Creating:
    """What one account's answers to creates say of its pace. Moments and waits in seconds."""

    def __init__(self) -> None:
        self.open = 0
        """Creates that are under way."""
        self._most: float = float("inf")
        self._gap_s = 0.0
        self._not_before = 0.0
        self._passed_at: float | None = None
        self._refused_at = float("-inf")
        self._streak = 0
        self._calm = 0
        self._calm_needed = 1
        """Creates that must pass before the gap is halved."""

    def turned_away(
        self, now: float, retry_after_s: float | None, expected_s: float, admitted_at: float
    ) -> None:
        """A create was refused. `admitted_at`: of creates that left together one refusal counts."""
        self._not_before = max(self._not_before, now + (retry_after_s or 0.0))
        self._most = 1
        if admitted_at <= self._refused_at:
            return
        self._refused_at = now
        self._streak += 1
        wait = retry_after_s or min(LONGEST_GAP_S, max(self._gap_s / 4, expected_s / 8))
        if self._streak > 1:
            if self._gap_s and self._calm:
                # shorter than what passed before: so that was the pace
                self._calm_needed = min(LONG_CALM, max(CALM_AFTER, 2 * self._calm_needed))
            # from the last one that passed to the next that would: that is the host's pace
            since = now - self._passed_at if self._passed_at is not None else 0.0
            self._gap_s = min(LONGEST_GAP_S, 1.1 * (since + wait))
        self._calm = 0
        self._not_before = max(self._not_before, now + wait)

    def passed(self, now: float) -> None:
        """A create was taken."""
        self._calm += 1
        if self._gap_s and self._passed_at is not None:
            self._gap_s = min(self._gap_s, 1.02 * (now - self._passed_at))
        self._passed_at = now
        if self._gap_s:
            self._most = 1
            if self._calm % self._calm_needed == 0:
                self._gap_s = self._gap_s / 2 if self._gap_s > 2 * STEP_S else 0.0
            self._not_before = max(self._not_before, now + self._gap_s)
            return
        self._most += 1
        if self._calm >= max(CALM_AFTER, self._calm_needed):
            self._streak, self._calm_needed = 0, 1

    def hold(self, until: float) -> None:
        """No create before: the host says that nothing is left."""
        self._not_before = max(self._not_before, until)

    def wait_s(self, now: float) -> float:
        """How long the next create has to wait; 0 or less: not at all."""
        return STEP_S if self.open >= self._most else self._not_before - now
