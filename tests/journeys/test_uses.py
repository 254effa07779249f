"""Campaigns as people write them: one CSV, a shop's catalogue, variants, locales and channels."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Shotlist
from tests.journeys.test_first_run import comparable, true_renditions

pytestmark = pytest.mark.journey


@pytest.fixture
def root(tmp_path: Path, repository: Path) -> Path:
    """A workspace with the project's templates and its small catalogue."""
    shutil.copytree(repository / "templates", tmp_path / "templates")
    shutil.copytree(repository / "campaigns", tmp_path / "campaigns")
    return tmp_path


def test_one_csv_file_is_a_campaign(root: Path, shotlist: Shotlist) -> None:
    for spec in (root / "campaigns").glob("*.yaml"):
        spec.unlink()
    done = shotlist("run", "campaigns/brief.csv", "--json", cwd=root)
    assert done.code == 0, done.err
    manifest = true_renditions(root / "outputs" / "brief")
    assert manifest["campaign"] == "brief"
    assert {row["product"] for row in manifest["renditions"]} == {
        "summer-table",
        "reading-corner",
        "bath-ritual",
        "sunday-pan",
        "gift-candle",
    }
    assert len(manifest["renditions"]) == done.document["files"] == 10
    prompts = {row["product"]: row["prompt"] for row in manifest["renditions"]}
    assert "warm late light" in prompts["summer-table"]
    roles = {
        take["shot_ids"][0].split("/")[0]: [one["role"] for one in take["references"]]
        for take in manifest["takes"]
    }
    assert roles["summer-table"] == ["product", "style"]
    assert roles["sunday-pan"] == ["product"]


RICH = """\
campaign: rich
title: A rich one
products:
  from: data/products.csv
  image_base: data/photos
  where: "stock > 20 and category == 'kitchen'"
  limit: 2
prompt: studio.j2
model: {resolution: 1K}
variants:
  - {id: calm, weight: 50, vars: {mood: calm}}
  - {id: bold, weight: 50, vars: {mood: bold}}
locales: {en: {vars: {greeting: Spring}}, de: {vars: {greeting: Frühling}}}
vars: {greeting: none}
aspect_ratios: ["4:5"]
channels: [meta-feed-4x5, google-pmax-landscape]
sizes: [{name: hero, size: 1200x500, formats: [avif, webp], max_bytes: 60 kB}]
exclude: [{variant: bold, name: hero}]
references: [{from: "{{ product.image }}", role: product}]
finish: {formats: [jpeg, png]}
alt: "{{ product.title }}, {{ greeting }}"
tags: ["{{ product.category }}", "{{ locale }}"]
rights: {creator: Acme GmbH, copyright: "© 2026 Acme GmbH", license_url: https://acme.example/l}
publish:
  public_url: https://cdn.acme.example/rich
  path: "{{ locale }}/{{ product.key | lower }}-{{ variant }}-{{ width }}x{{ height }}.{{ ext }}"
"""


def test_axes_and_outputs_add_up_and_masters_are_shared(root: Path, shotlist: Shotlist) -> None:
    (root / "campaigns" / "rich.yaml").write_text(RICH, "utf-8")
    done = shotlist("run", "campaigns/rich.yaml", "--json", cwd=root)
    assert done.code == 0, done.err
    manifest = true_renditions(root / "outputs" / "rich")
    rows = manifest["renditions"]
    # four outputs in two formats each, for two products in two locales; bold has no hero
    assert len(rows) == 2 * 2 * (4 * 2) + 2 * 2 * (3 * 2)
    assert len({row["shot_id"] for row in rows}) == 2 * 2 * 3 + 2 * 2 * 2
    one = [row for row in rows if row["shot_id"] == f"{rows[0]['product']}/calm/de/4x5"]
    assert [(row["name"], row["format"], row["channel"]) for row in one] == [
        ("4x5", "jpeg", None),
        ("4x5", "png", None),
        ("meta-feed-4x5", "jpeg", "meta-feed-4x5"),
        ("meta-feed-4x5", "png", "meta-feed-4x5"),
    ]
    assert {row["alt"].rpartition(", ")[2] for row in rows if row["locale"] == "de"} == {"Frühling"}
    sizes = {row["name"]: (row["width"], row["height"]) for row in rows}
    assert sizes["meta-feed-4x5"] == (1440, 1800)
    assert sizes["google-pmax-landscape"] == (1200, 628)
    assert sizes["hero"] == (1200, 500)
    assert all(row["bytes"] <= 60_000 for row in rows if row["name"] == "hero")
    assert all(row["url"].startswith("https://cdn.acme.example/rich/images/") for row in rows)
    assert len({row["path"] for row in rows}) == len(rows)


