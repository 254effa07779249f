"""The campaigns that come with the project do what their first lines say."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shotlist
from tests.journeys.test_first_run import true_renditions

pytestmark = pytest.mark.journey

FOUR = ["calm-kitchen-table", "calm-garden-table", "bold-kitchen-table", "bold-garden-table"]


@pytest.fixture
def root(tmp_path: Path, repository: Path) -> Path:
    """A workspace with the examples, their templates and data."""
    shutil.copytree(repository / "templates", tmp_path / "templates")
    shutil.copytree(repository / "campaigns", tmp_path / "campaigns")
    return tmp_path


def made(shotlist: Shotlist, root: Path, name: str, *words: str) -> dict[str, Any]:
    """The summary of a run of an example, drawn small to be quick."""
    spec = root / "campaigns" / f"{name}.yaml"
    text = spec.read_text("utf-8")
    if "\nmodel:" not in text:
        spec.write_text(f"{text}\nmodel: {{resolution: 1K}}\n", "utf-8")
    done = shotlist("run", spec, "--provider", "proof", "--json", *words, cwd=root)
    assert done.code == 0, done.err
    summary: dict[str, Any] = done.document
    return summary


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    text = path.read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_every_example_is_good_and_spends_nothing_to_say_so(
    root: Path, shotlist_alone: Shotlist
) -> None:
    specs = sorted(
        path for path in (root / "campaigns").iterdir() if path.suffix in (".yaml", ".csv")
    )
    assert [path.name for path in specs] == [
        "ab-test.yaml",
        "brief.csv",
        "catalogue-refresh.yaml",
        "demo.yaml",
        "weekly-sale.yaml",
    ]
    done = shotlist_alone("validate", *specs, cwd=root)
    assert done.code == 0, done.err
    assert not (root / "outputs").exists()


def test_the_weekly_sale_makes_what_is_new_in_the_deals_and_prices_cost_no_take(
    root: Path, shotlist: Shotlist
) -> None:
    first = made(shotlist, root, "weekly-sale")
    assert (first["bought"], first["published"], first["files"]) == (6, 6, 6)
    place = root / "outputs" / "weekly-sale"
    manifest = true_renditions(place)
    assert {row["name"] for row in manifest["renditions"]} == {"meta-feed-4x5", "pinterest-pin-2x3"}
    assert "Poppy Enamel Teapot on a stage, €39.60" in {
        row["alt"] for row in manifest["renditions"]
    }
    assert all("39.60" not in row["prompt"] for row in manifest["renditions"])

    deals = root / "campaigns" / "data" / "deals.csv"
    lines = deals.read_text("utf-8").splitlines()
    mug = "MUG-01,Fjörd Stoneware Mug,kitchen,18.00,24.00,EUR,stoneware,storm blue,A mug.,mug.jpg"
    # next Monday: the teapot costs less, the cushion's deal is over, the mug's begins
    next_week = [line.replace("39.60", "37.10") for line in lines if "CUS-06" not in line]
    deals.write_text("\n".join([*next_week, mug]) + "\n", "utf-8")
    second = made(shotlist, root, "weekly-sale")
    assert (second["bought"], second["made_files"], second["retired"]) == (2, 4, 2)
    after = true_renditions(place)
    assert {row["product"] for row in after["renditions"]} == {"TEA-02", "0308", "MUG-01"}

    def files(said: dict[str, Any]) -> dict[str, str]:
        return {row["path"]: row["sha256"] for row in said["renditions"]}

    before, now = files(manifest), files(after)
    same = {path for path in before.keys() & now.keys() if before[path] == now[path]}
    assert {path.split("/")[1] for path in same} == {"0308"}


def test_the_catalogue_refresh_feeds_what_is_in_stock(root: Path, shotlist: Shotlist) -> None:
    first = made(shotlist, root, "catalogue-refresh")
    assert first["bought"] == first["published"] == 10
    place = root / "outputs" / "catalogue-refresh"
    begin = "https://cdn.shop.example/catalogue-refresh/images"

    def fed() -> dict[str, str]:
        rows = table(place / "feeds" / "merchant.tsv", "\t")
        return {row["id"]: row["lifestyle_image_link"] for row in rows}

    stock = {
        "MUG-01", "TEA-02", "0042", "LMP-04", "CUS-06", "0215", "CLK-09", "0308", "BWL-11",
        "PAN-12",
    }  # fmt: skip
    before = fed()
    renditions = json.loads((place / "manifest.json").read_text("utf-8"))["renditions"]
    digests = {row["product"]: row["sha256"][:12] for row in renditions}
    assert before == {key: f"{begin}/{key}/gmc-lifestyle-{digests[key]}.jpg" for key in stock}

    catalogue = root / "campaigns" / "data" / "products.csv"
    text = catalogue.read_text("utf-8")
    assert text.count("lamp.jpg,22") == text.count("vase.png,17") == 1
    # tonight: the lamps are sold out, new vases have come
    text = text.replace("lamp.jpg,22", "lamp.jpg,0").replace("vase.png,17", "vase.png,40")
    catalogue.write_text(text, "utf-8")
    second = made(shotlist, root, "catalogue-refresh")
    assert (second["bought"], second["kept"], second["retired"]) == (1, 9, 1)
    after = fed()
    assert after.keys() == stock - {"LMP-04"} | {"0107"}
    assert all(after[key] == before[key] for key in stock - {"LMP-04"})


def test_the_ab_test_hands_over_its_variants_and_finds_the_better_place(
    root: Path, shotlist: Shotlist
) -> None:
    summary = made(shotlist, root, "ab-test")
    assert summary["bought"] == summary["published"] == 12
    place = root / "outputs" / "ab-test"
    manifest = true_renditions(place)
    assigned = table(place / "variants" / "assignments.csv")
    assert [row["path"] for row in assigned] == [row["path"] for row in manifest["renditions"]]
    weights = {
        row["variant"]: (
            row["factor: mood"],
            row["factor: setting"],
            row["weight"],
            row["share"],
        )
        for row in assigned
    }
    assert weights == {
        "calm-kitchen-table": ("calm", "kitchen table", "2", "0.333333"),
        "calm-garden-table": ("calm", "garden table", "2", "0.333333"),
        "bold-kitchen-table": ("bold", "kitchen table", "1", "0.166667"),
        "bold-garden-table": ("bold", "garden table", "1", "0.166667"),
    }
    assert len({row["utm_content"] for row in assigned}) == 12

    pytest.importorskip("scipy", reason="scipy is not installed: results are not judged")
    pytest.importorskip("statsmodels", reason="statsmodels is not installed: no results")
    ads = root / "campaigns" / "data" / "ab-test-ads.csv"
    plot = root / "rates.svg"
    done = shotlist("results", "campaigns/ab-test.yaml", ads, "--plot", plot, cwd=root)
    assert done.code == 0, done.err
    assert "ab-test, setting: garden table wins" in done.out
    assert "ab-test, mood: no winning level" in done.out
    assert plot.read_text("utf-8").startswith("<svg")

    # what the ad platform reports by `utm_content` comes to the same
    one = {row["variant"]: row["utm_content"] for row in assigned}
    rows = table(ads)
    for row in rows:
        row["utm_content"] = one[row.pop("variant")]
    by_link = root / "by-link.csv"
    with by_link.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    def judged(file: Path) -> dict[str, Any]:
        told = shotlist("results", "campaigns/ab-test.yaml", file, "--json", cwd=root)
        assert told.code == 0, told.err
        found: dict[str, Any] = json.loads(told.out)
        return found

    assert judged(by_link)["metrics"] == judged(ads)["metrics"]


def test_a_variant_table_that_is_gone_is_written_again_and_leaves_with_the_variants(
    root: Path, shotlist: Shotlist
) -> None:
    made(shotlist, root, "ab-test", "--only", "MUG-01/*")
    file = root / "outputs" / "ab-test" / "variants" / "assignments.csv"
    before = file.read_bytes()
    file.unlink()
    assert made(shotlist, root, "ab-test", "--only", "MUG-01/*")["made_files"] == 0
    assert file.read_bytes() == before
    spec = root / "campaigns" / "ab-test.yaml"
    text = spec.read_text("utf-8").replace("calm: 2}", "calm: 3}")
    spec.write_text(text, "utf-8")
    made(shotlist, root, "ab-test", "--only", "MUG-01/*")
    assert {row["variant"]: row["weight"] for row in table(file)} == dict(
        zip(FOUR, ["3", "3", "1", "1"], strict=True)
    )
    begin, end = text.index("experiment:"), text.index("channels:")
    spec.write_text(f"{text[:begin]}vars: {{setting: kitchen table}}\n{text[end:]}", "utf-8")
    made(shotlist, root, "ab-test", "--only", "MUG-01/*")
    assert not file.exists()


def test_a_csv_of_briefs_with_variants_has_its_table_too(root: Path, shotlist: Shotlist) -> None:
    (root / "campaigns" / "pair.csv").write_text(
        "product,title,variant,prompt,references,aspect_ratios\n"
        "mug,A mug,a,A mug on a table,product=data/photos/mug.jpg,1:1\n"
        "mug,A mug,b,A mug on a shelf,product=data/photos/mug.jpg,1:1\n",
        "utf-8",
    )
    done = shotlist("run", "campaigns/pair.csv", "--provider", "proof", "--json", cwd=root)
    assert done.code == 0, done.err
    file = root / "outputs" / "pair" / "variants" / "assignments.csv"
    assert [(row["variant"], row["share"]) for row in table(file)] == [("a", "0.5"), ("b", "0.5")]
