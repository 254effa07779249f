"""What a YAML parser says, in the words of the person who wrote the file."""

from __future__ import annotations

import re

_INDENT = (
    "this line does not fit in with what begins at {}",
    "indent the keys of one level alike",
)


def in_words(problem: str, context: str, opened: str) -> tuple[str, str]:
    """The parser's sentence as a person would say it, and what to do. `opened`: where it began."""
    if match := re.search(r"found character '(.+)' that cannot start", problem):
        return f"a value cannot begin with {match[1]}", "put quotes around it"
    for sign, (found, remedy) in _SENTENCES.items():
        if sign in problem or sign in context:
            return found.format(opened), remedy
    return f"this is not YAML: {problem or context}", "check the spelling and the indent"


_SENTENCES = {
    "mapping values are not allowed": (
        "a second `: ` in one line",
        "put quotes around text that holds a colon and a blank",
    ),
    "quoted scalar": ("the quote that opens at {} is never closed", "close the quote"),
    "flow sequence": ("the list that opens at {} is not closed here", "write `,` or `]`"),
    "flow mapping": ("the brace that opens at {} is not closed here", "write `,` or `}`"),
    "block mapping": _INDENT,
    "block collection": _INDENT,
    "could not find expected ':'": ("a key without `:`", "write `key: value`"),
}
"""Part of the parser's sentence: what was found, what to do."""
