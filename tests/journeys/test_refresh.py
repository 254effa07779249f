"""Tomorrow's catalogue: only what changed is made, the plan says why, the rest is not touched."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from tests.conftest import Shotlist
from tests.journeys.test_first_run import comparable, true_renditions

pytestmark = pytest.mark.journey

SPEC = """\
campaign: shop
products: {from: ../shop/products.csv, image_base: ../shop/images}
prompt_text: >-
  {{ product.title }} on a stage, exactly as in the reference image.
  {% if "category:Plants" in product.row["facets"] %}Light: {{ greenhouse }}.{% endif %}
vars: {greenhouse: soft morning light}
model: {resolution: 1K}
aspect_ratios: ["1:1"]
references: [{from: "{{ product.image }}", role: product}]
publish:
  public_url: https://cdn.acme.example/shop
  feeds: [{name: merchant}]
"""
LAPTOP, MOUSE, TENT = "laptop/1x1", "cordless-mouse/1x1", "tent/1x1"
PLANTS = {
    f"{key}/1x1"
    for key in (
        "spiky-cactus", "tulip-pot", "hanging-plant", "aloe-vera", "fern-blechnum-gibbum",
        "assorted-succulents", "orchid", "bonsai-tree", "hand-trowel",
    )
}  # fmt: skip


class Catalogue:
    """The shop's CSV; a row without a name is a further variant of the product above it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, skipinitialspace=True))
        self._header = [cell.strip() for cell in rows[0]]
        self._rows = [[cell.strip() for cell in row] for row in rows[1:]]

    def change(self, key: str, column: str, value: str) -> None:
        self._rows[self._span(key)[0]][self._header.index(column)] = value
        self._write()

    def remove(self, key: str) -> None:
        begin, end = self._span(key)
        del self._rows[begin:end]
        self._write()

    def add(self, key: str, *, like: str) -> None:
        begin, end = self._span(like)
        rows = [list(row) for row in self._rows[begin:end]]
        rows[0][self._header.index("slug")] = key
        rows[0][self._header.index("name")] = key.title()
        self._rows += rows
        self._write()

    def _span(self, key: str) -> tuple[int, int]:
        slug = self._header.index("slug")
        begin = next(at for at, row in enumerate(self._rows) if row[slug] == key)
        later = (at for at, row in enumerate(self._rows) if at > begin and row[0])
        return begin, next(later, len(self._rows))

    def _write(self) -> None:
        with self._path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([self._header, *self._rows])


@dataclass(frozen=True)
class Shop:
    """A workspace whose campaign was run on yesterday's catalogue."""

    root: Path
    call: Shotlist

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.root / "shop" / "products.csv")

    def photo(self, product: str) -> Path:
        """The file of a product's photo, as the published manifest names it."""
        (take,) = [one for one in self.manifest["takes"] if one["shot_ids"] == [product]]
        return self.root / "shop" / "images" / take["references"][0]["from"]

    @property
    def out(self) -> Path:
        return self.root / "outputs" / "shop"

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.out / "manifest.json").read_text("utf-8"))

    def say(self, old: str, new: str) -> None:
        """Change the campaign file."""
        spec = self.root / "campaigns" / "shop.yaml"
        text = spec.read_text("utf-8")
        assert text.count(old) == 1
        spec.write_text(text.replace(old, new), "utf-8")

    def plan(self) -> tuple[dict[str, tuple[str, str]], dict[str, Any]]:
        """What is not kept, shot to state and reason; and the totals."""
        done = self.call("plan", "campaigns/shop.yaml", "--provider", "proof", "--json", cwd=self.root)  # fmt: skip  # noqa: E501
        assert done.code == 0, done.err
        plan = done.document
        changes = {
            shot["shot_id"]: (shot["state"], shot["why"])
            for shot in plan["shots"]
            if shot["state"] != "kept"
        }
        return changes, plan["totals"]

    def run(self, *words: str) -> dict[str, Any]:
        """A run, and what it did to the destination."""
        before = self._files()
        done = self.call(
            "run", "campaigns/shop.yaml", "--provider", "proof", "--json", *words, cwd=self.root
        )
        assert done.code == 0, done.err
        true_renditions(self.out)
        after = self._files()
        return {
            **done.document,
            "written": {path for path, stamp in after.items() if before.get(path) != stamp},
        }

    def fed(self) -> set[str]:
        """The ids in the feed for the shop."""
        with (self.out / "feeds" / "merchant.tsv").open(encoding="utf-8-sig", newline="") as file:
            return {row["id"] for row in csv.DictReader(file, delimiter="\t")}

    def published(self) -> set[str]:
        return {row["shot_id"] for row in self.manifest["renditions"]}

    def _files(self) -> dict[str, tuple[int, int]]:
        images = self.out / "images"
        return {
            str(path.relative_to(images)): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in images.rglob("*.jpg")
        }


