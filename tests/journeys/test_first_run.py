"""A new user's first hour: init, plan, run, look, run again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Ended, Shotlist

pytestmark = pytest.mark.journey


def true_renditions(destination: Path) -> dict[str, Any]:
    """The manifest, after every file that it names was held against its words."""
    manifest: dict[str, Any] = json.loads((destination / "manifest.json").read_text("utf-8"))
    assert manifest["schema"] == "shotlist/manifest/1"
    for row in manifest["renditions"]:
        file = destination / row["path"]
        data = file.read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["path"]
        assert len(data) == row["bytes"], row["path"]
        with Image.open(file) as image:
            image.load()
            assert image.size == (row["width"], row["height"]), row["path"]
            assert (image.format or "").lower() == row["format"], row["path"]
    return manifest


def comparable(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without what two runs may differ in."""
    rest = {key: value for key, value in manifest.items() if key != "run"}
    rest["takes"] = [
        {key: value for key, value in take.items() if key not in {"created_at", "host_task_id"}}
        for take in manifest["takes"]
    ]
    return rest


@pytest.fixture(scope="module")
def workspace(
    shotlist: Shotlist, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Ended]]:
    """A workspace by `init` whose demo was run once, at the small tier to be quick."""
    root = tmp_path_factory.mktemp("first") / "shop"
    made = shotlist("init", root, cwd=root.parent)
    assert made.code == 0, made.err
    spec = root / "campaigns" / "demo.yaml"
    spec.write_text(spec.read_text("utf-8") + "\nmodel: {resolution: 1K}\n", "utf-8")
    done = shotlist("run", spec, cwd=root)
    yield root, done
    shutil.rmtree(root)


def test_the_demo_publishes_twelve_products_in_four_shapes_and_every_file_is_true(
    workspace: tuple[Path, Ended],
) -> None:
    root, done = workspace
    assert done.code == 0, done.err
    manifest = true_renditions(root / "outputs" / "demo")
    assert len(manifest["renditions"]) == 48
    assert len({row["product"] for row in manifest["renditions"]}) == 12
    assert {row["aspect_ratio"] for row in manifest["renditions"]} == {"1:1", "4:5", "9:16", "16:9"}
    assert manifest["realm"] == "proof"
    assert {take["provider"] for take in manifest["takes"]} == {"proof"}
    assert {row["digital_source_type"] for row in manifest["renditions"]} == {None}
    assert manifest["totals"] == {"shots": 48, "published": 48, "failed": 0, "parked": 0}
    gallery = root / "outputs" / "demo" / "gallery.html"
    assert f"gallery:  {gallery}" in done.out
    assert "Traceback" not in done.err


def test_a_second_run_draws_nothing_and_says_so(
    workspace: tuple[Path, Ended], shotlist_alone: Shotlist
) -> None:
    root, _ = workspace
    before = (root / "outputs" / "demo" / "manifest.json").read_bytes()
    # a Prefect server that is not there: a run with nothing to do must not ask for one
    again = shotlist_alone(
        "run", "campaigns/demo.yaml", cwd=root, PREFECT_API_URL="http://127.0.0.1:9/api"
    )
    assert again.code == 0, again.err
    assert again.out.startswith("nothing to do: 48 shots (48 files) already there")
    assert (root / "outputs" / "demo" / "manifest.json").read_bytes() == before


def test_deleted_outputs_come_back_from_the_takes_without_drawing(
    workspace: tuple[Path, Ended], shotlist: Shotlist
) -> None:
    root, _ = workspace
    destination = root / "outputs" / "demo"
    before = true_renditions(destination)
    shutil.rmtree(destination)
    done = shotlist("run", "campaigns/demo.yaml", "--json", cwd=root)
    assert done.code == 0, done.err
    assert (done.document["bought"], done.document["published"]) == (0, 48)
    assert comparable(true_renditions(destination)) == comparable(before)


