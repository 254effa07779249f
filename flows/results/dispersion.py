"""Dispersion: how much more the counts jump from day to day than chance alone would let them.

Clicks of one person, a page that was down, a rival's campaign: impressions are not independent
throws. Where the report has dates it shows by how much, and what is believed is stretched by it
(McCullagh, Nelder, Generalized Linear Models, 1989, section 4.5: X² over degrees of freedom).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_LEAST_EXPECTED = 5.0
"""Days are put together until each arm may expect so many: Pearson's X² needs it."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """`factor` is 1 where nothing shows; `degrees` is None where the report cannot tell."""

    factor: float = 1.0
    degrees: int | None = None


def dispersion(trials: Sequence[Sequence[int]], successes: Sequence[Sequence[float]]) -> Dispersion:
    """How much arms differ from day to day beyond chance; rows are days in order, columns arms.

    What a day does to all arms alike does no harm and is not counted.
    """
    import numpy as np

    if not trials:
        return Dispersion()
    n, s = _blocks(np.asarray(trials, dtype=float), np.asarray(successes, dtype=float))
    days, arms = n.shape
    if min(days, arms) < 2:
        return Dispersion()
    of_all = s.sum() / n.sum()
    of_day = s.sum(axis=1) / n.sum(axis=1)
    of_arm = s.sum(axis=0) / n.sum(axis=0)
    expected = np.clip(np.outer(of_day, of_arm) / of_all, 1e-12, 1 - 1e-12)
    squares = (s - n * expected) ** 2 / np.maximum(n * expected * (1 - expected), 1e-12)
    degrees = (days - 1) * (arms - 1)
    return Dispersion(max(1.0, float(squares.sum()) / degrees), degrees)


def _blocks(n: Numbers, s: Numbers) -> tuple[Numbers, Numbers]:
    """Days that are too thin for each arm put together with those after them."""
    import numpy as np

    total = n.sum()
    rate = s.sum() / total if total else 0.0
    scarce = min(rate, 1 - rate)
    starts, gathered = [0], np.zeros(n.shape[1])
    for day in range(len(n)):
        gathered = gathered + n[day]
        if scarce * gathered.min() >= _LEAST_EXPECTED:
            starts.append(day + 1)
            gathered = np.zeros(n.shape[1])
    if starts[-1] == len(n) or len(starts) > 1:
        starts.pop()  # what is left at the end goes to the block before it
    return np.add.reduceat(n, starts), np.add.reduceat(s, starts)