@pytest.fixture(scope="module")
def yesterday(
    test_data: Path, shotlist: Shotlist, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The shop's workspace after its first run: 54 products, a shot each."""
    root = tmp_path_factory.mktemp("shop")
    shutil.copytree(test_data / "vendure-demo", root / "shop")
    (root / "campaigns").mkdir()
    (root / "campaigns" / "shop.yaml").write_text(SPEC, "utf-8")
    done = shotlist("run", "campaigns/shop.yaml", "--provider", "proof", "--json", cwd=root)
    assert done.code == 0, done.err
    assert (done.document["bought"], done.document["published"]) == (54, 54)
    yield root
    shutil.rmtree(root)


@pytest.fixture
def shop(yesterday: Path, shotlist: Shotlist, tmp_path: Path) -> Iterator[Shop]:
    """A copy of it, so that each tomorrow is a tomorrow of its own."""
    root = tmp_path / "shop"
    shutil.copytree(yesterday, root)
    yield Shop(root, shotlist)
    shutil.rmtree(root)


def test_a_catalogue_that_stays_the_same_buys_and_writes_nothing(shop: Shop) -> None:
    before = (shop.out / "manifest.json").read_bytes()
    changes, totals = shop.plan()
    assert (changes, totals["kept"], totals["generations"]) == ({}, 54, 0)
    done = shop.run()
    assert (done["bought"], done["made_files"], done["written"]) == (0, 0, set())
    assert (shop.out / "manifest.json").read_bytes() == before


def test_a_price_that_no_template_uses_and_a_photo_that_only_moved_buy_nothing(
    shop: Shop,
) -> None:
    old = shop.photo(MOUSE)
    old.rename(old.with_name("mouse-2026.jpg"))
    catalogue = shop.catalogue
    catalogue.change("cordless-mouse", "assets", "mouse-2026.jpg")
    catalogue.change("laptop", "price", "1.00")
    catalogue.change("tent", "stockOnHand", "0")
    changes, totals = shop.plan()
    assert (changes, totals["kept"], totals["generations"]) == ({}, 54, 0)
    done = shop.run()
    assert (done["bought"], done["made_files"], done["written"]) == (0, 0, set())


def test_exactly_what_changed_is_made_and_the_plan_says_why(shop: Shop) -> None:
    """One title, one photo by its contents, one new product, one that left; nothing else."""
    catalogue = shop.catalogue
    catalogue.change("laptop", "name", "Notebook")
    catalogue.add("moon-lamp", like="light-shade")
    catalogue.remove("tent")
    photo = shop.photo(MOUSE)
    with Image.open(photo) as image:
        ImageOps.mirror(image).save(photo, quality=90)
    takes = {one["recipe"] for one in shop.manifest["takes"]}

    changes, totals = shop.plan()
    assert changes == {
        LAPTOP: ("changed", "title changed: Laptop -> Notebook"),
        MOUSE: ("changed", "photo changed"),
        "moon-lamp/1x1": ("new", "its product is new"),
        TENT: ("retired", "its product left the catalogue"),
    }
    assert (totals["kept"], totals["generations"]) == (51, 3)
    told = shop.call("plan", "campaigns/shop.yaml", "--provider", "proof", cwd=shop.root).out
    assert "51 shots as before (--all)" in told
    assert [line.split()[:2] for line in told.splitlines()[2:6]] == [
        [LAPTOP, "changed"],
        [MOUSE, "changed"],
        ["moon-lamp/1x1", "new"],
        [TENT, "retired"],
    ]

    done = shop.run()
    assert (done["bought"], done["made_files"], done["kept"], done["retired"]) == (3, 3, 51, 1)
    assert done["written"] == {"laptop/1x1.jpg", "cordless-mouse/1x1.jpg", "moon-lamp/1x1.jpg"}
    assert TENT not in shop.published()
    assert "moon-lamp/1x1" in shop.published()
    assert len(shop.published()) == 54
    assert shop.fed() == {shot_id.split("/")[0] for shot_id in shop.published()}
    new = {one["recipe"] for one in shop.manifest["takes"]} - takes
    assert len(new) == 3


def test_a_product_that_comes_back_is_not_bought_again(shop: Shop) -> None:
    csv_before = (shop.root / "shop" / "products.csv").read_bytes()
    before = comparable(shop.manifest)
    shop.catalogue.remove("tent")
    assert shop.run()["retired"] == 1
    assert TENT not in shop.published()
    assert "tent" not in shop.fed()
    (shop.root / "shop" / "products.csv").write_bytes(csv_before)
    changes, totals = shop.plan()
    assert (changes, totals["generations"]) == ({}, 0)
    done = shop.run()
    assert (done["bought"], done["made_files"]) == (0, 1)
    assert comparable(shop.manifest) == before
    assert "tent" in shop.fed()


def test_a_variable_buys_the_shots_whose_prompt_it_is_in(shop: Shop) -> None:
    shop.say("soft morning light", "hard noon light")
    changes, totals = shop.plan()
    assert changes == dict.fromkeys(
        PLANTS, ("changed", "greenhouse changed: soft morning light -> hard noon light")
    )
    assert (totals["kept"], totals["generations"]) == (45, 9)
    done = shop.run()
    assert (done["bought"], done["made_files"], done["kept"]) == (9, 9, 45)
    # a proof draws no light: some come out as they were, and are left alone
    assert done["written"] <= {f"{shot_id}.jpg" for shot_id in PLANTS}


def test_words_of_a_template_that_change_are_told(shop: Shop) -> None:
    shop.say("on a stage,", "on a round stage,")
    changes, totals = shop.plan()
    assert set(changes.values()) == {("changed", 'prompt changed: "round" came')}
    assert totals["generations"] == totals["changed"] == 54


def test_a_partial_run_retires_what_left_and_nothing_else(shop: Shop) -> None:
    catalogue = shop.catalogue
    catalogue.change("laptop", "name", "Notebook")
    catalogue.change("cordless-mouse", "name", "Pointer")
    catalogue.remove("tent")
    done = shop.run("--only", LAPTOP)
    assert (done["bought"], done["retired"]) == (1, 1)
    assert done["written"] == {"laptop/1x1.jpg"}
    stale = {row["shot_id"] for row in shop.manifest["renditions"] if row["stale"]}
    assert stale == {MOUSE}
    assert len(shop.published()) == 53
    assert shop.fed() == {shot_id.split("/")[0] for shot_id in shop.published()}
    assert shop.plan()[0] == {
        MOUSE: ("changed", "title changed: Wireless Optical Mouse -> Pointer")
    }


def test_a_catalogue_with_rows_that_cannot_be_read_retires_nothing_of_theirs(shop: Shop) -> None:
    shop.photo(LAPTOP).unlink()
    shop.say("image_base: ../shop/images", "image_base: ../shop/images, on_bad_row: skip")
    changes, totals = shop.plan()
    assert (changes, totals["kept"], totals["retired"]) == ({}, 53, 0)
    done = shop.run()
    assert (done["bought"], done["retired"]) == (0, 0)
    assert LAPTOP in shop.published()
    assert "laptop" in shop.fed()
