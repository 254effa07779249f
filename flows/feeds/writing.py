"""Tables to the bytes that a platform reads: tab-separated, comma-separated, XML. All UTF-8."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from html import escape

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""What no id holds: a row would break at it, or XML could not say it."""

_NAMESPACE = "http://base.google.com/ns/1.0"
_FORMULA = ("=", "+", "-", "@")


def tab_separated(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Without quotes: Google takes a quoted list for a single value, and a tab or a line end
    within a cell for the next one (support.google.com/merchants/answer/6324370).
    """
    lines = ["\t".join(CONTROL.sub(" ", cell) for cell in row) for row in (header, *rows)]
    return "".join(f"{line}\n" for line in lines).encode()


def comma_separated(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Quoted where RFC 4180 asks for it (rfc-editor.org/rfc/rfc4180): no escape character, quotes
    doubled, lines that end in CR LF.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def rss(title: str, link: str, items: Iterable[Sequence[tuple[str, str]]]) -> bytes:
    """RSS 2.0 with Google's elements; a list repeats its element
    (support.google.com/merchants/answer/6324370).
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<rss version="2.0" xmlns:g="{_NAMESPACE}">',
        "<channel>",
        f"<title>{_text(title)}</title>",
        f"<link>{_text(link)}</link>",
        f"<description>{_text(title)}</description>",
    ]
    for item in items:
        lines.append("<item>")
        lines += [f"<g:{name}>{_text(value)}</g:{name}>" for name, value in item]
        lines.append("</item>")
    lines += ["</channel>", "</rss>", ""]
    return "\n".join(lines).encode()


def guarded(text: str) -> str:
    """With an apostrophe before what a spreadsheet would run as a formula.

    WooCommerce takes it away again
    (github.com/woocommerce/woocommerce, class-wc-product-csv-importer.php).
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: str) -> str:
    return escape(CONTROL.sub(" ", value), quote=False)
