"""The sRGB profile that every file carries, made from the standard's numbers.

Built here because the library's own carries the time of day: a file must have the same bytes in
every run and on every machine. Layout: ICC.1:2022 (https://www.color.org/specification/ICC.1-2022-05.pdf);
primaries adapted to D50 and the adaptation: http://www.brucelindbloom.com, sRGB and Bradford;
curve: IEC 61966-2-1.
"""

from __future__ import annotations

import struct
from functools import cache

_D50 = (0.96422, 1.0, 0.82521)
_RED = (0.4360747, 0.2225045, 0.0139322)
_GREEN = (0.3850649, 0.7168786, 0.0971045)
_BLUE = (0.1430804, 0.0606169, 0.7141733)
_FROM_D65 = (
    1.0478112, 0.0228866, -0.0501270,
    0.0295424, 0.9904844, -0.0170491,
    -0.0092345, 0.0150436, 0.7521316,
)  # fmt: skip
_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@cache
def srgb_profile() -> bytes:
    """An ICC version 4 display profile, the same bytes always."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(*_CURVE)
    tags = {
        b"desc": _text("sRGB IEC61966-2.1"),
        b"cprt": _text("Public domain"),
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(*_FROM_D65),
        b"rXYZ": b"XYZ " + bytes(4) + _fixed(*_RED),
        b"gXYZ": b"XYZ " + bytes(4) + _fixed(*_GREEN),
        b"bXYZ": b"XYZ " + bytes(4) + _fixed(*_BLUE),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    for name, data in tags.items():
        if data not in places:  # the three channels share one curve
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", places[data], len(data))
    return _header(start + len(body)) + table + body


def _header(length: int) -> bytes:
    return b"".join(
        (
            struct.pack(">I4sI", length, b"", 0x04400000),
            b"mntrRGB XYZ ",
            struct.pack(">6H", 2026, 1, 1, 0, 0, 0),
            b"acsp",
            bytes(28),  # no platform, flags, device; perceptual
            _fixed(*_D50),
            bytes(48),  # no creator, no digest
        )
    )


def _fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def _text(text: str) -> bytes:
    words = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(words), 28) + words
