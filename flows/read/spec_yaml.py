"""Nodes of a campaign file to a Campaign, and everything that is wrong with them in plain words.

The nodes are walked beside the fields of the model first. Then pydantic checks patterns and
bounds; what it refuses is told and left out, and the rest is checked again, so that one mistake
does not hide the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from flows.errors import Fault
from flows.nouns.campaign import Campaign
from flows.read.fields import FAULTY, Path, Walk, label
from flows.read.marks import Document, Entries, Mark
from flows.read.refusals import refusal

_UNNAMED = "unnamed"


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
    walk = Walk(source)
    if not isinstance(source.root, Entries):
        return None
    tree = walk.model(source.root, Campaign, ())
    if campaign is not None:
        tree.setdefault("campaign", campaign)
    return _checked(tree, walk, source)


def _checked(tree: dict[str, Any], walk: Walk, source: Document) -> Written:
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
    walk: Walk,
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
            told = _value_at(tree, path) is FAULTY or path in left_out or path in walk.misspelt
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


def _is_told(error: Mapping[str, Any], path: Path, walk: Walk, tree: dict[str, Any]) -> bool:
    """Whether this follows from another fault: an empty list from items that were told, a missing
    choice from a key that was misspelt.
    """
    if error["type"] == "too_short":
        return bool(_value_at(tree, path))
    if error["type"] != "value_error":
        return False
    inner = _value_at(tree, path)
    is_part_told = isinstance(inner, dict) and any(one is FAULTY for one in inner.values())
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
        if isinstance(inner, list) and isinstance(step, int):
            inner = inner[step]
        elif isinstance(inner, dict) and step in inner:
            inner = inner[str(step)]
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
                if inner is not FAULTY and (*path, key) not in left_out
            }
        if isinstance(value, list):
            there = [
                (at, inner)
                for at, inner in enumerate(value)
                if inner is not FAULTY and (*path, at) not in left_out
            ]
            return [
                kept(inner, (*built, new), (*path, at)) for new, (at, inner) in enumerate(there)
            ]
        return value

    return kept(tree, (), ()), origins
