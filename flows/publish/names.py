"""Safe names: any text becomes a path that every file system and object store takes, one file each.

Letters and digits of all scripts stay, in NFC. What Windows, a shell, a URL or fsspec would read
as more than a name goes (https://learn.microsoft.com/windows/win32/fileio/naming-a-file), and a
segment that lost more than spaces carries a short hash of what it was, so that `a:b` and `a*b`
stay apart. Names that still meet once case is folded are parted by a hash of their shot.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from flows.nouns.hashed_path import MARK
from flows.nouns.shot import Shot

FOLDER = "images/"
MOST_BYTES = 240
MOST_SEGMENT_BYTES = 100
HASH = 6
SUFFIX = 1 + HASH

_PLAIN = re.compile(r"[A-Za-z0-9_@+,](?:[A-Za-z0-9_@+,.-]*[A-Za-z0-9_@+,-])?")
_SAFE = re.compile(
    # in every segment: no name of a device, no dots in a row, not too long, and plain
    r"(?:(?:^|/)"
    r"(?!(?i:con|prn|aux|nul|(?:com|lpt)[0-9])(?:[./]|$))"
    r"(?![^/]*[.][.])(?=[^/]{1,100}(?:/|$))"
    r"[A-Za-z0-9_@+,](?:[A-Za-z0-9_@+,.-]*[A-Za-z0-9_@+,-])?)+"
)
"""A path that stays as it is, seen at a glance."""
_SHORT = 200
_EXTENSION = re.compile(r"(.*)(\.[A-Za-z0-9]{1,5})", re.DOTALL)
_NOTHING = re.compile(r"[\s.]*")
_SPACES = re.compile(r"-*\s[-\s]*")
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"]
)
# Letters and marks by category that show nothing: fillers, joiners, variation selectors
# (Default_Ignorable_Code_Point of https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt).
_INVISIBLE = frozenset(
    map(
        chr,
        [
            0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0,
            *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
        ],
    )
)  # fmt: skip


def places(shots: Sequence[Shot]) -> list[tuple[str, ...]]:
    """Where each file of each shot goes, aligned with `Shot.paths`; each begins with images/.

    Safe (see `safe`) and one of a kind under case folding, also as file against folder. Of two
    that meet, the later in shot order gets a hash of its shot and output, so hand in the whole
    plan: a part of it could give a name away that another shot has.
    """
    plain = [tuple([FOLDER + safe(path) for path in shot.paths]) for shot in shots]
    keys = [[folded(path) for path in paths] for paths in plain]
    holders = {path.rpartition("/")[0] for paths in plain for path in paths}
    folders = {
        folded(holder[:end]) for holder in holders for end in (*_slashes(holder), len(holder))
    }  # a file never changes its folder below, so these are all
    wanted: dict[str, tuple[int, int]] = {}
    for number, of_shot in enumerate(keys):
        for position, key in enumerate(of_shot):
            wanted.setdefault(key, (number, position))
    if len(wanted) == sum(map(len, keys)) and folders.isdisjoint(wanted):
        return plain  # no two meet, as nearly always
    taken = folders | set(wanted)
    placed: list[tuple[str, ...]] = []
    for number, (shot, paths) in enumerate(zip(shots, plain, strict=True)):
        own: list[str] = []
        for position, path in enumerate(paths):
            key = keys[number][position]
            is_first = wanted[key] == (number, position) and key not in folders
            own.append(path if is_first else _parted(path, shot.shot_id, position, taken))
        placed.append(tuple(own))
    return placed


def safe(text: str) -> str:
    """Any text as a relative path of at most 226 bytes; what is safe already stays as it is.

    Empty segments disappear (the axis is absent), `.` and `..` leave only a hash in their
    neighbour, and a path with nothing in it is its hash.
    """
    if len(text) <= _SHORT and _SAFE.fullmatch(text):
        return text
    path = _made_safe(text)
    if path.count(MARK) == text.count(MARK):
        return path
    # what was too long was cut in a mark: one at the end says it all
    return _suffixed(_made_safe(text.replace(MARK, "")), MARK)


def _made_safe(text: str) -> str:
    segments: list[str] = []
    dropped = ""
    *folders, file = text.split("/")
    for segment in folders:
        if _NOTHING.fullmatch(segment):
            dropped += f"{segment}/" if segment.strip() else ""
            continue
        segments.append(_folder(dropped + segment) if dropped else _folder(segment))
        dropped = ""
    if not _NOTHING.fullmatch(file):
        segments.append(_file(dropped + file))
    if not segments:
        return _hash(text)
    return _fitting(segments, text)


def folded(path: str) -> str:
    """What `path` is where case and normal forms are folded; coarser than any file system."""
    if path.isascii():
        return path.lower()
    once = unicodedata.normalize("NFC", path.casefold())
    return unicodedata.normalize("NFC", once.upper().casefold())


def _parted(path: str, shot_id: str, position: int, taken: set[str]) -> str:
    """`path` with a hash of its shot and its place among the shot's files."""
    whose = f"{shot_id}\0{position}" if position else shot_id
    suffix = _hash(whose)
    parted = _suffixed(path, suffix)
    turn = 0
    while (key := folded(parted)) in taken:
        turn += 1
        parted = _suffixed(path, _hash(f"{whose}\0{turn}"))
    taken.add(key)
    return parted


