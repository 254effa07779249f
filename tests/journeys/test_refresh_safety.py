"""A refresh that goes wrong: what a catalogue may take away unasked, and whether a plan names what
changed though no take did.
"""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows import jobs
from flows.errors import BadInput
from tests.conftest import Shotlist

pytestmark = pytest.mark.journey

SPEC = """\
campaign: shop
products: {from: products.csv}
prompt_text: "{{ product.title }} on a stage"
model: {resolution: 1K}
aspect_ratios: ["1:1"]
alt: "{{ product.title }} for {{ product.price|currency('EUR') }}"
brand: {palette: ["#0F4C81"]}
overlays:
  - {text: "{{ product.price|currency('EUR') }}", box: bottom}
  - {text: "{{ product.claim }}", box: top}
publish:
  public_url: https://cdn.acme.example/shop
  feeds: [{name: merchant}]
"""
KEYS = [f"MUG-{number}" for number in range(1, 10)]
COMMAND = ("campaigns/shop.yaml", "--provider", "proof")
STOPPED = (
    "shotlist: nothing was begun\n"
    "  - products.csv: 8 of 9 published products are not in it any more: their shots would be "
    "retired and leave the feeds (allowed: publish.retire_at_most: 0.3); look at the catalogue; "
    "if that is meant, run it at a terminal, where it asks, or raise publish.retire_at_most\n"
)


def rows() -> list[dict[str, str]]:
    return [
        {"sku": key, "title": f"Mug {key}", "price": "24.90", "stock": "50", "claim": "Handmade"}
        for key in KEYS
    ]


