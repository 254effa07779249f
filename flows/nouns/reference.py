"""Reference: an image that guides the model, known by its contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flows.nouns.address import shown
from flows.nouns.campaign import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What looking at an image's bytes found; remembered so that no image is looked at twice."""

    sha256: str
    size: int
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference image that was looked at.

    `source` is the address as the campaign or the catalogue has it, `location` where its bytes
    can be read now (a path or fsspec URL), `sha256` the digest of the bytes as they came.
    """

    role: Role
    source: str
    location: str
    sha256: str
    size: int
    width: int
    height: int
    format: str

    @property
    def shown(self) -> str:
        """The source for other eyes: no query (it may be signed), no password, no long data."""
        return shown(self.source)


class ReferenceReader(Protocol):
    """Looks at references; the plan asks it and does not care where images lie."""

    def look(self, source: str, *, role: Role, of_row: bool) -> Reference:
        """Describe the image at `source`; relative to the image base for a row, else to the spec.

        Raises:
            BadInput: with one fault that says what is wrong with this address.

        """
        ...
