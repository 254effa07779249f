"""Circuit: an account of which every create fails is left alone for a while, and then tried by one.

Closed, creates go as the pace lets them. After some in a row have failed and none has passed it is
open: nothing is sent until a wait is over, then one create alone, the probe. Each probe that fails
makes the wait longer, with dice, so that several machines do not come back at once; the first that
passes closes it. Meanwhile the takes stay in the queue, where other accounts find them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

OPENS_AFTER = 5
"""Creates in a row that fail; those that left together count as one."""
LONGEST_S = 60.0
FIRST_SHARE = 0.25
"""The first wait, as a share of what a generation takes."""
PATIENCE_S = 600.0
"""How long creates are tried again while not one passes."""
HANDOVER_S = 60.0
"""The same, where another host of the run waits for its turn."""


class Circuit:
    """One account's, on one event loop."""

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._now = now
        self._dice = dice
        self._failures = 0
        self._first_at: float | None = None
        self._last_at = float("-inf")
        self._not_before = 0.0
        self._is_probed = False
        self.may_hand_over = False
        """Whether another host of the run buys once this account stops."""

    @property
    def is_open(self) -> bool:
        return self._failures >= OPENS_AFTER

    @property
    def wait_s(self) -> float:
        """Until the next probe may leave."""
        return max(0.0, self._not_before - self._now()) if self.is_open else 0.0

    @property
    def failing_s(self) -> float:
        """Since the first of the creates that failed after the last that passed."""
        return 0.0 if self._first_at is None else self._now() - self._first_at

    @property
    def is_given_up(self) -> bool:
        """Whether it has failed for so long that the account had better stop."""
        may_hand_over = self.may_hand_over and self.is_open
        return self.failing_s >= (HANDOVER_S if may_hand_over else PATIENCE_S)

    def lets_through(self) -> bool:
        """Whether a create may be begun. Open, this is so for one alone, which is the probe until
        its answer comes or it is `released`.
        """
        if not self.is_open:
            return True
        if self._is_probed or self.wait_s > 0:
            return False
        self._is_probed = True
        return True

    def released(self) -> None:
        """The probe ended without an answer to a create: another may go."""
        self._is_probed = False

    def failed(self, admitted: float, *, named_s: float | None, expected_s: float) -> None:
        """A create that was admitted then was turned away or lost. `named_s` is how long the host
        asks to wait, `expected_s` what a generation takes.
        """
        if admitted <= self._last_at:
            return
        self._is_probed = False
        self._failures += 1
        self._last_at = self._now()
        if self._first_at is None:
            self._first_at = self._last_at
        if self.is_open:
            again = 2 ** min(self._failures - OPENS_AFTER, 30)
            grown = min(LONGEST_S, FIRST_SHARE * expected_s * again) * (0.5 + 0.5 * self._dice())
            named = (named_s or 0.0) * (1 + 0.1 * self._dice())
            self._not_before = self._last_at + (named or grown)

    def passed(self) -> None:
        """The host answered a create as it should."""
        self._failures, self._first_at, self._is_probed = 0, None, False
