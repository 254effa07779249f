"""A folder of this machine: files are renamed into place, and conditions kept by a lock."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from flows.storage.headers import Headers
from flows.storage.store import Condition, ConditionalStore, Lying, OvertakenError


class Local(ConditionalStore):
    """Readers see the old file or the new one, also after a power cut."""

    is_far = False

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        return (OSError,)

    def open(self) -> tuple[None, str]:
        return None, self.url

    def full(self, path: str) -> str:
        return os.path.join(self.url, path)  # noqa: PTH118 - a hundred thousand names

    def put(self, name: str, data: bytes, headers: Headers) -> None:
        del headers  # a file system has none
        self._put(Path(name), data, Path.replace)

    def create(self, name: str, data: bytes, headers: Headers) -> None:
        del headers
        try:
            self._put(Path(name), data, _as_new)
        except FileExistsError as error:
            raise OvertakenError from error

    def _put(self, target: Path, data: bytes, named: Callable[[Path, Path], object]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            _write_through(temporary, data)
            named(temporary, target)
            _keep_names(target.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def get(self, name: str) -> bytes:
        return Path(name).read_bytes()

    def lying(self) -> dict[str, Lying]:
        found: dict[str, Lying] = {}
        stack = [self.url]
        start = len(self.url.rstrip(os.sep)) + 1
        while stack:
            folder = stack.pop()
            try:
                entries = list(os.scandir(folder))
            except FileNotFoundError:
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                    continue
                with suppress(FileNotFoundError):  # renamed or removed a moment ago
                    told = entry.stat()
                    name = entry.path[start:].replace(os.sep, "/")
                    found[name] = Lying(told.st_size, None, told.st_mtime)
        return found

    def remove(self, name: str) -> None:
        Path(name).unlink()
        # folders that are left empty go with their last file, as they do at object stores
        folder = Path(name).parent
        while folder != Path(self.url) and folder.is_relative_to(self.url):
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def settle(self, source: str, target: str) -> None:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(source).replace(target)
        _keep_names(Path(target).parent)
        with suppress(OSError):  # another thread took the folder away with its last file
            _keep_names(Path(source).parent)
            Path(source).parent.rmdir()

    def condition(self, name: str) -> Condition:
        try:
            return Condition(hashlib.sha256(Path(name).read_bytes()).hexdigest())
        except FileNotFoundError:
            return Condition(None)

    def replace(self, name: str, data: bytes, headers: Headers, condition: Condition) -> None:
        del headers
        target = Path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f".{target.name}.lock")):
            if self.condition(name) != condition:
                raise OvertakenError
            self._put(target, data, Path.replace)


def _write_through(path: Path, data: bytes) -> None:
    """To the disk itself: a name that outlives a power cut must not outlive its contents."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _as_new(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: between look and rename another may come
        if target.exists():
            raise FileExistsError(target) from None
        source.replace(target)


def _keep_names(folder: Path) -> None:
    """What was renamed there stays renamed, where the system lets a folder be asked for that."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems refuse it
            os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone with a file until the end of the block, or of the process."""
    while True:
        with path.open("ab") as file:
            _take(file)
            # whoever had it before took the file away: then we hold a lock on nothing
            if not _is_at(file, path):
                continue
            try:
                yield
                return
            finally:
                with suppress(OSError):  # Windows removes no file that is open
                    path.unlink()


def _take(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(file, fcntl.LOCK_EX)


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
