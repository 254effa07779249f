"""The manifest's JSON Schema, and what in a manifest is not as it says, in words.

The jsonschema-rs library judges: a manifest may have a hundred thousand rows, which the usual one
for Python takes minutes for. Here its verdicts become words that name a row and what is allowed
(https://json-schema.org/draft/2020-12/json-schema-validation).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

Rule = Mapping[str, Any]
Rules = Mapping[str, Rule]
Trail = Sequence[str | int]

_SHOWN = 80


@cache
def manifest_schema() -> Rule:
    """The schema as it is shipped; not to be changed."""
    text = resources.files("flows.publish").joinpath("manifest.schema.json").read_text("utf-8")
    return cast("Rule", json.loads(text))


def columns(part: str) -> Rules:
    """The rules of a part's fields: of a rendition, take, failure, of run or totals."""
    return cast("Rules", manifest_schema()["$defs"][part]["properties"])


def faults(manifest: object) -> list[str]:
    """What keeps it from being a manifest, in words: the first value of each column that is not
    as the schema says; empty where all are.
    """
    validator = _validator()
    try:
        if validator.is_valid(manifest):
            return []
    except ValueError:
        # a kind of text or number of Python's own, which goes into the file as what it is a kind of
        manifest = json.loads(json.dumps(manifest))
    return list(_told(validator.iter_errors(manifest), manifest))


@cache
def _validator() -> Validator:
    from jsonschema_rs import validator_for

    return validator_for(dict(manifest_schema()))


def _told(errors: Iterator[ValidationError], manifest: object) -> Iterator[str]:
    seen: set[tuple[Trail, str]] = set()
    for error in errors:
        where = tuple(error.schema_path)
        if (where, "") in seen:
            continue
        value, rule = _at(manifest, error.instance_path), _at(manifest_schema(), where[:-1])
        asked = _WORDS.get(str(where[-1]))
        for said in asked(rule, value) if asked is not None else [error.message]:
            # one of each rule; the one that asks for fields tells each that is missing somewhere
            key = (where, said if asked is _required else "")
            if key not in seen:
                seen.add(key)
                yield _placed(error.instance_path, said)


def _at(document: Any, trail: Trail) -> Any:
    for step in trail:
        document = document[step]
    return document


def _placed(trail: Trail, words: str) -> str:
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


# What each word of JSON Schema asks for; of any other the library's own words are told.


def _type(rule: Rule, value: object) -> list[str]:
    said = rule["type"]
    return [f"{_is(value)}, not {said if isinstance(said, str) else ' or '.join(said)}"]


def _enum(rule: Rule, value: object) -> list[str]:
    listed = ", ".join("null" if one is None else str(one) for one in rule["enum"])
    return [f"{_is(value)}, none of {listed}"]


def _const(rule: Rule, value: object) -> list[str]:
    return [f"{_is(value)}, not {rule['const']}"]


def _minimum(rule: Rule, value: object) -> list[str]:
    return [f"{_is(value)}, less than {rule['minimum']}"]


def _pattern(rule: Rule, value: object) -> list[str]:
    words = rule.get("$comment", f"does not match {rule['pattern']}")
    return [f"{_is(value)}, which {words}"]


def _fewest(rule: Rule, value: object) -> list[str]:
    return [f"{_is(value)}, shorter than {rule['minItems']}"]


def _required(rule: Rule, value: Mapping[str, object]) -> list[str]:
    return [f"has no {name!r}" for name in rule["required"] if name not in value]


_WORDS: Mapping[str, Callable[[Rule, Any], list[str]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _minimum,
    "pattern": _pattern,
    "minItems": _fewest,
    "required": _required,
}


def _is(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=repr)
    return f"is {shown[: _SHOWN - 1]}…" if len(shown) > _SHOWN else f"is {shown}"
