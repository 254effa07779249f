"""In: what was wished, sent, answered and made. Out: what is true of every take, whoever died when.

The ledger is written before money moves; the store keeps the bytes that were bought.
"""

from flows.ledger.calls import Calls
from flows.ledger.ledger import IllegalStepError, Ledger, open_ledger
from flows.ledger.letters import Letter
from flows.ledger.pen import Pen
from flows.ledger.store import TakeStore

__all__ = ["Calls", "IllegalStepError", "Ledger", "Letter", "Pen", "TakeStore", "open_ledger"]
