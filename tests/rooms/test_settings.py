"""What `.env` may say of storages, and what it may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.config import conf

from flows.errors import EnvironmentFault
from flows.nouns.address import shown
from flows.nouns.workspace import Workspace
from flows.settings import Settings, hand_to_storages, left_in_file, storages

OURS = (*storages.STORAGE_PREFIXES, "SSL_CERT", "HTTPS_PROXY", "SHOTLIST_", "LD_", "PYTHON")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing set that clients of storages read, and all as it was in the end."""
    told = dict(conf)
    for name in list(os.environ):
        if name.startswith(storages.STORAGE_PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delenv(storages.HANDED, raising=False)
    yield monkeypatch
    # fsspec keeps what it was told of the environment
    conf.clear()
    conf.update(told)


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
    programs = dict.fromkeys(storages.NOT_FROM_FILE, "/somewhere")
    other = {"PATH": "/x", "LD_PRELOAD": "x.so", "PYTHONPATH": "/x", "HTTPS_PROXY": "http://x"}
    asked = workspace(tmp_path, **good, **programs, **other, AWS_PROFILE="", FAL_KEY="f")
    assert Settings.load(asked).keys["fal"] == ("f",)
    assert os.environ == before
    hand_to_storages(asked)
    handed = os.environ.pop(storages.HANDED)
    assert [one.partition(":")[0] for one in handed.split(",")] == list(good)
    assert os.environ == {**before, **good}
    assert left_in_file(asked) == sorted(storages.NOT_FROM_FILE)


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


SAYS = """\
import json, os, sys
from pathlib import Path
from flows.nouns.workspace import Workspace
from flows.settings import hand_to_storages
hand_to_storages(Workspace(Path(sys.argv[1])))
from fsspec.config import conf
names = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "FSSPEC_S3")
print(json.dumps([{name: os.environ[name] for name in names if name in os.environ}, conf]))
"""


def said_by_a_run(asked: Workspace) -> list[dict[str, object]]:
    """What a process that is started from here, as `serve` starts runs, reads of a workspace."""
    words = [sys.executable, "-c", SAYS, str(asked.root)]
    found = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ)
    told: list[dict[str, object]] = json.loads(found.stdout)
    return told


def test_a_run_reads_its_own_file_and_not_what_was_handed_to_the_process_that_starts_it(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("AWS_PROFILE", "mine")
    environment.setenv("HOME", str(tmp_path))
    first = workspace(
        tmp_path / "a", AWS_ACCESS_KEY_ID="a", AWS_REGION="eu", FSSPEC_S3='\'{"key": "a"}\''
    )
    second = workspace(tmp_path / "b", AWS_ACCESS_KEY_ID="b", AWS_PROFILE="theirs")
    hand_to_storages(first)
    assert said_by_a_run(second) == [{"AWS_ACCESS_KEY_ID": "b", "AWS_PROFILE": "mine"}, {}]
    workspace(tmp_path / "a", AWS_ACCESS_KEY_ID="rotated")
    assert said_by_a_run(first) == [{"AWS_ACCESS_KEY_ID": "rotated", "AWS_PROFILE": "mine"}, {}]
    # what somebody says for one run alone is the environment's own word
    environment.setenv("AWS_ACCESS_KEY_ID", "for this run")
    assert said_by_a_run(second)[0]["AWS_ACCESS_KEY_ID"] == "for this run"


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

    files = tmp_path / "files"
    files.mkdir()
    (files / "conf.json").write_text('{"s3": {"anon": false}}')
    environment.setattr(fsspec.config, "conf_dir", str(files))
    environment.setattr(fsspec.config, "conf", {})
    hand_to_storages(
        workspace(tmp_path / "a", FSSPEC_S3='\'{"key": "me"}\'', FSSPEC_GS_PROJECT="p")
    )
    assert fsspec.config.conf == {"s3": {"anon": False, "key": "me"}, "gs": {"project": "p"}}
    hand_to_storages(workspace(tmp_path / "b"))
    assert fsspec.config.conf == {"s3": {"anon": False}}


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