def test_a_plan_as_json_says_what_the_contract_promises(
    root: Path, shotlist_alone: Shotlist
) -> None:
    plan = shotlist_alone("plan", "campaigns/demo.yaml", "--json", cwd=root).document
    assert {"campaign", "realm", "shots", "skipped_rows", "totals"} <= set(plan)
    assert (plan["campaign"], plan["realm"]) == ("demo", "proof")
    assert {
        "shots", "new", "changed", "kept", "parked", "failed", "retired", "generations",
        "renditions", "requests", "cost_usd_low", "cost_usd_high", "eta_s",
    } <= set(plan["totals"])  # fmt: skip
    assert plan["totals"]["generations"] == plan["totals"]["new"] == len(plan["shots"]) == 48
    assert plan["totals"]["cost_usd_high"] == 0
    shot = plan["shots"][0]
    assert set(shot) == {
        "shot_id", "product", "variant", "locale", "aspect_ratio", "state", "why", "prompt",
        "references", "renditions", "recipes",
    }  # fmt: skip
    assert (shot["shot_id"], shot["variant"], shot["locale"]) == ("MUG-01/1x1", "", "")
    assert [one["path"] for one in shot["renditions"]] == ["images/MUG-01/1x1.jpg"]
    assert not (root / "outputs").exists()


def test_the_vendure_shop_is_drawn_in_variants(
    root: Path, test_data: Path, shotlist: Shotlist
) -> None:
    (root / "campaigns" / "vendure.yaml").write_text(
        f"""\
campaign: vendure
products:
  from: {test_data / "vendure-demo" / "products.csv"}
  image_base: {test_data / "vendure-demo" / "images"}
  limit: 4
prompt: lifestyle.j2
model: {{resolution: 1K}}
variants: [{{id: a, vars: {{mood: calm}}}}, {{id: b, vars: {{mood: bold}}}}]
aspect_ratios: [1:1, 4:5, 16:9]
references: [{{from: "{{{{ product.image }}}}", role: product}}]
""",
        "utf-8",
    )
    done = shotlist("run", "campaigns/vendure.yaml", cwd=root)
    assert done.code == 0, done.err
    assert len(true_renditions(root / "outputs" / "vendure")["renditions"]) == 24


def test_odd_titles_and_keys_become_safe_files(
    root: Path, test_data: Path, shotlist: Shotlist
) -> None:
    (root / "campaigns" / "odd.yaml").write_text(
        f"""\
campaign: odd
products:
  from: {test_data / "odd-inputs" / "odd-products.csv"}
  on_bad_row: skip
prompt_text: "{{{{ product.title }}}}"
model: {{resolution: 1K}}
aspect_ratios: ["1:1"]
references: [{{from: "{{{{ product.image }}}}", role: product}}]
""",
        "utf-8",
    )
    done = shotlist("run", "campaigns/odd.yaml", cwd=root)
    assert done.code == 0, done.err
    manifest = true_renditions(root / "outputs" / "odd")
    paths = [row["path"] for row in manifest["renditions"]]
    assert len({path.casefold() for path in paths}) == len(paths)
    inside = (root / "outputs" / "odd" / "images").resolve()
    assert all((root / "outputs" / "odd" / path).resolve().is_relative_to(inside) for path in paths)
    skipped = {row["product"] for row in manifest["run"]["skipped_rows"]}
    # its own image is a file address, a link-local address, missing, empty, a page, cut, a bomb
    assert {f"ODD-0{number}" for number in (13, 14, 16, 17, 18, 19, 20)} <= skipped
    assert "00123" in {row["product"] for row in manifest["renditions"]}


