"""Where a catalogue is: paths beside the campaign, fsspec URLs, and the bytes behind them."""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import BadInput, EnvironmentFault, Fault, did_you_mean
from flows.nouns.address import shown

if TYPE_CHECKING:
    from flows.read.web import Fetch

_LARGEST = 1 << 30


def is_address(path: str) -> bool:
    """Whether fsspec is told by the text itself where to look."""
    return "://" in path or "::" in path


def resolved(folder: str, path: str) -> str:
    """`path` as it is where it is absolute or a URL, else below `folder`, which may be a URL."""
    if is_address(path):
        return path
    if is_address(folder):
        return f"{folder.rstrip('/')}/{path}"
    return str(os.path.normpath(Path(folder, path)))


def parent(address: str) -> str:
    """The folder of a file, without what a URL says after `?`."""
    if is_address(address):
        return re.sub(r"[?#].*", "", address).rpartition("/")[0]
    return str(Path(address).parent)


def is_there(address: str) -> bool:
    """Whether there is such a file, as far as can be seen."""
    if not is_address(address):
        return Path(address).is_file()
    if _is_web(address):
        from flows.read.web import NotFetchedError

        try:
            _fetched(address, None)
        except NotFetchedError:
            return False
        return True
    from flows.storage import Source

    try:
        seen = Source(address).look(address)
    except EnvironmentFault:  # a store may refuse to say that a file is not there
        return False
    return seen is not None and not seen.is_folder


def read(address: str, name: str, *, fetch: Fetch | None = None) -> bytes:
    """The file's bytes; `name` is what it is called in errors.

    `fetch` takes the place of the web, where only public addresses are asked.

    Raises:
        BadInput: no such file (with the nearest name), a folder, an unknown kind of address, one
            that is not public.
        EnvironmentFault: it is there but cannot be reached, or not with these keys.

    """
    if _is_web(address):
        return _of_web(address, name, fetch)
    try:
        data = _of_storage(address, name) if is_address(address) else Path(address).read_bytes()
    except FileNotFoundError as error:
        raise _unreadable(name, "no such file", _nearest_file(address)) from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise _unreadable(name, "a folder, not a file") from error
    except ValueError as error:  # a NUL character
        raise _unreadable(name, f"this path cannot be opened: {error}") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise EnvironmentFault(f"{name}: cannot be read: {reason}") from error
    if len(data) > _LARGEST:
        raise _unreadable(name, "the file is larger than 1 GiB", "split it")
    return data


def unknown_kind(address: str) -> Fault | None:
    """Told where some link of an address is of a kind that nothing here can open."""
    import fsspec

    known = fsspec.available_protocols()
    for link in address.split("::"):
        scheme = link.partition("://")[0].lower()
        if scheme not in known:
            found = f"no storage is called '{scheme}://'"
            return Fault(shown(address), found, remedy=did_you_mean(scheme, known))
    return None


def _of_storage(address: str, name: str) -> bytes:
    from flows.storage import Source

    if fault := unknown_kind(address):
        raise _unreadable(name, fault.found, fault.remedy)
    store = Source(address)
    seen = store.look(address)
    if seen is None:
        raise _unreadable(name, store.nothing)
    if seen.is_folder:
        raise _unreadable(name, "a folder, not a file")
    if seen.bytes > _LARGEST:
        raise _unreadable(name, "the file is larger than 1 GiB", "split it")
    data = store.read(address)
    if data is None:
        raise _unreadable(name, "it was taken away a moment ago", "try again")
    return data


def _is_web(address: str) -> bool:
    return address.lower().startswith(("http://", "https://")) and "::" not in address


def _of_web(address: str, name: str, fetch: Fetch | None) -> bytes:
    from flows.read.web import NotFetchedError

    try:
        return _fetched(address, fetch)
    except NotFetchedError as error:
        if error.is_unreachable:
            told = f"{error.found}; {error.remedy}" if error.remedy else error.found
            raise EnvironmentFault(f"{name}: {told}") from error
        raise _unreadable(name, error.found, error.remedy) from error


def _fetched(address: str, fetch: Fetch | None) -> bytes:
    from flows.read.web import CATALOGUE, Public

    return (fetch or Public(bounds=CATALOGUE))(address).data or b""


def _unreadable(name: str, found: str, remedy: str = "") -> BadInput:
    return BadInput(f"{name} cannot be read", [Fault(name, found, remedy=remedy)])


def _nearest_file(address: str) -> str:
    folder = Path(address).parent
    if is_address(address) or not folder.is_dir():
        return ""
    return did_you_mean(Path(address).name, (file.name for file in folder.iterdir()))
