"""Arm: one variant of a test, with its weight and the levels that it stands for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from flows.nouns.campaign import ID_PATTERN, Campaign, Scalar, Variant

MOST_LETTERS = 60
"""Of a variant within `utm_content`; with the digest behind it the whole stays below a hundred."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant id, the weight that the campaign gives it, and its level of each factor."""

    id: str
    weight: float = 1.0
    """0 for one that has left the campaign: nobody says what share it was meant to have."""
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
    campaign: Campaign, variants: Sequence[Variant], named: Iterable[str] = ()
) -> tuple[Arm, ...]:
    """The arms of a test: written or generated variants, and those that rows of a CSV name besides.

    Only an experiment has factors: the variables of written variants are free, and what they
    share says nothing about why.
    """
    factors = tuple(campaign.experiment.factors) if campaign.experiment else ()
    arms = {
        one.id: Arm(one.id, one.weight, {name: _scalar(one, name) for name in factors})
        for one in variants
    }
    for one in named:
        arms.setdefault(one, Arm(one))
    return tuple(arms.values())


def as_published(written: Sequence[Arm], published: Sequence[Arm]) -> tuple[tuple[Arm, ...], str]:
    """The arms that the ads were set up with, and a word where the campaign says otherwise now.

    A weight counts as it was published, and a variant that the campaign does not have any more
    stays an arm; its levels count where they are of the same factors, as the campaign writes them.
    """
    out = {arm.id: arm for arm in published}
    factors = set(written[0].levels) if written else set()
    arms, moved = [], []
    for arm in written:
        weight = out[arm.id].weight if arm.id in out else 0.0
        if weight and weight != arm.weight:
            moved.append(f"{arm.id} {weight:g} where the campaign says {arm.weight:g}")
        arms.append(replace(arm, weight=weight or arm.weight))
    known = {arm.id for arm in written}
    for arm in published:
        if arm.id not in known:
            levels = arm.levels if not written or factors == set(arm.levels) else {}
            arms.append(replace(arm, levels=_as_written(levels, written)))
    shown = ", ".join(moved[:_MOST_SHOWN])
    return tuple(arms), f"weights count as they were published: {shown}" if moved else ""


_MOST_SHOWN = 4


def _as_written(levels: Mapping[str, Scalar], written: Sequence[Arm]) -> Mapping[str, Scalar]:
    """Published levels, which are text, as the scalars of the campaign that are spelled so; none
    where one of them could be two.
    """
    found = {}
    for name, text in levels.items():
        alike = {
            repr(level): level
            for arm in written
            for factor, level in arm.levels.items()
            if factor == name and spelled(level) == text
        }
        if len(alike) > 1:
            return {}
        found[name] = next(iter(alike.values()), text)
    return found


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
