"""In: the arms of a campaign and a manifest, or the counts of what the ads brought.
Out: `assignments.csv` for the ad platform, or a Judgement: rates, chances to be best, a winner.
"""

from __future__ import annotations

from flows.results.arms import Arm, arms_of
from flows.results.assignments import assignments
from flows.results.judge import Judgement, judge

__all__ = ["Arm", "Judgement", "arms_of", "assignments", "judge"]
