"""Which way each letter runs: the Unicode bidirectional algorithm without explicit controls.

Rules W1 to I2 and L1, L2 of UAX #9 (https://www.unicode.org/reports/tr9/). Texts reach this
without embeddings, overrides and isolates (`words.ready` takes them out), so X1 to X8 have no work.
Raqm would do it within one font; a line that needs several fonts has to be cut into runs first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_NEUTRAL = frozenset({"B", "S", "WS", "ON", "BN"})


def levels(text: str, *, leftward: bool) -> list[int]:
    """The embedding level of each character: even runs to the right, odd to the left."""
    base = 1 if leftward else 0
    outer = "R" if leftward else "L"
    kinds = [unicodedata.bidirectional(letter) or "L" for letter in text]
    originals = list(kinds)
    _weak(kinds, outer)
    _brackets(text, kinds, originals, outer)
    _neutral(kinds, outer)
    found = [_level(kind, base) for kind in kinds]
    for index in range(len(text) - 1, -1, -1):  # L1: blanks at the end belong to the paragraph
        if originals[index] not in ("WS", "B", "S", "BN"):
            break
        found[index] = base
    return found


def _level(kind: str, base: int) -> int:
    if base % 2 == 0:
        return base + {"L": 0, "R": 1, "AN": 2, "EN": 2}[kind]
    return base + {"L": 1, "R": 0, "AN": 1, "EN": 1}[kind]


def _weak(kinds: list[str], outer: str) -> None:  # noqa: C901, PLR0912 (seven rules, each a line or two)
    before = outer
    for i, kind in enumerate(kinds):  # W1
        if kind == "NSM":
            kinds[i] = before
        before = kinds[i]
    strong = outer
    for i, kind in enumerate(kinds):  # W2
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[i] = "AN"
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for i in range(1, len(kinds) - 1):  # W4
        around = {kinds[i - 1], kinds[i + 1]}
        if around == {"EN"} and kinds[i] in ("ES", "CS"):
            kinds[i] = "EN"
        elif around == {"AN"} and kinds[i] == "CS":
            kinds[i] = "AN"
    i = 0
    while i < len(kinds):  # W5
        end = i
        while end < len(kinds) and kinds[end] in ("ET", "BN"):
            end += 1
        if end > i and "ET" in kinds[i:end]:
            touches = (i and kinds[i - 1] == "EN") or (end < len(kinds) and kinds[end] == "EN")
            if touches:
                kinds[i:end] = ["EN"] * (end - i)
        i = end + 1 if end == i else end
    kinds[:] = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in kinds]  # W6
    strong = outer
    for i, kind in enumerate(kinds):  # W7
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[i] = "L"


def _side(kind: str) -> str:
    """Numbers count as running to the left for what is neutral beside them."""
    return "R" if kind in ("R", "EN", "AN") else kind


def _brackets(text: str, kinds: list[str], originals: Sequence[str], outer: str) -> None:
    """N0: a pair of brackets takes the direction of what it holds or of what is before it."""
    other = "L" if outer == "R" else "R"
    for start, end in _pairs(text, kinds):
        inside = {_side(kind) for kind in kinds[start + 1 : end]}
        if outer in inside:
            side = outer
        elif other in inside:
            context = next((s for s in map(_side, reversed(kinds[:start])) if s in "LR"), outer)
            side = other if context == other else outer
        else:
            continue
        for at in (start, end):
            kinds[at] = side
            follows = at + 1
            while follows < len(kinds) and originals[follows] == "NSM":
                kinds[follows] = side
                follows += 1


def _pairs(text: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    open_: list[tuple[str, int]] = []
    found = []
    for i, letter in enumerate(text):
        if kinds[i] != "ON" or not unicodedata.mirrored(letter):
            continue
        category = unicodedata.category(letter)
        if category == "Ps":
            open_.append((_closing(letter), i))
        elif category == "Pe":
            for at in range(len(open_) - 1, -1, -1):
                if open_[at][0] == letter:
                    found.append((open_[at][1], i))
                    del open_[at:]
                    break
    return sorted(found)


def _closing(letter: str) -> str:
    step = 2 if letter in "[{" else 1
    return chr(ord(letter) + step)


def _neutral(kinds: list[str], outer: str) -> None:
    i = 0
    while i < len(kinds):
        if kinds[i] not in _NEUTRAL:
            i += 1
            continue
        end = i
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        before = _side(kinds[i - 1]) if i else outer
        after = _side(kinds[end]) if end < len(kinds) else outer
        kinds[i:end] = [before if before == after else outer] * (end - i)  # N1, N2
        i = end


def visual(order: Sequence[int]) -> list[int]:
    """L2: the indices of runs with these levels, from left to right."""
    indices = list(range(len(order)))
    if not order:
        return indices
    for level in range(max(order), 0, -1):
        i = 0
        while i < len(indices):
            end = i
            while end < len(indices) and order[indices[end]] >= level:
                end += 1
            if end > i:
                indices[i:end] = reversed(indices[i:end])
                i = end
            else:
                i += 1
    return indices
