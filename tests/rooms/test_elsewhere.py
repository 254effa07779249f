"""Makers on other machines: what they are sent, where they lay files, how those come back."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import cloudpickle
import pytest

from flows.campaign.elsewhere import (
    PHOTOS,
    Forwarding,
    Order,
    Parcel,
    at_work,
    packed,
    supplied,
    unpack,
)
from flows.errors import EnvironmentFault
from flows.jobs import Bench, Made, Taken
from flows.jobs.job import Batch, Work
from flows.nouns.reference import Reference
from flows.nouns.take import Realm
from tests.rooms.manifest_factory import rendition
from tests.rooms.plan_factory import campaign, planned, product, reading

FILES = {hashlib.sha256(data).hexdigest(): data for data in (b"one file", b"another", b"")}


def bench(folder: Path, takes_url: str) -> Bench:
    return Bench(
        run="20261121T101010-abcdef",
        started_at="2026-11-21T10:10:10.000Z",
        realm=Realm.PROOF,
        ledger_url="sqlite:///nowhere",
        takes_url=takes_url,
        staging=folder / "staging" / "run",
        campaign=campaign(aspect_ratios=["1:1"]),
    )


def batch(*photos: Reference) -> Taken:
    plan = planned(reading([product()], aspect_ratios=["1:1"]))
    shot = replace(plan.shots[0], references=photos)
    work = Work(shot=shot, paths=("images/A.jpg",))
    return Taken(batch=Batch(name="A", work=(work,)), outcomes={})


def photo(location: str, data: bytes) -> Reference:
    return Reference(
        role="product",
        source="https://shop.example/jug.jpg",
        location=location,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=8,
        height=8,
        format="jpeg",
    )


def made(at: Bench) -> Made:
    """As a maker does it: files in the bench's staging, rows that name them."""
    rows = []
    for sha256, data in FILES.items():
        (at.staging / sha256).write_bytes(data)
        rows.append(rendition("A", sha256=sha256, bytes=len(data)))
    return Made(rows=rows)


def test_files_made_on_another_machine_come_back_whole_and_nothing_stays_there(
    tmp_path: Path,
) -> None:
    asked = bench(tmp_path, f"file://{tmp_path}/takes")
    order = pickle.loads(cloudpickle.dumps(Order(batch(), asked)))
    with at_work(order.bench) as (here, is_gone):
        assert here.staging != asked.staging
        assert replace(here, staging=asked.staging) == asked
        assert is_gone() is False
        parcel = packed(made(here), order.bench, here)
    assert here.staging.exists() is False
    assert asked.staging.exists() is False
    parcel = pickle.loads(pickle.dumps(parcel))
    assert dict(parcel.files) == FILES
    asked.staging.mkdir(parents=True)
    unpack(parcel, asked)
    assert {file.name: file.read_bytes() for file in asked.staging.iterdir()} == FILES


def test_files_made_beside_the_run_stay_where_they_are_until_the_run_leaves(tmp_path: Path) -> None:
    asked = bench(tmp_path, str(tmp_path / "takes"))
    asked.staging.mkdir(parents=True)
    with at_work(asked) as (here, is_gone):
        assert here is asked
        parcel = packed(made(here), asked, here)
        assert supplied(batch(), asked, here) == batch()
        assert is_gone() is False
        assert (parcel.files, len(parcel.made.rows)) == ({}, len(FILES))
        shutil.rmtree(asked.staging)
        assert is_gone() is True


def test_takes_that_lie_on_the_runs_machine_alone_are_told_with_both_ways_out(
    tmp_path: Path,
) -> None:
    asked = bench(tmp_path, "/desk/.shotlist/takes")
    with pytest.raises(EnvironmentFault) as raised, at_work(asked):
        pytest.fail("nothing can be made there")
    assert str(raised.value) == (
        "/desk/.shotlist/takes is not on this machine: set SHOTLIST_TAKES_URL to a store that all "
        "machines reach, or share the workspace's folder with those of the task runner"
    )


def test_photos_travel_beside_the_takes_and_are_read_on_the_other_machine(tmp_path: Path) -> None:
    asked = bench(tmp_path, f"file://{tmp_path}/takes")
    lying = tmp_path / "jug.jpg"
    lying.write_bytes(b"a jug")
    stored = photo("s3://photos/jug.jpg", b"in a store")
    gone, changed = photo(str(tmp_path / "gone.jpg"), b"gone"), photo(str(lying), b"as it was")
    taken = batch(photo(str(lying), b"a jug"), stored, gone, changed)
    forwarding = Forwarding(asked, is_far=True)
    forwarding.lay(taken)
    beside = tmp_path / "takes" / PHOTOS
    assert {file.name: file.read_bytes() for file in beside.iterdir()} == {
        hashlib.sha256(b"a jug").hexdigest(): b"a jug"
    }
    lying.unlink()
    forwarding.lay(taken)  # known by now: the file is not asked for again
    with at_work(asked) as (here, _):
        shot = supplied(taken, asked, here).batch.work[0].shot
        first, *rest = shot.references
        assert Path(first.location).read_bytes() == b"a jug"
        assert replace(first, location=str(lying)) == taken.batch.work[0].shot.references[0]
        assert rest == [stored, gone, changed]


@pytest.mark.parametrize(("takes", "is_far"), [("{}/takes", True), ("file://{}/takes", False)])
def test_photos_stay_where_no_other_machine_can_be_meant(
    takes: str, is_far: bool, tmp_path: Path
) -> None:
    lying = tmp_path / "jug.jpg"
    lying.write_bytes(b"a jug")
    asked = bench(tmp_path, takes.format(tmp_path))
    Forwarding(asked, is_far=is_far).lay(batch(photo(str(lying), b"a jug")))
    assert (tmp_path / "takes").exists() is False


def test_a_parcel_does_not_show_its_files() -> None:
    assert repr(Parcel(made=Made(), files=FILES)) == f"Parcel(made={Made()!r})"
