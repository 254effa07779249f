"""A manifest that the library has laid out and signed for show gets the signature that counts.

The library salts every assertion with dice, so that two runs would never give the same bytes; a
signer that calls back is given 10 kB of zeros in every file; and its errors are lost on the way.
So it lays out the manifest with a key that is thrown away. Here each salt is replaced by one that
follows from the manifest's label, the hashes that depend on it are carried along, and the claim is
signed. Every change is as long as what it replaces, so nothing moves.

Boxes: ISO 19566-5 (JUMBF) as the specification of C2PA uses it, section 11.1,
https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html;
what is signed: COSE_Sign1, https://www.rfc-editor.org/rfc/rfc9052#section-4.4
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows.nouns.campaign import Format

_HEADER = 8  # of a box: its length and its type
_UUID_AND_TOGGLES = 17
_HAS_ID, _HAS_HASH, _HAS_PRIVATE = 4, 8, 16
_SALT, _SALT_BYTES = b"c2sh", 16
_CONTEXT = b"\x84\x6aSignature1"  # an array of four, of which this text is the first
_TAGGED_SIGN1 = b"\xd2\x84"  # tag 18, an array of four
_APP11, _SCAN, _MOST_FILL = 0xEB, 0xDA, 0xFF
_PER_SEGMENT = 8  # of JPEG's segments: common identifier, instance and number of the packet


class UnexpectedManifestError(Exception):
    """The library has laid out a manifest in another way than the one that is known here."""


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    end: int
    label: str = ""
    salt_at: int | None = None


def sealed(store: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The manifest store with fixed salts and its newest manifest signed by `sign`, same length.

    `sign` gets the bytes to be signed and gives the signature as COSE wants it.

    Raises:
        UnexpectedManifestError: it is laid out otherwise than expected; nothing is guessed.

    """
    (root,) = _boxes(store, 0, len(store))
    active = list(_children(store, root))[-1]  # the newest stands last
    parts = {box.label: box for box in _children(store, active)}
    try:
        assertions = list(_children(store, parts["c2pa.assertions"]))
        claim, signature = parts["c2pa.claim.v2"], parts["c2pa.signature"]
    except KeyError as error:
        raise UnexpectedManifestError(f"no {error} in the manifest") from error
    work = bytearray(store)
    # actions hold hashes of ingredients, and nothing holds one of theirs but the claim
    for box in sorted(assertions, key=lambda box: box.label.startswith("c2pa.actions")):
        _resalt(work, store, box, active)
    _sign(work, _content(work, claim), _content(work, signature), sign)
    return bytes(work)


def with_store(data: bytes, form: Format, old: bytes, new: bytes) -> bytes:
    """The file with `new` in the place of the equally long store `old`.

    Raises:
        UnexpectedManifestError: it does not hold `old` as this format is expected to.

    """
    pieces: list[bytes | memoryview] = []
    copied = at = 0
    whole = memoryview(data)  # a file may be large: it is copied once
    for start, end in _places(data, form, old):
        part = new[at : at + end - start]
        pieces += [whole[copied:start], part]
        copied, at = end, at + len(part)
        if form == "png":  # a chunk ends with a checksum of its name and content
            pieces.append(struct.pack(">I", zlib.crc32(data[start - 4 : start] + part)))
            copied += 4
    if at != len(old) or len(old) != len(new):
        raise UnexpectedManifestError(f"the manifest is not where a {form} has it")
    return b"".join([*pieces, whole[copied:]])


def _places(data: bytes, form: Format, store: bytes) -> Iterator[tuple[int, int]]:
    if form != "jpeg":
        start = data.find(store)
        if start >= 0:
            yield start, start + len(store)
        return
    at, taken = 2, 0
    while data[at + 1] != _SCAN:
        marker, (length,) = data[at + 1], struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == _APP11 and data[at + 4 : at + 6] == b"JP":
            # each further packet repeats the header of the box that it goes on with
            start = at + 4 + _PER_SEGMENT + (_HEADER if taken else 0)
            if data[start:end] == store[taken : taken + end - start]:
                yield start, end
                taken += end - start
        at = end


