"""What `.env` may say of storages, and what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows import settings
from flows.errors import EnvironmentFault
from flows.nouns.address import shown
from flows.nouns.workspace import Workspace
from flows.settings import Settings, hand_to_storages, left_in_file

OURS = (*settings.STORAGE_PREFIXES, "SSL_CERT", "HTTPS_PROXY", "SHOTLIST_", "LD_", "PYTHON")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing set that clients of storages read, and all as it was in the end."""
    for name in list(os.environ):
        if name.startswith(settings.STORAGE_PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(settings, "_handed", {})
    return monkeypatch


def workspace(folder: Path, **written: str) -> Workspace:
    folder.mkdir(exist_ok=True)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in written.items()))
    return Workspace(folder)


def there() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(OURS[:7])}


def test_what_storages_ask_for_is_handed_on_and_nothing_else(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = dict(os.environ)
    good = {
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AZURE_STORAGE_CONNECTION_STRING": "AccountName=x",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9",
    }
    programs = dict.fromkeys(settings.NOT_FROM_FILE, "/somewhere")
    other = {"PATH": "/x", "LD_PRELOAD": "x.so", "PYTHONPATH": "/x", "HTTPS_PROXY": "http://x"}
    asked = workspace(tmp_path, **good, **programs, **other, AWS_PROFILE="", FAL_KEY="f")
    assert Settings.load(asked).keys["fal"] == ("f",)
    assert os.environ == {**before, **good}
    assert left_in_file(asked) == sorted(settings.NOT_FROM_FILE)


def test_the_environment_wins(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("AWS_PROFILE", "mine")
    hand_to_storages(workspace(tmp_path, AWS_PROFILE="theirs", AWS_REGION="eu"))
    assert there() == {"AWS_PROFILE": "mine", "AWS_REGION": "eu"}


def test_another_workspaces_file_takes_the_place_of_the_first_ones(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hand_to_storages(workspace(tmp_path / "a", AWS_PROFILE="a", AWS_REGION="eu"))
    hand_to_storages(workspace(tmp_path / "b", AWS_PROFILE="b"))
    assert there() == {"AWS_PROFILE": "b"}
    os.environ["AWS_PROFILE"] = "said since"
    hand_to_storages(workspace(tmp_path / "a", AWS_PROFILE="a"))
    assert there() == {"AWS_PROFILE": "said since"}


def test_a_file_that_it_names_begins_at_the_workspace(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hand_to_storages(workspace(tmp_path, GOOGLE_APPLICATION_CREDENTIALS="keys/g.json"))
    assert there() == {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "keys" / "g.json")}
    hand_to_storages(workspace(tmp_path, GOOGLE_APPLICATION_CREDENTIALS="/keys/g.json"))
    assert there() == {"GOOGLE_APPLICATION_CREDENTIALS": "/keys/g.json"}


def test_fsspec_is_told_though_it_was_imported_before(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import fsspec.config

    environment.setattr(fsspec.config, "conf", {})
    hand_to_storages(workspace(tmp_path, FSSPEC_S3='\'{"key": "me"}\''))
    assert fsspec.config.conf == {"s3": {"key": "me"}}


def test_a_file_that_is_not_text_is_told_without_its_contents(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"FAL_KEY=hush\xff")
    with pytest.raises(EnvironmentFault) as caught:
        hand_to_storages(Workspace(tmp_path))
    found = f"{tmp_path / '.env'}: cannot be read: it is not UTF-8: save it as that"
    assert str(caught.value) == found


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("s3://bucket/a@2x.png", "s3://bucket/a@2x.png"),
        ("s3://key:hush@bucket/p.csv?sig=hush", "s3://bucket/p.csv"),
        ("s3://key:hu/sh@bucket/p.csv", "s3://bucket/p.csv"),
        ("sftp://me:h@sh@host:22/p.csv", "sftp://host:22/p.csv"),
        ("zip://a.csv::sftp://me:hush@host/a.zip", "zip://a.csv::sftp://host/a.zip"),
        ("simplecache::s3://key:hush@bucket/p.csv", "simplecache::s3://bucket/p.csv"),
        ("http://[hush", "http://…"),
        ("data:image/png;base64,AAAA", "data:image/png;base64,…"),
        ("photos/mug@2x.png", "photos/mug@2x.png"),
    ],
)
def test_an_address_is_shown_without_what_opens_it(address: str, seen: str) -> None:
    assert shown(address) == seen
