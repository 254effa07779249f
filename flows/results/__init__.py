"""In: the arms of a campaign and a manifest, or the counts of what the ads brought.
Out: `assignments.csv` for the ad platform, or a Judgement: rates, chances to be best, a winner.
"""

from __future__ import annotations

from flows.results.arms import Arm, arms_of, as_published
from flows.results.assignments import assignments, campaigns, products, published
from flows.results.judge import Judgement, judge
from flows.results.names import ad_names

__all__ = [
    "Arm",
    "Judgement",
    "ad_names",
    "arms_of",
    "as_published",
    "assignments",
    "campaigns",
    "judge",
    "products",
    "published",
]
