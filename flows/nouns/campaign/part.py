"""What every part of a campaign file has in common, and the forms that its values take."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar] | dict[str, Scalar]
Variables = dict[str, Value]
Format = Literal["jpeg", "png", "webp", "avif", "tiff"]
ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
RATIO_PATTERN = r"^[1-9][0-9]*([.][0-9]+)?:[1-9][0-9]*([.][0-9]+)?$"
SIZE_PATTERN = r"^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$"
MOST_SHAPE = 16
"""Longer side over shorter: what the model's hosts make at all (docs.evolink.ai, seedream-4.0)."""
MOST_PIXELS = 64_000_000
"""Of one output; twice the largest preset of any channel."""
_BYTE_UNITS = {
    "": 1,
    "B": 1,
    "kB": 1_000,
    "KB": 1_000,
    "MB": 1_000_000,
    "KiB": 1024,
    "MiB": 1 << 20,
}


def possible_ratio(text: str) -> str:
    """A ratio that a host can make."""
    width, _, height = text.partition(":")
    shape = float(width) / float(height)
    if not 1 / MOST_SHAPE <= shape <= MOST_SHAPE:
        msg = f"a ratio from 1:{MOST_SHAPE} to {MOST_SHAPE}:1"
        raise ValueError(msg)
    return text


def possible_size(text: str) -> str:
    """A size that a host's master can be cut to."""
    width, _, height = text.partition("x")
    if int(width) * int(height) > MOST_PIXELS:
        msg = f"a size of at most {MOST_PIXELS // 1_000_000} megapixels"
        raise ValueError(msg)
    possible_ratio(f"{width}:{height}")
    return text


def bytes_from_text(value: object) -> object:
    """`300 kB` to 300000 (decimal units: the safe reading of a channel's page)."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", value)
    if match is None or match[2] not in _BYTE_UNITS:
        msg = "a number of bytes such as 300 kB, 2 MB or 150000"
        raise ValueError(msg)
    return int(float(match[1]) * _BYTE_UNITS[match[2]])


ByteCount = Annotated[
    int,
    BeforeValidator(bytes_from_text, json_schema_input_type=int | str),
    Field(gt=0),
]


HexColour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Part(BaseModel):
    """What every part of a campaign file has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)
