"""Values of a preset as a person writes them: one reader for each key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, get_args

from flows.errors import did_you_mean
from flows.nouns.campaign import RATIO_PATTERN, Format, bytes_from_text, possible_ratio

if TYPE_CHECKING:
    from yaml import Node

_TEXT_RULES = ("ok", "avoid", "none", "logo")
_GENERATED_RULES = ("ok", "avoid", "refused")
_COLOURS = ("srgb", "cmyk")


class NotThisError(Exception):
    """A value that its key does not take: what was found, what is allowed, a remedy."""


def _scalar(node: Node) -> str:
    import yaml

    if not isinstance(node, yaml.ScalarNode):
        raise NotThisError("expected one value, found several")
    return str(node.value).strip()


def _items(node: Node) -> list[Node]:
    import yaml

    if not isinstance(node, yaml.SequenceNode):
        raise NotThisError("expected a list", "", "write it in brackets: [jpeg, png]")
    return list(node.value)


def _whole(node: Node) -> int:
    text = _scalar(node).replace("_", "")
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text):
        raise NotThisError(f"'{on_one_line(text)}'", "a whole number of pixels")
    return int(text)


def _bytes(node: Node) -> int:
    text = _scalar(node)
    try:
        found = bytes_from_text(text.replace("_", ""))
    except ValueError as error:
        raise NotThisError(f"'{on_one_line(text)}'", str(error)) from error
    if not isinstance(found, int) or found < 1:
        raise NotThisError(f"'{on_one_line(text)}'", "more than nothing")
    return found


def _formats(node: Node) -> tuple[str, ...]:
    names = [_scalar(one) for one in _items(node)]
    known = get_args(Format)
    for name in names:
        if name not in known:
            near = {"jpg": "did you mean 'jpeg'?", "tif": "did you mean 'tiff'?"}.get(name.lower())
            raise NotThisError(
                f"'{on_one_line(name)}'", ", ".join(known), near or did_you_mean(name, known)
            )
    if not names:
        raise NotThisError("the list is empty", ", ".join(known))
    return tuple(dict.fromkeys(names))


def _shares(node: Node) -> tuple[float, float, float, float]:
    try:
        shares = [float(_scalar(one)) for one in _items(node)]
    except ValueError as error:
        raise NotThisError("a share that is no number", "four numbers from 0 to 1") from error
    if len(shares) != 4 or not all(0 <= one <= 1 for one in shares):
        raise NotThisError(f"{_listed(shares)}", "four numbers from 0 to 1")
    return shares[0], shares[1], shares[2], shares[3]


def _zone(node: Node) -> tuple[float, float, float, float]:
    zone = _shares(node)
    if zone[0] + zone[2] >= 1 or zone[1] + zone[3] >= 1:
        raise NotThisError(f"{_listed(zone)} leaves nothing free", "top, right, bottom, left")
    return zone


def _boxes(node: Node) -> tuple[tuple[float, float, float, float], ...]:
    boxes = tuple(_shares(one) for one in _items(node))
    for left, top, right, bottom in boxes:
        if left >= right or top >= bottom:
            box = _listed((left, top, right, bottom))
            raise NotThisError(f"{box} has no inside", "left, top, right, bottom")
    return boxes


def _ratio(node: Node) -> str:
    text = _scalar(node)
    if not re.fullmatch(RATIO_PATTERN, text):
        raise NotThisError(f"'{on_one_line(text)}'", "width:height, for example 4:5 or 1.91:1")
    try:
        return possible_ratio(text)
    except ValueError as error:
        raise NotThisError(f"'{text}'", str(error)) from error


def _day(node: Node) -> str:
    text = _scalar(node)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise NotThisError(f"'{on_one_line(text)}'", "a day such as 2026-11-21") from error


def _truth(node: Node) -> bool:
    text = _scalar(node).lower()
    if text not in ("true", "false"):
        raise NotThisError(f"'{on_one_line(text)}'", "true or false")
    return text == "true"


def _one_of(words: tuple[str, ...]) -> Callable[[Node], str]:
    def read(node: Node) -> str:
        text = _scalar(node)
        if text not in words:
            raise NotThisError(
                f"'{on_one_line(text)}'", ", ".join(words), did_you_mean(text, words)
            )
        return text

    return read


READERS: Mapping[str, Callable[[Node], object]] = {
    "width": _whole,
    "height": _whole,
    "formats": _formats,
    "ratio": _ratio,
    "min_width": _whole,
    "min_height": _whole,
    "max_bytes": _bytes,
    "safe_zone": _zone,
    "keep_out": _boxes,
    "colour": _one_of(_COLOURS),
    "text": _one_of(_TEXT_RULES),
    "generated": _one_of(_GENERATED_RULES),
    "note": _scalar,
    "source": _scalar,
    "verified": _day,
    "replaces": _truth,
}


def _listed(shares: list[float] | tuple[float, ...]) -> str:
    return f"[{', '.join(f'{one:g}' for one in shares)}]"


def on_one_line(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[:59]}…" if len(line) > 60 else line
