"""One campaign at each host that sells the model, through the sandbox: bought once, no fault."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import sandbox
from flows.settings import KEY_VARIABLES
from tests.conftest import Ended, Shotlist

pytestmark = pytest.mark.journey

HOSTS = sorted(KEY_VARIABLES)
SECRET = "sk-test-SECRET-123"

CAMPAIGN = """\
campaign: six
products: {from: data/products.csv, image_base: data/photos, limit: 6}
prompt_text: "{{ product.title }} on an oak table, calm morning light."
aspect_ratios: ["1:1", "4:5"]
alt: "{{ product.title }}"
"""

PRODUCTS = ("mug", "teapot", "bottle", "lamp", "cushion", "soap")


def briefs() -> str:
    """6 products x 2 ratios, each made from text and by editing with two references."""
    rows = ["product,variant,prompt,references,aspect_ratios"]
    for name in PRODUCTS:
        photos = f"product=data/photos/{name}.jpg|style=data/photos/bowls.jpg"
        rows.append(f"{name},text,A {name} on an oak table,,1:1|4:5")
        rows.append(f"{name},edit,The {name} of image 1 among those of image 2,{photos},1:1|4:5")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def hosts() -> Iterator[sandbox.Running]:
    """One sandbox for all hosts, on a fast clock."""
    with sandbox.started(speed=30) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, repository: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    shutil.copytree(repository / "campaigns" / "data", tmp_path / "campaigns" / "data")
    (tmp_path / "campaigns" / "text.yaml").write_text(CAMPAIGN, "utf-8")
    (tmp_path / "campaigns" / "both.csv").write_text(briefs(), "utf-8")
    return tmp_path


def of_host(running: sandbox.Running, host: str, **more: str) -> dict[str, str]:
    """The variables of one host, and its key one that nobody may ever see."""
    return {**running.environment, KEY_VARIABLES[host]: SECRET, **more}


def lines(running: sandbox.Running, host: str) -> dict[str, Any]:
    found: dict[str, Any] = running.report()["hosts"].get(host, {})
    return found


@pytest.mark.parametrize("host", HOSTS)
def test_a_campaign_runs_unchanged_at_every_host(
    host: str, hosts: sandbox.Running, workspace: Path, shotlist: Shotlist, prefect_home: Path
) -> None:
    given = of_host(hosts, host)
    log = workspace / "log.txt"
    run = ("run", "campaigns/both.csv", "--provider", host, "--yes")
    ran = shotlist("--verbose", "--log-file", log, *run, cwd=workspace, **given)
    assert ran.code == 0, ran.err
    bill = lines(hosts, host)
    bought = ("creates", "made", "billed", "delivered")
    assert {name: bill[name] for name in bought} == dict.fromkeys(bought, 24)
    assert (bill["refused"], bill["client_faults"], bill["over_limit"]) == ([], 0, 0)
    assert bill["duplicates"] == 0
    manifest = json.loads((workspace / "outputs" / "both" / "manifest.json").read_text("utf-8"))
    assert (manifest["realm"], len(manifest["renditions"]), manifest["failures"]) == (
        "sandbox",
        24,
        [],
    )
    assert {take["provider"] for take in manifest["takes"]} == {host}
    assert manifest["run"]["bought"] == 24
    again = shotlist(*run, cwd=workspace, **given)
    assert (again.code, lines(hosts, host)["creates"]) == (0, 24)
    secrets = list(holding(b"SECRET", workspace, prefect_home))
    assert (secrets, "SECRET" in ran.out + ran.err) == ([], False)


def holding(word: bytes, *folders: Path) -> Iterator[str]:
    """Every file below the folders that holds a word (the database of Prefect is one of them)."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and word in path.read_bytes():
                yield str(path)


def test_takes_of_one_host_are_not_bought_again_at_another(
    hosts: sandbox.Running, workspace: Path, shotlist: Shotlist
) -> None:
    first = shotlist(
        "run", "campaigns/text.yaml", "--provider", "lumenfall", cwd=workspace, **hosts.environment
    )
    before = lines(hosts, "replicate").get("creates", 0)
    other = shotlist(
        "run",
        "campaigns/text.yaml",
        "--provider",
        "replicate",
        "--to",
        "elsewhere",
        cwd=workspace,
        **hosts.environment,
    )
    assert (first.code, other.code) == (0, 0), first.err + other.err
    assert lines(hosts, "replicate").get("creates", 0) == before


@pytest.mark.parametrize(
    ("host", "wish", "told"),
    [
        ("evolink", "seed: 7", "evolink has no seeds"),
        ("fal", "model: {guidance: 3}", "fal has no guidance scale"),
        ("freepik", "model: {resolution: 4K}", "freepik does not make 4K"),
        ("byteplus", "model: {safety: false}", "byteplus cannot switch its safety checker off"),
        ("aimlapi", "seed: 0", "aimlapi takes no seed 0"),
    ],
)
def test_a_wish_that_a_host_cannot_meet_is_told_by_the_plan_before_any_request(
    hosts: sandbox.Running,
    workspace: Path,
    shotlist: Shotlist,
    host: str,
    wish: str,
    told: str,
) -> None:
    spec = workspace / "campaigns" / "text.yaml"
    spec.write_text(CAMPAIGN + wish + "\n", "utf-8")
    before = lines(hosts, host).get("requests", 0)
    command = ("plan", spec, "--provider", host)
    strict = shotlist(*command, cwd=workspace, **hosts.environment)
    assert (strict.code, told in strict.err) == (2, True), strict.err
    assert "text.yaml:6:" in strict.err
    spec.write_text(CAMPAIGN + wish + "\nstrict: false\n", "utf-8")
    loose = shotlist(*command, cwd=workspace, **hosts.environment)
    assert (loose.code, "the wish is left out" in loose.err) == (0, True), loose.err
    assert lines(hosts, host).get("requests", 0) == before


