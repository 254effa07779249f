"""Nodes of a campaign file to a Campaign, and everything that is wrong with them in plain words.

First the nodes are walked beside the fields of the model: unknown keys and wrong kinds of values
are told here, and scalars become what their field wants (text keeps its spelling). Then pydantic
checks patterns and bounds; what it refuses is told and left out, and the rest is checked again,
so that one mistake does not hide the next.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo

from flows.errors import Fault, did_you_mean, nearest
from flows.nouns.campaign import Campaign
from flows.read.marks import Document, Entries, Items, Mark, Node, Text
from flows.read.refusals import refusal, shown

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"[-+]?(?:[0-9][0-9_]*)?\.?[0-9]+(?:[eE][-+]?[0-9]{1,2})?")
_WHOLE = re.compile(r"[-+]?[0-9][0-9_]{0,18}")
_BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
_UNNAMED = "unnamed"


class _Faulty:
    """Stands where a value was that has been told as a fault."""


_FAULTY: Final = _Faulty()


@dataclass
class Written:
    """A campaign file as far as it could be understood, and what could not be.

    `keys` are the top-level keys that were written, well or badly, and those that a misspelt key
    (`misspelt`) was meant to be: a check for something missing asks them first.
    """

    campaign: Campaign
    keys: frozenset[str]
    marks: Mapping[Path, Mark]
    name: str
    faults: list[Fault] = field(default_factory=list)
    origins: Mapping[Path, Path] = field(default_factory=dict)
    misspelt: frozenset[str] = frozenset()

    def place(self, *path: str | int) -> str:
        """`file:line:column` of a place in `campaign`, or of the nearest thing around it."""
        for end in range(len(path), -1, -1):
            inner = path[:end]
            if mark := self.marks.get(self.origins.get(inner, inner)):
                return f"{self.name}:{mark.line}:{mark.column}"
        return self.name

    def is_told(self, key: str) -> bool:
        """Whether a fault of this top-level key or of something in it was told."""
        if key in self.misspelt:
            return True
        marks = [mark for path, mark in self.marks.items() if path[:1] == (key,)]
        places = {f"{self.name}:{mark.line}:{mark.column}" for mark in marks}
        return any(fault.place in places for fault in self.faults)

    def places(self) -> dict[str, str]:
        """Dotted keys to their places."""
        return {
            ".".join(map(str, path)): f"{self.name}:{mark.line}:{mark.column}"
            for path, mark in self.marks.items()
            if path
        }


def written(source: Document, *, campaign: str | None = None) -> Written | None:
    """The campaign in a document, or None where the document is no mapping (told in its faults).

    `campaign` is the id of a file that need not say it (the defaults of a CSV).
    """
    walk = _Walk(source)
    if not isinstance(source.root, Entries):
        return None
    tree = walk.model(source.root, Campaign, ())
    if campaign is not None:
        tree.setdefault("campaign", campaign)
    return _checked(tree, walk, source)


def _checked(tree: dict[str, Any], walk: _Walk, source: Document) -> Written:
    keys = frozenset(tree)
    left_out: set[Path] = set()
    while True:
        data, origins = _without_faulty(tree, left_out)
        try:
            campaign = Campaign.model_validate(data)
            break
        except ValidationError as errors:
            _refuse(errors, data, origins, walk, left_out, tree)
    misspelt = frozenset(str(path[0]) for path in walk.misspelt if len(path) == 1)
    return Written(
        campaign=campaign,
        keys=keys | misspelt,
        marks=walk.marks,
        name=source.name,
        faults=[*source.faults, *walk.faults],
        origins=origins,
        misspelt=misspelt,
    )


def _refuse(
    errors: ValidationError,
    data: dict[str, Any],
    origins: Mapping[Path, Path],
    walk: _Walk,
    left_out: set[Path],
    tree: dict[str, Any],
) -> None:
    """Tell what pydantic refused, one fault a place, and leave it out of the next round."""
    by_place: dict[tuple[Path, str], tuple[Path, dict[str, Any]]] = {}
    for one in errors.errors(include_url=False):
        built, value = _located(one["loc"], data)
        key = (built, str(one["loc"][-1]) if one["type"] == "missing" else "")
        # A union names a fault in each of its branches; the literal branch says least.
        if key not in by_place or by_place[key][1]["type"] == "literal_error":
            by_place[key] = (built, {**one, "value": value})
    for built, error in by_place.values():
        path = origins.get(built, built) or (() if error["type"] == "missing" else _clash(data))
        if error["type"] == "missing":
            path = (*path, str(error["loc"][-1]))
            told = _value_at(tree, path) is _FAULTY or path in left_out or path in walk.misspelt
            if not told:
                walk.tell(path[:-1], f"{label(path)} is missing", remedy=_remedy_missing(path))
            if path == ("campaign",):
                tree["campaign"] = _UNNAMED
                left_out.discard(path)
                continue
            path = path[:-1]
        elif not _is_told(error, path, walk, tree):
            walk.faults.append(refusal(walk.place(path), label(path), error))
        left_out.add(path)


def _is_told(error: Mapping[str, Any], path: Path, walk: _Walk, tree: dict[str, Any]) -> bool:
    """Whether this follows from another fault: an empty list from items that were told, a missing
    choice from a key that was misspelt.
    """
    if error["type"] == "too_short":
        return bool(_value_at(tree, path))
    if error["type"] != "value_error":
        return False
    inner = _value_at(tree, path)
    is_part_told = isinstance(inner, dict) and any(one is _FAULTY for one in inner.values())
    return is_part_told or any(one[:-1] == path for one in walk.misspelt)


def _clash(data: dict[str, Any]) -> Path:
    """Which key a fault of the whole campaign is about (`variants` beside `experiment`)."""
    for name in ("experiment", "prompt_text"):
        if name in data:
            return (name,)
    return (next(iter(data)),)


def _remedy_missing(path: Path) -> str:
    return "write `campaign: <id>` at the top" if path == ("campaign",) else ""


def _located(loc: Sequence[str | int], data: dict[str, Any]) -> tuple[Path, Any]:
    """Where in the data pydantic points: its names of union branches are not in there."""
    path: list[str | int] = []
    inner: Any = data
    for step in loc:
        if (isinstance(inner, dict) and step in inner) or (isinstance(inner, list) and isinstance(step, int) and step < len(inner)):
            inner = inner[step]
        else:
            continue
        path.append(step)
    return tuple(path), inner


def _value_at(tree: dict[str, Any], path: Path) -> Any:
    inner: Any = tree
    for step in path:
        if isinstance(inner, dict):
            inner = inner.get(step)
        elif isinstance(inner, list):
            inner = inner[int(step)]
        else:
            return None
    return inner


def _without_faulty(tree: Any, left_out: set[Path]) -> tuple[Any, dict[Path, Path]]:
    """The values that are not known to be faulty, and where each of them was written."""
    origins: dict[Path, Path] = {}

    def kept(value: Any, built: Path, path: Path) -> Any:
        origins[built] = path
        if isinstance(value, dict):
            return {
                key: kept(inner, (*built, key), (*path, key))
                for key, inner in value.items()
                if inner is not _FAULTY and (*path, key) not in left_out
            }
        if isinstance(value, list):
            there = [
                (at, inner)
                for at, inner in enumerate(value)
                if inner is not _FAULTY and (*path, at) not in left_out
            ]
            return [
                kept(inner, (*built, new), (*path, at)) for new, (at, inner) in enumerate(there)
            ]
        return value

    return kept(tree, (), ()), origins


def label(path: Iterable[str | int]) -> str:
    """A key as a person would name it: `sizes.formats`, without positions in lists."""
    return ".".join(step for step in path if isinstance(step, str))


class _Walk:
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

    def tell(self, path: Path, found: str, *, allowed: str = "", remedy: str = "") -> _Faulty:
        self.faults.append(Fault(self.place(path), found, allowed, remedy))
        return _FAULTY

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

    def _unlisted(self, node: Text, literals: list[str], kinds: list[Any], path: Path) -> _Faulty:
        words = [*literals, *(_words([kind]) for kind in kinds if kind in (int, float))]
        return self.tell(
            path,
            f"{label(path)}: '{shown(node.text)}' is not known",
            allowed=", ".join(words),
            remedy=did_you_mean(node.text, literals),
        )

    def _wrong(self, node: Node, kinds: list[Any], path: Path) -> _Faulty:
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
