"""What differs between two texts, for a line in which there is room for little."""

from __future__ import annotations

_MOST_LETTERS = 60


def apart(old: str, new: str) -> tuple[str, str]:
    """The words between the beginning and the end that both texts have in common."""
    before, after = old.split(), new.split()
    most = min(len(before), len(after))
    head = next((at for at in range(most) if before[at] != after[at]), most)
    rest = most - head
    tail = next((at for at in range(rest) if before[-1 - at] != after[-1 - at]), rest)
    return " ".join(before[head : len(before) - tail]), " ".join(after[head : len(after) - tail])


def brief(text: str) -> str:
    """On one line, and not too long."""
    text = " ".join(text.split())
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1].rstrip()}…"


def told(old: str, new: str) -> str:
    """`"oak" -> "ash"`, `"oak" left`, `"ash" came`, or `blanks`."""
    before, after = apart(old, new)
    if before and after:
        return f'"{brief(before)}" -> "{brief(after)}"'
    if before or after:
        return f'"{brief(before or after)}" {"left" if before else "came"}'
    return "blanks"
