"""Putting: what waits is taken by its own run alone, and nothing waits for ever."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from flows.jobs import putting
from flows.jobs.job import Bench, Job
from flows.jobs.make import Made
from flows.nouns.rendition import Manifest, RenditionRow
from flows.storage import Place
from flows.storage.place import staged
from tests.rooms.manifest_factory import manifest, rendition

PATH = "images/MUG/a.jpeg"
FORMER, OURS, THEIRS = b"former", b"ours", b"theirs"
DAY_S = 24 * 3600


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def row(data: bytes) -> RenditionRow:
    return rendition("MUG/a", path=PATH, sha256=sha256(data), bytes=len(data))


def waiting(data: bytes) -> str:
    return staged(PATH, sha256(data))


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """With a published picture: where files are renamed, and where they are copied."""
    url = f"memory://{tmp_path.name}/place" if request.param == "memory" else tmp_path / "place"
    place = Place(str(url))
    place.write(PATH, FORMER)
    return place


def job(place: Place) -> Job:
    """What putting asks of one."""
    former = manifest(row(FORMER))
    campaign = SimpleNamespace(campaign="mugs")
    return cast("Job", SimpleNamespace(place=place, former=former, campaign=campaign))


def bench(tmp_path: Path, *contents: bytes) -> Bench:
    staging = tmp_path / "staging"
    staging.mkdir(exist_ok=True)
    for data in contents:
        (staging / sha256(data)).write_bytes(data)
    return cast("Bench", SimpleNamespace(staging=staging))


def test_a_file_that_takes_anothers_place_waits_and_leaves_nothing_behind(
    place: Place, tmp_path: Path
) -> None:
    done = putting.put(job(place), bench(tmp_path, OURS), [Made(rows=[row(OURS)])])
    assert (done.sent, done.waiting) == (1, ((PATH, sha256(OURS)),))
    assert place.read(PATH) == FORMER
    putting.settle(place, done)
    assert place.read(PATH) == OURS
    putting.clear(place, done)
    assert place.sizes() == {PATH: len(OURS)}


def test_what_another_run_has_waiting_stays(place: Place, tmp_path: Path) -> None:
    work = bench(tmp_path, OURS, THEIRS)
    place.stage("images/BOWL/a.jpeg", b"of a third, before us")
    ours = putting.put(job(place), work, [Made(rows=[row(OURS)])])
    theirs = putting.put(job(place), work, [Made(rows=[row(THEIRS)])])
    putting.settle(place, ours)
    putting.clear(place, ours)
    others = {waiting(THEIRS), staged("images/BOWL/a.jpeg", sha256(b"of a third, before us"))}
    assert place.sizes().keys() == {PATH, *others}
    putting.settle(place, theirs)
    assert place.read(PATH) == THEIRS


def test_what_the_same_run_left_when_it_was_killed_goes(place: Place, tmp_path: Path) -> None:
    work = bench(tmp_path, OURS)
    made = [Made(rows=[row(OURS)])]
    killed = putting.put(job(place), work, made)
    again = putting.put(job(place), work, made)
    assert (again.sent, again.waiting) == (0, killed.waiting)  # it lies there already
    putting.settle(place, again)
    place.stage(PATH, OURS)  # as a store that copies has it where the run is killed now
    last = putting.put(
        cast("Job", SimpleNamespace(**{**vars(job(place)), "former": _names(OURS)})), work, made
    )
    assert (last.sent, last.waiting) == (0, ())
    putting.clear(place, last)
    assert place.sizes() == {PATH: len(OURS)}


def _names(data: bytes) -> Manifest:
    return manifest(row(data))


def test_what_has_waited_for_a_day_goes_and_what_is_younger_stays(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    place.write(PATH, FORMER)
    names = [f"images/{one}.jpeg" for one in ("young", "old")]
    for name in names:
        place.stage(name, b"x")
    young, old = (staged(name, sha256(b"x")) for name in names)
    then = time.time() - DAY_S - 60
    os.utime(tmp_path / "place" / old, (then, then))
    done = putting.put(job(place), bench(tmp_path, FORMER), [Made(rows=[row(FORMER)])])
    assert (done.sent, done.left) == (0, (old,))
    putting.clear(place, done)
    assert place.sizes().keys() == {PATH, young}


def test_what_another_run_put_meanwhile_under_a_name_that_was_new_waits_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(str(tmp_path / "place"))
    fresh = cast("Job", SimpleNamespace(**{**vars(job(place)), "former": None}))
    monkeypatch.setattr(place, "lying", dict)
    place.write(PATH, THEIRS)  # after we looked
    done = putting.put(fresh, bench(tmp_path, OURS), [Made(rows=[row(OURS)])])
    assert place.read(PATH) == THEIRS
    assert done.waiting == ((PATH, sha256(OURS)),)
    putting.settle(place, done)
    assert place.read(PATH) == OURS


def test_what_lies_there_unnamed_is_left_until_it_is_our_turn(place: Place, tmp_path: Path) -> None:
    fresh = cast("Job", SimpleNamespace(**{**vars(job(place)), "former": None}))
    done = putting.put(fresh, bench(tmp_path, OURS), [Made(rows=[row(OURS)])])
    assert place.read(PATH) == FORMER
    assert done.waiting == ((PATH, sha256(OURS)),)


def test_a_store_is_tried_once_whatever_the_number_of_new_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(str(tmp_path / "place"))
    tries: list[int] = []

    def tried() -> bool:
        time.sleep(0.05)
        tries.append(1)
        return True

    assert place.sizes() == {}  # the store is opened
    place.is_local = False
    monkeypatch.setattr(place, "_tried", tried)
    rows = [
        rendition("MUG/a", path=f"images/{one}.jpeg", sha256=sha256(OURS), bytes=len(OURS))
        for one in range(24)
    ]
    fresh = cast("Job", SimpleNamespace(**{**vars(job(place)), "former": None}))
    done = putting.put(fresh, bench(tmp_path, OURS), [Made(rows=rows)])
    assert (done.sent, len(tries)) == (24, 1)
