"""The manifest's JSON Schema, and whether a manifest is as it says.

A manifest may have a hundred thousand rows, all of one rule: the rule meets all values of a column
at once, in a fraction of the time that going through the rows takes. Only the words of JSON Schema
that this schema uses are known here, any other is refused when it is read
(https://json-schema.org/draft/2020-12/json-schema-validation). A test holds the verdicts against
the jsonschema library.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import chain
from operator import itemgetter
from typing import Any, cast

Rule = Mapping[str, object]
Rules = Mapping[str, Rule]
Trail = tuple[str | int, ...]
Wrong = tuple[int, Trail, str]
"""Which of the values, where in it, and what is wrong there."""

_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": type(None),
    "array": list,
    "object": dict,
}
_WORDS = frozenset(
    {
        "$ref", "type", "enum", "const", "pattern", "minimum", "minItems", "items", "required",
        "properties", "additionalProperties",
        # these ask for nothing: `format` is a remark unless a reader wants more
        "$schema", "$id", "$defs", "$comment", "title", "description", "format",
    }
)  # fmt: skip
_OF_OBJECTS = frozenset({"properties", "additionalProperties", "required"})
_PORTION = 2000
_SHOWN = 80


@cache
def manifest_schema() -> Rule:
    """The schema as it is shipped; not to be changed."""
    text = resources.files("flows.publish").joinpath("manifest.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    _refuse_unknown(schema)
    return schema


def columns(part: str) -> Rules:
    """The rules of a part's fields: of a rendition, take, failure, of run or totals."""
    return _inside(_inside(manifest_schema(), "$defs")[part], "properties")


def faults(manifest: object) -> list[str]:
    """What keeps it from being a manifest, in words: the first value of each column that is not
    as the schema says; empty where all are.
    """
    return [_told(trail, words) for _, trail, words in _wrong(manifest_schema(), [manifest])]


def _wrong(rule: Rule, values: Sequence[object]) -> Iterator[Wrong]:
    """The first of the values that a rule refuses, for each of its parts."""
    if not values:
        return
    if isinstance(reference := rule.get("$ref"), str):
        rule = _inside(manifest_schema(), "$defs")[reference.rpartition("/")[2]]
    misfit = _misfit(rule, values)
    if misfit is not None:
        yield misfit
        return
    if "items" in rule:
        yield from _wrong_items(cast("Rule", rule["items"]), cast("Sequence[list[object]]", values))
    if not rule.keys().isdisjoint(_OF_OBJECTS):
        yield from _wrong_inside(rule, cast("Sequence[dict[str, object]]", values))


def _wrong_items(rule: Rule, arrays: Sequence[list[object]]) -> Iterator[Wrong]:
    items = [*chain(*arrays)]
    # by portions, whose rows stay in the processor's cache while column after column is looked at
    for start in range(0, len(items), _PORTION):
        wrong = list(_wrong(rule, items[start : start + _PORTION]))
        for index, trail, words in wrong:
            array, item = _owner(arrays, start + index)
            yield array, (item, *trail), words
        if wrong:
            return


def _wrong_inside(rule: Rule, objects: Sequence[dict[str, object]]) -> Iterator[Wrong]:
    named = _inside(rule, "properties") if "properties" in rule else {}
    required = cast("list[str]", rule.get("required", []))
    for name in dict.fromkeys([*required, *named]):
        of_it = named.get(name, {})
        try:
            column = list(map(itemgetter(name), objects))
        except KeyError:
            yield from _wrong_where_there(
                name, of_it, is_required=name in required, objects=objects
            )
            continue
        for index, trail, words in _wrong(of_it, column):
            yield index, (name, *trail), words
    others = rule.get("additionalProperties")
    if isinstance(others, dict):
        rest = [(at, name) for at, one in enumerate(objects) for name in one if name not in named]
        for index, trail, words in _wrong(others, [objects[at][name] for at, name in rest]):
            yield rest[index][0], (rest[index][1], *trail), words


def _wrong_where_there(
    name: str, rule: Rule, *, is_required: bool, objects: Sequence[dict[str, object]]
) -> Iterator[Wrong]:
    owners = [at for at, one in enumerate(objects) if name in one]
    if is_required and len(owners) < len(objects):
        yield next(at for at, one in enumerate(objects) if name not in one), (), f"has no {name!r}"
    for index, trail, words in _wrong(rule, [objects[at][name] for at in owners]):
        yield owners[index], (name, *trail), words


def _misfit(rule: Rule, values: Sequence[object]) -> Wrong | None:
    """The first value that is not what a rule asks of each as a whole."""
    types = set(map(type, values))
    for word, asked in _QUESTIONS.items():
        if word in rule and (wrong := asked(rule, values, types)):
            return wrong
    return None


# A question is put to all values at once where that is quick, and to each where not all pass.