@lru_cache(maxsize=1 << 16)
def _folder(segment: str) -> str:
    text = segment.rpartition("/")[2]
    return _named(text, "", segment)


@lru_cache(maxsize=1 << 16)
def _file(segment: str) -> str:
    """Like a folder's name, but a hash goes before the extension."""
    text = segment.rpartition("/")[2]
    parts = _EXTENSION.fullmatch(text.rstrip())
    return _named(parts[1], parts[2], segment) if parts else _named(text, "", segment)


def _named(text: str, extension: str, original: str) -> str:
    """`text` made safe, with a hash of `original` if it lost more than spaces."""
    stem, is_whole = _cleaned(text)
    is_whole = is_whole and original == original.rpartition("/")[2]
    if not stem:
        return _hash(original) + extension
    if (stem + extension).split(".", 1)[0].upper() in _DEVICES:
        stem, is_whole = f"_{stem}", False
    if is_whole and len((stem + extension).encode()) <= MOST_SEGMENT_BYTES:
        return stem + extension
    return _suffixed(stem + extension, _hash(original), extension)


def _cleaned(text: str) -> tuple[str, bool]:
    """The text without what is not allowed in a name, and whether only spaces were changed."""
    if _PLAIN.fullmatch(text):
        return text, True
    wished = _SPACES.sub("-", unicodedata.normalize("NFC", text).strip())
    shown = "".join(char for char in wished if not _is_invisible(char))
    marked = "".join(char if _is_allowed(char) else "\0" for char in shown)
    kept = re.sub(r"-*\0[-\0]*", "-", marked)
    if kept != wished:
        kept = kept.strip("-")
    kept = unicodedata.normalize("NFC", kept).lstrip(".-").rstrip(".")
    return kept, kept == wished


def _is_invisible(char: str) -> bool:
    return char in _INVISIBLE or unicodedata.category(char) in {"Cc", "Cf", "Cn", "Co", "Cs"}


def _is_allowed(char: str) -> bool:
    return char in "-_.@+," or unicodedata.category(char)[0] in "LMN"


def _fitting(segments: list[str], original: str) -> str:
    """The segments joined; where that is too long, what is in the middle becomes one hash."""
    room = MOST_BYTES - len(FOLDER) - SUFFIX
    path = "/".join(segments)
    if len(path.encode()) <= room:
        return path
    *folders, file = segments
    room -= len(file.encode()) + len(f"/{_hash(original)}/")
    kept: list[str] = []
    for folder in folders:
        room -= len(folder.encode()) + 1
        if room < 0:
            break
        kept.append(folder)
    return "/".join([*kept, _hash(original), file])


def _suffixed(path: str, suffix: str, extension: str | None = None) -> str:
    """`path` with `-suffix` before its extension, cut so that its last segment is not too long."""
    folder, slash, file = path.rpartition("/")
    if extension is None:
        parts = _EXTENSION.fullmatch(file)
        extension = parts[2] if parts else ""
    room = MOST_SEGMENT_BYTES - len(f"-{suffix}{extension}")
    stem = file.removesuffix(extension)
    if len(stem.encode()) > room:
        stem = stem.encode()[:room].decode(errors="ignore").rstrip(".-")
    return f"{folder}{slash}{stem}-{suffix}{extension}"


def _slashes(path: str) -> Iterator[int]:
    return (match.start() for match in re.finditer("/", path))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH]
