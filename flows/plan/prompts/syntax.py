"""Syntax: Jinja's messages about a template, in plain words."""

from __future__ import annotations

import re

from flows.errors import did_you_mean

_TAGS = (
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "macro", "endmacro", "call",
    "endcall", "filter", "endfilter", "include", "import", "from", "extends", "block", "endblock",
    "with", "endwith", "raw", "endraw",
)  # fmt: skip
_TOKENS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "end of template": "the end of the template",
    "begin of print statement": "{{",
    "begin of statement block": "{%",
}


def plain_words(message: str) -> tuple[str, str]:
    """What Jinja's message about a template means, and the remedy."""
    still_open = re.search(r"innermost block that needs to be closed is '(\w+)'", message)
    tag = re.match(r"Encountered unknown tag '(\w+)'", message)
    if tag:
        return _about_tag(tag[1], still_open[1] if still_open else "")
    if still_open:
        return f"'{still_open[1]}' is never closed", f"write {{% end{still_open[1]} %}}"
    if expected := re.match(r"expected token '(.+)', got '(.+)'", message):
        return f"found {_named(expected[2])} where {_named(expected[1])} should be", ""
    if got := re.match(r"[Ee]xpected an expression, got '(.+)'", message):
        return f"found {_named(got[1])} where a name or a value should be", ""
    return message[:1].lower() + message[1:].rstrip("."), ""


def _about_tag(tag: str, still_open: str) -> tuple[str, str]:
    if tag not in _TAGS:
        return f"there is no tag '{tag}'", did_you_mean(tag, _TAGS)
    if still_open:
        return f"'{tag}' does not fit: '{still_open}' is open", f"write {{% end{still_open} %}}"
    return f"'{tag}' does not fit here: nothing is open that it could close", ""


def _named(token: str) -> str:
    return _TOKENS.get(token, f"'{token}'")
