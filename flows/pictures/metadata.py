"""What a file says beside its pixels, taken out without decoding them.

JPEG: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B; PNG: https://www.w3.org/TR/png-3/.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from flows.pictures.colour import is_srgb, means_srgb
from flows.pictures.formats import form_of

_TABLES = frozenset({0xC0, 0xC4, 0xDB, 0xDD})  # baseline frame, Huffman, quantisation, restart
_SCAN, _END = 0xDA, 0xD9
_APP0, _APP1, _APP2, _APP14, _APP15, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_FRAME = 0xC0
_ICC = b"ICC_PROFILE\0"
_EXIF = b"Exif\0\0"
# within a scan 0xFF00 is a sample and 0xFFD0 to 0xFFD7 are restarts: anything else ends it
_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_TURNED = re.compile(rb"Orientation(?:\s*=\s*[\"']|>)\s*[2-8]")
_ORIENTATION, _SHORT = 0x0112, 3

_COLOURS = frozenset({b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"iCCP", b"pHYs"})
_PIXELS = frozenset({b"IHDR", b"IDAT", b"IEND"})


def without_metadata(data: bytes) -> bytes | None:
    """A JPEG or PNG with the same pixels and nothing private: no EXIF, XMP, text, thumbnail,
    further picture, or bytes behind its end. The same bytes where there was nothing to take out.

    None where that is not enough to be shown alike everywhere: not a baseline JPEG of three
    colours, not a PNG of 8-bit RGB or RGBA, not upright, not sRGB, or not whole in its outline.
    """
    try:
        match form_of(data):
            case "jpeg":
                return _clean_jpeg(data)
            case "png":
                return _clean_png(data)
            case _:
                return None
    except (_PixelsMustChangeError, struct.error, IndexError):
        return None


class _PixelsMustChangeError(Exception):
    pass


def _clean_jpeg(data: bytes) -> bytes:
    kept = [data[:2]]
    profile = b""
    for marker, payload, scan in _segments(data):
        if marker == _APP2 and payload.startswith(_ICC):
            profile += payload[len(_ICC) + 2 :]
        elif marker == _APP0 and payload.startswith(b"JFIF\0"):
            payload = payload[:12] + bytes(2)  # noqa: PLW2901 (its thumbnail goes)
        elif marker == _APP14 and payload.startswith(b"Adobe"):
            _demand(payload[11] == 1)  # 0 is plain RGB, which not every reader knows
        elif marker == _APP1:
            _demand(not _is_turned(payload))
            continue
        elif _APP0 <= marker <= _APP15 or marker == _COMMENT:
            continue
        else:
            _demand(marker in _TABLES or marker == _SCAN)
            if marker == _FRAME:
                _demand(payload[0] == 8 and payload[5] == 3 and payload[6] != ord("R"))
        kept += [struct.pack(">BBH", 0xFF, marker, len(payload) + 2), payload, scan]
    _demand(not profile or is_srgb(profile))
    return b"".join([*kept, bytes((0xFF, _END))])


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, payload and (of a scan) coded samples of each segment up to the end marker."""
    at = 2
    while True:
        _demand(data[at] == 0xFF)
        while data[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker = data[at + 1]
        if marker == _END:
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        payload, scan = data[at + 4 : end], b""
        if marker == _SCAN:
            found = _AFTER_SCAN.search(data, end)
            if found is None:
                raise _PixelsMustChangeError
            scan, end = data[end : found.start()], found.start()
        yield marker, payload, scan
        at = end


def _clean_png(data: bytes) -> bytes:
    kept = [data[:8]]
    profile, gamma, names_srgb = b"", 0.0, False
    at, name = 8, b""
    while name != b"IEND":
        (length,) = struct.unpack_from(">I", data, at)
        name = data[at + 4 : at + 8]
        payload = data[at + 8 : at + 8 + length]
        _demand(len(payload) == length)
        match name:
            case b"IHDR":
                _demand(payload[8] == 8 and payload[9] in {2, 6})
            case b"gAMA":
                gamma = int.from_bytes(payload, "big") / 100_000
            case b"sRGB":
                names_srgb = True
            case b"iCCP":
                profile = payload
            case b"eXIf" | b"iTXt" | b"tEXt" | b"zTXt":
                _demand(not _is_turned_by_chunk(name, payload))
        # a colour that stands for transparency, or a critical chunk that is none of the standard's
        _demand(name != b"tRNS" and (name in _PIXELS or name == b"PLTE" or name[:1].islower()))
        if name in _PIXELS or name in _COLOURS:
            kept.append(data[at : at + 12 + length])
        at += 12 + length
    _demand(is_srgb(_inflated(profile)) if profile else names_srgb or means_srgb(gamma))
    return b"".join(kept)


def _inflated(chunk: bytes) -> bytes:
    import zlib

    _, _, packed = chunk.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], 1_000_000)
    except zlib.error as error:
        raise _PixelsMustChangeError from error


def _is_turned_by_chunk(name: bytes, payload: bytes) -> bool:
    if name == b"eXIf":
        return _is_turned(_EXIF + payload)
    # ImageMagick's text form of EXIF, or a packet that is compressed: the decoder will know
    if payload.startswith((b"Raw profile type exif\0", b"Raw profile type APP1\0")):
        return True
    return bool(_TURNED.search(payload)) or payload.startswith(b"XML:com.adobe.xmp\0\1")


def _is_turned(payload: bytes) -> bool:
    """Whether EXIF or XMP says that the picture is to be shown other than as it lies."""
    if payload.startswith(_EXIF):
        return _orientation(payload[len(_EXIF) :]) != 1
    return bool(_TURNED.search(payload))


def _orientation(exif: bytes) -> int:
    """Read here, for Pillow warns a terminal of every tag that is broken."""
    order = ">" if exif.startswith(b"MM") else "<"
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, start)
    for entry in range(entries):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * entry)
        if tag == _ORIENTATION:
            _demand(kind == _SHORT)
            return int(value)
    return 1


def _demand(holds: bool) -> None:  # noqa: FBT001 (reads like an assertion)
    if not holds:
        raise _PixelsMustChangeError
