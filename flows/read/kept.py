"""Pictures without a lasting place of their own, those of the web first: their bytes are kept here.

What was fetched before is asked for with its stamp, so that an unchanged photo costs an answer
without a body; nothing is taken from what is known where its bytes are gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flows.nouns.reference import Looked
from flows.read.pictures import NotAPictureError

if TYPE_CHECKING:
    from flows.read.web import Fetch, Public


class KnownContents(Protocol):
    """What was found at a location before, so that unchanged contents are not read again.

    A stamp is `<size>:<mtime_ns>` of a local file, ETag or Last-Modified of an address.
    """

    def stamp(self, location: str) -> str:
        """The last one that was remembered; empty where nothing is known."""
        ...

    def recall(self, location: str, stamp: str) -> Looked | None: ...

    def remember(self, location: str, stamp: str, record: Looked) -> None: ...


@dataclass(slots=True, kw_only=True, eq=False)
class Kept:
    """The folder of kept bytes, each called by its sha256. Several threads may ask at a time."""

    folder: Path
    known: KnownContents
    look: Callable[[bytes], Looked]
    """What a picture's bytes show; raises NotAPictureError."""
    fetch: Fetch | None = None
    _opened: Public | None = field(default=None, init=False)

    def open(self) -> Fetch:
        """What fetches; call it before threads do."""
        from flows.read.web import Public

        if self.fetch is not None:
            return self.fetch
        if self._opened is None:
            self._opened = Public()
        return self._opened

    def close(self) -> None:
        """Give connections back."""
        if self._opened is not None:
            self._opened.close()

    def of_web(self, url: str) -> tuple[Path, Looked]:
        """Where the bytes of an address lie, and what they show.

        Raises:
            NotAPictureError: it cannot be fetched, or is no picture.
            EnvironmentFault: its bytes cannot be kept.

        """
        from flows.read.web import NotFetchedError

        stamp = self.known.stamp(url)
        looked = self.known.recall(url, stamp) if stamp else None
        if looked is not None and not self._place(looked).is_file():
            looked = None
        try:
            fetched = self.open()(url, known=stamp if looked is not None else "")
        except NotFetchedError as error:
            raise NotAPictureError(error.found, error.remedy) from error
        if fetched.data is None:
            if looked is None:
                raise NotAPictureError("its server sent nothing", "try again")
            return self._place(looked), looked
        path, looked = self.keep(fetched.data)
        if fetched.stamp:
            self.known.remember(url, fetched.stamp, looked)
        return path, looked

    def keep(self, data: bytes) -> tuple[Path, Looked]:
        """The same for bytes that are here.

        Raises:
            NotAPictureError: they are no picture.
            EnvironmentFault: they cannot be kept.

        """
        from flows.storage import Place

        looked = self.look(data)
        path = self._place(looked)
        if not path.is_file():
            Place(str(self.folder)).write(looked.sha256, data)
        return path, looked

    def _place(self, looked: Looked) -> Path:
        return self.folder / looked.sha256
