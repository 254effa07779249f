"""The bought bytes, each under its own sha256, through fsspec: local, or shared by machines."""

from __future__ import annotations

import hashlib

from flows.errors import EnvironmentFault
from flows.storage import Place


class TakeStore:
    """Content-addressed: the same bytes are kept once, and what is read is what was written."""

    def __init__(self, url: str) -> None:
        self.place = Place(url)

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their sha256; the file is whole when this returns."""
        digest = hashlib.sha256(data).hexdigest()
        self.place.write(_path(digest), data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a take.

        Raises:
            EnvironmentFault: they are gone, or not what was bought.

        """
        data = self.place.read(_path(digest))
        if data is None:
            raise EnvironmentFault(
                f"{self.place.full(_path(digest))}: a take that the ledger knows is missing; if "
                f"another machine bought it, set SHOTLIST_TAKES_URL to a store that all of them "
                f"reach, else put the folder back from its backup"
            )
        if hashlib.sha256(data).hexdigest() != digest:
            raise EnvironmentFault(
                f"{self.place.full(_path(digest))}: not the bytes that were bought; put the file "
                f"back from its backup"
            )
        return data

    def holds(self, digest: str) -> bool:
        """Whether the bytes are there and what they were."""
        data = self.place.read(_path(digest))
        return data is not None and hashlib.sha256(data).hexdigest() == digest


def _path(digest: str) -> str:
    return f"{digest[:2]}/{digest}"
