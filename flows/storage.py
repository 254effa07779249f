"""Storage through fsspec: open a place, write a file whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, cast

from flows.errors import EnvironmentFault
from flows.nouns.address import shown


class Place:
    """A folder anywhere that fsspec reaches. Paths are relative, with `/`.

    A local file is written under a temporary name and renamed, so that a reader sees the old file
    or the new one; object stores put whole objects by nature.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._root, self.is_local = _local_root(self.url)
        self.shown = self._root or shown(self.url)
        """Its address for a person."""
        self._fs: Any = None
        self._base: str = ""

    @property
    def _remote(self) -> Any:
        if self._fs is None:
            import fsspec

            try:
                self._fs, self._base = fsspec.core.url_to_fs(self.url)
            except (ImportError, ValueError) as error:
                raise EnvironmentFault(f"{self.shown}: cannot be opened: {error}") from error
        return self._fs

    def full(self, path: str) -> str:
        """Where `path` is, for a person: no password, no signature."""
        return f"{self.shown}/{path}"

    def below(self, folder: str) -> Place:
        """A folder of this place as a place of its own."""
        return Place(f"{self._root or self.url}/{folder}")

    def probe(self) -> None:
        """Write a file and take it away again: asked before anything is bought for this place.

        Raises:
            EnvironmentFault: the place cannot be written.

        """
        name = f".probe-{secrets.token_hex(4)}"
        self.write(name, b"")
        self.remove(name)

    def write(self, path: str, data: bytes) -> None:
        """Write whole or not at all.

        Raises:
            EnvironmentFault: the place cannot be written.

        """
        try:
            if self.is_local:
                target = Path(self._root, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f".{secrets.token_hex(8)}.part")
                try:
                    temporary.write_bytes(data)
                    temporary.replace(target)
                finally:
                    temporary.unlink(missing_ok=True)
            else:
                fs = self._remote
                name = f"{self._base_of()}/{path}"
                fs.makedirs(name.rpartition("/")[0], exist_ok=True)
                fs.pipe_file(name, data)
        except OSError as error:
            raise EnvironmentFault(
                f"{self.full(path)}: cannot be written: {_why(error)}"
            ) from error

    def read(self, path: str) -> bytes | None:
        """The file's bytes, or None where there is no such file."""
        try:
            if self.is_local:
                return Path(self._root, path).read_bytes()
            return cast("bytes", self._remote.cat_file(f"{self._base_of()}/{path}"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise EnvironmentFault(f"{self.full(path)}: cannot be read: {_why(error)}") from error

    def sizes(self) -> dict[str, int]:
        """Every file below the place and its bytes; empty where the place is not there yet."""
        if self.is_local:
            found: dict[str, int] = {}
            stack = [self._root]
            start = len(self._root.rstrip(os.sep)) + 1
            while stack:
                folder = stack.pop()
                try:
                    entries = list(os.scandir(folder))
                except FileNotFoundError:
                    continue
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    else:
                        name = entry.path[start:].replace(os.sep, "/")
                        found[name] = entry.stat().st_size
            return found
        try:
            listing = self._remote.find(self._base_of(), detail=True)
        except FileNotFoundError:
            return {}
        start = len(self._base_of()) + 1
        return {name[start:]: int(entry["size"] or 0) for name, entry in listing.items()}

    def remove(self, path: str) -> None:
        """Take a file away; no matter if it is gone already."""
        try:
            if self.is_local:
                Path(self._root, path).unlink(missing_ok=True)
            else:
                self._remote.rm_file(f"{self._base_of()}/{path}")
        except FileNotFoundError:
            return

    def _base_of(self) -> str:
        _ = self._remote
        return self._base


def read_bytes(location: str) -> bytes:
    """The bytes at a path or fsspec URL.

    Raises:
        EnvironmentFault: it cannot be read.

    """
    try:
        if "://" not in location:
            return Path(location).read_bytes()
        import fsspec

        with fsspec.open(location, "rb") as file:
            return cast("bytes", file.read())
    except OSError as error:
        raise EnvironmentFault(f"{shown(location)}: cannot be read: {_why(error)}") from error


def _why(error: OSError) -> str:
    """The system's words alone: a client's own may repeat the whole address."""
    number: object = error.errno  # fsspec puts text there for names with wildcards
    return os.strerror(number) if isinstance(number, int) else type(error).__name__


def _local_root(url: str) -> tuple[str, bool]:
    """The absolute folder of a local address, and whether it is one."""
    if url.startswith(("file://", "local://")):
        return url.partition("://")[2], True
    if "://" in url or "::" in url:
        return "", False
    return str(Path(url).absolute()), True
