from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest

from flows.errors import EnvironmentFault
from flows.nouns.rendition import (
    MANIFEST_SCHEMA,
    FailureRow,
    Manifest,
    RenditionRow,
    RunRow,
    TakeRow,
    Totals,
)
from flows.publish import News, commit, former, lying, merge
from flows.publish.lying import lying_run
from flows.publish.manifest import as_csv, as_json, check
from flows.storage import Place
from tests.rooms import manifest_factory
from tests.rooms.manifest_factory import digest


def rendition(shot_id: str, recipe: str = "first", **changes: Any) -> RenditionRow:
    """The one file of a shot, from the recipe that is made of this word."""
    plain = {
        "path": f"images/{shot_id}.jpeg",
        "url": None,
        "sha256": digest(shot_id + recipe),
        "variant": "",
        "recipe": digest(recipe + shot_id),
    }
    return manifest_factory.rendition(shot_id, **{**plain, **changes})


def take(shot_id: str, recipe: str = "first") -> TakeRow:
    return manifest_factory.take(shot_id, recipe=digest(recipe + shot_id))


def failure(shot_id: str, stage: str = "shoot") -> FailureRow:
    return manifest_factory.failure(shot_id, stage=stage)


RUN = manifest_factory.run()


def news(
    wanted: dict[str, str],
    rows: Sequence[RenditionRow],
    *,
    failures: Sequence[FailureRow] = (),
    **changes: Any,
) -> News:
    """`wanted` is shot id to the word that its recipe is made of; all of `rows` were made."""
    said: dict[str, Any] = {
        "campaign": "mugs",
        "title": "Mugs",
        "realm": "proof",
        "spec_sha256": digest("spec"),
        "run": RUN,
        "wanted": {shot_id: [digest(word + shot_id)] for shot_id, word in wanted.items()},
        "made": {row["shot_id"] for row in rows},
        "renditions": rows,
        "takes": [take(shot_id, wanted[shot_id]) for shot_id in wanted],
        "failures": failures,
    }
    return News(**{**said, **changes})


def full(*shot_ids: str, **changes: Any) -> Manifest:
    wanted = dict.fromkeys(shot_ids, "first")
    return merge(None, news(wanted, [rendition(shot_id) for shot_id in shot_ids], **changes))


def test_a_first_run_lists_its_renditions_in_the_order_of_the_plan() -> None:
    rows = [rendition("B"), rendition("A")]

    manifest = merge(None, news({"A": "first", "B": "first", "C": "first"}, rows))

    assert manifest == Manifest(
        schema=MANIFEST_SCHEMA,
        campaign="mugs",
        title="Mugs",
        realm="proof",
        spec_sha256=digest("spec"),
        run=RUN,
        renditions=[rendition("A"), rendition("B")],
        takes=[take("A"), take("B")],
        failures=[],
        totals=Totals(shots=3, published=2, failed=0, parked=0),
    )


def test_what_a_run_did_not_make_keeps_its_former_renditions_and_takes() -> None:
    after = merge(full("A", "B"), news({"A": "second", "B": "first"}, [rendition("A", "second")]))

    assert after["renditions"] == [rendition("A", "second"), rendition("B")]
    assert after["takes"] == [take("A", "second"), take("B")]
    assert after["totals"] == Totals(shots=2, published=2, failed=0, parked=0)


def test_a_kept_rendition_whose_recipe_changed_is_stale_until_it_is_wanted_again() -> None:
    stale = merge(full("A", "B"), news({"A": "first", "B": "second"}, [rendition("A")]))
    assert stale["renditions"] == [rendition("A"), rendition("B", stale=True)]
    assert stale["takes"] == [take("A"), take("B")]

    back = merge(stale, news({"A": "first", "B": "first"}, [rendition("A")]))
    assert back["renditions"] == [rendition("A"), rendition("B")]

    kept = merge(stale, news({"A": "first", "B": "first"}, stale["renditions"]))
    assert kept["renditions"] == [rendition("A"), rendition("B")]


def test_what_left_the_catalogue_or_the_spec_is_retired_with_its_take() -> None:
    after = merge(full("A", "B"), news({"B": "first"}, []))

    assert (after["renditions"], after["takes"]) == ([rendition("B")], [take("B")])
    assert after["totals"] == Totals(shots=1, published=1, failed=0, parked=0)


