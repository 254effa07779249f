"""In: what was wished, sent, answered and made. Out: what is true of every take, whoever died when.

The ledger is written before money moves; the store keeps the bytes that were bought.
"""

from flows.ledger.ledger import IllegalStepError, Ledger, open_ledger
from flows.ledger.store import TakeStore

__all__ = ["IllegalStepError", "Ledger", "TakeStore", "open_ledger"]
