"""Catalogues and photos that lie in storages: read where all is well, told in words where not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.errors import BadInput, EnvironmentFault, ShotlistError
from flows.nouns.address import shown
from flows.nouns.reference import Looked
from flows.read import References, addresses
from flows.storage import read_bytes
from flows.storage.faults import REFUSED
from tests.conftest import Shotlist
from tests.servers.storage import BUCKET, S3_KEY, S3_SECRET, StorageServer, seaweed, sshd

CATALOGUE = b"sku,title,image\nA,Mug,mug.jpg\nB,Bowl,bowls.jpg\n"
HUSH = "hush-hush-hush"
PLACES = f"s3://{BUCKET}/data"
KEYS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
SAID = f"; who asks, and where, is said by {KEYS}"
SSH = "; who asks, and where, is said by the address, ~/.ssh and its known_hosts"
NOBODY = "http://127.0.0.1:9"

Said = Callable[..., tuple[type[ShotlistError], str]]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[StorageServer]:
    """An S3 server with a catalogue and two photos."""
    import s3fs

    with seaweed(tmp_path_factory.mktemp("s3")) as server:
        files = s3fs.S3FileSystem(
            key=S3_KEY,
            secret=S3_SECRET,
            endpoint_url=server.environment["AWS_ENDPOINT_URL"],
            skip_instance_cache=True,
        )
        files.pipe_file(f"{BUCKET}/data/p.csv", CATALOGUE)
        for name in ("mug.jpg", "bowls.jpg"):
            photo = repository / "campaigns" / "data" / "photos" / name
            files.pipe_file(f"{BUCKET}/data/photos/{name}", photo.read_bytes())
        yield server


@pytest.fixture
def said(s3: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """What reading an address comes to, with the server's environment changed as given."""
    import s3fs

    def read(address: str, **changes: str) -> tuple[type[ShotlistError], str]:
        for client in ("s3fs", "adlfs"):
            if client in sys.modules:
                forget = {"s3fs": "S3FileSystem", "adlfs": "AzureBlobFileSystem"}[client]
                getattr(sys.modules[client], forget).clear_instance_cache()
        for name, value in {**s3.environment, **changes}.items():
            monkeypatch.setenv(name, value)
            if not value:
                monkeypatch.delenv(name)
        with pytest.raises(ShotlistError) as caught:
            addresses.read(address, shown(address))
        text = str(caught.value)
        assert HUSH not in text
        assert S3_SECRET not in text
        return type(caught.value), text

    yield read
    s3fs.S3FileSystem.clear_instance_cache()


def words(found: str, place: str = f"{PLACES}/p.csv") -> tuple[type[ShotlistError], str]:
    return EnvironmentFault, f"{place}: {found}{SAID}"


def bad(place: str, found: str) -> tuple[type[ShotlistError], str]:
    return BadInput, f"{place} cannot be read\n  - {place}: {found}"


def test_what_is_wrong_with_an_address_on_s3_is_told(said: Said) -> None:
    assert said(f"{PLACES}/q.csv") == bad(f"{PLACES}/q.csv", "no such file or bucket")
    assert said("s3://nobody/p.csv") == bad("s3://nobody/p.csv", "no such file or bucket")
    assert said(PLACES) == bad(PLACES, "a folder, not a file")
    near = "no storage is called 's33://'; did you mean 's3'?"
    assert said(f"s33://{BUCKET}/p.csv") == bad(f"s33://{BUCKET}/p.csv", near)
    assert said(f"zip://p.csv::{PLACES}/none.zip") == bad(
        f"zip://p.csv::{PLACES}/none.zip", "no such file"
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            {"AWS_SECRET_ACCESS_KEY": HUSH},
            f"cannot be read: {REFUSED}",
        ),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nowhere"},
            "cannot be read: no key was found for this store",
        ),
        ({"AWS_ENDPOINT_URL": NOBODY}, "cannot be read: the store cannot be reached"),
        (
            {"AWS_ENDPOINT_URL": "http://nobody.invalid"},
            "cannot be read: the store cannot be reached",
        ),
        ({"AWS_ENDPOINT_URL": f"no {HUSH}"}, "its account or address is not whole"),
    ],
)
def test_what_is_wrong_with_a_store_or_its_key_is_told_with_where_it_is_said(
    said: Said, changes: dict[str, str], found: str
) -> None:
    assert said(f"{PLACES}/p.csv", **changes) == words(found)


