"""Nodes beside the fields of a model: unknown keys and wrong kinds of values are told, and scalars
become what their field wants. Text keeps its spelling, whatever YAML would make of it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from flows.errors import Fault, did_you_mean, nearest
from flows.read.marks import Document, Entries, Items, Mark, Node, Text
from flows.read.refusals import shown

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(?:[0-9][0-9_]*)?\.?[0-9]+(?:[eE][-+]?[0-9]{1,2})?")
_WHOLE = re.compile(r"[-+]?[0-9][0-9_]{0,18}")
_BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}


class Faulty:
    """Stands where a value was that has been told as a fault."""


FAULTY: Final = Faulty()


def label(path: Iterable[str | int]) -> str:
    """A key as a person would name it: `sizes.formats`, without positions in lists."""
    return ".".join(step for step in path if isinstance(step, str))


class Walk:
    """Walks nodes beside the annotations of the model; collects marks and faults."""

    def __init__(self, source: Document) -> None:
        self._source = source
        self.faults: list[Fault] = []
        self.marks: dict[Path, Mark] = {}
        self.misspelt: set[Path] = set()
        """Keys that unknown ones were most likely meant to be."""
        if source.root is not None:
            self.marks[()] = source.root.mark

    def place(self, path: Path) -> str:
        for end in range(len(path), -1, -1):
            if mark := self.marks.get(path[:end]):
                return self._source.place(mark)
        return self._source.name

    def tell(self, path: Path, found: str, *, allowed: str = "", remedy: str = "") -> Faulty:
        self.faults.append(Fault(self.place(path), found, allowed, remedy))
        return FAULTY

    def model(self, node: Entries, model: type[BaseModel], path: Path) -> dict[str, Any]:
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        values: dict[str, Any] = {}
        for key, (mark, value) in node.entries.items():
            inner = (*path, key)
            # the place of a scalar is its own, of a list or mapping that of its key
            self.marks[inner] = value.mark if isinstance(value, Text) else mark
            if (info := fields.get(key)) is None:
                self._unknown(key, mark, fields, path)
                del self.marks[inner]
            elif _is_null(value):
                # a key with nothing after it is a key that is not written
                continue
            else:
                values[key] = self._value(value, _annotation(info), inner)
        return values

    def _unknown(self, key: str, mark: Mark, fields: Mapping[str, FieldInfo], path: Path) -> None:
        if meant := nearest(key, fields):
            self.misspelt.add((*path, meant))
        within = f" under {label(path)}" if path else ""
        self.faults.append(
            Fault(
                self._source.place(mark),
                f"unknown key '{key}'{within}",
                ", ".join(fields),
                did_you_mean(key, fields),
            )
        )

    def _value(self, node: Node, wanted: Any, path: Path) -> Any:
        kinds = _kinds(wanted)
        match node:
            case Entries():
                return self._mapping(node, kinds, path)
            case Items():
                return self._list(node, kinds, path)
        return self._scalar(node, kinds, path)

    def _mapping(self, node: Entries, kinds: list[Any], path: Path) -> Any:
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                return self.model(node, kind, path)
            if get_origin(kind) is dict:
                inner = get_args(kind)[1]
                values = {}
                for key, (mark, value) in node.entries.items():
                    at = (*path, key)
                    self.marks[at] = value.mark if isinstance(value, Text) else mark
                    is_part = isinstance(inner, type) and issubclass(inner, BaseModel)
                    values[key] = (
                        {} if is_part and _is_null(value) else self._value(value, inner, at)
                    )
                return values
        return self._wrong(node, kinds, path)

    def _list(self, node: Items, kinds: list[Any], path: Path) -> Any:
        for kind in kinds:
            if get_origin(kind) is list:
                values = []
                for at, item in enumerate(node.items):
                    self.marks[(*path, at)] = item.mark
                    values.append(self._value(item, get_args(kind)[0], (*path, at)))
                return values
        return self._wrong(node, kinds, path)

    def _scalar(self, node: Text, kinds: list[Any], path: Path) -> Any:
        literals = [one for kind in kinds if get_origin(kind) is Literal for one in get_args(kind)]
        if node.text in literals:
            return node.text
        if path[:2] == ("products", "items") and str in kinds:
            # a catalogue's values are text; what they mean is decided where they are read
            return None if _is_null(node) else node.text
        if {str, int, bool} <= set(kinds):
            return _native(node)
        values = [] if _is_null(node) else [_converted(node.text, kind) for kind in kinds]
        if (value := next((one for one in values if one is not None), None)) is not None:
            return value
        if literals and not _is_null(node):
            return self._unlisted(node, literals, kinds, path)
        return self._wrong(node, kinds, path)

    def _unlisted(self, node: Text, literals: list[str], kinds: list[Any], path: Path) -> Faulty:
        words = [*literals, *(_words([kind]) for kind in kinds if kind in (int, float))]
        return self.tell(
            path,
            f"{label(path)}: '{shown(node.text)}' is not known",
            allowed=", ".join(words),
            remedy=did_you_mean(node.text, literals),
        )

    def _wrong(self, node: Node, kinds: list[Any], path: Path) -> Faulty:
        remedy = ""
        if isinstance(node, Text) and node.text and any(get_origin(k) is list for k in kinds):
            remedy = f"write [{node.text}]" if re.fullmatch(r"[\w:.-]+", node.text) else ""
        if path == ("products",) and isinstance(node, Text):
            remedy = f"write `products: {{from: {shown(node.text)}}}`"
        return self.tell(
            path,
            f"{label(path)}: expected {_words(kinds)}, found {_found(node)}",
            remedy=remedy,
        )


def _annotation(info: FieldInfo) -> Any:
    """The field's type; one that converts text itself (`300 kB`) takes text."""
    if any(isinstance(one, BeforeValidator) for one in info.metadata):
        return str
    return info.annotation