def test_a_run_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(
    root: Path,
    shotlist: Shotlist,
    prefect_server: str,
    clean_environment: dict[str, str],
) -> None:
    spec = root / "campaigns" / "demo.yaml"
    spec.write_text(
        spec.read_text("utf-8").replace("products:", "products:\n  limit: 5", 1)
        + "\nmodel: {resolution: 1K}\n",
        "utf-8",
    )
    takes = root / ".shotlist" / "takes"

    def drawn() -> int:
        return sum(path.is_file() for path in takes.rglob("*")) if takes.exists() else 0

    for wanted in (1, 6, 11):
        run = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "run", spec],
            cwd=root,
            env={**clean_environment, "PREFECT_API_URL": prefect_server},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while run.poll() is None and drawn() < wanted:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait(30)
        assert not (root / "outputs" / "demo" / "manifest.json").exists()
    before = drawn()
    assert before >= 11
    done = shotlist("run", spec, "--json", cwd=root)
    assert done.code == 0, done.err
    assert done.document["published"] == 20
    assert done.document["bought"] <= 20 - before + 2  # two workers may have lost one each
    killed = true_renditions(root / "outputs" / "demo")

    shutil.rmtree(root / "outputs")
    shutil.rmtree(root / ".shotlist")
    assert shotlist("run", spec, cwd=root).code == 0
    assert comparable(killed) == comparable(true_renditions(root / "outputs" / "demo"))


def test_an_interrupted_run_says_so_and_loses_nothing(
    root: Path, prefect_server: str, clean_environment: dict[str, str], shotlist: Shotlist
) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "run", "campaigns/demo.yaml"],
        cwd=root,
        env={**clean_environment, "PREFECT_API_URL": prefect_server},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    takes = root / ".shotlist" / "takes"
    while run.poll() is None and not any(path.is_file() for path in takes.rglob("*")):
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=120)
    assert run.returncode == 130, told
    assert "interrupted" in told
    assert "Traceback" not in told
    states = {row["state"] for row in shotlist("status", "--json", cwd=root).document["takes"]}
    assert "done" in states


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium on this machine: the gallery is not opened in a browser")


def test_the_gallery_opens_from_disk_without_a_console_error(
    root: Path, shotlist: Shotlist, tmp_path: Path
) -> None:
    program = browser()
    spec = root / "campaigns" / "demo.yaml"
    spec.write_text(
        spec.read_text("utf-8").replace("products:", "products:\n  limit: 2", 1)
        + "\nmodel: {resolution: 1K}\n",
        "utf-8",
    )
    assert shotlist("run", spec, cwd=root).code == 0
    page = root / "outputs" / "demo" / "gallery.html"
    done = subprocess.run(
        [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
            "--virtual-time-budget=4000", "--dump-dom", page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr
    assert done.stdout.count("Fjörd Stoneware Mug") >= 1
    assert done.stdout.count("<img") >= 8


@pytest.mark.slow
def test_a_hundred_thousand_shots_are_planned_in_bounded_memory(
    root: Path, clean_environment: dict[str, str]
) -> None:
    import resource

    rows = ["sku,title,category,price,color,material,description"]
    rows += [
        f"SKU-{n:05d},Product {n},kitchen,{n % 90 + 9}.90,blue,steel,<p>A good thing {n}.</p>"
        for n in range(10_000)
    ]
    (root / "campaigns" / "big.csv").write_text("\n".join(rows), "utf-8")
    (root / "campaigns" / "big.yaml").write_text(
        "campaign: big\nproducts: {from: big.csv}\nprompt: lifestyle.j2\n"
        "variants: [{id: a, vars: {mood: calm}}, {id: b, vars: {mood: bold}}]\n"
        'aspect_ratios: ["1:1", "4:5", "9:16", "16:9", "3:2"]\n',
        "utf-8",
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "plan", "campaigns/big.yaml", "--json"],
        cwd=root,
        env=clean_environment,
        capture_output=True,
        check=True,
    )
    spent = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    plan: dict[str, Any] = json.loads(done.stdout)
    print(f"\n100,000 shots planned as JSON in {spent:.1f} s, peak {peak:.0f} MiB")  # noqa: T201
    assert len({shot["shot_id"] for shot in plan["shots"]}) == 100_000
    assert peak < 1024 or os.environ.get("CI")
