"""A place: files are written whole or not at all, here and through fsspec."""

from __future__ import annotations

import ftplib
import hashlib
import pickle
import signal
import stat
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows import publish
from flows.errors import EnvironmentFault
from flows.nouns.rendition import Manifest, RunRow
from flows.publish.manifest import as_csv, as_json
from flows.storage import Condition, OvertakenError, Place, local, read_bytes, source, turn
from flows.storage.faults import why
from flows.storage.headers import headers_of
from flows.storage.place import staged
from flows.storage.retrying import persistently
from flows.storage.s3 import S3
from flows.storage.store import NotWholeError, Store
from tests.rooms.manifest_factory import manifest, rendition


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "local":
        return Place(str(tmp_path / "place"))
    return Place(f"memory://{tmp_path.name}/place")


def test_what_is_written_is_read_listed_and_removed(place: Place) -> None:
    assert place.read("a/b.txt") is None
    assert place.sizes() == {}
    place.write("a/b.txt", b"one")
    place.write("a/b.txt", b"three")
    place.write("c.txt", b"")
    assert place.read("a/b.txt") == b"three"
    assert place.sizes() == {"a/b.txt": 5, "c.txt": 0}
    place.remove("a/b.txt")
    place.remove("a/b.txt")
    assert place.sizes() == {"c.txt": 0}


def test_a_local_place_knows_that_it_is_one(tmp_path: Path) -> None:
    assert Place(str(tmp_path)).is_local
    assert Place(f"file://{tmp_path}").is_local
    assert not Place("memory://x").is_local
    assert not Place("s3://bucket/x").is_local


