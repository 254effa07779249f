"""Pictures in a storage: looked at where they lie, read only where they are not as before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flows.nouns.reference import Looked
from flows.read.addresses import unknown_kind
from flows.read.kept import KnownContents
from flows.read.pictures import NotAPictureError
from flows.storage import Source

LARGEST_FILE = 100_000_000


@dataclass(slots=True, kw_only=True, eq=False)
class Stored:
    """Several threads may ask at a time."""

    known: KnownContents
    look: Callable[[bytes], Looked]
    """What a picture's bytes show; raises NotAPictureError."""
    _sources: dict[str, Source] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def seen(self, url: str) -> Looked:
        """What the picture at an address shows.

        Raises:
            NotAPictureError: there is none.
            EnvironmentFault: the store cannot be opened or read; so it is with all its pictures.

        """
        if fault := unknown_kind(url):
            raise NotAPictureError(fault.found, fault.remedy)
        source = self._source_of(url)
        seen = source.look(url)
        if seen is None:
            raise NotAPictureError(f"there is {source.nothing}")
        if seen.is_folder:
            raise NotAPictureError("a folder, not an image")
        if seen.bytes > LARGEST_FILE:
            raise NotAPictureError(f"more than {LARGEST_FILE // 1_000_000} MB", "export it smaller")
        looked = self.known.recall(url, seen.stamp) if seen.stamp else None
        if looked is None:
            data = source.read(url)
            if data is None:
                raise NotAPictureError("it was taken away a moment ago", "try again")
            looked = self.look(data)
            if seen.stamp:
                self.known.remember(url, seen.stamp, looked)
        return looked

    def _source_of(self, url: str) -> Source:
        """One for each store: some greet whoever comes, and take their time."""
        scheme, _, rest = url.partition("://")
        key = f"{scheme}://{rest.partition('/')[0]}"
        with self._lock:
            if key not in self._sources:
                self._sources[key] = Source(url)
            return self._sources[key]