@dataclass(frozen=True)
class Shop:
    root: Path
    call: Shotlist
    environment: dict[str, str]

    def lay(self, found: Sequence[dict[str, str]]) -> None:
        """Tonight's catalogue."""
        path = self.root / "campaigns" / "products.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(found[0]))
            table.writeheader()
            table.writerows(found)

    def change(self, **cells: str) -> None:
        """Another value in the first product's row."""
        first, *rest = rows()
        self.lay([{**first, **cells}, *rest])

    def say(self, old: str, new: str) -> None:
        spec = self.root / "campaigns" / "shop.yaml"
        text = spec.read_text("utf-8")
        assert text.count(old) == 1
        spec.write_text(text.replace(old, new), "utf-8")

    def plan(self) -> dict[str, Any]:
        done = self.call("plan", *COMMAND, "--json", cwd=self.root)
        assert done.code == 0, done.err
        return done.document

    def why(self) -> dict[str, str]:
        return {one["shot_id"]: one["why"] for one in self.plan()["shots"]}

    def first(self) -> tuple[str, int]:
        """Why the first product's shot is as it is, and how many are cut anew."""
        plan = self.plan()
        assert plan["totals"]["generations"] == 0
        return plan["shots"][0]["why"], plan["totals"]["anew"]

    def published(self) -> int:
        manifest = json.loads((self.out / "manifest.json").read_text("utf-8"))
        return len({row["shot_id"] for row in manifest["renditions"]})

    def fed(self) -> int:
        feed = (self.out / "feeds" / "merchant.tsv").read_text("utf-8-sig")
        return len(feed.splitlines()) - 1

    @property
    def out(self) -> Path:
        return self.root / "outputs" / "shop"

    def at_a_terminal(self, *words: str, answer: str) -> tuple[int, str]:
        """The command's exit code and all that a person saw, on a screen of 80 columns."""
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode() + b"\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *words],
            cwd=self.root,
            env={**self.environment, "COLUMNS": "80", "TERM": "dumb"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # Linux's word for: the other end is closed
            pass
        os.close(ours)
        return process.wait(), seen.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def yesterday(shotlist: Shotlist, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose nine products were published."""
    root = tmp_path_factory.mktemp("shop")
    (root / "campaigns").mkdir()
    (root / "campaigns" / "shop.yaml").write_text(SPEC, "utf-8")
    Shop(root, shotlist, {}).lay(rows())
    done = shotlist("run", *COMMAND, "--json", cwd=root)
    assert (done.code, done.document["published"]) == (0, 9), done.err
    return root


@pytest.fixture
def shop(
    yesterday: Path,
    shotlist: Shotlist,
    clean_environment: dict[str, str],
    prefect_server: str,
    tmp_path: Path,
) -> Iterator[Shop]:
    root = tmp_path / "shop"
    shutil.copytree(yesterday, root)
    yield Shop(root, shotlist, {**clean_environment, "PREFECT_API_URL": prefect_server})
    shutil.rmtree(root)


# A catalogue that was cut off


def test_a_catalogue_that_was_cut_off_empties_nothing(shop: Shop) -> None:
    """Not even with --yes, which is about money; and publishing again is no way around it."""
    before = (shop.out / "manifest.json").read_bytes()
    shop.lay(rows()[:1])
    for words in (
        ("run", *COMMAND),
        ("run", *COMMAND, "--yes"),
        ("run", *COMMAND, "--only", "MUG-1/*"),
        ("publish", *COMMAND),
    ):
        done = shop.call(*words, cwd=shop.root)
        assert (done.code, done.err.endswith(STOPPED)) == (2, True), (words, done.err)
    assert (shop.out / "manifest.json").read_bytes() == before
    assert shop.fed() == 9


def test_a_run_that_a_server_starts_is_stopped_too(shop: Shop) -> None:
    request = jobs.Request(spec=str(shop.root / "campaigns" / "shop.yaml"), providers=("proof",))
    assert jobs.planned(request).retires is False
    shop.lay(rows()[:1])
    with pytest.raises(BadInput) as caught:
        jobs.planned(request)
    assert f"shotlist: {caught.value}\n" == STOPPED
    # a job that the command hands over was asked about
    job = jobs.prepare(request)
    jobs.entrust(job)
    assert jobs.planned(request) is job


def test_a_plan_tells_of_it_and_fails_not(shop: Shop) -> None:
    shop.lay(rows()[:1])
    plan = shop.plan()
    assert (plan["totals"]["shots"], plan["totals"]["retired"]) == (1, 8)
    assert plan["notes"][-1] == (
        "products.csv: 8 of 9 published products are not in it any more; `run` asks before it "
        "retires more than 0.3 of what is published (publish.retire_at_most), and stops where "
        "nobody can be asked"
    )


def test_at_a_terminal_a_person_is_asked(shop: Shop) -> None:
    shop.lay(rows()[:1])
    code, seen = shop.at_a_terminal("run", *COMMAND, "--yes", answer="n")
    question = "products.csv: 8 of 9 published products are not in it any more. Retire their shots?"
    assert (code, question in " ".join(seen.split()), shop.published()) == (2, True, 9)
    code, seen = shop.at_a_terminal("run", *COMMAND, answer="y")
    assert (code, shop.published(), shop.fed()) == (0, 1, 1), seen


def test_the_campaign_says_how_much_may_go(shop: Shop) -> None:
    shop.lay(rows()[:1])
    shop.say("publish:\n", "publish:\n  retire_at_most: 1\n")
    done = shop.call("run", *COMMAND, "--json", cwd=shop.root)
    assert (done.code, done.document["retired"], shop.fed()) == (0, 8, 1), done.err


@pytest.mark.parametrize(("left", "code"), [(5, 0), (4, 2)])
def test_a_few_shots_may_always_go(shop: Shop, left: int, code: int) -> None:
    """Four of nine are more than the share, and fewer than five."""
    shop.lay(rows()[:left])
    assert shop.call("run", *COMMAND, cwd=shop.root).code == code
    assert shop.published() == (left if code == 0 else 9)


def test_what_the_campaign_file_takes_away_is_meant(shop: Shop) -> None:
    shop.say('["1:1"]', '["4:5"]')
    done = shop.call("run", *COMMAND, "--json", cwd=shop.root)
    assert (done.code, done.document["retired"], done.document["published"]) == (0, 9, 9)


def test_a_query_that_was_changed_is_meant_and_one_that_was_not_is_asked_about(shop: Shop) -> None:
    shop.say("products.csv}", "products.csv, where: stock > 20}")
    assert shop.call("run", *COMMAND, cwd=shop.root).code == 0
    shop.lay([{**row, "stock": "0"} if row["sku"] != "MUG-1" else row for row in rows()])
    done = shop.call("run", *COMMAND, cwd=shop.root)
    assert (done.code, shop.published()) == (2, 9)
    assert "products.csv: `where` leaves 8 of 9 published products out: " in done.err
    shop.say("stock > 20", "stock > 30")
    assert (shop.call("run", *COMMAND, cwd=shop.root).code, shop.published()) == (0, 1)


# Reasons


def test_a_product_that_a_query_leaves_out_has_not_left_the_catalogue(shop: Shop) -> None:
    shop.say("products.csv}", "products.csv, where: stock > 20}")
    shop.change(stock="3")
    assert shop.why()["MUG-1/1x1"] == "`where` leaves its product out"


def test_a_price_that_is_laid_over_a_picture_is_told_with_what_it_was(shop: Shop) -> None:
    shop.change(price="19.90")
    assert shop.first() == (
        'cut anew from its take: alt changed: "€24.90" -> "€19.90"; so did what is laid over it',
        1,
    )
    told = shop.call("plan", *COMMAND, cwd=shop.root).out
    assert "9 products, 9 shots (9 kept, 1 of them cut anew), 9 files" in told
    assert shop.call("run", *COMMAND, "--json", cwd=shop.root).document["made_files"] == 1
    assert shop.first() == ("its take is in the ledger", 0)


def test_each_cause_of_a_new_cut_has_its_own_words(shop: Shop) -> None:
    shop.change(claim="Made by hand")
    laid = 'its words or look changed; laid over it now: "€24.90", "Made by hand"'
    assert shop.first() == (f"cut anew from its take: {laid}", 1)
    shop.lay(rows())
    file = shop.out / "images" / "MUG-1" / "1x1.jpg"
    data = file.read_bytes()
    file.write_bytes(data[:-1])
    assert shop.first() == ("cut anew from its take: images/MUG-1/1x1.jpg is not whole", 1)
    file.unlink()
    assert shop.first() == ("cut anew from its take: images/MUG-1/1x1.jpg is gone", 1)
    file.write_bytes(data)
    shop.say("publish:\n", "tags: [new]\npublish:\n")
    assert shop.first() == ('cut anew from its take: tags changed: "new" came', 9)
    shop.say("tags: [new]\n", "finish: {quality: 70}\n")
    settings = "the campaign file changed: finish, overlays, brand, rights or outputs"
    assert shop.first() == (f"cut anew from its take: {settings}", 9)
    shop.say("finish: {quality: 70}", "finish: {formats: [jpeg, png]}")
    assert shop.first()[1] == 9


def test_plan_and_run_count_a_skipped_row_alike(shop: Shop) -> None:
    shop.say("products.csv}", "products.csv, on_bad_row: skip}")
    first, *rest = rows()
    shop.lay([{**dict.fromkeys(first, ""), "sku": "MUG-1"}, *rest])
    done = shop.call("plan", *COMMAND, cwd=shop.root)
    skipped = "; 1 row skipped, and 1 published shot of such left as before"
    assert f"8 products, 8 shots (8 kept), 8 files{skipped}\n" in done.out
    assert shop.plan()["totals"]["unseen"] == 1
    done = shop.call("run", *COMMAND, cwd=shop.root)
    assert (done.code, shop.published()) == (0, 9)
    done = shop.call("run", *COMMAND, cwd=shop.root)
    assert "nothing to do: 9 shots (9 files) already there, 1 of them of skipped rows;" in done.out


# A screen of 80 columns


def test_ids_are_never_broken_and_words_only_between_them(shop: Shop) -> None:
    key = "MUG-WITH-A-RATHER-LONG-NAME-OF-ITS-OWN"
    shop.lay([*rows(), {**rows()[0], "sku": key}])
    _, seen = shop.at_a_terminal("plan", *COMMAND, answer="")
    assert f"{key}/1x1" in seen.split()
    assert "its product is new" in " ".join(seen.split())
    shop.lay(rows()[:1])
    _, seen = shop.at_a_terminal("plan", *COMMAND, answer="")
    told = [line for line in seen.splitlines() if str(shop.root) not in line]
    assert max(map(len, told)) <= 80
    assert shop.plan()["notes"][-1] in " ".join(seen.split())