def _kinds(wanted: Any) -> list[Any]:
    """The alternatives of an annotation, without None and without pydantic's ornaments."""
    if hasattr(wanted, "__metadata__"):
        if any(isinstance(one, BeforeValidator) for one in wanted.__metadata__):
            return [str]
        return _kinds(wanted.__origin__)
    if get_origin(wanted) in (Union, types.UnionType):
        return [kind for one in get_args(wanted) for kind in _kinds(one)]
    return [] if wanted is type(None) else [wanted]


def _converted(text: str, kind: Any) -> Any:
    """What a scalar is for a field of this kind, or None where it is no such thing."""
    if kind is str:
        return text
    if kind is bool:
        return _BOOLEANS.get(text.lower())
    if kind is int and _WHOLE.fullmatch(text):
        return int(text)
    if kind in (float, Decimal) and _NUMBER.fullmatch(text):
        return text.replace("_", "") if kind is Decimal else float(text)
    return None


def _is_null(node: Node) -> bool:
    return (
        isinstance(node, Text) and node.is_plain and node.text in ("", "~", "null", "Null", "NULL")
    )


def _native(node: Text) -> str | int | float | bool | None:
    """A scalar of a free field by the core schema of YAML 1.2.

    A number that would lose its spelling (`0123`, `9.90`, `1e3`) stays text.
    """
    if not node.is_plain:
        return node.text
    if _is_null(node):
        return None
    if node.text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return node.text.lower() == "true"
    if re.fullmatch(r"-?[0-9]{1,18}", node.text) and str(int(node.text)) == node.text:
        return int(node.text)
    if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", node.text):
        number = float(node.text)
        return number if repr(number) == node.text else node.text
    return node.text


_KIND_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    bool: "true or false",
    list: "a list",
    dict: "keys and values",
    Literal: "text",
}


def _words(kinds: list[Any]) -> str:
    words = [_KIND_WORDS.get(get_origin(kind) or kind, "keys and values") for kind in kinds]
    unique = list(dict.fromkeys(words))
    return " or ".join([", ".join(unique[:-1]), unique[-1]] if len(unique) > 1 else unique)


def _found(node: Node) -> str:
    match node:
        case Entries():
            return "keys and values"
        case Items():
            return "a list"
    if _is_null(node):
        return "nothing"
    native = _native(node)
    if isinstance(native, bool):
        return node.text
    if isinstance(native, int | float):
        return f"the number {node.text}"
    return f"text '{shown(node.text)}'"
