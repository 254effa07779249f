"""The manifest as a table for analysts: a row for each file, with the take that it was cut from."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from flows.nouns.rendition import Manifest
from flows.publish.schema import Rule, columns

if TYPE_CHECKING:
    import pyarrow as pa

TAKE = "take_"
"""What the columns of a file's take begin with, so that `sha256` is the file's alone."""

_HEAD = ("schema", "campaign", "title", "realm", "spec_sha256", "run", "totals")
_OF_THE_ROW = ("recipe", "shot_ids")


def as_parquet(manifest: Manifest) -> bytes:
    """The renditions in their order, typed as the schema says, each with its take's columns.

    A take's `take_cost_usd` stands in each row that was cut from it: sum it over distinct `recipe`.
    A description stands at every column; the manifest's head is the file's metadata `shotlist`, as
    JSON. Equal manifests give equal bytes as long as pyarrow stays the same version.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = cast("Sequence[Mapping[str, object]]", manifest["renditions"])
    takes = cast("Sequence[Mapping[str, object]]", manifest["takes"])
    number = {take["recipe"]: at for at, take in enumerate(takes)}
    of_row = pa.array([number[row["recipe"]] for row in rows], pa.int32())
    fields: list[pa.Field] = []
    arrays: list[pa.Array] = []
    for name, rule in columns("rendition").items():
        fields.append(_field(name, rule))
        arrays.append(_array([row[name] for row in rows], fields[-1].type))
    for name, rule in columns("take").items():
        if name not in _OF_THE_ROW:
            fields.append(_field(f"{TAKE}{name}", rule))
            arrays.append(_array([take[name] for take in takes], fields[-1].type).take(of_row))
    head = {name: value for name, value in manifest.items() if name in _HEAD}
    metadata = {"shotlist": json.dumps(head)}
    sink = io.BytesIO()
    pq.write_table(
        pa.table(arrays, schema=pa.schema(fields, metadata=metadata)), sink, compression="zstd"
    )
    return sink.getvalue()


def _field(name: str, rule: Rule) -> pa.Field:
    import pyarrow as pa

    said = {"description": rule["description"]} if "description" in rule else None
    return pa.field(name, _type(rule), nullable=_may_be_null(rule), metadata=said)


def _type(rule: Rule) -> pa.DataType:
    """The Arrow type of a rule: of one JSON type beside null; a choice is among texts."""
    import pyarrow as pa

    said = rule.get("type", "string")
    names = [said] if isinstance(said, str) else cast("list[str]", said)
    [name] = [one for one in names if one != "null"]
    if name == "array":
        return pa.list_(_type(cast("Rule", rule["items"])))
    if name == "object":
        inside = cast("Mapping[str, Rule]", rule["properties"])
        return pa.struct([(key, _type(one)) for key, one in inside.items()])
    simple = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
    }
    return simple[name]


def _may_be_null(rule: Rule) -> bool:
    return "null" in cast("Sequence[str]", rule.get("type", ())) or None in cast(
        "Sequence[object]", rule.get("enum", ())
    )


def _array(values: Sequence[object], of: pa.DataType) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values, of)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold and UTF-8 cannot
        return pa.array([_whole(value) for value in values], of)


def _whole(value: object) -> object:
    """A value with `?` for each half of a surrogate pair, as in the CSV."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    return value
