from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flows.publish.schema import columns
from flows.publish.table import as_parquet
from tests.rooms.manifest_factory import manifest, rendition, take

WHOLE = manifest(
    rendition("mug-01/a"),
    rendition("mug-01/a", "9x16", tags=[], url=None),
    rendition("mug-01/b", digital_source_type=None, kept=None, notes=["smaller than asked for"]),
    takes=[take("mug-01/a"), take("mug-01/b", cost_usd=None, seed=None, references=[])],
)


def read(data: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(data))


def test_each_row_is_a_rendition_and_its_take() -> None:
    rows = read(as_parquet(WHOLE)).to_pylist()

    by_recipe = {one["recipe"]: one for one in WHOLE["takes"]}
    expected: list[dict[str, Any]] = []
    for row in WHOLE["renditions"]:
        of_take = by_recipe[row["recipe"]]
        expected.append(
            {
                **row,
                **{
                    f"take_{name}": value
                    for name, value in of_take.items()
                    if name not in {"recipe", "shot_ids"}
                },
            }
        )
    assert rows == expected


def test_types_nulls_and_descriptions_are_those_of_the_schema() -> None:
    schema = pq.read_schema(io.BytesIO(as_parquet(WHOLE)))

    reference = pa.struct([("role", pa.string()), ("from", pa.string()), ("sha256", pa.string())])
    some = ["path", "url", "bytes", "tags", "stale", "kept", "format", "take_cost_usd"]
    assert {name: schema.field(name).type for name in [*some, "take_references"]} == {
        "path": pa.string(),
        "url": pa.string(),
        "bytes": pa.int64(),
        "tags": pa.list_(pa.string()),
        "stale": pa.bool_(),
        "kept": pa.float64(),
        "format": pa.string(),
        "take_cost_usd": pa.float64(),
        "take_references": pa.list_(reference),
    }
    assert [name for name in some if schema.field(name).nullable] == [
        "url",
        "kept",
        "take_cost_usd",
    ]
    assert schema.field("digital_source_type").nullable
    said = columns("rendition")["path"]["description"]
    assert schema.field("path").metadata == {b"description": str(said).encode()}


def test_the_files_metadata_hold_the_head_of_the_manifest() -> None:
    metadata = pq.read_schema(io.BytesIO(as_parquet(WHOLE))).metadata
    assert json.loads(metadata[b"shotlist"]) == {
        name: WHOLE[name]  # type: ignore[literal-required]
        for name in ("schema", "campaign", "title", "realm", "spec_sha256", "run", "totals")
    }


def test_pandas_sums_what_was_paid_over_distinct_recipes() -> None:
    frame = pd.read_parquet(io.BytesIO(as_parquet(WHOLE)))
    assert frame["take_cost_usd"].isna().tolist() == [False, False, True]
    assert frame.drop_duplicates("recipe")["take_cost_usd"].sum() == 0.03
    assert frame.groupby("variant")["bytes"].sum().to_dict() == {"a": 364_688, "b": 182_344}


def test_equal_manifests_give_equal_bytes() -> None:
    assert as_parquet(WHOLE) == as_parquet(json.loads(json.dumps(WHOLE)))


def test_a_manifest_without_renditions_is_a_table_without_rows() -> None:
    table = read(as_parquet(manifest()))
    assert (table.num_rows, table.column_names) == (0, read(as_parquet(WHOLE)).column_names)


def test_half_a_surrogate_pair_is_a_question_mark() -> None:
    odd = manifest(rendition("mug-01/a", prompt="half a smile: \ud83d", tags=["\udc00", "b"]))
    [row] = read(as_parquet(odd)).to_pylist()
    assert (row["prompt"], row["tags"]) == ("half a smile: ?", ["?", "b"])
