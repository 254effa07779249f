"""JSON, JSONL, Parquet and inline items: objects to rows, every value as the text it was."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from flows.errors import BadInput, Fault
from flows.read.plain import LIST, visible
from flows.read.tables.table import Row, Table, place, unusable

_SHAPES = 'a list of objects, or {"products": [objects]}'
_HOLDERS = ("products", "items", "records", "data", "results")
_RECORD = frozenset(("model", "pk", "fields"))


class _TwiceError(ValueError):
    """An object names a key twice."""


def json_table(text: str, name: str, *, notes: Sequence[str] = ()) -> Table:
    """Rows of a JSON file that is a list of objects, or holds one under `products` or the like.

    Raises:
        BadInput: it is not JSON (with line and column), or of another shape.

    """
    try:
        found = _loads(text)
    except json.JSONDecodeError as error:
        raise unusable(
            name,
            f"this is not JSON: {error.msg}",
            at=f"{name}: line {error.lineno}, column {error.colno}",
        ) from error
    except (_TwiceError, RecursionError) as error:
        raise unusable(name, _why(error)) from error
    if isinstance(found, dict):
        holder = next((key for key in _HOLDERS if isinstance(found.get(key), list)), None)
        if holder is None:
            keys = ", ".join(list(found)[:6])
            raise unusable(name, f"one JSON object with {keys or 'nothing'}", allowed=_SHAPES)
        found = found[holder]
    if not isinstance(found, list):
        raise unusable(name, f"JSON, but {_kind(found)}", allowed=_SHAPES)
    if found and all(isinstance(one, dict) and set(one) == _RECORD for one in found):
        raise unusable(
            name,
            "database records (model, pk, fields) of several tables, not a list of products",
            allowed=_SHAPES,
            remedy="export the products as CSV or as one object each",
        )
    return objects_table(enumerate(found, start=1), name, kind="json", unit="item", notes=notes)


def json_lines_table(text: str, name: str, *, notes: Sequence[str] = ()) -> Table:
    """Rows of a file with one JSON object a line. Blank lines are dropped.

    Raises:
        BadInput: with every line that is not a JSON object.

    """
    objects: list[tuple[int, object]] = []
    faults: list[Fault] = []
    for number, line in enumerate(re.split("\r\n|\r|\n", text), start=1):
        if not line.strip():
            continue
        try:
            objects.append((number, _loads(line)))
        except json.JSONDecodeError as error:
            at = f"{name}: line {number}, column {error.colno}"
            faults.append(Fault(at, f"this is not JSON: {error.msg}"))
        except (_TwiceError, RecursionError) as error:
            faults.append(Fault(place(name, number), _why(error)))
    if faults:
        raise BadInput(f"{name} cannot be read", faults)
    return objects_table(objects, name, kind="jsonl", unit="line", notes=notes)


def parquet_table(data: bytes, name: str) -> Table:
    """Rows of a Parquet file; whole numbers stay whole, blanks stay blank.

    Raises:
        BadInput: it is not Parquet, or damaged.

    """
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(io.BytesIO(data), dtype_backend="pyarrow")
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise unusable(name, f"this is not readable Parquet: {reason}") from error
    if any(frame.index.names):
        frame = frame.reset_index()
    # astype(object) keeps Python's own numbers; what pandas calls missing is blank.
    plain = frame.astype(object).where(frame.notna(), None)
    records = cast("list[dict[object, object]]", plain.to_dict("records"))
    named = (
        (number, {str(key): value for key, value in record.items()})
        for number, record in enumerate(records, start=1)
    )
    return objects_table(
        named, name, kind="parquet", unit="row", columns=[str(column) for column in frame.columns]
    )


def objects_table(
    objects: Iterable[tuple[int, object]],
    name: str,
    *,
    kind: str,
    unit: str,
    columns: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Table:
    """Rows of numbered objects; their columns are all keys in the order of first sight.

    Raises:
        BadInput: something else than an object among them, or none at all.

    """
    order = dict.fromkeys(columns)
    flat: list[tuple[int, dict[str, str]]] = []
    faults: list[Fault] = []
    for number, one in objects:
        if not isinstance(one, dict):
            at = place(name, number, unit=unit)
            faults.append(Fault(at, f"{_kind(one)} instead of an object", allowed=_SHAPES))
            continue
        cells: dict[str, str] = {}
        _flatten("", one, cells)
        order.update(dict.fromkeys(cells))
        flat.append((number, cells))
    if faults:
        raise BadInput(f"{name} cannot be read", faults)
    if not flat:
        raise unusable(name, "there is no product in it (0 products)", allowed=_SHAPES)
    return Table(
        name=name,
        kind=kind,
        columns=tuple(visible(column).strip() for column in order),
        rows=[
            Row(number, [cells.get(column, "") for column in order])
            for number, cells in flat
            if any(map(str.strip, cells.values()))
        ],
        notes=list(notes),
        unit=unit,
    )


def _loads(text: str) -> object:
    # Numbers stay the text they were: 24.90 is not 24.9, and 1e400 is not infinite.
    return json.loads(
        text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once
    )


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(f"an object names the key '{key}' twice")
        found[key] = value
    return found


def _why(error: Exception) -> str:
    return "the JSON is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _flatten(prefix: str, found: Mapping[str, object], cells: dict[str, str]) -> None:
    for key, value in found.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            _flatten(f"{name}.", value, cells)
        else:
            cells[name] = _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple) or (hasattr(value, "tolist") and hasattr(value, "__len__")):
        return LIST.join(filter(None, map(_of_list, cast("Sequence[object]", value))))
    return str(value)


def _of_list(value: object) -> str:
    """A list's member: an image object stands for its address, another object stays JSON."""
    if isinstance(value, Mapping):
        for key in ("url", "src", "href", "link"):
            if isinstance(value.get(key), str):
                return str(value[key])
        return json.dumps(value, ensure_ascii=False, default=str)
    return _text(value)


def _kind(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case _:
            return f"the value {str(value)[:30]!r}"
