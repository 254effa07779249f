"""In: a Reading, the templates, a reader of references, the ledger as a Book, the hosts' facts.
Out: the ShotList, with what is new, changed or kept and why, and what the rest would cost.
"""

from __future__ import annotations

from flows.plan.compare import Book
from flows.plan.document import document, totals
from flows.plan.estimate import HostFacts
from flows.plan.shots import shot_list, variants

__all__ = ["Book", "HostFacts", "document", "shot_list", "totals", "variants"]
