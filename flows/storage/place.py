"""Place: a folder anywhere, whose files are whole or absent and whose faults are told in words."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from flows.errors import EnvironmentFault
from flows.nouns.address import shown
from flows.storage.faults import NO_BUCKET, why
from flows.storage.headers import headers_of
from flows.storage.retrying import TRIES, persistently
from flows.storage.store import (
    Condition,
    ConditionalStore,
    Lying,
    OvertakenError,
    Store,
    opened,
)

T = TypeVar("T")

INCOMING = ".incoming/"
"""Where files wait that will take the place of others; nothing names what lies there."""


class Place:
    """A folder anywhere that fsspec reaches. Paths are relative, with `/`.

    A file is whole or not there at all: a local one is renamed into place, object stores put whole
    objects by nature. What a busy store or a cut line failed is asked again.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._root, self.is_local = _local_root(self.url)
        self.shown = self._root or shown(self.url)
        """Its address for a person."""
        self._store: Store | None = None
        self._keeps: bool | None = None

    def __getstate__(self) -> dict[str, object]:
        # connections do not travel
        return {**self.__dict__, "_store": None}

    @property
    def _at(self) -> Store:
        if self._store is None:
            self._store = opened(kind_of(self.url, is_local=self.is_local)(self._where), self.shown)
        return self._store

    @property
    def _where(self) -> str:
        return self._root or self.url

    def full(self, path: str) -> str:
        """Where `path` is, for a person: no password, no signature."""
        return f"{self.shown}/{path}"

    def below(self, folder: str) -> Place:
        """A folder of this place as a place of its own."""
        return Place(f"{self._where}/{folder}")

    def probe(self) -> None:
        """Write a file and take it away again: asked before anything is bought for this place.

        Raises:
            EnvironmentFault: the place cannot be written.

        """
        name = f".probe-{secrets.token_hex(4)}"
        self.write(name, b"")
        self.remove(name)

    def write(self, path: str, data: bytes, about: Mapping[str, str] | None = None) -> None:
        """Write whole or not at all, with the kind of file and how long it may be kept; `about` is
        kept as metadata where the store has a place for it.

        Raises:
            EnvironmentFault: the place cannot be written.

        """
        headers = headers_of(path, data, about)
        self._asked(path, "written", lambda at, name: at.put(name, data, headers))

    def read(self, path: str) -> bytes | None:
        """The file's bytes, or None where there is no such file.

        Raises:
            EnvironmentFault: the place cannot be read.

        """
        try:
            return self._asked(path, "read", lambda at, name: at.get(name))
        except FileNotFoundError:
            return None

    def lying(self) -> dict[str, Lying]:
        """Every file below the place; empty where the place is not there yet.

        Raises:
            EnvironmentFault: the place cannot be read.

        """
        return self._asked("", "read", lambda at, _: at.lying())

    def sizes(self) -> dict[str, int]:
        """Every file below the place and its bytes; empty where the place is not there yet."""
        return {path: file.bytes for path, file in self.lying().items()}

    def remove(self, path: str) -> None:
        """Take a file away; no matter if it is gone already.

        Raises:
            EnvironmentFault: the place cannot be written.

        """
        with suppress(FileNotFoundError):
            self._asked(path, "removed", lambda at, name: at.remove(name))

    def stage(self, path: str, data: bytes, about: Mapping[str, str] | None = None) -> None:
        """Bring the bytes to the place, under the name that `settle` knows them by."""
        name = staged(path, hashlib.sha256(data).hexdigest())
        headers = headers_of(path, data, about)
        self._asked(name, "written", lambda at, full: at.put(full, data, headers))

    def settle(self, path: str, sha256: str) -> None:
        """Let what was staged take the place of `path`: a rename, or a copy at the store, after
        which the staged file is to be removed.

        Raises:
            EnvironmentFault: the place cannot be written, or nothing was staged.

        """
        source = staged(path, sha256)
        try:
            self._asked(path, "put in place", lambda at, name: at.settle(at.full(source), name))
        except FileNotFoundError as error:
            # moved already, perhaps, by ourselves in a try whose answer was lost
            data = self.read(path)
            if data is None or hashlib.sha256(data).hexdigest() != sha256:
                raise EnvironmentFault(
                    f"{self.full(source)}: was taken away while it was published; run again"
                ) from error

    def condition(self, path: str) -> Condition | None:
        """What a file is now, for `replace`; None where the store cannot hold a write to it."""
        store = self._at
        if not isinstance(store, ConditionalStore):
            return None
        return self._asked(path, "read", lambda _, name: store.condition(name))

    def keeps_conditions(self) -> bool:
        """Whether a write really fails where the file has changed. Some stores that speak like S3
        overlook the question, so it is tried once: of two creations the second must fail.
        """
        if self._keeps is None:
            can = isinstance(self._at, ConditionalStore)
            self._keeps = can and (self.is_local or self._tried())
        return self._keeps

    def _tried(self) -> bool:
        name = f".probe-{secrets.token_hex(4)}"
        nothing = Condition(None)
        try:
            self.replace(name, b"1", nothing)
            self.replace(name, b"2", nothing)
        except OvertakenError:
            return True
        finally:
            self.remove(name)
        return False

    def replace(self, path: str, data: bytes, condition: Condition | None) -> None:
        """Write whole where the condition holds; None: whatever is there.

        Raises:
            OvertakenError: somebody else wrote it meanwhile.
            EnvironmentFault: the place cannot be written.
            TypeError: the condition is not from here; this store gives none.

        """
        if condition is None:
            self.write(path, data)
            return
        store = self._at
        if not isinstance(store, ConditionalStore):
            raise TypeError(f"{self.shown}: holds no write to a condition")
        headers = headers_of(path, data)
        self._held(path, data, lambda name: store.replace(name, data, headers, condition))

    def create(self, path: str, data: bytes, about: Mapping[str, str] | None = None) -> None:
        """As `write`, of what is not there yet, where the store can be held to that.

        Raises:
            OvertakenError: somebody else wrote it meanwhile.
            EnvironmentFault: the place cannot be written.

        """
        store = self._at
        if not isinstance(store, ConditionalStore) or not self.keeps_conditions():
            self.write(path, data, about)
            return
        headers = headers_of(path, data, about)
        self._held(path, data, lambda name: store.create(name, data, headers))

    def _held(self, path: str, data: bytes, write: Callable[[str], None]) -> None:
        try:
            self._asked(path, "written", lambda _, name: write(name))
        except OvertakenError:
            # by ourselves, perhaps, in a try whose answer was lost
            if self.read(path) != data:
                raise

    def _asked(self, path: str, done: str, call: Callable[[Store, str], T]) -> T:
        """Call the store, again where that may help; its errors become words."""
        at = self._at
        try:
            tries = TRIES if at.is_far else 1
            return persistently(lambda: call(at, at.full(path)), at.errors, tries)
        except FileNotFoundError as error:
            if done != "written":
                raise
            missing = why(error) if self.is_local else NO_BUCKET
            raise EnvironmentFault(f"{self.full(path)}: cannot be written: {missing}") from error
        except at.errors as error:
            where = self.full(path) if path else self.shown
            raise EnvironmentFault(f"{where}: cannot be {done}: {why(error)}") from error


def staged(path: str, sha256: str) -> str:
    """Where bytes wait that will be `path`: by both, so that a run that goes on finds them."""
    whose = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{INCOMING}{sha256}-{whose}"


def kind_of(url: str, *, is_local: bool = False) -> type[Store]:
    """The store of an address. Each client is imported where it is needed."""
    if is_local:
        from flows.storage.local import Local

        return Local
    match url.partition("://")[0].lower():
        case "s3" | "s3a":
            from flows.storage.s3 import S3

            return S3
        case "gs" | "gcs":
            from flows.storage.gcs import GCS

            return GCS
        case "az" | "abfs" | "abfss":
            from flows.storage.azure import Azure

            return Azure
        case "sftp" | "ssh":
            from flows.storage.sftp import SFTP

            return SFTP
        case _:
            return Store


def _local_root(url: str) -> tuple[str, bool]:
    """The absolute folder of a local address, and whether it is one."""
    if url.startswith(("file://", "local://")):
        return url.partition("://")[2], True
    if "://" in url or "::" in url:
        return "", False
    return str(Path(url).absolute()), True