def test_a_product_whose_references_a_host_cannot_take_is_named(
    hosts: sandbox.Running, workspace: Path, shotlist: Shotlist
) -> None:
    photo = "  - {from: '{{ product.image }}', role: product}\n"
    spec = workspace / "campaigns" / "text.yaml"
    spec.write_text(f"{CAMPAIGN}references:\n{photo * 7}", "utf-8")
    planned = shotlist(
        "plan", "campaigns/text.yaml", "--provider", "freepik", cwd=workspace, **hosts.environment
    )
    assert planned.code == 2
    assert "product MUG-01: 7 references are more than freepik takes … and" in planned.err


def test_a_run_without_the_key_ends_with_4_before_anything_is_written(
    hosts: sandbox.Running, workspace: Path, shotlist: Shotlist
) -> None:
    keyless = {name: text for name, text in hosts.environment.items() if not name.endswith("_KEY")}
    ran = shotlist(
        "run", "campaigns/text.yaml", "--provider", "eachlabs", "--yes", cwd=workspace, **keyless
    )
    assert (ran.code, "set EACHLABS_API_KEY" in ran.err) == (4, True), ran.err
    assert not (workspace / "outputs").exists()


@pytest.mark.parametrize(
    ("key", "host"), [("bad-key", "replicate"), ("broke-key", "aimlapi"), ("locked-key", "fal")]
)
def test_a_key_that_is_refused_stops_the_account_and_the_rest_is_not_tried(
    hosts: sandbox.Running, workspace: Path, shotlist: Shotlist, key: str, host: str
) -> None:
    before = lines(hosts, host).get("made", 0)
    ran = shotlist(
        "run",
        "campaigns/text.yaml",
        "--provider",
        host,
        cwd=workspace,
        **{**hosts.environment, KEY_VARIABLES[host]: key},
    )
    assert ran.code == 4, ran.err
    assert "Traceback" not in ran.err
    assert lines(hosts, host).get("made", 0) == before


FAULTS = [
    {"host": "freepik", "at": "create", "kind": "accept_then_drop", "nth": 2},
    {"host": "freepik", "at": "create", "kind": "status", "status": 429, "nth": 4},
    {"host": "freepik", "at": "poll", "kind": "status", "status": 503, "nth": 3},
    {"host": "freepik", "at": "poll", "kind": "malformed", "nth": 6},
    {"host": "freepik", "at": "poll", "kind": "unknown_state", "nth": 9},
    {"host": "freepik", "at": "link", "kind": "truncated", "nth": 2},
    {"host": "freepik", "at": "link", "kind": "html", "nth": 5},
]


def test_what_goes_wrong_at_a_host_is_settled_or_told_and_nothing_is_bought_twice(
    workspace: Path, shotlist: Shotlist
) -> None:
    with sandbox.started(speed=30, faults=FAULTS) as running:
        run = ("run", "campaigns/text.yaml", "--provider", "freepik", "--yes")
        first = shotlist(*run, cwd=workspace, **running.environment)
        second = shotlist(*run, cwd=workspace, **running.environment)
        bill = running.report()["hosts"]["freepik"]
    assert (first.code, second.code) == (1, 1), first.err
    # the one whose answer was cut off was made and paid: it is parked, and never sent again
    assert (bill["made"], bill["billed"], bill["duplicates"]) == (12, 12, 0)
    assert bill["delivered"] == 11
    manifest = json.loads((workspace / "outputs" / "six" / "manifest.json").read_text("utf-8"))
    assert [failure["stage"] for failure in manifest["failures"]] == ["parked"]
    with sqlite3.connect(workspace / ".shotlist" / "ledger.db") as ledger:
        states = Counter(row[0] for row in ledger.execute("select state from takes"))
    assert states == {"done": 11, "unknown": 1}


def test_the_hosts_are_listed_for_scripts(
    hosts: sandbox.Running, workspace: Path, shotlist: Shotlist
) -> None:
    listed: Ended = shotlist("providers", "--json", cwd=workspace, **of_host(hosts, "fal"))
    rows = listed.document["providers"]
    assert [row["name"] for row in rows] == HOSTS
    assert {row["configured"] for row in rows} == {True}
    assert {len(row["parameters"]) for row in rows} == {10}
    ways = {"passed", "renamed", "converted", "emulated", "none"}
    assert {one["treatment"] for row in rows for one in row["parameters"].values()} <= ways
    assert SECRET not in listed.out
