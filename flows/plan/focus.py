"""Focus: what a crop must keep, from a product's own cell or else from the campaign."""

from __future__ import annotations

from dataclasses import replace

from flows.errors import Fault
from flows.nouns.campaign import Campaign
from flows.nouns.focus_wish import Wish, focus_wish
from flows.plan.expand import Brief
from flows.plan.faults import Faults

COLUMN = "focus"


class FocusWishes:
    """Reads the `focus` cell of each product; equal cells are one wish for all shots."""

    def __init__(self, campaign: Campaign, faults: Faults) -> None:
        self._default: Wish = campaign.finish.focus
        self._faults = faults
        self._known: dict[str, Wish | Fault] = {"": self._default}

    def of(self, brief: Brief) -> Wish:
        """The product's wish; where its cell is empty or wrong (it is told) the campaign's."""
        cell = brief.product.fields.get(COLUMN, "")
        wish = self._known.get(cell)
        if wish is None:
            wish = focus_wish(cell) or self._default
            self._known[cell] = wish
        if isinstance(wish, Fault):
            place = f"{brief.place}, column {COLUMN}"
            fault = replace(wish, place=place, remedy=wish.remedy or _REMEDY)
            self._faults.add(fault, product=brief.product.key)
            return self._default
        return wish


_REMEDY = "mend or empty the cell; where the column means something else, rename it"
