"""Plain text out of what catalogues hold: HTML, entities, invisible characters, protected cells."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from html.parser import HTMLParser

LIST = "\x1e"
"""Joins the values of a JSON list or of repeated XML elements in one cell."""

# What a reader cannot see and a prompt should not carry: control characters, zero-width space,
# word joiner, byte-order mark, bidirectional embeddings, overrides and isolates, lone surrogates,
# non-characters, and tag characters but for those of a flag. Joiners (U+200C, U+200D) and
# direction marks (U+200E, U+200F) stay: emoji, Persian and mixed scripts need them.
_UNSEEN = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\u2060\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[ \n]*")
_PROTECTED = ("'=", "'+", "'-", "'@")
_TAG = re.compile(r"<[A-Za-z/!]")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_SECTION = re.compile(r"<!\[[^>]*>?")
_TORN_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)[^<>]*$")
_LONE_AMPERSAND = re.compile(r"&(?!#?\w{1,32};)")


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


_BLOCKS = _words(
    "address article aside blockquote br caption center dd details dialog div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol option p pre"
    " section summary table tbody tfoot thead title tr ul"
)
_CELLS = _words("td th")
_SILENT = _words("script style template noscript iframe object svg head")
_INLINE = _words(
    "a abbr acronym area audio b base bdi bdo big body button canvas cite code col colgroup data"
    " datalist del dfn em embed font html i img input ins kbd label link map mark meta meter"
    " optgroup output param picture progress q rp rt ruby s samp select small source span strike"
    " strong sub sup textarea time track tt u var video wbr"
)
_KNOWN = _BLOCKS | _CELLS | _SILENT | _INLINE


def cell(text: str) -> str:
    """A cell as it was meant: stripped, and without the apostrophe that spreadsheets want.

    WooCommerce's exporter writes an apostrophe before `=`, `+`, `-` and `@`
    (github.com/woocommerce/woocommerce, class-wc-csv-exporter.php).
    """
    stripped = text.strip()
    return stripped[1:] if stripped.startswith(_PROTECTED) else stripped


def visible(text: str) -> str:
    """The text without invisible characters, in NFC, tabs as spaces, each line end one `LF`.

    A list in one cell (see LIST) reads as a list: with commas.
    """
    if text.isprintable():
        return text if text.isascii() else unicodedata.normalize("NFC", text)
    lines = _LINE_END.sub("\n", text.replace(LIST, ", ")).replace("\t", " ")
    return unicodedata.normalize("NFC", _UNSEEN.sub(r"\1", lines)).strip()


def plain(text: str) -> str:
    """Words for a prompt: tags gone, entities resolved, a line for each paragraph and list item.

    What is no HTML (`a < b`, `AT&T`, `<unknown>`) stays as it is. Scripts and styles are dropped
    with what is in them.
    """
    if "<" in text and _TAG.search(text):
        stripper = _Stripper()
        stripper.feed(_LONE_AMPERSAND.sub("&amp;", _without_torn_tag(_without_sections(text))))
        stripper.close()
        text = stripper.text() if stripper.found_tags else unescape_entities(text)
    elif "&" in text:
        text = unescape_entities(text)
    return visible(text)


def one_line(text: str) -> str:
    """`plain` on a single line: for titles."""
    text = plain(text)
    return text if text.isprintable() and "  " not in text else " ".join(text.split())


def unescape_entities(text: str) -> str:
    """Entities that end in a semicolon resolved; `&copy` in the middle of a name is a name."""
    return unescape(_LONE_AMPERSAND.sub("&amp;", text))


def _without_sections(text: str) -> str:
    """Without `<![…]>`, which word processors leave behind and html.parser does not survive."""
    return _SECTION.sub("", _CDATA.sub(r"\1", text)) if "<![" in text else text


def _without_torn_tag(text: str) -> str:
    """Feeds cut descriptions at a length, at times in the middle of a tag."""
    torn = _TORN_TAG.search(text)
    return text[: torn.start()] if torn and torn[1].lower() in _KNOWN else text


class _Stripper(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found_tags = False
        self._pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in _KNOWN:
            self._say(self.get_starttag_text() or "")
            return
        self.found_tags = True
        if tag in _SILENT:
            self._silent.append(tag)
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in _KNOWN:
            self._say(f"</{tag}>")
            return
        self.found_tags = True
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        if tag not in _CELLS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        # Line ends inside HTML are only white space.
        self._say(data.replace("\r", " ").replace("\n", " "))

    def updatepos(self, i: int, j: int) -> int:
        # Nobody asks for lines inside a cell; counting them is a tenth of the work.
        del i
        return j

    def text(self) -> str:
        return _BREAKS.sub("\n", _SPACES.sub(" ", "".join(self._pieces))).strip()

    def _say(self, text: str) -> None:
        if not self._silent:
            self._pieces.append(text)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._say("\n")
        elif tag in _CELLS:
            self._say(" ")