def test_a_write_that_fails_leaves_the_former_file(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    place.write("a.txt", b"former")
    with pytest.raises(TypeError):
        place.write("a.txt", "not bytes")  # type: ignore[arg-type]
    assert place.sizes() == {"a.txt": 6}


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        Place(str(tmp_path / "file")).write("a.txt", b"x")


def test_a_written_file_has_the_mode_that_new_files_have(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"")
    Place(str(tmp_path)).write("a.txt", b"x")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_an_address_of_no_known_kind_says_so() -> None:
    with pytest.raises(EnvironmentFault, match="cannot be opened"):
        Place("nosuch://bucket/x").sizes()


def test_bytes_are_read_from_a_path_or_an_address(tmp_path: Path) -> None:
    (tmp_path / "a b#c.txt").write_bytes(b"x")
    assert read_bytes(str(tmp_path / "a b#c.txt")) == b"x"
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        read_bytes(str(tmp_path / "none"))


def test_no_address_is_shown_with_its_password_or_signature() -> None:
    place = Place("nosuch://me:SECRET@host.example/folder?sig=SECRET")
    assert place.shown == "nosuch://host.example/folder"
    with pytest.raises(EnvironmentFault) as raised:
        place.sizes()
    assert "SECRET" not in str(raised.value)
    assert "SECRET" not in place.full("manifest.json")
    with pytest.raises(EnvironmentFault) as raised:
        read_bytes("file://me:SECRET@host/none?sig=SECRET")
    assert "SECRET" not in str(raised.value)


def test_a_folder_of_a_place_is_a_place(place: Place) -> None:
    place.below("gallery").write("a.webp", b"x")
    assert place.sizes() == {"gallery/a.webp": 1}


class Answer(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("SECRET in the client's own words")
        self.status_code = status


def test_what_may_pass_is_asked_again_with_growing_waits() -> None:
    waits: list[float] = []
    answers = [Answer(503), ConnectionResetError(), Answer(429)]

    def call() -> str:
        if answers:
            raise answers.pop(0)
        return "done"

    assert persistently(call, (Answer, OSError), sleep=waits.append) == "done"
    longest = [0.2, 0.4, 0.8]
    assert [low / 2 <= wait <= low for low, wait in zip(longest, waits, strict=True)] == [True] * 3


@pytest.mark.parametrize(
    "error", [Answer(403), Answer(404), PermissionError(), FileExistsError(), FileNotFoundError()]
)
def test_what_will_not_pass_is_asked_once(error: Exception) -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        persistently(call, (Answer, OSError), sleep=lambda _: None)
    assert calls == [1]


def test_a_store_that_stays_busy_is_given_up_after_eight_tries() -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise Answer(503)

    with pytest.raises(Answer):
        persistently(call, (Answer,), sleep=lambda _: None)
    assert len(calls) == 8


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Answer(403), "the store refused the key, or the key may not do this here"),
        (Answer(404), "the store has no such bucket or container"),
        (Answer(500), "the store answered 500"),
        (OSError(28, "SECRET"), "No space left on device"),
        (type("NoCredentialsError", (Exception,), {})("SECRET"), "no key was found for this store"),
        (type("EndpointConnectionError", (Exception,), {})("S"), "the store cannot be reached"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_foreign_errors_are_told_in_plain_words_without_theirs(
    error: Exception, words: str
) -> None:
    assert why(error) == words


def test_a_name_with_its_contents_hash_may_be_kept_for_ever_and_no_other() -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    names = [
        f"images/mug-{digest[:12]}.jpeg",
        f"images/{digest[:12]}/mug.jpeg",
        f"images/mug-x{digest[:12]}y.jpeg",
        f"images/mug-{digest[:11]}.jpeg",
        "images/mug-0123456789ab.jpeg",
        "gallery/0123456789abcdef.webp",
        "manifest.json",
        "feeds/merchant.tsv",
        "images/film.xyz",
    ]
    told = [headers_of(name, b"x") for name in names]
    assert [(one.content_type, one.cache_control) for one in told] == [
        ("image/jpeg", "public, max-age=31536000, immutable"),
        ("image/jpeg", "public, max-age=31536000, immutable"),
        ("image/jpeg", "public, max-age=31536000, immutable"),
        ("image/jpeg", "public, max-age=300"),
        ("image/jpeg", "public, max-age=300"),
        ("image/webp", "public, max-age=31536000, immutable"),
        ("application/json", "no-cache"),
        ("text/tab-separated-values; charset=utf-8", "no-cache"),
        ("application/octet-stream", "no-cache"),
    ]


def test_metadata_is_what_any_header_can_carry() -> None:
    about = {"product": "Ä 1%", "source": "http://a/b", "none": "", "long": "é" * 84}
    assert headers_of("images/a.png", b"x", about).about == {
        "sha256": hashlib.sha256(b"x").hexdigest(),
        "product": "%C3%84%201%25",
        "source": "http://a/b",
    }


def test_what_was_not_staged_cannot_settle(place: Place) -> None:
    with pytest.raises(EnvironmentFault, match="run again"):
        place.settle("images/a.jpeg", "0" * 64)


def test_what_was_settled_already_is_settled(place: Place) -> None:
    digest = hashlib.sha256(b"new").hexdigest()
    place.stage("images/a.jpeg", b"new")
    place.settle("images/a.jpeg", digest)
    place.remove(staged("images/a.jpeg", digest))
    place.settle("images/a.jpeg", digest)
    assert place.sizes() == {"images/a.jpeg": 3}


def test_what_was_settled_here_keeps_its_name_after_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(str(tmp_path))
    place.write("images/a.jpeg", b"former")
    place.stage("images/a.jpeg", b"new")
    kept: list[str] = []
    monkeypatch.setattr(local, "_keep_names", lambda folder: kept.append(folder.name))
    place.settle("images/a.jpeg", hashlib.sha256(b"new").hexdigest())
    assert kept == ["images", ".incoming"]
    assert place.sizes() == {"images/a.jpeg": 3}


class Memory:
    """A file system's client that fails as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error, self.calls = error, 0

    def info(self, _path: str) -> dict[str, object]:
        self.calls += 1
        raise self.error

    def _strip_protocol(self, path: str) -> str:
        return path


@pytest.mark.parametrize(
    ("address", "error", "calls"),
    [
        ("ftp://host/a", ftplib.error_temp("421 SECRET"), 2),
        ("ftp://host/a", ConnectionResetError(), 2),
        ("zip://a.csv::file:///x.zip", zipfile.BadZipFile("SECRET"), 2),
        ("zip://a.csv::ftp://host/x.zip", ftplib.error_temp("421 SECRET"), 2),
    ],
)
def test_what_a_client_says_is_told_as_that_the_file_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, address: str, error: Exception, calls: int
) -> None:
    client = Memory(error)
    monkeypatch.setattr(Store, "open", lambda _self: (client, "x"))
    monkeypatch.setattr(source, "TRIES", calls)
    with pytest.raises(EnvironmentFault, match=f"cannot be read: {type(error).__name__}|reset"):
        source.Source(address).look(address)
    assert client.calls == calls


@pytest.mark.parametrize("address", ["ftp://host/a", "zip://a.csv::file:///x.zip", "memory://a"])
@pytest.mark.parametrize("defect", [TypeError("ours"), KeyError("ours"), AttributeError("ours")])
def test_a_defect_of_ours_is_not_told_as_a_stores(
    monkeypatch: pytest.MonkeyPatch, address: str, defect: Exception
) -> None:
    client = Memory(defect)
    monkeypatch.setattr(Store, "open", lambda _self: (client, "x"))
    with pytest.raises(type(defect), match="ours"):
        source.Source(address).look(address)
    assert client.calls == 1


class Bucket:
    """The client of an S3 that encrypts as it is told to."""

    def __init__(self, answer: dict[str, str], size: int) -> None:
        self.answer, self.size = answer, size
        self.asked: list[str] = []

    def call_s3(self, name: str, **_: object) -> dict[str, object]:
        self.asked.append(name)
        return {"ContentLength": self.size} if name == "head_object" else dict(self.answer)


MD5, OTHER = hashlib.md5(b"x").hexdigest(), "0" * 32


@pytest.mark.parametrize(
    ("answer", "size", "asked", "fault"),
    [
        ({"ETag": f'"{MD5}"'}, 1, 1, ""),
        ({"ETag": f'"{MD5}"', "ServerSideEncryption": "AES256"}, 1, 1, ""),
        ({"ETag": OTHER, "ServerSideEncryption": "AES256"}, 1, 1, "the checksum is another one"),
        ({"ETag": OTHER}, 1, 1, "the checksum is another one"),
        ({"ETag": OTHER, "ServerSideEncryption": "aws:kms"}, 1, 2, ""),
        ({"ETag": OTHER, "ServerSideEncryption": "aws:kms:dsse"}, 2, 2, "the size is another one"),
        ({"ETag": OTHER, "SSECustomerAlgorithm": "AES256"}, 1, 2, ""),
        ({}, 1, 2, ""),
    ],
)
def test_an_object_is_asked_after_only_where_its_etag_cannot_be_its_checksum(
    answer: dict[str, str], size: int, asked: int, fault: str
) -> None:
    store, bucket = S3("s3://bucket"), Bucket(answer, size)
    store._opened = (bucket, "bucket")
    headers = headers_of("images/a.png", b"x")
    if fault:
        with pytest.raises(NotWholeError, match=fault):
            store.put("bucket/images/a.png", b"x", headers)
    else:
        store.put("bucket/images/a.png", b"x", headers)
    assert bucket.asked == ["put_object", "head_object"][:asked]


def test_a_store_without_conditions_says_so(tmp_path: Path) -> None:
    memory = Place(f"memory://{tmp_path.name}/conditions")
    assert memory.keeps_conditions() is False
    assert memory.condition("manifest.json") is None
    memory.replace("manifest.json", b"any", None)
    assert memory.read("manifest.json") == b"any"
    with pytest.raises(TypeError, match="holds no write to a condition"):
        memory.replace("manifest.json", b"other", Condition("1"))
    assert memory.read("manifest.json") == b"any"


def test_a_folder_that_is_replaced_in_keeps_no_lock_behind(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    place.replace("manifest.json", b"one", place.condition("manifest.json"))
    with pytest.raises(OvertakenError):
        place.replace("manifest.json", b"two", Condition(None))
    assert place.sizes() == {"manifest.json": 3}
    assert [one.name for one in (tmp_path / "place").iterdir()] == ["manifest.json"]


def test_a_place_travels_without_its_connections(place: Place) -> None:
    place.write("a.txt", b"x")
    travelled: Place = pickle.loads(pickle.dumps(place))
    assert travelled.read("a.txt") == b"x"


def test_a_run_that_was_overtaken_replaces_nothing_and_says_so(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    first = manifest(rendition("MUG/a"))
    place.write(first["renditions"][0]["path"], b"x")
    publish.commit(place, first, claimed=publish.claim(place, None))
    claimed = publish.claim(place, first)
    other = Manifest(**{**first, "run": RunRow(**{**first["run"], "id": "r2"})})
    publish.commit(place, other, claimed=publish.claim(place, first))
    lying = place.sizes()
    late = Manifest(**{**first, "run": RunRow(**{**first["run"], "id": "r3"})})
    settled: list[int] = []
    with pytest.raises(EnvironmentFault, match=r"run r2 published there .* run again"):
        publish.commit(place, late, claimed=claimed, settle=lambda: settled.append(1))
    with pytest.raises(EnvironmentFault, match=r"run r2 published there"):
        publish.claim(place, first)
    assert settled == []
    assert place.sizes() == lying
    assert publish.former(place) == other


def test_of_two_runs_that_publish_at_once_the_later_one_puts_nothing_in_place(
    tmp_path: Path,
) -> None:
    place = Place(str(tmp_path / "place"))
    first = manifest(rendition("MUG/a"))
    place.write(first["renditions"][0]["path"], b"x")
    publish.commit(place, first, claimed=publish.claim(place, None))
    claims = [publish.claim(place, first) for _ in range(2)]
    one, two = (  # of the same pictures
        Manifest(**{**first, "run": RunRow(**{**first["run"], "id": name})})
        for name in ("r2", "r3")
    )
    is_settling, may_end = threading.Event(), threading.Event()
    settled: list[str] = []

    def slowly() -> None:
        is_settling.set()
        settled.append("r2")
        assert may_end.wait(20)

    with ThreadPoolExecutor(2) as pool:
        quick = pool.submit(publish.commit, place, one, claimed=claims[0], settle=slowly)
        assert is_settling.wait(20)
        late = pool.submit(
            publish.commit, place, two, claimed=claims[1], settle=lambda: settled.append("r3")
        )
        time.sleep(0.3)
        assert not late.done()
        may_end.set()
        quick.result()
        with pytest.raises(EnvironmentFault, match=r"run r2 published there .* run again"):
            late.result()
    assert settled == ["r2"]
    assert publish.former(place) == one
    assert place.read("manifest.csv") == as_csv(one)


def test_the_turn_of_a_process_that_was_killed_is_taken(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "place"))
    code = (
        "import os, sys\nfrom flows.storage import Place, turn\n"
        "with turn(Place(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, place.url], check=False)
    assert done.returncode == -signal.SIGKILL
    assert ".turn" in place.sizes()
    with turn(place):
        place.write("a.txt", b"x")
    assert place.sizes() == {"a.txt": 1}


@pytest.mark.parametrize("kind", ["conditions kept", "conditions overlooked"])
def test_who_publishes_while_another_writes_its_pages_is_not_written_over(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(str(tmp_path / "place"))
    monkeypatch.setattr(place, "keeps_conditions", lambda: kind == "conditions kept")
    first = manifest(rendition("MUG/a"))
    place.write(first["renditions"][0]["path"], b"x")
    publish.commit(place, first, claimed=publish.claim(place, None))
    ours, theirs = (
        Manifest(**{**first, "run": RunRow(**{**first["run"], "id": run})}) for run in ("r2", "r3")
    )
    claimed, settled = publish.claim(place, first), []
    write = Place.write

    def overtaken(at: Place, path: str, *more: Any) -> None:
        write(at, path, *more)
        if path == "gallery.html":  # as of a run that stood still there for long
            write(at, ".turn", b"of the other")
            write(at, "manifest.json", as_json(theirs))

    monkeypatch.setattr(Place, "write", overtaken)
    with pytest.raises(EnvironmentFault, match=r"stood still|run r3 published there"):
        publish.commit(place, ours, claimed=claimed, settle=lambda: settled.append(1))
    assert settled == []
    assert publish.former(place) == theirs
