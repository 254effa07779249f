from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.cli.schema import schema as schema_command
from flows.publish import schema
from flows.publish.manifest import as_json, check, from_json
from flows.publish.schema import faults, manifest_schema
from tests.rooms.manifest_factory import failure, manifest, rendition, take

WHOLE = manifest(
    rendition("mug-01/a"),
    rendition("mug-01/b", tags=[], url=None, digital_source_type=None),
    failures=[failure("mug-02/a", provider=None, billed=None)],
)
VALIDATOR = jsonschema.Draft202012Validator(dict(manifest_schema()))


def places(value: object, trail: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value in a document."""
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    below = [place for key, one in inside for place in places(one, (*trail, key))]
    return [*([trail] if trail else []), *below]


ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, False, 0, -1, 3, 2.0, 0.5, "", "x", "images/a", "0" * 64, [], ["x"], [3], {}, [{}]]
)


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(places(WHOLE)), odd=ODD, is_taken_away=st.booleans())
def test_its_verdict_is_that_of_the_jsonschema_library(
    place: tuple[str | int, ...], odd: object, *, is_taken_away: bool
) -> None:
    changed: Any = copy.deepcopy(WHOLE)
    *way, last = place
    holder = changed
    for step in way:
        holder = holder[step]
    if is_taken_away:
        del holder[last]
    else:
        holder[last] = odd

    assert (faults(changed) == []) == VALIDATOR.is_valid(changed)


def test_the_schema_is_a_valid_schema_and_a_whole_manifest_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(dict(manifest_schema()))
    assert faults(WHOLE) == []
    VALIDATOR.validate(WHOLE)


def test_every_field_of_the_schema_is_described() -> None:
    fields: dict[str, Any] = dict(manifest_schema()["properties"])  # type: ignore[call-overload]
    for part in ("rendition", "take", "failure", "run", "totals"):
        fields |= {f"{part}.{name}": rule for name, rule in schema.columns(part).items()}
    assert [name for name, rule in fields.items() if not rule.get("description")] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bytes": "many"}, "renditions row 2: 'bytes' is \"many\", not integer"),
        ({"bytes": -1}, "renditions row 2: 'bytes' is -1, less than 0"),
        ({"width": True}, "renditions row 2: 'width' is true, not integer"),
        ({"kept": float("nan")}, "renditions row 2: 'kept' is NaN, not number or null"),
        (
            {"format": "gif"},
            "renditions row 2: 'format' is \"gif\", none of jpeg, png, webp, avif, tiff",
        ),
        (
            {"sha256": "ABC"},
            "renditions row 2: 'sha256' is \"ABC\", which is no sha256 in hexadecimal digits",
        ),
        (
            {"path": "etc/x"},
            "renditions row 2: 'path' is \"etc/x\", which does not lie below images/",
        ),
        ({"tags": ["a", 5]}, "renditions row 2: 'tags' item 2 is 5, not string"),
        (
            {"prompt": ["x"] * 99},
            f"renditions row 2: 'prompt' is {json.dumps(['x'] * 99)[:79]}…, not string",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_row_and_what_is_allowed(
    changes: dict[str, Any], words: str
) -> None:
    wrong = manifest(rendition("mug-01/a"), rendition("mug-01/b", **changes))
    assert check(wrong) == [words]


def test_what_is_wrong_outside_of_the_rows_is_told_too() -> None:
    wrong: Any = copy.deepcopy(WHOLE)
    wrong["campaign"] = "Spring Mugs"
    wrong["realm"] = None
    wrong["run"]["bought"] = 0.5
    wrong["run"]["skipped_rows"].append({"place": 3})
    wrong["takes"][1]["references"][0]["role"] = None
    del wrong["totals"]["parked"]
    del wrong["failures"]
    no_id = "which is no id of a campaign (a-z, 0-9 and single dashes between them)"
    assert sorted(faults(wrong)) == sorted(
        [
            "it has no 'failures'",
            f'campaign is "Spring Mugs", {no_id}',
            "realm is null, none of live, proof, sandbox",
            "run: 'bought' is 0.5, not integer",
            "run: 'skipped_rows' item 2 'place' is 3, not string",
            "takes row 2: 'references' item 1 'role' is null, not string",
            "totals has no 'parked'",
        ]
    )


def test_what_is_not_an_object_at_all_is_told() -> None:
    assert faults([]) == ["it is [], not object"]
    assert faults({**WHOLE, "takes": {}}) == ["takes is {}, not array"]


def test_the_first_of_many_wrong_rows_is_found_wherever_it_lies() -> None:
    rows = [rendition(f"mug-{number}/a") for number in range(4500)]
    rows[4321]["height"] = 0
    rows[4400]["height"] = 0
    wrong = manifest(*rows)
    assert check(wrong) == ["renditions row 4322: 'height' is 0, less than 1"]


def test_a_kind_of_text_or_number_counts_as_what_json_makes_of_it() -> None:
    class Text(str):
        __slots__ = ()

    class Share(float):
        __slots__ = ()

    row = rendition("mug-01/a", prompt=Text("x"), kept=Share(0.5))
    assert check(manifest(row)) == []


def test_a_word_of_json_schema_without_words_of_ours_is_told_in_the_librarys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rule: Any = copy.deepcopy(dict(manifest_schema()))
    rule["properties"]["title"]["maxLength"] = 3
    monkeypatch.setattr(schema, "manifest_schema", lambda: rule)
    schema._validator.cache_clear()
    try:
        assert faults({**WHOLE, "title": "Mugs"}) == ['title "Mugs" is longer than 3 characters']
    finally:
        schema._validator.cache_clear()


def test_of_a_column_that_is_wrong_in_every_row_the_first_is_told() -> None:
    rows = [rendition(f"mug-{number}/a", bytes=-1, width=0) for number in range(3000)]
    assert check(manifest(*rows)) == [
        "renditions row 1: 'bytes' is -1, less than 0",
        "renditions row 1: 'width' is 0, less than 1",
    ]


def test_each_field_that_some_row_lacks_is_told_once() -> None:
    rows: list[Any] = [rendition(f"mug-{number}/a") for number in range(4)]
    del rows[1]["alt"], rows[2]["alt"], rows[2]["url"]
    assert check(manifest(*rows)) == [
        "renditions row 2 has no 'alt'",
        "renditions row 3 has no 'url'",
    ]


def test_a_manifest_is_read_back_from_its_bytes() -> None:
    assert from_json(as_json(WHOLE)) == WHOLE
    with pytest.raises(ValueError, match="is not a true manifest: takes row 1: 'width' is 0"):
        from_json(as_json(manifest(rendition("a/a"), takes=[take("a/a", width=0)])))


def test_the_command_prints_the_schema_of_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema_command(manifest=True) == 0
    assert json.loads(capsys.readouterr().out) == manifest_schema()
