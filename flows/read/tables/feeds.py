"""RSS and Atom feeds: one row for each item or entry, whose elements are the columns.

Entities, DTDs and references to other files are refused before they are expanded (defusedxml).
"""

from __future__ import annotations

import io
from typing import Any
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from flows.errors import BadInput
from flows.read.plain import LIST, visible
from flows.read.tables.table import Row, Table, unusable

_ITEMS = frozenset(("item", "entry"))
# The product namespaces of Google's feeds: support.google.com/merchants/answer/160589.
_GOOGLE = ("http://base.google.com/ns/1.0", "http://base.google.com/cns/1.0")
# Elements that say it in an attribute: Atom's link, RSS's enclosure, Media RSS's pictures.
_ATTRIBUTES = {"link": "href", "enclosure": "url", "content": "url", "thumbnail": "url"}


def table(data: bytes, name: str) -> Table:
    """The items of a feed. Elements of Google's namespace are named `g:…` whatever their prefix.

    An element that occurs several times in one item is one cell; nested ones are joined by dots.

    Raises:
        BadInput: it is not well-formed (with line and column), holds entities, or has no items.

    """
    from xml.sax import SAXParseException

    from defusedxml import DefusedXmlException
    from defusedxml.sax import make_parser

    reader = _Items()
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(reader)
    try:
        parser.parse(io.BytesIO(data))
    except SAXParseException as error:
        at = f"{name}: line {error.getLineNumber()}, column {(error.getColumnNumber() or 0) + 1}"
        raise unusable(name, f"this is not XML: {error.getMessage()}", at=at) from error
    except DefusedXmlException as error:
        raise unusable(
            name,
            "it declares entities or a document type, which can be made to fill the memory or"
            " to read other files",
            remedy="remove the <!DOCTYPE …> part",
        ) from error
    except (LookupError, ValueError) as error:
        raise unusable(name, f"its encoding cannot be read: {error}") from error
    if not reader.items:
        raise _without_items(name, reader.root)
    columns = dict.fromkeys(column for _, cells in reader.items for column in cells)
    return Table(
        name=name,
        kind="xml",
        columns=tuple(visible(column) for column in columns),
        rows=[
            Row(line, [cells.get(column, "") for column in columns]) for line, cells in reader.items
        ],
    )


def _without_items(name: str, root: str) -> BadInput:
    if root in ("rss", "feed", "rdf:RDF"):
        return unusable(name, "the feed has no <item> or <entry> (0 products)")
    return unusable(
        name,
        f"XML whose outermost element is <{root}>",
        allowed="RSS 2.0 with <item>, or Atom with <entry>",
    )


class _Items(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.items: list[tuple[int, dict[str, str]]] = []
        self.root = ""
        self._google = {"g"}
        self._cells: dict[str, str] | None = None
        self._path: list[str] = []
        self._texts: list[list[str]] = []
        self._locator: Any = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the handler's interface
        self._locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self.root = self.root or name
        for attribute, value in attrs.items():
            if attribute.startswith("xmlns:") and value in _GOOGLE:
                self._google.add(attribute.removeprefix("xmlns:"))
        if self._cells is None:
            if name in _ITEMS:
                self.items.append((self._locator.getLineNumber(), {}))
                self._cells = self.items[-1][1]
            return
        prefix, colon, local = name.rpartition(":")
        self._path.append(f"g:{local}" if colon and prefix in self._google else name)
        said = attrs.get(_ATTRIBUTES.get(local, ""), "")
        # Atom has links to other things than the product's page.
        meant = attrs.get("rel", "alternate") == "alternate"
        self._texts.append([said] if said and meant else [])

    def characters(self, content: str) -> None:
        if self._texts:
            self._texts[-1].append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        if self._cells is None:
            return
        if not self._path:
            if name in _ITEMS:
                self._cells = None
            return
        column = ".".join(self._path)
        self._path.pop()
        text = "".join(self._texts.pop()).strip()
        if text:
            before = self._cells.get(column)
            self._cells[column] = f"{before}{LIST}{text}" if before else text
        else:
            self._cells.setdefault(column, "")
