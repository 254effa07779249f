"""In: the accounts whose hosts call back, and a place to write. Out: a small server that verifies
what it hears and writes it down; whoever waits for a job reads it there.
"""

from flows.callbacks.receiver import Receiver, bound_to, listening

__all__ = ["Receiver", "bound_to", "listening"]
