"""Reference images: found where the campaign or a row says, fetched once, looked at, hashed.

Paths of rows come from catalogues and may not leave `image_base`; what the campaign's own author
writes may lie anywhere on this machine.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from flows.errors import BadInput, Fault, did_you_mean
from flows.nouns.address import shown
from flows.nouns.campaign import Role
from flows.nouns.reference import Looked, Reference, ReferenceReader
from flows.nouns.shot import Reading
from flows.read.kept import Kept, KnownContents
from flows.read.local import found_file, listed
from flows.read.photos import photos
from flows.read.pictures import NotAPictureError, looked_at
from flows.read.stored import LARGEST_FILE, Stored

if TYPE_CHECKING:
    from flows.read.web import Fetch

MOST_DECODED = 300
"""New images that one reading decodes; of more it asks only that they are whole (decoding ten
thousand photos takes minutes, and each is decoded before it is sent all the same)."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_PLAIN_NAME = re.compile(r"(?:[\w-]+(?:[.][\w-]+)*/)*[\w-]+(?:[.][\w-]+)*", re.ASCII)
"""Neither absolute nor upwards, spelled in one way only."""
_MOST_SUGGESTIONS = 20
_WEB = ("http://", "https://")
ASKED_AT_ONCE = 8
"""Pictures on the web that are asked for at a time: most lie at one shop, whose server is ours to
be kind to."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Where the bytes are and what they show."""

    location: str
    looked: Looked


