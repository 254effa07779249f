"""Purse: what a run may still spend. Asked before each purchase."""

from __future__ import annotations

from decimal import Decimal


class Purse:
    """Spent + running + unknown + next never passes the cap. On one event loop."""

    def __init__(self, cap: Decimal | None, spent: Decimal = Decimal(0)) -> None:
        self._cap = cap
        self._held = spent
        self.is_spent = False
        """Whether a purchase was refused: nothing of this run will be bought any more."""

    def hold(self, price: Decimal | None) -> bool:
        """Set money aside for a purchase; False where it would pass the cap."""
        if self._cap is None:
            return True
        if price is None or self._held + price > self._cap:
            self.is_spent = True
            return False
        self._held += price
        return True

    def give_back(self, price: Decimal | None) -> None:
        """Nothing was bought for it after all."""
        self._held -= price or Decimal(0)

    def correct(self, price: Decimal | None, cost: Decimal | None) -> None:
        """The host says what it cost."""
        if price is not None and cost is not None:
            self._held += cost - price
