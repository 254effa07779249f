"""Each kind of store, on a real server: whole files, true conditions, headers, plain words."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from flows.errors import EnvironmentFault
from flows.storage import Condition, OvertakenError, Place, turn
from flows.storage.place import staged
from flows.storage.sftp import SFTP
from flows.storage.store import NotWholeError
from flows.storage.turns import TURN, _here, _is_dead
from tests.servers.storage import KINDS, StorageServer


@pytest.fixture(scope="module", params=list(KINDS))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StorageServer]:
    with KINDS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def reach(server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """The server, with the environment as it asks for."""
    import fsspec

    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    conf: dict[str, Any] = {}
    fsspec.config.set_conf_env(conf, dict(os.environ))
    for name, value in conf.items():
        monkeypatch.setitem(fsspec.config.conf, name, value)
    yield server
    _forget()


def _forget() -> None:
    """Clients that fsspec keeps know the environment that they were opened in."""
    import fsspec

    for kind in fsspec.registry.values():
        kind.clear_instance_cache()


@pytest.fixture
def place(reach: StorageServer, request: pytest.FixtureRequest) -> Place:
    return Place(f"{reach.url}/{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}")


@pytest.fixture
def held(place: Place, reach: StorageServer) -> Place:
    """A place where a write can be held to what is there."""
    if reach.kind == "sftp":
        pytest.skip("sftp: keeps no conditions")
    return place


def test_what_is_written_is_read_listed_and_removed(place: Place) -> None:
    assert place.read("images/a/b.jpeg") is None
    assert place.sizes() == {}
    place.write("images/a/b.jpeg", b"one")
    place.write("images/a/b.jpeg", b"three")
    place.write("images/Ä ö+,@.png", b"")
    assert place.read("images/a/b.jpeg") == b"three"
    assert place.sizes() == {"images/a/b.jpeg": 5, "images/Ä ö+,@.png": 0}
    place.remove("images/a/b.jpeg")
    place.remove("images/a/b.jpeg")
    assert place.sizes() == {"images/Ä ö+,@.png": 0}


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")  # Azure's own
def test_bytes_of_any_kind_come_back_as_they_were(place: Place) -> None:
    data = bytes(range(256)) * 8192
    place.write("images/big.webp", data)
    assert place.read("images/big.webp") == data
    md5 = place.lying()["images/big.webp"].md5
    assert md5 in {None, hashlib.md5(data).hexdigest()}


def test_object_stores_tell_checksums_in_their_listing(place: Place, reach: StorageServer) -> None:
    place.write("a.json", b"{}")
    told = place.lying()["a.json"].md5
    expected = None if reach.kind in {"local", "sftp"} else hashlib.md5(b"{}").hexdigest()
    assert told == expected


def test_what_waits_takes_the_place_of_another_at_once(place: Place) -> None:
    digest = hashlib.sha256(b"new").hexdigest()
    path = "images/Ä ö+,@.jpeg"
    place.write(path, b"former")
    place.stage(path, b"new")
    assert place.read(path) == b"former"
    assert place.sizes() == {path: 6, staged(path, digest): 3}
    place.settle(path, digest)
    assert place.read(path) == b"new"
    place.remove(staged(path, digest))
    assert place.sizes() == {path: 3}


def test_what_does_not_wait_cannot_take_a_place(place: Place) -> None:
    place.write("images/a.jpeg", b"former")
    with pytest.raises(EnvironmentFault, match="was taken away while it was published; run again"):
        place.settle("images/a.jpeg", hashlib.sha256(b"new").hexdigest())
    assert place.sizes() == {"images/a.jpeg": 6}


def test_many_files_at_once_all_arrive(place: Place) -> None:
    files = {f"images/{n % 5}/{n}.png": str(n).encode() * n for n in range(40)}
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(place.write, files, files.values()))
    assert place.sizes() == {path: len(data) for path, data in files.items()}
    assert {path: place.read(path) for path in files} == files


def test_a_line_whose_thread_has_ended_serves_the_next(place: Place, reach: StorageServer) -> None:
    if reach.kind != "sftp":
        pytest.skip(f"{reach.kind}: its client shares its lines among threads")
    names = [f"images/{number}.png" for number in range(12)]
    for words in (b"one", b"two", b"three"):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(place.write, names, [words] * len(names)))
    assert isinstance(place._at, SFTP)
    assert len({id(line) for _, line in place._at._lines}) <= 4
    assert {place.read(name) for name in names} == {b"three"}


def test_a_write_holds_only_while_the_file_is_what_it_was(
    place: Place, reach: StorageServer
) -> None:
    none = place.condition("manifest.json")
    if reach.kind == "sftp":
        assert none is None
        assert place.keeps_conditions() is False
        return
    assert place.keeps_conditions() is True
    assert none == Condition(None)
    place.replace("manifest.json", b"first", none)
    with pytest.raises(OvertakenError):
        place.replace("manifest.json", b"late", none)
    first = place.condition("manifest.json")
    place.replace("manifest.json", b"second", first)
    with pytest.raises(OvertakenError):
        place.replace("manifest.json", b"late", first)
    assert place.read("manifest.json") == b"second"
    assert place.sizes() == {"manifest.json": 6}


def test_of_many_that_replace_one_file_one_wins(held: Place) -> None:
    held.write("manifest.json", b"former")
    former = held.condition("manifest.json")

    def wins(number: int) -> bool:
        try:
            held.replace("manifest.json", f"run {number}".encode(), former)
        except OvertakenError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(wins, range(8)))
    assert won.count(True) == 1
    assert held.read("manifest.json") == f"run {won.index(True)}".encode()


def test_only_one_at_a_time_has_the_turn(place: Place, reach: StorageServer) -> None:
    if reach.kind == "sftp":
        with turn(place), turn(place):  # nothing is held where no condition is kept
            assert place.sizes() == {}
        return
    inside: list[int] = []
    met: list[int] = []

    def go(number: int) -> None:
        with turn(Place(place.url)):
            inside.append(number)
            time.sleep(0.05)
            met.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(4)))
    assert met == [1, 1, 1, 1]
    assert place.sizes() == {}


def test_a_turn_whose_holder_does_not_go_on_falls_to_the_next(
    held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.storage.turns.PATIENCE_S", 60.0)
    elsewhere = b'{"mark": "a", "beat": 3, "pid": 1, "at": "another machine"}'
    for left, dead_s in ((elsewhere, 1.0), (_left_by_the_dead(), 3600.0)):
        monkeypatch.setattr("flows.storage.turns.DEAD_S", dead_s)
        held.write(TURN, left)
        began = time.monotonic()
        with turn(held) as ours:
            ours.check()
            assert left is not elsewhere or time.monotonic() - began >= dead_s
        assert held.sizes() == {}


def _left_by_the_dead() -> bytes:
    """What a process of this machine that is killed leaves."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return json.dumps({"mark": "b", "beat": 0, "pid": done.pid, "at": _here()}).encode()


