"""Metric: one rate of every arm, and what was decided by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flows.results.arms import Arm
from flows.results.dispersion import Dispersion
from flows.results.factors import Factor
from flows.results.rates import Rate
from flows.results.winner import Contest

MetricName = Literal["ctr", "cvr", "conversions_per_impression"]

TITLES: dict[MetricName, str] = {
    "ctr": "clicks per impression (CTR)",
    "cvr": "conversions per click (CVR)",
    "conversions_per_impression": "conversions per impression",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One rate of every arm that was measured, `rates` and `arms` going together.

    Only the metric of the goal has a `contest` and factors: one question is decided, so that
    looking at several rates names no false winners; the others say why it came so.
    """

    name: MetricName
    arms: tuple[Arm, ...]
    rates: tuple[Rate, ...]
    spread: Dispersion
    contest: Contest | None = None
    factors: tuple[Factor, ...] = ()

    @property
    def title(self) -> str:
        return TITLES[self.name]

    @property
    def what(self) -> str:
        """What is counted, in a word."""
        return "clicks" if self.name == "ctr" else "conversions"
