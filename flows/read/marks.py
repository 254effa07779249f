"""YAML 1.2 text to nodes that know their place. Values are decided later, by what a field wants.

Nodes are made from ruamel.yaml's events and not by its constructor: so a scalar keeps its spelling
(`0123`, `9.90`, `no`), a duplicate key is told with both lines, and an alias bomb is refused before
it is unfolded (https://yaml.org/spec/1.2.2/, section 10.3 names the core schema).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flows.errors import BadInput, Fault
from flows.read.syntax import in_words

LARGEST_FILE = 1 << 20
_DEEPEST = 40
_MOST_ALIASED = 20_000
_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(("str", "int", "float", "bool", "null", "map", "seq"))
_SAVE_AS_UTF8 = "save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as it is spelled. `is_plain`: without quotes, so it may be a number or a boolean."""

    mark: Mark
    text: str
    is_plain: bool


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    mark: Mark
    items: list[Node]
    weight: int


@dataclass(frozen=True, slots=True)
class Entries:
    """Keys and values in the order of the file; keys are text and unique."""

    mark: Mark
    entries: dict[str, tuple[Mark, Node]]
    weight: int


Node = Text | Items | Entries


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file. `root` is None where it is empty; `faults` are those that did not stop it."""

    name: str
    root: Node | None
    faults: list[Fault] = field(default_factory=list)

    def place(self, mark: Mark) -> str:
        return f"{self.name}:{mark.line}:{mark.column}"


def document(data: bytes, name: str) -> Document:
    """The nodes of a file that is called `name`.

    Raises:
        BadInput: it is no YAML, or YAML that a campaign file may not use, with the place.

    """
    reader = _Reader(name)
    if len(data) > LARGEST_FILE:
        raise reader.unusable(
            name, f"{len(data):,} bytes", "at most 1 MiB", "products belong in a catalogue file"
        )
    return reader.read(_decoded(data, reader))


def _decoded(data: bytes, reader: _Reader) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise reader.unusable(
            f"{reader.name}:1:1", "the file is not UTF-8 but UTF-16", remedy=_SAVE_AS_UTF8
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        raise reader.unusable(
            f"{reader.name}:{line}:{column}",
            f"byte 0x{data[error.start]:02X} is not UTF-8",
            remedy=_SAVE_AS_UTF8,
        ) from error


class _Reader:
    """Builds the nodes of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._faults: list[Fault] = []
        self._anchors: dict[str, Node] = {}
        self._unfinished: set[str] = set()
        self._aliased = 0

    def unusable(self, place: str, found: str, allowed: str = "", remedy: str = "") -> BadInput:
        return BadInput(f"{self.name} cannot be used", [Fault(place, found, allowed, remedy)])

    def read(self, text: str) -> Document:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        self._lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
        self._at = Mark(1, 1)
        try:
            root = self._document(YAML(typ="safe", pure=True).parse(text))
        except YAMLError as error:
            raise self._syntax(error) from error
        except (ArithmeticError, LookupError, ValueError, TypeError, AttributeError) as error:
            # What ruamel.yaml lets through of its own: \U99999999 overflows, for one.
            raise self.unusable(
                self._place(self._at), "what follows here is not YAML", remedy="check the spelling"
            ) from error
        return Document(self.name, root, self._faults)

    def _place(self, mark: Mark) -> str:
        return f"{self.name}:{mark.line}:{mark.column}"

    def _document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        seen = False
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                if seen:
                    raise self.unusable(
                        self._place(_mark(event)),
                        "a second document begins here",
                        "one document a file",
                        "remove the `---`, or make two files",
                    )
                if event.version is not None and tuple(event.version) != (1, 2):
                    raise self.unusable(
                        self._place(_mark(event)),
                        f"the file asks for YAML {event.version[0]}.{event.version[1]}",
                        "YAML 1.2",
                        "remove the %YAML line",
                    )
                seen = True
            elif kind not in ("StreamStartEvent", "DocumentEndEvent", "StreamEndEvent"):
                root = self._node(event, events, 1)
        # An empty document is one plain empty scalar for the parser.
        return None if isinstance(root, Text) and root.is_plain and not root.text else root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        mark = self._at = _mark(event)
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self._alias(event.anchor, mark)
        if depth > _DEEPEST:
            raise self.unusable(
                self._place(mark), "nested too deeply", f"at most {_DEEPEST} levels"
            )
        tag = str(event.tag or "")
        if tag.removeprefix(_TAG) not in _TAGS and tag not in ("", "!"):
            raise self.unusable(
                self._place(mark),
                f"the tag {tag.replace(_TAG, '!!')} is not allowed",
                remedy="remove it",
            )
        anchor = str(event.anchor or "")
        if anchor:
            self._unfinished.add(anchor)
        node: Node
        if kind == "ScalarEvent":
            is_plain = not event.style and tag in ("", f"{_TAG}null")
            is_plain = is_plain or tag in (f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool")
            node = Text(mark, self._whole(str(event.value), mark), is_plain)
        elif kind == "SequenceStartEvent":
            node = self._items(mark, events, depth)
        else:
            node = self._entries(mark, events, depth)
        if anchor:
            self._unfinished.discard(anchor)
            self._anchors[anchor] = node
        return node

    def _whole(self, text: str, mark: Mark) -> str:
        r"""JSON writes an emoji as two halves (`\ud83e\uddc1`): together they are one character."""
        if re.search("[\ud800-\udfff]", text) is None:
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            raise self.unusable(
                self._place(mark), "half of a character", remedy="write the character itself"
            ) from error

    def _alias(self, anchor: str, mark: Mark) -> Node:
        node = self._anchors.get(anchor)
        if node is None or anchor in self._unfinished:
            why = "stands within itself" if anchor in self._unfinished else "has no anchor above"
            raise self.unusable(
                self._place(mark), f"the alias *{anchor} {why}", remedy="write the value out"
            )
        self._aliased += _weight(node)
        if self._aliased > _MOST_ALIASED:
            raise self.unusable(
                self._place(mark),
                f"the aliases unfold to more than {_MOST_ALIASED:,} values",
                remedy="write fewer aliases of aliases",
            )
        return node

    def _items(self, mark: Mark, events: Iterator[Any], depth: int) -> Items:
        items: list[Node] = []
        for event in events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            items.append(self._node(event, events, depth + 1))
        return Items(mark, items, 1 + sum(map(_weight, items)))

    def _entries(self, mark: Mark, events: Iterator[Any], depth: int) -> Entries:
        entries: dict[str, tuple[Mark, Node]] = {}
        merged: dict[str, tuple[Mark, Node]] = {}
        for event in events:
            if type(event).__name__ == "MappingEndEvent":
                break
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, Text):
                remedy = 'put quotes around text that begins with a brace: "{{ … }}"'
                raise self.unusable(self._place(key.mark), "a key must be a word", remedy=remedy)
            if key.text == "<<" and key.is_plain:
                self._merge(key, value, merged)
            elif key.text in entries:
                first = entries[key.text][0].line
                self._faults.append(
                    Fault(
                        self._place(key.mark),
                        f"key '{key.text}' stands here and on line {first}",
                        remedy="keep one of the two",
                    )
                )
            else:
                entries[key.text] = (key.mark, value)
        for name, entry in merged.items():
            entries.setdefault(name, entry)
        weight = 1 + sum(1 + _weight(value) for _, value in entries.values())
        return Entries(mark, entries, weight)

    def _merge(self, key: Text, value: Node, merged: dict[str, tuple[Mark, Node]]) -> None:
        """`<<: *base`: keys of another mapping, under those that are written here."""
        sources = value.items if isinstance(value, Items) else [value]
        for source in sources:
            if not isinstance(source, Entries):
                raise self.unusable(self._place(key.mark), "`<<` takes an alias of keys and values")
            for name, entry in source.entries.items():
                merged.setdefault(name, entry)

    def _syntax(self, error: Any) -> BadInput:
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            return self._odd_character(error)
        at = Mark(min(mark.line + 1, len(self._lines)), mark.column + 1)
        line = self._lines[at.line - 1]
        context = getattr(error, "context_mark", None)
        opened = Mark(context.line + 1, context.column + 1) if context is not None else at
        where = f"line {opened.line}, column {opened.column}"
        found, remedy = in_words(str(error.problem or ""), str(error.context or ""), where)
        if "\t" in line[: at.column] and not line[: at.column - 1].strip():
            found, remedy = "a tab stands where YAML wants spaces", "indent with spaces"
        elif re.search(r"[:\[,-]\s*\{\{", line):
            remedy = 'put quotes around text that holds {{ }}: "{{ … }}"'
        elif number := self._bare_colour(at.line):
            at = Mark(number, self._lines[number - 1].index("#") + 1)
            found, remedy = "a bare # begins a comment", 'put quotes around "#…"'
        return self.unusable(self._place(at), found, remedy=remedy)

    def _bare_colour(self, last: int) -> int:
        """The line of a `[#0F4C81`, the usual reason for a list that never ends; 0: none."""
        lines = enumerate(self._lines[:last], start=1)
        return next(
            (at for at, line in lines if re.match(r"[^#]*[\[,]\s*#[0-9A-Fa-f]{3}", line)), 0
        )

    def _odd_character(self, error: Any) -> BadInput:
        sign = getattr(error, "character", "")
        code = sign if isinstance(sign, int) else ord(str(sign)[:1] or "\0")
        for number, line in enumerate(self._lines, start=1):
            if (column := line.find(chr(code))) >= 0:
                place = f"{self.name}:{number}:{column + 1}"
                break
        else:
            place = self.name
        return self.unusable(
            place, f"the character U+{code:04X} may not stand in YAML", remedy="remove it"
        )


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _weight(node: Node) -> int:
    return 1 if isinstance(node, Text) else node.weight
