"""Files named by their hash: another picture has another address, the same keeps its own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shotlist

pytestmark = pytest.mark.journey

SPEC = """\
campaign: tables
products:
  items:
    - {sku: OAK, title: OAK_TITLE}
    - {sku: ASH, title: Ash table}
prompt_text: "{{ product.title }} in a bright room"
aspect_ratios: ["4:5"]
model: {resolution: 1K}
publish:
  public_url: https://cdn.acme.example/tables
  path: "PATH"
  feeds: [{name: meta, column: image_link}]
"""
PATH = "{{ product.key }}/{{ name }}-{{ hash }}.{{ ext }}"


def spec(root: Path, *, oak: str = "Oak table", path: str = PATH) -> Path:
    file = root / "campaigns" / "tables.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(SPEC.replace("OAK_TITLE", oak).replace("PATH", path), "utf-8")
    return file


def manifest(root: Path) -> dict[str, dict[str, Any]]:
    found = json.loads((root / "outputs" / "tables" / "manifest.json").read_text("utf-8"))
    return {row["product"]: row for row in found["renditions"]}


def test_another_picture_has_another_address_and_the_old_one_stays_until_it_is_pruned(
    tmp_path: Path, shotlist: Shotlist, shotlist_alone: Shotlist
) -> None:
    file = spec(tmp_path)
    planned = shotlist_alone("plan", file, "--json", "--all", cwd=tmp_path)
    assert planned.code == 0, planned.err
    paths = [one["path"] for shot in planned.document["shots"] for one in shot["renditions"]]
    assert paths == ["images/OAK/4x5-{hash}.jpg", "images/ASH/4x5-{hash}.jpg"]
    assert shotlist("run", file, "--provider", "proof", cwd=tmp_path).code == 0
    first = manifest(tmp_path)
    for key, row in first.items():
        assert row["path"] == f"images/{key}/4x5-{row['sha256'][:12]}.jpg"
        assert row["url"] == f"https://cdn.acme.example/tables/{row['path']}"

    again = shotlist_alone("run", file, "--provider", "proof", cwd=tmp_path)
    assert again.out.startswith("nothing to do: 2 shots (2 files) already there")

    spec(tmp_path, oak="Old oak table")
    assert shotlist("run", file, "--provider", "proof", cwd=tmp_path).code == 0
    second = manifest(tmp_path)
    assert second["ASH"] == first["ASH"]
    assert second["OAK"]["path"] == f"images/OAK/4x5-{second['OAK']['sha256'][:12]}.jpg"
    assert second["OAK"]["path"] != first["OAK"]["path"]
    place = tmp_path / "outputs" / "tables"
    assert (place / first["OAK"]["path"]).is_file()
    with (place / "feeds" / "meta.csv").open(encoding="utf-8-sig", newline="") as feed:
        told = {row["id"]: row["image_link"] for row in csv.DictReader(feed)}
    assert told == {key: row["url"] for key, row in second.items()}

    pruned = shotlist_alone("prune", file, "--yes", "--json", cwd=tmp_path)
    assert pruned.code == 0, pruned.err
    assert first["OAK"]["path"] in {one["path"] for one in pruned.document["files"]}
    assert not (place / first["OAK"]["path"]).exists()
    assert (place / second["OAK"]["path"]).is_file()


def test_a_name_that_is_too_long_keeps_its_hash(tmp_path: Path, shotlist: Shotlist) -> None:
    many = f"{{{{ product.key }}}}-{'very-' * 17}{{{{ hash }}}}{{{{ hash }}}}.{{{{ ext }}}}"
    file = spec(tmp_path, path=many)
    for _ in range(2):
        done = shotlist("run", file, "--provider", "proof", cwd=tmp_path)
        assert done.code == 0, done.err
        for row in manifest(tmp_path).values():
            assert row["path"].endswith(f"-{row['sha256'][:12]}.jpg")
    assert done.out.startswith("nothing to do")


@pytest.mark.parametrize(
    "path",
    [
        "{{ product.key }}-{{ hash[:6] }}.{{ ext }}",
        "{{ hash }}/{{ product.key }}-{{ hash|upper }}.{{ ext }}",
        "{{ product.key }}-{% filter upper %}{{ hash }}{% endfilter %}.{{ ext }}",
    ],
)
def test_a_hash_that_the_path_changes_is_refused(
    tmp_path: Path, shotlist_alone: Shotlist, path: str
) -> None:
    file = spec(tmp_path, path=path)
    done = shotlist_alone("validate", file, cwd=tmp_path)
    assert done.code == 2
    assert done.err.count("publish.path changes {{ hash }}") == 1
    assert "as it is, without filters and slices" in done.err
    assert "@" not in done.err


def test_files_that_only_their_hash_tells_apart_are_refused_in_the_words_of_the_spec(
    tmp_path: Path, shotlist_alone: Shotlist
) -> None:
    done = shotlist_alone("validate", spec(tmp_path, path="{{ hash }}.{{ ext }}"), cwd=tmp_path)
    assert done.code == 2
    assert "{hash}.jpg would be written twice" in done.err
    assert "@" not in done.err