def test_an_output_that_left_the_spec_goes_though_its_shot_was_not_made() -> None:
    webp = rendition("A", path="images/A.webp", format="webp")
    before = merge(None, news({"A": "first"}, [rendition("A"), webp]))

    after = merge(before, news({"A": "second"}, [], outputs={"A": [("4x5", "jpeg")]}))

    assert after["renditions"] == [rendition("A", stale=True)]


def test_a_made_shot_loses_all_its_former_files() -> None:
    webp = rendition("A", path="images/A.webp", format="webp")
    before = merge(None, news({"A": "first"}, [rendition("A"), webp]))

    assert merge(before, news({"A": "first"}, [rendition("A")])) == full("A")


def test_a_former_rendition_whose_path_is_taken_is_not_claimed_any_more() -> None:
    rows = [rendition("B", path="images/a.jpeg")]

    after = merge(full("A"), news({"A": "first", "B": "first"}, rows))

    assert after["renditions"] == rows


def test_failures_stay_until_their_shot_is_made_tried_again_or_retired() -> None:
    shots = {"A": "first", "B": "first", "C": "first", "D": "first"}
    failed = [failure("B"), failure("C", "parked"), failure("D")]
    before = merge(None, news(shots, [rendition("A")], failures=failed))
    assert before["failures"] == failed
    assert before["totals"] == Totals(shots=4, published=1, failed=2, parked=1)

    del shots["D"]
    again = [failure("C", "finish")]
    after = merge(before, news(shots, [], failures=again))
    assert after["failures"] == [failure("B"), failure("C", "finish")]
    assert after["totals"] == Totals(shots=3, published=1, failed=2, parked=0)

    done = merge(after, news(shots, [rendition("B"), rendition("C")]))
    assert done["failures"] == []


def test_shots_that_share_a_take_are_all_told_by_it() -> None:
    shared = rendition("B", recipe="first")
    shared["recipe"] = rendition("A")["recipe"]

    after = merge(None, news({"A": "first", "B": "first"}, [rendition("A"), shared]))

    assert after["takes"] == [TakeRow(**{**take("A"), "shot_ids": ["A", "B"]})]


def test_merging_changes_neither_of_its_sources() -> None:
    before = full("A", "B")
    copy = json.loads(as_json(before))
    merge(before, news({"A": "second", "B": "second"}, []))
    assert before == copy


@pytest.mark.parametrize(
    ("lying", "run", "is_admitted"),
    [
        ("live", "live", True),
        ("live", "proof", False),
        ("live", "sandbox", False),
        ("proof", "live", True),
        ("sandbox", "proof", True),
    ],
)
def test_a_live_manifest_gives_way_to_live_runs_only(
    lying: str, run: str, *, is_admitted: bool, tmp_path: Path
) -> None:
    before = full("A", realm=lying)
    place = Place(str(tmp_path))
    place.write("manifest.json", as_json(before))
    wish = news({"A": "first", "B": "first"}, [rendition("B")], realm=run)
    if is_admitted:
        kept = ["A", "B"] if lying == run else ["B"]
        assert [row["shot_id"] for row in merge(before, wish)["renditions"]] == kept
        assert former(place, campaign="mugs", realm=run) == before
    else:
        with pytest.raises(EnvironmentFault, match="holds a live manifest of mugs"):
            merge(before, wish)
        with pytest.raises(EnvironmentFault, match=r"manifest\.json: holds a live manifest"):
            former(place, campaign="mugs", realm=run)


