"""Arm: one variant of a test, with its weight and the levels that it stands for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from flows.nouns.campaign import ID_PATTERN, Campaign, Scalar, Variant
from flows.nouns.shot import RowBrief

MOST_LETTERS = 60
"""Of a variant within `utm_content`; with the digest behind it the whole stays below a hundred."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant id, the weight that the campaign gives it, and its level of each factor."""

    id: str
    weight: float = 1.0
    levels: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def token(self) -> str:
        """The id as it stands in `utm_content`: a-z, 0-9 and dashes, so never a `_`.

        It is the id itself unless that is long or, from a CSV of briefs, spelled freely.
        """
        if re.fullmatch(ID_PATTERN, self.id) and len(self.id) <= MOST_LETTERS:
            return self.id
        plain = re.sub(r"[^a-z0-9]+", "-", self.id.lower()).strip("-")
        mark = hashlib.sha256(self.id.encode()).hexdigest()[:8]
        return f"{plain[: MOST_LETTERS - 9].strip('-')}-{mark}".lstrip("-")


def arms_of(
    campaign: Campaign,
    variants: Sequence[Variant],
    rows: Sequence[RowBrief] | None = None,
) -> tuple[Arm, ...]:
    """The arms of a test: written or generated variants, and what the rows of a CSV name besides.

    Only an experiment has factors: the variables of written variants are free, and what they
    share says nothing about why.
    """
    factors = tuple(campaign.experiment.factors) if campaign.experiment else ()
    arms = {
        one.id: Arm(one.id, one.weight, {name: _scalar(one, name) for name in factors})
        for one in variants
    }
    for row in rows or ():
        if row.variant and row.variant not in arms:
            arms[row.variant] = Arm(row.variant)
    return tuple(arms.values())


def _scalar(variant: Variant, name: str) -> Scalar:
    value = variant.vars[name]
    if isinstance(value, (list, dict)):
        msg = f"factor {name} of {variant.id} is not one value"
        raise TypeError(msg)
    return value


def spelled(level: Scalar) -> str:
    """A level as the campaign file spells it."""
    if level is None:
        return "null"
    return str(level).lower() if isinstance(level, bool) else str(level)