class References(ReferenceReader):
    """Looks at references. Each address is looked at once in the life of this object."""

    def __init__(
        self,
        *,
        spec_folder: str,
        image_base: str,
        known: KnownContents,
        cache: Path,
        fetch: Fetch | None = None,
    ) -> None:
        """`cache` is the folder that keeps fetched bytes by their sha256."""
        self._spec_folder = spec_folder
        self._image_base = image_base
        self._known = known
        self._kept = Kept(folder=cache, known=known, look=self._seen_in, fetch=fetch)
        self._stored = Stored(known=known, look=self._seen_in)
        self._seen: dict[tuple[str, bool], _Found | BadInput] = {}
        self._bases: dict[str, Path] = {}
        self._folders: dict[tuple[Path, str], str] = {}
        self._listings: dict[Path, list[str]] = {}
        self._suggested = 0
        self._decoded = 0

    def look(self, source: str, *, role: Role, of_row: bool) -> Reference:
        """Describe the image at `source`, from what is known where nothing has changed.

        Raises:
            BadInput: with one fault that says what is wrong with this address.
            EnvironmentFault: fetched bytes cannot be kept, or a store cannot be read.

        """
        key = (source, of_row)
        if key not in self._seen:
            self._seen[key] = self._found(source, of_row=of_row)
        found = self._seen[key]
        if isinstance(found, BadInput):
            raise BadInput(found.what, found.faults)
        looked = found.looked
        return Reference(
            role=role,
            source=source,
            location=found.location,
            sha256=looked.sha256,
            size=looked.size,
            width=looked.width,
            height=looked.height,
            format=looked.format,
        )

    def look_ahead(self, reading: Reading) -> None:
        """Ask for the products' photos that lie elsewhere, several at a time.

        Ten thousand of them one after the other would take minutes even where no server sends one.
        What is found, or is wrong, is told by `look`.

        Raises:
            EnvironmentFault: fetched bytes cannot be kept, or a store cannot be read.

        """
        base_is_far = "://" in self._image_base
        waiting = [
            source
            for source in dict.fromkeys(photos(reading))
            if (source, True) not in self._seen and (source.lower().startswith(_WEB) or base_is_far)
        ]
        if not waiting:
            return
        self._kept.open()
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            for source, found in zip(waiting, pool.map(self._found_of_row, waiting), strict=True):
                self._seen[source, True] = found

    def close(self) -> None:
        """Give connections back."""
        self._kept.close()

    def _found_of_row(self, source: str) -> _Found | BadInput:
        return self._found(source, of_row=True)

    def _found(self, source: str, *, of_row: bool) -> _Found | BadInput:
        try:
            return self._at(source.strip(), of_row=of_row)
        except NotAPictureError as error:
            fault = Fault("", f"image '{_shown(source)}': {error.found}", remedy=error.remedy)
            return BadInput(f"image '{_shown(source)}' cannot be used", [fault])

    def _at(self, source: str, *, of_row: bool) -> _Found:
        if not source:
            raise NotAPictureError("the address is empty")
        base = self._image_base if of_row else self._spec_folder
        scheme = match[1].lower() if (match := _SCHEME.match(source)) else ""
        if scheme == "data":
            return self._of_kept(self._kept.keep(_data(source)))
        if scheme in ("http", "https"):
            return self._of_kept(self._kept.of_web(source))
        if scheme == "file":
            if of_row:
                raise NotAPictureError(
                    "a row may not name files of this machine", "write a path below image_base"
                )
            return self._of_file(url2pathname(urlsplit(source).path), base, inside=False)
        if scheme and "://" in source:
            return self._of_storage(source, base, of_row=of_row)
        if "://" in base:
            return self._of_base(source, base, of_row=of_row)
        return self._of_file(source, base, inside=of_row)

    def _seen_in(self, data: bytes) -> Looked:
        self._decoded += 1
        return looked_at(data, thorough=self._decoded <= MOST_DECODED)

    # Local files

    def _of_file(self, name: str, base: str, *, inside: bool) -> _Found:
        if "\0" in name:
            raise NotAPictureError("a name cannot hold a NUL character")
        if base not in self._bases:
            self._bases[base] = Path(base).resolve()
        folder = self._bases[base]
        found = self._of_plain_name(name, folder, inside=inside)
        if found is not None:
            return found
        if inside:
            self._refuse_outside(name, folder)
        path = found_file(folder, name)
        if path is None:
            raise NotAPictureError("there is no such file", self._near(folder, name))
        real = path.resolve()
        if inside and not real.is_relative_to(folder):
            raise _outside(folder)
        return self._of_path(str(real))

    def _of_plain_name(self, name: str, folder: Path, *, inside: bool) -> _Found | None:
        """A file whose name can mean only one place; None where one has to look more closely.

        Catalogues name ten thousand such photos in one folder: the folder's own place is found once
        and each file is asked for once.
        """
        if _PLAIN_NAME.fullmatch(name) is None:
            return None
        parent, _, last = name.rpartition("/")
        key = (folder, parent)
        if key not in self._folders:
            real = (folder / parent).resolve()
            self._folders[key] = str(real) if not inside or real.is_relative_to(folder) else ""
        place = self._folders[key]
        location = os.path.join(place, last)  # noqa: PTH118 - a Path takes longer than the rest
        try:
            status = os.lstat(location)
        except OSError:
            return None
        # a link may lead anywhere
        is_plain = place and stat.S_ISREG(status.st_mode)
        return self._of_path(location, status) if is_plain else None

    def _of_path(self, location: str, known_status: os.stat_result | None = None) -> _Found:
        try:
            status = known_status or Path(location).stat()
            stamp = f"{status.st_size}:{status.st_mtime_ns}"
            looked = self._known.recall(location, stamp)
            if looked is None:
                if status.st_size > LARGEST_FILE:
                    limit = f"more than {LARGEST_FILE // 1_000_000} MB"
                    raise NotAPictureError(limit, "export it smaller")
                looked = self._seen_in(Path(location).read_bytes())
                self._known.remember(location, stamp, looked)
        except OSError as error:
            raise NotAPictureError(f"cannot be read: {error.strerror or error}") from error
        return _Found(location, looked)

    def _refuse_outside(self, name: str, folder: Path) -> None:
        """Said before anything is looked up, so that a row cannot find out what lies elsewhere."""
        for text in (name, unquote(name)):
            is_absolute = Path(text).is_absolute() or PureWindowsPath(text).drive
            apart = os.path.normpath(text.replace("\\", "/")).split("/")
            if is_absolute or ".." in apart[:1] or text.startswith(("/", "\\", "~/")):
                raise _outside(folder)

    def _near(self, folder: Path, name: str) -> str:
        if self._suggested >= _MOST_SUGGESTIONS:
            return ""
        self._suggested += 1
        parent = (folder / name).parent
        if parent not in self._listings:
            self._listings[parent] = listed(parent)
        return did_you_mean(Path(name).name, self._listings[parent]) or f"paths begin at {folder}/"

    # Elsewhere

    def _of_kept(self, found: tuple[Path, Looked]) -> _Found:
        path, looked = found
        return _Found(str(path), looked)

    def _of_base(self, name: str, base: str, *, of_row: bool) -> _Found:
        """A path below an image base that is an address itself."""
        parts = unquote(name).replace("\\", "/").split("/")
        if ".." in parts or name.startswith(("/", "\\")):
            raise NotAPictureError(f"leaves {_shown(base)}", "write a path below image_base")
        url = f"{base.rstrip('/')}/{name}"
        if base.lower().startswith(("http://", "https://")):
            return self._of_kept(self._kept.of_web(url))
        return self._of_storage(url, base, of_row=of_row)

    def _of_storage(self, url: str, base: str, *, of_row: bool) -> _Found:
        scheme = url.partition("://")[0].lower()
        if "::" in url or scheme in ("file", "local") or scheme != base.partition("://")[0].lower():
            raise NotAPictureError(
                f"{scheme}:// is read only where image_base begins with it",
                "write a path, or an http(s) address",
            )
        if of_row and (
            not url.startswith(f"{base.rstrip('/')}/") or ".." in unquote(url).split("/")
        ):
            raise NotAPictureError(f"leaves {_shown(base)}", "write a path below image_base")
        return _Found(url, self._stored.seen(url))


def _outside(folder: Path) -> NotAPictureError:
    return NotAPictureError(f"leaves the folder {folder}", "write a path below image_base")


def _data(uri: str) -> bytes:
    """The bytes of a `data:` address (RFC 2397)."""
    head, comma, body = uri.partition(",")
    if not comma:
        raise NotAPictureError("a data: address without a comma")
    if len(body) > LARGEST_FILE:
        raise NotAPictureError(f"more than {LARGEST_FILE // 1_000_000} MB")
    raw = unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return raw
    try:
        return base64.b64decode(re.sub(rb"\s", b"", raw), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAPictureError("the data: address is not base64") from error


def _shown(source: str) -> str:
    """An address as it may be printed: no password, no query that may sign it, not too long."""
    text = " ".join(source.split())
    text = shown(text) if "://" in text else text
    return f"{text[:79]}…" if len(text) > 80 else text