def test_another_campaigns_manifest_is_not_replaced(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    place.write("manifest.json", as_json(full("A")))
    with pytest.raises(EnvironmentFault, match="manifest of campaign mugs, not of cups"):
        former(place, campaign="cups")
    with pytest.raises(EnvironmentFault, match="manifest of campaign mugs, not of cups"):
        merge(full("A"), news({"A": "first"}, [], campaign="cups"))


def test_a_written_manifest_is_read_back_whole(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    assert former(place) is None
    manifest = full("日本/é", "B")
    manifest["renditions"][1]["prompt"] = "half a smile: \ud83d"

    commit(place, manifest)

    assert former(place) == manifest


def test_nothing_is_committed_that_is_not_true(tmp_path: Path) -> None:
    manifest = full("A")
    manifest["renditions"].append(rendition("A", path="images/../B.jpeg"))
    with pytest.raises(ValueError, match="does not lie below images/"):
        commit(Place(str(tmp_path)), manifest)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path": "elsewhere/A.jpeg"}, "does not lie below images/"),
        ({"path": "images/../A.jpeg"}, "does not lie below images/"),
        ({"path": "images//A.jpeg"}, "does not lie below images/"),
        ({"path": "images\\A.jpeg"}, "does not lie below images/"),
        ({"path": "images/b.JPEG"}, "is both of B and of A"),
        ({"recipe": "0" * 64}, "no take is told of 'images/A.jpeg'"),
    ],
)
def test_what_a_manifest_claims_is_checked(changes: dict[str, Any], words: str) -> None:
    manifest = full("B", "A")
    assert check(manifest) == []
    manifest["renditions"][1] = rendition("A", **changes)
    [fault] = check(manifest)
    assert words in fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not whole JSON"),
        ("[" * 100_000, "is not whole JSON"),
        ("[]", "is not a manifest of this program"),
        ('{"name": "an app", "start_url": "/"}', "is not a manifest of this program"),
        ('{"schema": "shotlist/manifest/2"}', "this version knows shotlist/manifest/1"),
        ('{"schema": "shotlist/manifest/1"}', "it has no 'campaign'"),
        (
            as_json(full("A")).decode().replace('"made_from"', '"mad"'),
            "renditions row 1 has no 'made_from'",
        ),
        (as_json(full("A")).decode().replace("images/A", "/etc/A"), "does not lie below images/"),
    ],
)
def test_a_file_that_is_not_ours_is_named_and_left_alone(
    text: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(EnvironmentFault) as caught:
        former(Place(str(tmp_path)))
    assert str(tmp_path / "manifest.json") in str(caught.value)
    assert words in str(caught.value)
    assert "not overwritten" in str(caught.value)
    assert (tmp_path / "manifest.json").read_text() == text


def test_whose_manifest_lies_there_is_read_off_its_head_without_reading_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, file = Place(str(tmp_path)), tmp_path / "manifest.json"
    assert lying_run(place) is None
    ours = {**full("A"), "title": 'A\n"run": {"id": "no"},\n'}
    file.write_bytes(as_json(cast("Manifest", ours)))
    with monkeypatch.context() as patch:
        patch.setattr(lying, "from_json", None)
        assert lying_run(place) == ours["run"]["id"]
    file.write_text(json.dumps(ours, indent=4))
    assert lying_run(place) == ours["run"]["id"]
    for text in ("[]", '{\n "schema": "shotlist/manifest/1",\n "run": {},\n "renditions": []\n}\n'):
        file.write_text(text)
        with pytest.raises(EnvironmentFault, match="it is not overwritten"):
            lying_run(place)


def test_a_manifest_is_valid_by_its_schema() -> None:
    manifest = merge(
        None,
        news({"A": "first", "B": "first"}, [rendition("A")], failures=[failure("B")]),
    )
    schema = json.loads(
        resources.files("flows.publish").joinpath("manifest.schema.json").read_text()
    )
    validator = jsonschema.Draft202012Validator(schema)

    validator.validate(json.loads(as_json(manifest)))

    manifest["renditions"][0]["path"] = "elsewhere/A.jpeg"
    assert [list(error.path) for error in validator.iter_errors(manifest)] == [
        ["renditions", 0, "path"]
    ]


def test_the_schema_names_what_the_nouns_name() -> None:
    schema = json.loads(
        resources.files("flows.publish").joinpath("manifest.schema.json").read_text()
    )
    forms = {"rendition": RenditionRow, "take": TakeRow, "failure": FailureRow, "run": RunRow}
    for name, form in {**forms, "totals": Totals}.items():
        assert list(schema["$defs"][name]["properties"]) == list(form.__annotations__)
        assert schema["$defs"][name]["required"] == list(form.__annotations__)
    assert list(schema["properties"]) == list(Manifest.__annotations__)


def test_the_table_has_a_row_for_each_rendition_and_opens_in_a_spreadsheet() -> None:
    shot = rendition("MUG/é", tags=["a", "b"], stale=True, prompt="one\ntwo", channel="ch")
    data = as_csv(Manifest(**{**full("A"), "renditions": [shot]}))

    assert data.startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row == {
        **{key: "" if value is None else str(value) for key, value in shot.items()},
        "tags": "a|b",
        "stale": "true",
        "notes": "",
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(1)", "\tx", "＝1"])
def test_no_cell_of_the_table_is_a_formula(text: str) -> None:
    row = rendition("A", product=text, tags=[text, "b"])
    data = as_csv(merge(None, news({"A": "first"}, [row])))
    [cells] = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert (cells["product"], cells["tags"]) == (f"'{text}", f"'{text}|b")
