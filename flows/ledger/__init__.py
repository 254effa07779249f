"""In: what was wished, sent, answered and made. Out: what is true of every take, whoever died when.

The ledger is written before money moves; the store keeps the bytes that were bought.
"""

from flows.ledger.calls import Calls
from flows.ledger.dispatchers import AtWork
from flows.ledger.ledger import IllegalStepError, Ledger, open_ledger
from flows.ledger.letters import Letter
from flows.ledger.pen import Pen
from flows.ledger.store import TakeStore
from flows.ledger.survey import Latency, PlannedShot, Refusal, Spending

__all__ = [
    "AtWork",
    "Calls",
    "IllegalStepError",
    "Latency",
    "Ledger",
    "Letter",
    "Pen",
    "PlannedShot",
    "Refusal",
    "Spending",
    "TakeStore",
    "open_ledger",
]
