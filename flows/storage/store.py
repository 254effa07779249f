"""Store: what a place asks of where it lies. This one is for anything that fsspec can open."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from flows.errors import EnvironmentFault
from flows.storage.faults import why
from flows.storage.headers import Headers
from flows.storage.retrying import TRIES, persistently

UNCACHED = {"use_listings_cache": False}
"""A listing that is kept is a listing that is wrong: others write there, too."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A file of a listing: its bytes, its MD5 in hex and when it was written (seconds since the
    epoch), where the store tells them.
    """

    bytes: int
    md5: str | None = None
    written_at: float | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """What must still be so when a file is replaced: its mark at the store; None: no such file."""

    mark: str | None


class OvertakenError(Exception):
    """The file is another one than it was: somebody else wrote it meanwhile."""


class NotWholeError(OSError):
    """What the store keeps is not what was sent; sending it again may help."""


class Store:
    """Any file system of fsspec's. Names are full ones, as the file system has them.

    It keeps no headers; the kinds that do say so in files of their own.
    """

    is_far = True
    """Whether what fails there may be a busy server or a cut line."""
    extra = ""
    """The extra of the package that brings its client."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: tuple[Any, str] | None = None

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its client raises."""
        return (OSError, EOFError)

    @property
    def fs(self) -> Any:
        return self.open()[0]

    def full(self, path: str) -> str:
        return f"{self.open()[1]}/{path}"

    def options(self) -> dict[str, Any]:
        """What its client is opened with, beside what fsspec's own settings say."""
        return {}

    def open(self) -> tuple[Any, str]:
        """The client's file system and the place's own name there; opened once."""
        if self._opened is None:
            import fsspec

            fs, base = fsspec.core.url_to_fs(self.url, **self.options())
            self._opened = (fs, str(base).rstrip("/"))
        return self._opened

    def put(self, name: str, data: bytes, headers: Headers) -> None:
        """Write whole or not at all, and see that it lies there whole."""
        del headers  # fsspec has no word for them that all stores know
        self.fs.makedirs(name.rpartition("/")[0], exist_ok=True)
        self.fs.pipe_file(name, data)

    def get(self, name: str) -> bytes:
        """Raises FileNotFoundError where there is none."""
        return cast("bytes", self.fs.cat_file(name))

    def lying(self) -> dict[str, Lying]:
        """All files below the place, by their path there."""
        base = self.open()[1]
        try:
            found = self.fs.find(base, detail=True)
        except FileNotFoundError:
            return {}
        start = len(base) + 1
        return {
            name[start:]: Lying(int(entry["size"] or 0), self.md5_of(entry), _written_at(entry))
            for name, entry in found.items()
            # some stores keep a nameless file for a folder whose files are gone
            if entry.get("type") != "directory" and name[start:] and not name.endswith("/")
        }

    def md5_of(self, _entry: dict[str, Any]) -> str | None:
        """The MD5 that a listing tells."""
        return None

    def remove(self, name: str) -> None:
        self.fs.rm_file(name)

    def settle(self, source: str, target: str) -> None:
        """Give what lies at `source` another name, at the store: nothing is sent again. Headers go
        with it. Where that is a copy, `source` stays: the name is to be held as shortly as can be.
        """
        self.fs.cp_file(source, target)


class ConditionalStore(Store, ABC):
    """A store where a write can be made to fail once the file has changed."""

    @abstractmethod
    def condition(self, name: str) -> Condition:
        """What the file is now."""

    @abstractmethod
    def replace(self, name: str, data: bytes, headers: Headers, condition: Condition) -> None:
        """Write where the condition holds.

        Raises:
            OvertakenError: it does not.

        """

    def create(self, name: str, data: bytes, headers: Headers) -> None:
        """Write what is not there yet.

        Raises:
            OvertakenError: it is.

        """
        self.replace(name, data, headers, Condition(None))


_TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
"""What listings call it: s3fs, adlfs, sftp, gcsfs, others."""


def _written_at(entry: dict[str, Any]) -> float | None:
    found = next((entry[name] for name in _TIMES if entry.get(name)), None)
    if isinstance(found, str):
        with suppress(ValueError):
            found = datetime.fromisoformat(found)
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return float(found) if isinstance(found, (int, float)) else None


def opened(store: Store, shown: str, tries: int = TRIES) -> Store:
    """The store, its client there and its address understood.

    Raises:
        EnvironmentFault: its client is not installed, it cannot make sense of the address, or
            nobody answers there.

    """
    try:
        errors = store.errors
        try:
            persistently(store.open, errors, tries if store.is_far else 1)
        except errors as error:
            raise EnvironmentFault(f"{shown}: cannot be opened: {why(error)}") from error
    except ImportError as error:
        extra = f": pip install 'shotlist[{store.extra}]'" if store.extra else f" ({error})"
        raise EnvironmentFault(f"{shown}: its client is not installed{extra}") from error
    except ValueError as error:
        said = "its account or address is not whole" if store.extra else str(error)
        raise EnvironmentFault(f"{shown}: cannot be opened: {said}") from error
    return store
