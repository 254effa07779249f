"""What a browser is told of a file: its kind, and how long it may keep it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from flows.nouns.hashed_path import DIGITS

TYPES = {
    "avif": "image/avif",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "webp": "image/webp",
    "xml": "application/xml",
}
"""By ending. Written down, not asked of the machine: each system's own table knows other kinds
(iana.org/assignments/media-types)."""

FOREVER = "public, max-age=31536000, immutable"
"""For a path that holds its contents' hash: other contents have another one (RFC 8246)."""

PICTURE = "public, max-age=300"
"""A picture under a lasting name may be another one tomorrow."""

ASK = "no-cache"
"""Manifest, table, gallery and feeds: kept, but asked after before each use (RFC 9111)."""

_SAFE = "/:;,.?!@&=+$*'()#_-~"
_MOST_LETTERS = 500
_THUMBNAIL = re.compile(r"(?:.*/)?gallery/[0-9a-f]{16}\.webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What is stored beside a file's bytes, where a store can keep it."""

    content_type: str
    cache_control: str
    about: Mapping[str, str] = field(default_factory=dict)
    """The object's own metadata: ASCII, `sha256` always among it."""


def headers_of(path: str, data: bytes, about: Mapping[str, str] | None = None) -> Headers:
    """The headers of a file, going by its name and contents, with what is to be said about it.

    Metadata travels in headers, so whatever is not ASCII in it goes percent-encoded, and what is
    empty or very long is left out: all of it together may have two kilobytes
    (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
    """
    sha256 = hashlib.sha256(data).hexdigest()
    folder, _, name = path.rpartition("/")
    kind = TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    if sha256[:DIGITS] in path or _THUMBNAIL.fullmatch(path):
        keep = FOREVER
    elif folder and kind.startswith("image/"):
        keep = PICTURE
    else:
        keep = ASK
    coded = {name: quote(value, safe=_SAFE) for name, value in (about or {}).items()}
    told = {name: value for name, value in coded.items() if 0 < len(value) <= _MOST_LETTERS}
    return Headers(content_type=kind, cache_control=keep, about={"sha256": sha256, **told})
