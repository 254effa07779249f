"""Source: files that are only read, by their whole addresses: catalogues, photos, references."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from flows.errors import EnvironmentFault
from flows.nouns.address import shown
from flows.storage.faults import why
from flows.storage.place import kind_of
from flows.storage.retrying import persistently
from flows.storage.store import Store, opened

T = TypeVar("T")

TRIES = 3
"""A person waits for what is read here, and nothing was paid for it."""

ACCOUNTS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_CONNECTION_STRING",
    "sftp": "the address, ~/.ssh and its known_hosts",
}
"""Where each kind of store is told who asks and where; by extra."""

_OWN = {
    "dropbox": ("dropbox.exceptions.DropboxException",),
    "ftp": ("ftplib.Error",),
    "git": ("pygit2.GitError",),
    "hf": ("httpx.HTTPError",),
    "http": ("aiohttp.ClientError",),
    "https": ("aiohttp.ClientError",),
    "libarchive": ("libarchive.exception.ArchiveError",),
    "oss": ("oss2.exceptions.OssError",),
    "smb": ("smbprotocol.exceptions.SMBException",),
    "tar": ("tarfile.TarError", "zlib.error", "lzma.LZMAError"),
    # the last of these where it wants a password, or knows no such compression
    "zip": ("zipfile.BadZipFile", "zlib.error", "lzma.LZMAError", "builtins.RuntimeError"),
}
"""What clients of fsspec raise that is no OSError, by scheme. Any other error is a defect."""

_STAMPS = ("ETag", "etag", "LastModified", "mtime", "created")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a store tells of a file. `stamp` is another one where its bytes are; empty where the
    store tells nothing that would be.
    """

    bytes: int
    stamp: str
    is_folder: bool


class Source:
    """The files of one store, opened once. Several threads may ask at a time."""

    def __init__(self, address: str) -> None:
        """`address` is that of any file there."""
        self._store = _store(address)
        at = {"s3": " or bucket", "gs": " or bucket", "az": " or container"}
        self.nothing = f"no such file{at.get(self._store.extra, '')}"
        """What it means that nothing is found, for a person."""

    def look(self, address: str) -> Seen | None:
        """What lies there; None: nothing, or the bucket is not there.

        Raises:
            EnvironmentFault: the store cannot be opened or read.

        """
        told = self._asked(address, lambda at, name: cast("dict[str, Any]", at.fs.info(name)))
        if told is None:
            return None
        dated = next((told[name] for name in _STAMPS if told.get(name)), "")
        size = int(told.get("size") or 0)
        return Seen(size, f"{size}:{dated}" if dated else "", told.get("type") == "directory")

    def read(self, address: str) -> bytes | None:
        """The bytes; None: no such file, or the bucket is not there.

        Raises:
            EnvironmentFault: the store cannot be opened or read.
            IsADirectoryError: a folder lies there.

        """
        return self._asked(address, lambda at, name: at.get(name))

    def _asked(self, address: str, call: Callable[[Store, str], T]) -> T | None:
        where, store = shown(address), self._store
        try:
            at = opened(store, where, TRIES)
            return persistently(lambda: call(at, _name(at, address)), at.errors, _tries(store))
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            raise
        except EnvironmentFault as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None  # an archive, say, that the file should have been in
            if isinstance(error.__cause__, ImportError):
                raise
            raise EnvironmentFault(f"{error}{_remedy(store)}") from error
        except ValueError as error:  # its client finds it out no earlier
            told = f"{where}: its account or address is not whole{_remedy(store)}"
            raise EnvironmentFault(told) from error
        except store.errors as error:
            is_odd = (
                type(error).__name__ == "ParamValidationError"
            )  # botocore's, of a bucket's name
            told = "its bucket's name cannot be one" if is_odd else why(error)
            told = f"{where}: cannot be read: {told}{_remedy(store)}"
            raise EnvironmentFault(told) from error


def _own(scheme: str) -> Iterator[type[Exception]]:
    """What is not loaded cannot have been raised."""
    for name in _OWN.get(scheme, ()):
        module, _, kind = name.rpartition(".")
        if module in sys.modules:
            yield getattr(sys.modules[module], kind)


class _Foreign(Store):
    """A file system of fsspec's that we know little of, or a chain of them."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        import fsspec

        found = [*super().errors]
        for link in self.url.split("::"):
            scheme = link.partition("://")[0]
            # before the others: a client that is missing is told as that
            fsspec.get_filesystem_class(scheme)
            found += kind_of(link)(link).errors if "://" in link else ()
            found += _own(scheme.lower())
        return tuple(dict.fromkeys(found))

    def options(self) -> dict[str, Any]:
        """Those of the links that are known: how long their servers may be silent."""
        links = [link for link in self.url.split("::") if "://" in link]
        known = {link.partition("://")[0]: kind_of(link)(link) for link in links}
        return {name: store.options() for name, store in known.items() if store.extra}


def read_bytes(location: str) -> bytes:
    """The bytes at a path or fsspec URL.

    Raises:
        EnvironmentFault: it cannot be read.

    """
    try:
        if "://" not in location:
            return Path(location).read_bytes()
        data = Source(location).read(location)
    except OSError as error:
        raise EnvironmentFault(f"{shown(location)}: cannot be read: {why(error)}") from error
    if data is None:
        raise EnvironmentFault(f"{shown(location)}: cannot be read: it is not there any more")
    return data


def _store(address: str) -> Store:
    kind = Store if "::" in address else kind_of(address)
    return _Foreign(address) if kind is Store else kind(address)


def _tries(store: Store) -> int:
    return 1 if store.extra == "gs" else TRIES  # its client asks six times, whatever it is told


def _name(at: Store, address: str) -> str:
    """What the store calls the file."""
    if "::" in address:
        return at.open()[1]
    return cast("str", at.fs._strip_protocol(address))  # noqa: SLF001 - as url_to_fs does it


def _remedy(store: Store) -> str:
    where = ACCOUNTS.get(store.extra)
    return f"; who asks, and where, is said by {where}" if where else ""