def _type(rule: Rule, values: Sequence[object], types: set[type]) -> Wrong | None:
    said = rule["type"]
    names = [said] if isinstance(said, str) else cast("list[str]", said)
    allowed = {_TYPES[name] for name in names}
    if types <= allowed and float not in types:
        return None
    return _first(values, lambda one: not _is_of(one, allowed), f"not {' or '.join(names)}")


def _choice(rule: Rule, values: Sequence[object], types: set[type]) -> Wrong | None:
    choice = cast("list[str | None]", rule["enum"] if "enum" in rule else [rule["const"]])
    if types <= {str, type(None)} and set(values) <= set(choice):
        return None
    listed = ", ".join("null" if one is None else one for one in choice)
    return _first(
        values,
        lambda one: one not in choice,
        f"none of {listed}" if len(choice) > 1 else f"not {listed}",
    )


def _minimum(rule: Rule, values: Sequence[object], types: set[type]) -> Wrong | None:
    least = cast("int", rule["minimum"])
    if types == {int} and min(cast("Sequence[int]", values)) >= least:
        return None
    return _first(
        values,
        lambda one: isinstance(one, int | float) and one < least,
        f"less than {least}",
    )


def _pattern(rule: Rule, values: Sequence[object], types: set[type]) -> Wrong | None:
    pattern = str(rule["pattern"])
    # to ECMAScript, by which a schema's patterns are read, `$` is the very end
    search = re.compile(re.sub(r"\$\Z", r"\\Z", pattern)).search
    if types == {str} and all(map(search, cast("Sequence[str]", values))):
        return None
    return _first(
        values,
        lambda one: isinstance(one, str) and not search(one),
        f"which {rule.get('$comment', f'does not match {pattern}')}",
    )


def _fewest(rule: Rule, values: Sequence[object], types: set[type]) -> Wrong | None:
    fewest = cast("int", rule["minItems"])
    if types == {list} and min(map(len, cast("Sequence[list[object]]", values))) >= fewest:
        return None
    return _first(
        values,
        lambda one: isinstance(one, list) and len(one) < fewest,
        f"shorter than {fewest}",
    )


_QUESTIONS: Mapping[str, Callable[[Rule, Sequence[object], set[type]], Wrong | None]] = {
    "type": _type,
    "const": _choice,
    "enum": _choice,
    "minimum": _minimum,
    "pattern": _pattern,
    "minItems": _fewest,
}


def _first(
    values: Sequence[object], is_wrong: Callable[[object], bool], words: str
) -> Wrong | None:
    for at, value in enumerate(values):
        if is_wrong(value):
            shown = json.dumps(value, ensure_ascii=False, default=repr)
            shown = f"{shown[: _SHOWN - 1]}…" if len(shown) > _SHOWN else shown
            return at, (), f"is {shown}, {words}"
    return None


def _is_of(value: object, allowed: set[type]) -> bool:
    """Whether a value, or what it is a kind of, is of one of the types. An integer is a number, 3.0
    an integer; what is not finite is neither, for JSON cannot say it.
    """
    if isinstance(value, bool):
        return bool in allowed
    if isinstance(value, float):
        return math.isfinite(value) and (float in allowed or (int in allowed and value % 1 == 0))
    if isinstance(value, int):
        return not allowed.isdisjoint((int, float))
    return isinstance(value, tuple(allowed))


def _owner(arrays: Sequence[list[object]], index: int) -> tuple[int, int]:
    """Which array holds the item that has this number in all of them together, and where in it."""
    for at, array in enumerate(arrays):
        if index < len(array):
            return at, index
        index -= len(array)
    msg = "no array holds it"
    raise IndexError(msg)


def _told(trail: Trail, words: str) -> str:
    """`renditions row 3: 'bytes' is "many", not integer`."""
    if not trail:
        return f"it {words}"
    head, rest = str(trail[0]), trail[1:]
    if rest and isinstance(rest[0], int):
        head, rest = f"{head} row {rest[0] + 1}", rest[1:]
    if not rest:
        return f"{head} {words}"
    steps = [f"item {step + 1}" if isinstance(step, int) else repr(step) for step in rest]
    return f"{head}: {' '.join(steps)} {words}"


def _inside(rule: Rule, word: str) -> Rules:
    return cast("Rules", rule[word])


def _refuse_unknown(rule: dict[str, Any]) -> None:
    unknown = rule.keys() - _WORDS
    if unknown:
        msg = f"the manifest's schema says {sorted(unknown)}, which is not checked here"
        raise NotImplementedError(msg)
    named = [one for word in ("$defs", "properties") for one in rule.get(word, {}).values()]
    for one in [*named, rule.get("items"), rule.get("additionalProperties")]:
        if isinstance(one, dict):
            _refuse_unknown(one)