def _resalt(work: bytearray, store: bytes, box: _Box, active: _Box) -> None:
    if box.salt_at is None:
        raise UnexpectedManifestError(f"{box.label} has no salt")
    before = hashlib.sha256(store[box.start + _HEADER : box.end]).digest()
    salt = hashlib.sha256(f"salt {active.label} {box.label}".encode()).digest()[:_SALT_BYTES]
    work[box.salt_at : box.salt_at + _SALT_BYTES] = salt
    after = hashlib.sha256(work[box.start + _HEADER : box.end]).digest()
    within = slice(active.start, active.end)
    work[within] = work[within].replace(before, after)


def _sign(work: bytearray, claim: _Box, signature: _Box, sign: Callable[[bytes], bytes]) -> None:
    start = signature.start + len(_TAGGED_SIGN1)
    if work[signature.start : start] != _TAGGED_SIGN1:
        raise UnexpectedManifestError("the signature is not a tagged COSE_Sign1")
    protected = bytes(work[start : _end_of_bytes(work, start)])
    payload = bytes(work[claim.start : claim.end])
    made = sign(_CONTEXT + protected + b"\x40" + _head(len(payload)) + payload)
    head = _head(len(made))
    at = signature.end - len(made)
    if work[at - len(head) : at] != head:
        raise UnexpectedManifestError("the signature has another length than was kept for it")
    work[at : signature.end] = made


def _head(length: int) -> bytes:
    """How CBOR begins a byte string, https://www.rfc-editor.org/rfc/rfc8949#section-3.1"""
    if length < 24:
        return bytes((0x40 + length,))
    if length < 1 << 8:
        return struct.pack(">BB", 0x58, length)
    if length < 1 << 16:
        return struct.pack(">BH", 0x59, length)
    return struct.pack(">BI", 0x5A, length)


def _end_of_bytes(data: bytearray, at: int) -> int:
    """Where the CBOR byte string that begins at `at` ends."""
    sizes = {0x58: 1, 0x59: 2, 0x5A: 4}
    if 0x40 <= data[at] < 0x58:
        return at + 1 + data[at] - 0x40
    if data[at] not in sizes:
        raise UnexpectedManifestError("the protected header is not a byte string")
    size = sizes[data[at]]
    return at + 1 + size + int.from_bytes(data[at + 1 : at + 1 + size], "big")


def _content(data: bytes | bytearray, box: _Box) -> _Box:
    """What the single content box of a superbox holds."""
    inner = [one for one in _boxes(data, box.start + _HEADER, box.end) if one.kind == b"cbor"]
    if len(inner) != 1:
        raise UnexpectedManifestError(f"{box.label} is not one box of CBOR")
    return _Box(b"cbor", inner[0].start + _HEADER, inner[0].end)


def _children(data: bytes, box: _Box) -> Iterator[_Box]:
    inner = _boxes(data, box.start + _HEADER, box.end)
    return (one for one in inner if one.kind == b"jumb")


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[_Box]:
    while start < end:
        length, kind = struct.unpack_from(">I4s", data, start)
        if length < _HEADER or start + length > end:
            raise UnexpectedManifestError("a box is longer than what holds it")
        box = _Box(kind, start, start + length)
        yield _described(data, box) if kind == b"jumb" else box
        start += length


def _described(data: bytes | bytearray, box: _Box) -> _Box:
    """A superbox with the label and the place of the salt that its description has."""
    start = box.start + _HEADER
    length, kind = struct.unpack_from(">I4s", data, start)
    if kind != b"jumd":
        raise UnexpectedManifestError("a superbox is not described")
    toggles = data[start + _HEADER + _UUID_AND_TOGGLES - 1]
    name_at = start + _HEADER + _UUID_AND_TOGGLES
    name_end = data.index(b"\0", name_at)
    label = bytes(data[name_at:name_end]).decode()
    at = name_end + 1 + (4 if toggles & _HAS_ID else 0) + (32 if toggles & _HAS_HASH else 0)
    salt_at = None
    if toggles & _HAS_PRIVATE and data[at + 4 : at + _HEADER] == _SALT:
        salt_at = at + _HEADER
        if salt_at + _SALT_BYTES != start + length:
            raise UnexpectedManifestError(f"the salt of {label} has another length")
    return _Box(box.kind, box.start, box.end, label, salt_at)
