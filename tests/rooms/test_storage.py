"""A place: files are written whole or not at all, here and through fsspec."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flows.errors import EnvironmentFault
from flows.storage import Place, read_bytes


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
