"""Plain text: what a description says, without its HTML or Markdown, as one line.

Every step is linear in the length of the text: descriptions come from strangers.
"""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)([^<>]*)>|<[!?][^<>]*>")
_BREAKING = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption",
        "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
        "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead",
        "tr", "ul",
    }
)  # fmt: skip
_SILENT = frozenset({"script", "style", "template", "noscript"})
_MARK = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+•·][ \t]+|[0-9]{1,2}[.)][ \t]+)", re.MULTILINE
)
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,2000}\)")
_EMPHASIS = re.compile(
    r"(?<![\w*_])(\*{1,3}|_{1,3}|`{1,3})(?=\S)([^*_`\n]{1,300})(?<=\S)\1(?![\w*_])"
)
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]"
)
_END = tuple(".!?:;,…。！？")


def plain_text(text: str) -> str:
    """One line of plain text; blocks and bullets become sentences."""
    if "<" in text or "&" in text:
        text = _without_tags(text)
        if _TAG.search(text):  # feeds escape markup once more: &lt;p&gt;
            text = _without_tags(text)
    text = _LINK.sub(r"\1", text)
    text = _MARK.sub("\n\n", _RULE.sub("\n\n", text))
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    text = _UNSEEN.sub(" ", text.replace("\u200b", "").replace("\u00ad", "").replace("\ufeff", ""))
    blocks = [" ".join(block.split()) for block in re.split(r"\n[ \t]*\n", text)]
    return _joined([block for block in blocks if block])


def _joined(blocks: list[str]) -> str:
    parts = [block if block.endswith(_END) else f"{block}." for block in blocks[:-1]]
    return " ".join([*parts, *blocks[-1:]])


def _without_tags(text: str) -> str:
    said: list[str] = []
    silent = ""
    at = 0
    text = _without_comments(text)
    for tag in _TAG.finditer(text):
        closes, name = bool(tag[1]), (tag[2] or "").lower()
        if not silent:
            said.append(text[at : tag.start()])
            said.append("\n\n" if name in _BREAKING else "")
            silent = name if name in _SILENT and not closes else ""
        elif closes and name == silent:
            silent = ""
        at = tag.end()
    if not silent:
        said.append(text[at:])
    return html.unescape("".join(said))


def _without_comments(text: str) -> str:
    said: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        said.append(text[at:start])
        end = text.find("-->", start + 4)
        if end < 0:
            return "".join(said)
        at = end + 3
    return "".join([*said, text[at:]])
