from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run_command
from flows.nouns.rendition import Manifest, RenditionRow
from flows.publish.diff import Change, Difference, Money, Single, difference
from flows.publish.manifest import as_json
from tests.rooms.manifest_factory import digest, failure, manifest, rendition, take

NOTHING = Difference(
    head={},
    added=[],
    removed=[],
    changed=[],
    unchanged=0,
    takes_added=[],
    takes_removed=[],
    takes_changed=[],
    failures_added=[],
    failures_removed=[],
    paid=(Money(0.0, 0), Money(0.0, 0)),
    paid_for_new=Money(0.0, 0),
)
A, B = rendition("mug-01/a"), rendition("mug-01/b")

PROMPT = 'the prompt changed: "A picture of mug-01" -> "Another"'


def whys(one: Manifest, other: Manifest) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Path to kind and reasons."""
    found = difference(one, other)
    return {change.new["path"]: (change.kind, change.why) for change in found.changed}


def changed(row: RenditionRow, **changes: Any) -> RenditionRow:
    return RenditionRow(**{**row, **changes})


def test_a_manifest_does_not_differ_from_itself() -> None:
    whole = manifest(A, B, failures=[failure("mug-02/a")])
    found = difference(whole, json.loads(as_json(whole)))
    assert found.is_same
    assert found.document() == {
        "schema": "shotlist/diff/1",
        "is_same": True,
        "head": {},
        "renditions": {
            "added": [],
            "removed": [],
            "replaced": [],
            "moved": [],
            "described": [],
            "unchanged": 2,
        },
        "takes": {"added": [], "removed": [], "changed": []},
        "failures": {"added": [], "removed": []},
        "cost_usd": {
            "before": {"usd": 0.06, "takes_of_unknown_cost": 0},
            "after": {"usd": 0.06, "takes_of_unknown_cost": 0},
            "of_new_takes": {"usd": 0.0, "takes_of_unknown_cost": 0},
        },
    }


def test_what_differs_between_equal_runs_is_no_change() -> None:
    again = manifest(
        A, B, takes=[take("mug-01/a", host_task_id="job-9", created_at="later"), take("mug-01/b")]
    )
    again["run"]["id"] = "r2"
    assert difference(manifest(A, B), again).is_same


def test_a_changed_spec_that_changes_nothing_published_is_told_and_no_difference() -> None:
    found = difference(manifest(A), manifest(A, spec_sha256=digest("other")))
    assert found.is_same
    assert found.head == {"spec_sha256": (digest("spec"), digest("other"))}


def test_another_campaign_or_realm_is_a_difference() -> None:
    found = difference(manifest(A), manifest(A, campaign="cups", realm="proof"))
    assert not found.is_same
    assert found.head == {"campaign": ("spring-mugs", "cups"), "realm": ("live", "proof")}


def test_added_and_removed_files_are_told_with_the_axis_that_came_or_left() -> None:
    old = manifest(
        A, B, rendition("mug-02/a"), rendition("mug-01/a", "9x16"), failures=[failure("mug-03/a")]
    )
    webp, third = rendition("mug-01/a", format="webp"), rendition("mug-03/a")
    de, new = rendition("mug-01/a", locale="de"), rendition("mug-04/a")
    found = difference(old, manifest(A, webp, third, de, new, failures=[failure("mug-01/b")]))

    assert found.added == [
        Single(webp, "the format is new"),
        Single(third, "its shot had failed: the host refused the prompt"),
        Single(de, "the locale is new"),
        Single(new, "the product is new"),
    ]
    assert found.removed == [
        Single(B, "its shot failed: the host refused the prompt"),
        Single(rendition("mug-02/a"), "its product is not chosen any more"),
        Single(rendition("mug-01/a", "9x16"), "the output is gone"),
    ]
    assert (found.changed, found.unchanged) == ([], 1)
    assert found.failures_added == [failure("mug-01/b")]
    assert found.failures_removed == [failure("mug-03/a")]
    assert [one["shot_ids"] for one in found.takes_added] == [["mug-03/a"], ["mug-04/a"]]
    assert [one["shot_ids"] for one in found.takes_removed] == [["mug-01/b"], ["mug-02/a"]]
    assert found.paid == (Money(0.09, 0), Money(0.09, 0))
    assert found.paid_for_new == Money(0.06, 0)


def test_a_new_cell_of_known_axes_is_a_new_combination() -> None:
    old = manifest(rendition("mug-01/a"), rendition("mug-02/b"))
    [one] = difference(old, manifest(*old["renditions"], rendition("mug-02/a"))).added
    assert one.why == "the combination is new"


NEW_RECIPE = changed(A, recipe=digest("other recipe"), sha256=digest("other file"))


@pytest.mark.parametrize(
    ("row", "of_take", "why"),
    [
        ({"prompt": "Another"}, {}, (PROMPT,)),
        ({"take": 2}, {"seed": 9}, ("take 2 instead of take 1",)),
        ({}, {"seed": 9}, ("the seed changed",)),
        ({}, {"model": "proof"}, ("the model is proof instead of seedream-4",)),
        (
            {},
            {"references": [{"role": "product", "from": "mug.jpg", "sha256": digest("other mug")}]},
            ("the product reference changed",),
        ),
        (
            {"prompt": "Another"},
            {"references": [{"role": "style", "from": "style.jpg", "sha256": digest("style")}]},
            (PROMPT, "the style reference is new", "the product reference is gone"),
        ),
        ({}, {}, ("the recipe changed: shape, resolution or a setting of the model",)),
        (
            {"prompt": "Another", "width": 800, "alt": "Other"},
            {},
            (PROMPT, "the size changed", "alt changed"),
        ),
    ],
)
def test_a_file_of_another_recipe_is_replaced_and_says_what_in_the_recipe_changed(
    row: dict[str, Any], of_take: dict[str, Any], why: tuple[str, ...]
) -> None:
    new = changed(NEW_RECIPE, **row)
    other = take("mug-01/a", recipe=new["recipe"], sha256=digest("other take"), **of_take)
    assert whys(manifest(A), manifest(new, takes=[other])) == {A["path"]: ("replaced", why)}


@pytest.mark.parametrize(
    ("row", "of_take", "why"),
    [
        ({}, {"sha256": digest("t2"), "provider": "fal"}, "its take was made again, at fal"),
        ({"height": 1000}, {}, "the size changed"),
        ({"alt": "Other", "tags": ["x"]}, {}, "alt and tags changed"),
        ({"digital_source_type": None}, {}, "the source type changed"),
        ({}, {}, "it was finished otherwise (quality, cut, overlays, rights, version)"),
    ],
)
def test_a_file_of_the_same_recipe_is_replaced_and_says_whether_take_or_finish_changed(
    row: dict[str, Any], of_take: dict[str, Any], why: str
) -> None:
    new = changed(A, sha256=digest("other file"), made_from=digest("other"), **row)
    other = manifest(new, takes=[take("mug-01/a", **of_take)])
    assert whys(manifest(A), other) == {A["path"]: ("replaced", (why,))}


@pytest.mark.parametrize(
    ("row", "kind", "why"),
    [
        ({"path": "images/new.jpeg", "url": None}, "moved", "the path changed"),
        ({"url": "https://other.example/a"}, "moved", "the public address changed"),
        ({"stale": True}, "described", "its recipe is not wanted any more"),
        ({"alt": "Other", "shot_id": "mug-01/a/9x16"}, "described", "shot_id, alt changed"),
    ],
)
def test_the_same_bytes_elsewhere_are_moved_and_other_words_are_described(
    row: dict[str, Any], kind: str, why: str
) -> None:
    new = changed(A, **row)
    found = difference(manifest(A), manifest(new, takes=[take("mug-01/a")]))
    assert found.changed == [
        Change(
            kind=kind,  # type: ignore[arg-type]
            old=A,
            new=new,
            why=(why,),
            fields={
                name: (A[name], new[name])  # type: ignore[literal-required]
                for name in A
                if name in row
            },
        )
    ]
    assert not found.is_same


def test_a_stale_file_that_is_wanted_again_says_so() -> None:
    stale = manifest(changed(A, stale=True))
    assert whys(stale, manifest(A)) == {A["path"]: ("described", ("it is wanted again",))}


def test_several_takes_of_a_wish_are_held_together_by_their_number_then_by_order() -> None:
    def of(number: int) -> RenditionRow:
        return rendition(
            "mug-01/a",
            take=number,
            path=f"images/{number}.jpeg",
            recipe=digest(f"take {number}"),
            sha256=digest(f"file {number}"),
        )

    found = difference(manifest(of(1), of(2)), manifest(of(2), of(3), of(4)))

    assert found.unchanged == 1
    assert [(one.old["take"], one.new["take"], one.why) for one in found.changed] == [
        (1, 3, ("take 3 instead of take 1",))
    ]
    assert [one.row["take"] for one in found.added] == [4]
    assert found.removed == []
    back = difference(manifest(of(2), of(3), of(4)), manifest(of(2)))
    assert ([one.row["take"] for one in back.removed], back.unchanged) == ([3, 4], 1)


def test_a_cost_that_became_known_is_a_changed_take_and_unknown_ones_are_counted() -> None:
    old = manifest(A, B, takes=[take("mug-01/a", cost_usd=None), take("mug-01/b", cost_usd=None)])
    new = manifest(A, B, takes=[take("mug-01/a", cost_usd=0.1), take("mug-01/b", cost_usd=None)])
    found = difference(old, new)
    assert found.paid == (Money(0.0, 2), Money(0.1, 1))
    assert found.paid_for_new == Money(0.0, 0)
    assert [fields for _, _, fields in found.takes_changed] == [{"cost_usd": (None, 0.1)}]


def write(folder: Path, one: Manifest) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(as_json(one))
    return str(folder)


def test_the_command_tells_a_person_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = changed(NEW_RECIPE, prompt="Another")
    others = [rendition(f"mug-{number}/a") for number in range(2, 24)]
    old = write(tmp_path / "old", manifest(A, B, failures=[failure("mug-05/a")]))
    later = write(tmp_path / "new", manifest(new, *others, failures=[failure("mug-01/b")]))

    assert run_command(["diff", old, f"{later}/manifest.json"]) == 0

    lines = capsys.readouterr().out.splitlines()
    run = "spring-mugs, live, run r1 of 2026-11-20T10:01:00+00:00"
    assert lines[:4] == [
        f"--- {old}: {run}, 2 files",
        f"+++ {later}/manifest.json: {run}, 23 files",
        "22 added, 1 removed, 1 replaced, 0 moved, 0 said otherwise, 0 unchanged",
        "  + images/mug-2/a/4x5.jpeg: the product is new",
    ]
    assert lines[23:] == [
        "  … and 2 more (--json)",
        "  - images/mug-01/b/4x5.jpeg: its shot failed: the host refused the prompt",
        '  ~ images/mug-01/a/4x5.jpeg: the prompt changed: "A picture of mug-01" -> "Another"',
        "takes: 23 new, 2 gone, 0 changed",
        "paid for all that is named: $0.69, before $0.06; for new takes: $0.69",
        "failures: 1 new, 1 gone",
        "  ! mug-01/b: the host refused the prompt",
    ]


def test_the_command_gives_one_json_document_and_an_exit_code_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write(tmp_path / "old", manifest(A))
    new = write(tmp_path / "new", manifest(A, B))

    assert run_command(["diff", old, new, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["old"] == {
        "place": old,
        "campaign": "spring-mugs",
        "realm": "live",
        "run": "r1",
        "ended_at": "2026-11-20T10:01:00+00:00",
        "renditions": 1,
    }
    assert said["renditions"]["added"] == [{"why": "the variant is new", "row": B}]
    assert run_command(["diff", old, new, "--exit-code"]) == 1
    assert run_command(["diff", old, f"file://{old}", "--exit-code"]) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("a,b\n1,2\n", "is not whole JSON"),
        ('{"schema": "shotlist/manifest/1"}', "is not a true manifest: it has no 'campaign'"),
    ],
)
def test_what_is_no_manifest_is_named_with_what_is_wanted(
    text: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write(tmp_path / "old", manifest(A))
    other = tmp_path / "other.json"
    if text is not None:
        other.write_text(text)
    assert run_command(["diff", old, str(other)]) == 2
    said = capsys.readouterr()
    assert (said.out, "Traceback" in said.err) == ("", False)
    assert str(other) in said.err
    assert words in said.err


def test_a_manifest_is_found_in_a_storage_by_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import fsspec

    files = fsspec.filesystem("memory")
    files.pipe_file("/held-beside/mugs/manifest.json", as_json(manifest(A)))
    old = write(tmp_path / "old", manifest(A))
    try:
        assert run_command(["diff", old, "memory://held-beside/mugs/", "--exit-code"]) == 0
        assert run_command(["diff", old, "memory://held-beside/cups"]) == 2
    finally:
        files.rm("/held-beside", recursive=True)
    said = capsys.readouterr()
    assert said.out.splitlines()[2:] == ["nothing that is published changed: 1 file"]
    assert "memory://held-beside/cups/manifest.json: no such file" in said.err


def test_a_private_address_is_not_asked_and_the_error_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write(tmp_path / "old", manifest(A))
    assert run_command(["diff", old, "http://127.0.0.1:9/mugs"]) == 2
    assert "fetch it yourself and name the file" in capsys.readouterr().err