def test_who_is_slow_but_goes_on_is_waited_for(
    held: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.storage.turns.DEAD_S", 2.0)
    monkeypatch.setattr("flows.storage.turns.BEAT_S", 0.2)
    is_in, told = threading.Event(), []

    def slow() -> None:
        with turn(Place(held.url)) as ours:
            is_in.set()
            time.sleep(4)
            ours.check()
            told.append("slow")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(slow)
        assert is_in.wait(30)
        with turn(held):
            told.append("next")
        first.result()
    assert told == ["slow", "next"]


def test_who_was_taken_to_be_dead_is_told_and_leaves_the_turn_to_the_other(
    place: Place, reach: StorageServer
) -> None:
    if reach.kind == "sftp":
        with turn(place) as ours:
            ours.check()  # nothing was promised
        return
    with turn(place) as ours:
        place.write(TURN, b'{"mark": "of another"}')
        with pytest.raises(EnvironmentFault, match=r"stood still .* run again"):
            ours.check()
    assert place.read(TURN) == b'{"mark": "of another"}'


@pytest.mark.parametrize(
    "left", [b"", b"x", b"[]", b'{"pid": 0}', b'{"at": "x", "pid": "z"}', b"{}", b"\xff"]
)
def test_of_whatever_is_found_in_a_turn_nobody_is_known_to_be_dead(left: bytes) -> None:
    assert not _is_dead(left)


def test_others_that_publish_without_end_are_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.storage.turns.PATIENCE_S", 1.0)
    place = Place(str(tmp_path / "place"))
    place.write(TURN, b'{"mark": "of another"}')
    told = r"\.turn: other runs publish there without end"
    with pytest.raises(EnvironmentFault, match=told), turn(place):
        pytest.fail("nobody may be in")
    assert place.sizes().keys() == {TURN}


def test_what_is_not_there_yet_is_made_by_one_alone(place: Place, reach: StorageServer) -> None:
    path = "images/MUG/a.jpeg"
    place.create(path, b"first", {"campaign": "mugs"})
    place.create("images/MUG/b.jpeg", b"x")
    if reach.kind == "sftp":
        place.create(path, b"late")
        assert place.read(path) == b"late"
        return
    place.create(path, b"first")  # as one whose answer was lost asks again
    with pytest.raises(OvertakenError):
        place.create(path, b"late")
    assert place.sizes() == {path: 5, "images/MUG/b.jpeg": 1}
    assert place.read(path) == b"first"


def test_a_browser_is_told_the_kind_and_how_long_to_keep_it(
    place: Place, reach: StorageServer
) -> None:
    if reach.kind in {"local", "sftp"}:
        pytest.skip(f"{reach.kind}: a file system keeps no headers")
    digest = hashlib.sha256(b"pixels").hexdigest()
    place.write("images/a.webp", b"pixels")
    place.write(f"images/a-{digest[:12]}.jpeg", b"pixels")
    place.write("manifest.json", b"{}")
    place.stage("images/b.avif", b"pixels")
    place.settle("images/b.avif", digest)
    names = ["images/a.webp", f"images/a-{digest[:12]}.jpeg", "manifest.json", "images/b.avif"]
    assert [_headers(place, reach.kind, name) for name in names] == [
        ("image/webp", "public, max-age=300"),
        ("image/jpeg", "public, max-age=31536000, immutable"),
        ("application/json", "no-cache"),
        ("image/avif", "public, max-age=300"),
    ]


def test_an_object_says_what_it_is_and_keeps_that_as_it_takes_anothers_place(
    place: Place, reach: StorageServer
) -> None:
    if reach.kind in {"local", "sftp"}:
        pytest.skip(f"{reach.kind}: a file system keeps no metadata")
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    about = {"campaign": "mugs", "product": "Becher Ä\n1", "digital-source-type": source, "no": ""}
    digest = hashlib.sha256(b"pixels").hexdigest()
    place.write("images/a.webp", b"pixels", about)
    place.stage("images/b.webp", b"pixels", about)
    place.settle("images/b.webp", digest)
    expected = {
        "sha256": digest,
        "campaign": "mugs",
        "product": "Becher%20%C3%84%0A1",
        "digital-source-type": source,
    }
    assert [_metadata(place, reach.kind, name) for name in ("images/a.webp", "images/b.webp")] == [
        expected,
        expected,
    ]


def _metadata(place: Place, kind: str, path: str) -> dict[str, str]:
    """As the store's own client tells it."""
    import fsspec

    fs, base = fsspec.core.url_to_fs(place.url)
    name = f"{base}/{path}"
    if kind == "s3":
        bucket, _, key = name.partition("/")
        return dict(fs.call_s3("head_object", Bucket=bucket, Key=key)["Metadata"])
    if kind == "az":
        told = fs.info(name, refresh=True)["metadata"]
        return {
            key.replace("_", "-"): value for key, value in told.items() if key != "is_directory"
        }
    return dict(fs.info(name)["metadata"])


def _headers(place: Place, kind: str, path: str) -> tuple[str, str]:
    """As the store's own client tells them."""
    import fsspec

    fs, base = fsspec.core.url_to_fs(place.url)
    name = f"{base}/{path}"
    if kind == "s3":
        bucket, _, key = name.partition("/")
        head = fs.call_s3("head_object", Bucket=bucket, Key=key)
        return head["ContentType"], head["CacheControl"]
    info = fs.info(name, refresh=True) if kind == "az" else fs.info(name)
    if kind == "az":
        return info["content_settings"]["content_type"], info["content_settings"]["cache_control"]
    return info["contentType"], info["cacheControl"]


def test_a_refused_key_is_told_without_the_key(
    reach: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not reach.refused:
        pytest.skip(f"{reach.kind}: this server lets everybody in")
    _forget()
    for name, value in reach.refused.items():
        monkeypatch.setenv(name, value)
    place = Place(f"{reach.url}/refused")
    with pytest.raises(EnvironmentFault) as raised:
        place.probe()
    said = str(raised.value)
    assert "the store refused the key, or the key may not do this here" in said
    assert not any(
        value in said for value in (*reach.refused.values(), *reach.environment.values())
    )


def test_a_bucket_that_is_missing_is_told(reach: StorageServer) -> None:
    if not reach.missing:
        pytest.skip(f"{reach.kind}: this server tells of no missing bucket")
    place = Place(f"{reach.missing}/campaign")
    assert place.read("manifest.json") is None
    with pytest.raises(EnvironmentFault, match="the store has no such bucket or container"):
        place.probe()


def test_a_server_whose_key_nobody_knows_is_not_spoken_to(
    server: StorageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if server.kind != "sftp":
        pytest.skip(f"{server.kind}: it shows no host key")
    _forget()
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="not among the known hosts"):
        Place(f"{server.url}/a").probe()


class Blob:
    """One of the Azure client's, whose copy takes its time."""

    url = "http://127.0.0.1/waiting"

    def __init__(self, *statuses: str) -> None:
        self._statuses = iter(statuses)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def start_copy_from_url(self, url: str, **_: object) -> dict[str, str]:
        assert url == self.url
        return {"copy_status": next(self._statuses)}

    async def get_blob_properties(self, **_: object) -> Any:
        return SimpleNamespace(copy=SimpleNamespace(status=next(self._statuses)))


@pytest.mark.parametrize(
    ("statuses", "said"),
    [(["pending", "pending", "success"], ""), (["pending", "failed"], "the copy is failed")],
)
def test_a_copy_that_the_store_has_only_begun_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, statuses: list[str], said: str
) -> None:
    pytest.importorskip("adlfs", reason="adlfs is not installed")
    from flows.storage import azure

    blob = Blob(*statuses)
    monkeypatch.setattr(azure, "LOOK_S", 0.0)
    monkeypatch.setattr(azure.Azure, "_blob", lambda _self, _name: blob)
    monkeypatch.setattr(azure.Azure, "_asked", lambda _self, coroutine: asyncio.run(coroutine))
    store = azure.Azure("az://container")
    if said:
        with pytest.raises(NotWholeError, match=said):
            store.settle("container/a", "container/b")
    else:
        store.settle("container/a", "container/b")
    assert list(blob._statuses) == []
