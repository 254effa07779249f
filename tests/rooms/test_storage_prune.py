"""Pruning: what no manifest names goes, what a run may be writing stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import publish
from flows.errors import EnvironmentFault
from flows.jobs import pruning
from flows.jobs.job import Request
from flows.jobs.pruning import prune
from flows.ledger import open_ledger
from flows.nouns.take import Realm
from flows.storage import Place
from tests.rooms.manifest_factory import manifest, rendition

SPEC = """\
campaign: spring-mugs
products: {items: [{sku: MUG, title: Mug}]}
prompt_text: "{{ product.title }}"
aspect_ratios: ["4:5"]
"""
STRAYS = {
    ".incoming/0123": "left by a run that did not end",
    "images/.0123456789abcdef.part": "left by a run that did not end",
    "images/OLD/4x5.jpeg": "no manifest names it",
}


@pytest.fixture
def request_there(tmp_path: Path) -> Request:
    (tmp_path / "campaigns").mkdir()
    spec = tmp_path / "campaigns" / "mugs.yaml"
    spec.write_text(SPEC, "utf-8")
    return Request(spec=str(spec))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(str(tmp_path / "outputs" / "spring-mugs"))
    first = manifest(rendition("MUG/a"))
    place.write(first["renditions"][0]["path"], b"x")
    publish.commit(place, first)
    for path in [*STRAYS, "notes.txt"]:
        place.write(path, b"stray")
    return place


def test_strays_are_listed_with_why_and_removed_only_when_asked(
    request_there: Request, place: Place
) -> None:
    before = place.sizes()
    listed = prune(request_there, remove=False)
    assert {one.path: one.why for one in listed.files} == STRAYS
    assert (listed.bytes, listed.removed, listed.notes) == (15, False, ())
    assert place.sizes() == before
    assert prune(request_there, remove=True).files == listed.files
    assert place.sizes() == {path: n for path, n in before.items() if path not in STRAYS}
    assert prune(request_there, remove=True).files == ()


def begin(root: Path, run: str, destination: str) -> None:
    with open_ledger(ledger(root)) as book:
        book.begin_run(
            run,
            campaign="spring-mugs",
            realm=Realm.PROOF,
            spec_sha256="0",
            destination=destination,
        )


def end(root: Path, run: str) -> None:
    with open_ledger(ledger(root)) as book:
        book.end_run(run, "ended")


def ledger(root: Path) -> str:
    return f"sqlite:///{root / '.shotlist' / 'ledger.db'}"


def test_while_a_run_may_be_at_work_there_nothing_goes_however_old(
    request_there: Request, place: Place, tmp_path: Path
) -> None:
    for path in STRAYS:
        os.utime(tmp_path / "outputs" / "spring-mugs" / path, (0, 0))
    begin(tmp_path, "r8", f"{place.shown}/../spring-mugs")
    begin(tmp_path, "r9", "s3://elsewhere/mugs")
    end(tmp_path, "r9")
    before = place.sizes()
    found = prune(request_there, remove=True)
    assert (found.files, len(found.notes)) == ((), 1)
    assert found.notes[0].startswith("3 files are left alone: run r8, begun at 2")
    assert place.sizes() == before
    place.remove(".incoming/0123")
    place.remove("images/OLD/4x5.jpeg")
    assert prune(request_there, remove=True).notes[0].startswith("1 file is left alone: run r8, ")
    end(tmp_path, "r8")
    assert len(prune(request_there, remove=True).files) == 1


def test_a_run_that_is_at_work_elsewhere_holds_nothing_here(
    request_there: Request, place: Place, tmp_path: Path
) -> None:
    begin(tmp_path, "r9", "s3://elsewhere/mugs")
    found = prune(request_there, remove=True)
    assert ({one.path for one in found.files}, found.notes) == (set(STRAYS), ())


def test_a_killed_run_holds_nothing_once_another_has_published_there(
    request_there: Request, place: Place, tmp_path: Path
) -> None:
    begin(tmp_path, "r8", place.shown)
    begin(tmp_path, "r9", place.shown)
    end(tmp_path, "r9")
    assert prune(request_there, remove=False).files == ()
    later = manifest(rendition("MUG/a"))
    now = datetime.now(UTC).isoformat()
    later["run"] = {**later["run"], "id": "r9", "started_at": now, "ended_at": now}
    publish.commit(place, later)
    found = prune(request_there, remove=True)
    assert ({one.path for one in found.files}, found.notes) == (set(STRAYS), ())


def test_what_is_left_when_a_run_begins_stays(
    request_there: Request, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "REMOVED_AT_A_TIME", 1)
    removed: list[str] = []

    def remove(self: Place, path: str) -> None:
        removed.append(path)
        begin(tmp_path, "r9", place.shown)

    monkeypatch.setattr(Place, "remove", remove)
    found = prune(request_there, remove=True)
    assert removed == [one.path for one in found.files] == [".incoming/0123"]
    assert found.notes == ("2 files are left alone: a run has begun there",)


def test_addresses_of_one_place_are_one() -> None:
    told = ("gcs://b/x/", "gs://b/x", "s3a://b/x", "s3://b/x", "sftp://h/x", "memory://h/x")
    assert [pruning._same(one) for one in told] == [
        "gs://b/x",
        "gs://b/x",
        "s3://b/x",
        "s3://b/x",
        "sftp://h/x",
        "memory://h/x",
    ]


def test_without_a_manifest_nothing_is_removed(request_there: Request, place: Place) -> None:
    place.remove("manifest.json")
    with pytest.raises(EnvironmentFault, match="nothing is removed"):
        prune(request_there, remove=True)


BESIDE = {"adcp.json", "feeds/merchant.tsv", "variants/assignments.csv"}
WITH_ALL = f"""\
{SPEC}variants: [{{id: a}}, {{id: b}}]
publish:
  public_url: https://cdn.acme.example/mugs
  adcp: true
  feeds: [{{name: merchant, column: additional_image_link}}]
"""


def test_what_a_campaign_handed_over_goes_once_it_asks_for_it_no_more(
    request_there: Request, place: Place
) -> None:
    for path in [*BESIDE, "variants/old.csv"]:
        place.write(path, b"stray")
    Path(request_there.spec).write_text(WITH_ALL, "utf-8")
    wanted = prune(request_there, remove=False)
    assert {one.path: one.why for one in wanted.files} == {
        **STRAYS,
        "variants/old.csv": "the campaign asks for no such table",
    }
    Path(request_there.spec).write_text(SPEC, "utf-8")
    now = prune(request_there, remove=True)
    assert {one.path: one.why for one in now.files} == {
        **STRAYS,
        "adcp.json": "the campaign asks for no such export",
        "feeds/merchant.tsv": "the campaign asks for no such feed",
        "variants/assignments.csv": "the campaign asks for no such table",
        "variants/old.csv": "the campaign asks for no such table",
    }
    assert place.sizes().keys().isdisjoint(BESIDE)


def test_the_run_that_wrote_the_manifest_writes_nothing_more_even_if_it_was_killed(
    request_there: Request, place: Place, tmp_path: Path
) -> None:
    lying = publish.former(place)
    assert lying is not None
    begin(tmp_path, lying["run"]["id"], place.shown)
    found = prune(request_there, remove=True)
    assert ({one.path for one in found.files}, found.notes) == (set(STRAYS), ())
