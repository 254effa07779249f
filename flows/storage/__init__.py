"""In: an address, a path or a URL that fsspec knows. Out: a place whose files are whole or absent.

What each kind of store can promise (checksums, conditions, headers) is asked of it in one file.
"""

from flows.storage.place import Place
from flows.storage.source import Source, read_bytes
from flows.storage.store import Condition, Lying, OvertakenError
from flows.storage.turns import turn

__all__ = ["Condition", "Lying", "OvertakenError", "Place", "Source", "read_bytes", "turn"]
