"""A campaign published to each kind of storage, killed while it uploads, and to a faulty store."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ended, Shotlist
from tests.servers.faulty import Faults, proxy
from tests.servers.looking import lying, manifest_at, named
from tests.servers.storage import KINDS, StorageServer

PAGES = {"manifest.json", "manifest.csv", "manifest.parquet", "gallery.html"}

pytestmark = pytest.mark.journey

SPEC = """\
campaign: tables
title: Tables
products:
  items:
    - {sku: OAK, title: Oak table}
    - {sku: ASH, title: Ash table}
    - {sku: ELM, title: Elm table}
prompt_text: "{{ product.title }} in a bright room"
aspect_ratios: ["1:1", "4:5"]
model: {resolution: 1K}
finish: {formats: [jpeg, webp], quality: QUALITY}
"""
FILES = 12
KILLS = 2


@dataclass(frozen=True)
class Shop:
    """A workspace whose takes are drawn, and its first manifest."""

    root: Path
    spec: Path
    manifest: dict[str, Any]


@pytest.fixture(scope="module")
def shop(shotlist: Shotlist, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("shop")
    spec = root / "campaigns" / "tables.yaml"
    spec.parent.mkdir()
    spec.write_text(SPEC.replace("QUALITY", "82"), "utf-8")
    done = shotlist("run", spec, cwd=root)
    assert done.code == 0, done.err
    manifest = json.loads((root / "outputs" / "tables" / "manifest.json").read_text("utf-8"))
    return Shop(root=root, spec=spec, manifest=manifest)


# the others' stores are held against the same promises in tests/rooms/test_storage_stores.py
_KINDS = [pytest.param(one, marks=[pytest.mark.slow] if one != "local" else []) for one in KINDS]


@pytest.fixture(scope="module", params=_KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StorageServer]:
    with KINDS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with KINDS["s3"](tmp_path_factory.mktemp("s3")) as running:
        yield running


def said(done: Ended) -> str:
    return f"{done.out}\n{done.err}"


def test_each_kind_of_storage_gets_the_same_bytes_and_a_second_time_nothing(
    server: StorageServer,
    shop: Shop,
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
) -> None:
    to = f"{server.url}/tables"
    words = ("publish", shop.spec, "--to", to, "--provider", "proof")
    done = shotlist_alone(*words, "--json", cwd=shop.root, **server.environment)
    assert done.code == 0, said(done)
    assert done.document["made_files"] == FILES
    assert done.document["bought"] == 0
    manifest = manifest_at(to, {**clean_environment, **server.environment})
    first = lying(to, {**clean_environment, **server.environment})
    assert named(manifest) == named(shop.manifest)
    assert {path: first[path][0] for path in named(manifest)} == named(manifest)
    assert set(first) == {*named(manifest), *PAGES}

    again = shotlist_alone(*words, "--json", cwd=shop.root, **server.environment)
    assert again.code == 0, said(again)
    assert again.document["made_files"] == 0
    run = shotlist_alone(
        "run", shop.spec, "--to", to, "--provider", "proof", cwd=shop.root, **server.environment
    )
    assert run.code == 0, said(run)
    assert run.out.startswith("nothing to do: 6 shots (12 files) already there")
    assert lying(to, {**clean_environment, **server.environment}) == first


def test_what_no_manifest_names_is_listed_and_on_yes_removed(
    server: StorageServer,
    shop: Shop,
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
) -> None:
    to = f"{server.url}/pruned"
    reach = server.environment
    done = shotlist_alone(
        "publish", shop.spec, "--to", to, "--provider", "proof", cwd=shop.root, **reach
    )
    assert done.code == 0, said(done)
    before = set(lying(to, {**clean_environment, **reach}))
    code = (
        "import sys; from flows.storage import Place; place = Place(sys.argv[1]); "
        "[place.write(name, b'x') for name in sys.argv[2:]]"
    )
    strays = ["feeds/merchant.tsv", "gallery/0123456789abcdef.webp", "images/OLD/1x1.jpeg"]
    subprocess.run(
        [sys.executable, "-c", code, to, *strays, "notes.txt"],
        env={**clean_environment, **reach},
        check=True,
    )
    listed = shotlist_alone("prune", shop.spec, "--to", to, "--json", cwd=shop.root, **reach)
    assert listed.code == 0, said(listed)
    assert [one["path"] for one in listed.document["files"]] == strays
    assert set(lying(to, {**clean_environment, **reach})) == {*before, *strays, "notes.txt"}
    pruned = shotlist_alone("prune", shop.spec, "--to", to, "--yes", cwd=shop.root, **reach)
    assert pruned.code == 0, said(pruned)
    assert "removed 3 files" in pruned.out
    assert set(lying(to, {**clean_environment, **reach})) == {*before, "notes.txt"}


def test_a_store_that_is_busy_and_cuts_lines_is_published_to_all_the_same(
    seaweed: StorageServer,
    shop: Shop,
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
) -> None:
    to = f"{seaweed.url}/faulty"
    faults = Faults(busy=10, cut=20)
    with proxy(seaweed.port, faults) as port:
        reach = {**seaweed.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        done = shotlist_alone(
            "publish", shop.spec, "--to", to, "--provider", "proof", cwd=shop.root, **reach
        )
    assert done.code == 0, said(done)
    assert faults.answered_busy >= 2
    assert faults.cuts >= 1
    found = lying(to, {**clean_environment, **seaweed.environment})
    assert {path: found[path][0] for path in named(shop.manifest)} == named(shop.manifest)


def test_a_run_that_is_killed_while_it_uploads_leaves_the_former_manifest_true(
    seaweed: StorageServer,
    shop: Shop,
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    to = f"{seaweed.url}/killed"
    words = ("publish", "--to", to, "--provider", "proof")
    done = shotlist_alone(*words, shop.spec, cwd=shop.root, **seaweed.environment)
    assert done.code == 0, said(done)
    former = named(shop.manifest)
    changed = shop.root / "campaigns" / "changed.yaml"
    changed.write_text(SPEC.replace("QUALITY", "60"), "utf-8")
    faults = Faults(delay_s=0.15)
    with proxy(seaweed.port, faults) as port:
        reach = {**seaweed.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        for kill in range(KILLS):
            sent = len(faults.writes)
            with (tmp_path / f"{kill}.txt").open("wb") as told:
                process = subprocess.Popen(
                    [sys.executable, "-m", "flows.cli", *words, str(changed)],
                    cwd=shop.root,
                    env={**clean_environment, **reach},
                    stdout=subprocess.DEVNULL,
                    stderr=told,
                )
            # the first write asks whether the place can be written
            while len(faults.writes) < sent + 2 + kill and process.poll() is None:
                time.sleep(0.01)
            process.kill()
            assert process.wait() == -9, (tmp_path / f"{kill}.txt").read_text()
            found = lying(to, {**clean_environment, **seaweed.environment})
            assert {path: found[path][0] for path in former} == former
            assert named(manifest_at(to, {**clean_environment, **seaweed.environment})) == former
    assert len([path for path in found if path.startswith(".incoming/")]) >= 1
    done = shotlist_alone(*words, changed, cwd=shop.root, **seaweed.environment)
    assert done.code == 0, said(done)
    now = named(manifest_at(to, {**clean_environment, **seaweed.environment}))
    found = lying(to, {**clean_environment, **seaweed.environment})
    assert now.keys() == former.keys()
    assert all(now[path] != former[path] for path in now)
    assert {path: found[path][0] for path in now} == now
    assert set(found) == {*now, *PAGES}


def test_a_wrong_key_ends_with_four_and_no_secret_is_said(
    seaweed: StorageServer, shop: Shop, shotlist_alone: Shotlist
) -> None:
    done = shotlist_alone(
        "publish", shop.spec, "--to", f"{seaweed.url}/refused", "--provider", "proof",
        cwd=shop.root, **{**seaweed.environment, **seaweed.refused},
    )  # fmt: skip
    assert done.code == 4, said(done)
    assert "the store refused the key" in done.err
    assert "not-the-secret" not in said(done)
    assert "Traceback" not in done.err
