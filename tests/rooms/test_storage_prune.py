"""Pruning: what no manifest names goes, what a run may be writing stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import publish
from flows.errors import EnvironmentFault
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


def test_what_a_run_that_may_be_at_work_wrote_is_left_alone(
    request_there: Request, place: Place, tmp_path: Path
) -> None:
    with open_ledger(f"sqlite:///{tmp_path / '.shotlist' / 'ledger.db'}") as book:
        book.begin_run(
            "r9", campaign="spring-mugs", realm=Realm.PROOF, spec_sha256="0", destination="x"
        )
    before = place.sizes()
    found = prune(request_there, remove=True)
    assert found.files == ()
    said = "the latest run has not ended, or was killed less than a day ago"
    assert found.notes == (f"3 younger files are left alone: {said}",)
    assert place.sizes() == before


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
    with open_ledger(f"sqlite:///{tmp_path / '.shotlist' / 'ledger.db'}") as book:
        book.begin_run(
            lying["run"]["id"],
            campaign="spring-mugs",
            realm=Realm.PROOF,
            spec_sha256="0",
            destination="x",
        )
    found = prune(request_there, remove=True)
    assert ({one.path for one in found.files}, found.notes) == (set(STRAYS), ())