def test_a_changed_word_draws_only_what_it_touches(
    workspace: tuple[Path, Ended], shotlist: Shotlist
) -> None:
    root, _ = workspace
    catalogue = root / "campaigns" / "data" / "products.csv"
    text = catalogue.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    key = lines[1].split(",", 1)[0]
    title = lines[1].split(",")[1]
    catalogue.write_text(text.replace(title, f"{title} No. 2", 1), "utf-8")
    planned = shotlist("plan", "campaigns/demo.yaml", "--json", cwd=root).document
    changed = {shot["shot_id"] for shot in planned["shots"] if shot["state"] == "changed"}
    assert changed == {f"{key}/{ratio}" for ratio in ("1x1", "4x5", "9x16", "16x9")}
    assert planned["totals"]["generations"] == 4
    done = shotlist("run", "campaigns/demo.yaml", "--json", cwd=root).document
    assert (done["bought"], done["published"]) == (4, 48)
    true_renditions(root / "outputs" / "demo")


def test_only_makes_what_it_names_and_keeps_the_rest(
    workspace: tuple[Path, Ended], shotlist: Shotlist
) -> None:
    root, _ = workspace
    spec = root / "campaigns" / "demo.yaml"
    former = spec.read_text("utf-8")
    manifest = true_renditions(root / "outputs" / "demo")
    first = manifest["renditions"][0]["product"]
    spec.write_text(former.replace("season: autumn", "season: winter"), "utf-8")
    try:
        done = shotlist("run", spec, "--only", f"{first}/*", "--json", cwd=root)
        assert done.code == 0, done.err
        assert done.document["bought"] == 4
        after = true_renditions(root / "outputs" / "demo")
        assert len(after["renditions"]) == 48
        stale = {row["product"] for row in after["renditions"] if row["stale"]}
        assert stale == {row["product"] for row in manifest["renditions"]} - {first}
    finally:
        spec.write_text(former, "utf-8")


def test_a_product_that_left_is_retired_and_nothing_else(
    workspace: tuple[Path, Ended], shotlist: Shotlist
) -> None:
    root, _ = workspace
    catalogue = root / "campaigns" / "data" / "products.csv"
    text = catalogue.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    catalogue.write_text("".join(lines[:-1]), "utf-8")
    key = lines[-1].split(",", 1)[0]
    try:
        planned = shotlist("plan", "campaigns/demo.yaml", "--json", cwd=root).document
        assert planned["totals"]["retired"] == 4
        done = shotlist("run", "campaigns/demo.yaml", cwd=root)
        assert done.code == 0, done.err
        after = true_renditions(root / "outputs" / "demo")
        assert len(after["renditions"]) == 44
        assert key not in {row["product"] for row in after["renditions"]}
    finally:
        catalogue.write_text(text, "utf-8")


def test_status_tells_what_was_drawn(workspace: tuple[Path, Ended], shotlist: Shotlist) -> None:
    root, _ = workspace
    told = shotlist("status", "--json", cwd=root).document
    (takes,) = told["takes"]
    assert (takes["realm"], takes["provider"], takes["state"]) == ("proof", "proof", "done")
    assert takes["takes"] >= 48
    assert told["unsettled"] == []
    assert {run["outcome"] for run in told["runs"]} == {"ended"}


def test_a_partial_run_does_not_name_files_that_are_gone(
    workspace: tuple[Path, Ended], shotlist: Shotlist
) -> None:
    root, _ = workspace
    destination = root / "outputs" / "demo"
    first, second = sorted({row["product"] for row in true_renditions(destination)["renditions"]})[
        :2
    ]
    shutil.rmtree(destination / "images")
    done = shotlist("run", "campaigns/demo.yaml", "--only", f"{first}/*", "--json", cwd=root)
    assert done.code == 1
    assert f"{second}/1x1" in {row["shot_id"] for row in done.document["failures"]}
    after = true_renditions(destination)
    assert {row["product"] for row in after["renditions"]} == {first}
    assert shotlist("run", "campaigns/demo.yaml", cwd=root).code == 0
    assert true_renditions(destination)["failures"] == []