def test_a_secret_in_an_address_is_never_shown(said: Said) -> None:
    for secret in (HUSH, f"a/{HUSH}", f"a@{HUSH}", f"{HUSH}@a"):
        kind, text = said(f"s3://key:{secret}@{BUCKET}/data/p.csv", AWS_ENDPOINT_URL=NOBODY)
        assert (kind, "key" in text.partition(": ")[0]) == (EnvironmentFault, False), text
    kind, text = said(f"zip://a.csv::sftp://me:{HUSH}@127.0.0.1:9/a.zip")
    chain = "zip://a.csv::sftp://127.0.0.1:9/a.zip"
    assert (kind, text) == (
        EnvironmentFault,
        f"{chain}: cannot be opened: the store cannot be reached",
    )


def test_a_client_that_is_not_installed_is_told_with_the_extra_that_brings_it(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("botocore.exceptions", "azure.core.exceptions", "gcsfs.retry", "paramiko"):
        monkeypatch.setitem(sys.modules, name, None)
    for address, extra in {
        "s3://b/p.csv": "s3",
        "az://b/p.csv": "az",
        "gs://b/p.csv": "gs",
        "sftp://127.0.0.1/p.csv": "sftp",
    }.items():
        told = f"{address}: its client is not installed: pip install 'shotlist[{extra}]'"
        assert said(address) == (EnvironmentFault, told)


def test_what_is_wrong_with_an_azure_account_is_told_at_once(said: Said) -> None:
    where = "; who asks, and where, is said by AZURE_STORAGE_CONNECTION_STRING"
    account = (
        f"DefaultEndpointsProtocol=http;AccountName=x;AccountKey=bm90;BlobEndpoint={NOBODY}/x;"
    )
    assert said("az://b/p.csv", AZURE_STORAGE_CONNECTION_STRING=account) == (
        EnvironmentFault,
        f"az://b/p.csv: cannot be read: the store cannot be reached{where}",
    )
    assert said("az://b/p.csv", AZURE_STORAGE_CONNECTION_STRING=HUSH) == (
        EnvironmentFault,
        f"az://b/p.csv: cannot be opened: its account or address is not whole{where}",
    )


class Known:
    """What was seen of pictures before."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, Looked]] = {}
        self.recalled: list[str] = []

    def stamp(self, location: str) -> str:
        return self.seen.get(location, ("",))[0]

    def recall(self, location: str, stamp: str) -> Looked | None:
        known = self.seen.get(location)
        if known is None or known[0] != stamp:
            return None
        self.recalled.append(location)
        return known[1]

    def remember(self, location: str, stamp: str, record: Looked) -> None:
        self.seen[location] = (stamp, record)


def test_an_unchanged_photo_is_not_read_again_and_one_that_cannot_be_had_is_told(
    s3: StorageServer, said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    known = Known()

    def photos() -> References:
        return References(
            spec_folder=str(tmp_path), image_base=f"{PLACES}/photos", known=known, cache=tmp_path
        )

    first = photos().look("mug.jpg", role="product", of_row=True)
    assert (known.recalled, list(known.seen)) == ([], [f"{PLACES}/photos/mug.jpg"])
    again = photos().look("mug.jpg", role="product", of_row=True)
    assert (again, known.recalled) == (first, [f"{PLACES}/photos/mug.jpg"])
    assert len(read_bytes(first.location)) == first.size

    with pytest.raises(BadInput, match=r"image 'none[.]jpg': there is no such file or bucket"):
        photos().look("none.jpg", role="product", of_row=True)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOBODY)
    with pytest.raises(EnvironmentFault, match=r"mug[.]jpg: cannot be read: the store cannot be"):
        photos().look("mug.jpg", role="product", of_row=True)
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(EnvironmentFault, match=r"mug[.]jpg: cannot be read: the store cannot be"):
        read_bytes(first.location)


def test_sftp_reads_and_tells(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    with sshd(tmp_path / "ssh") as server:
        up = server.url
        (tmp_path / "ssh" / "up" / "p.csv").write_bytes(CATALOGUE)
        up_shown = f"sftp://127.0.0.1:{server.port}{tmp_path / 'ssh' / 'up'}"
        environment = {"HOME": server.environment["HOME"]}
        monkeypatch.setitem(__import__("fsspec").config.conf, "sftp", {"allow_agent": False})
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert addresses.read(f"{up}/p.csv", "p") == CATALOGUE
        assert said(f"{up}/q.csv") == bad(f"{up_shown}/q.csv", "no such file")
        assert said(up) == bad(up_shown, "a folder, not a file")
        stranger = server.refused["HOME"]
        user, _, rest = up.partition("@")
        assert said(f"{user}:{HUSH}@{rest}/p.csv", HOME=stranger) == (
            EnvironmentFault,
            f"{up_shown}/p.csv: cannot be opened: {REFUSED}{SSH}",
        )
    assert said(f"{up}/p.csv") == (
        EnvironmentFault,
        f"{up_shown}/p.csv: cannot be opened: the store cannot be reached{SSH}",
    )


# Keys in .env


def workspace(folder: Path, written: dict[str, str]) -> Path:
    (folder / "campaigns").mkdir(parents=True)
    (folder / "campaigns" / "mugs.yaml").write_text(
        f"campaign: mugs\nproducts: {{from: '{PLACES}/p.csv', image_base: '{PLACES}/photos'}}\n"
        "prompt_text: 'A {{ product.title }}.'\naspect_ratios: ['1:1']\n"
        f"references: [{{from: '{{{{ product.image }}}}'}}]\npublish: {{to: 's3://{BUCKET}/out'}}\n"
    )
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in written.items()))
    return folder


def test_keys_in_the_workspaces_env_file_open_a_storage_and_are_told_nowhere(
    s3: StorageServer, shotlist: Shotlist, tmp_path: Path
) -> None:
    account = {
        "key": S3_KEY,
        "secret": S3_SECRET,
        "endpoint_url": s3.environment["AWS_ENDPOINT_URL"],
    }
    in_json = {"FSSPEC_S3": f"'{json.dumps(account)}'"}
    plan = ("plan", "campaigns/mugs.yaml", "--provider", "proof", "--json")
    plain = workspace(tmp_path / "plain", s3.environment)
    done = shotlist("run", *plan[1:], cwd=plain)
    assert (done.code, done.document["published"]) == (0, 2), done.err
    out = f"s3://{BUCKET}/out"
    told = shotlist("diff", out, out, cwd=plain)
    assert told.code == 0, told.err
    again = shotlist(*plan, cwd=workspace(tmp_path / "fsspec", in_json))
    assert (again.code, again.document["totals"]["shots"]) == (0, 2), again.err
    assert not [one for one in (done, told, again) if S3_SECRET in one.out + one.err]
    kept = [one for one in (plain / ".shotlist").rglob("*") if one.is_file()]
    assert kept
    assert not [one for one in kept if S3_SECRET.encode() in one.read_bytes()]


def test_the_environment_wins_over_the_env_file(
    s3: StorageServer, shotlist_alone: Shotlist, tmp_path: Path
) -> None:
    folder = workspace(tmp_path / "w", s3.environment)
    done = shotlist_alone(
        "plan", "campaigns/mugs.yaml", "--provider", "proof", cwd=folder, AWS_SECRET_ACCESS_KEY=HUSH
    )
    told = words(f"cannot be read: {REFUSED}")[1]
    assert (done.code, done.err.splitlines()[-1]) == (4, f"shotlist: {told}")
