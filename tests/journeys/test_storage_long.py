"""The long forms: the demo to all kinds of storage, through faults, and killed at every moment."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import Ended, Shotlist
from tests.servers import killing
from tests.servers.faulty import Cuts, Faults, cutter, proxy
from tests.servers.looking import contents, lying, manifest_at, named
from tests.servers.storage import KINDS, StorageServer

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PAGES = {"manifest.json", "manifest.csv", "manifest.parquet", "gallery.html"}
DEMO_FILES = 48

SPEC = """\
campaign: lamps
title: Lamps
products:
  items: [PRODUCTS]
prompt_text: "{{ product.title }} in a dark room"
sizes: [{name: small, size: 480x480, formats: [jpeg, webp]}]
model: {resolution: 1K}
finish: {quality: QUALITY}
"""
PRODUCTS = ", ".join(f"{{sku: L{number}, title: Lamp {number}}}" for number in range(12))
FILES = 24

IN_MS = "2"
BEFORE_THE_FIRST_MOVE = [
    ("write", "*", 1, IN_MS),
    ("stage", "*", 1, "before"),
    ("stage", "*", 1, IN_MS),
    ("stage", "*", 5, IN_MS),
    ("stage", "*", 9, "after"),
    ("stage", "*", 12, IN_MS),
    ("stage", "*", 16, IN_MS),
    ("stage", "*", 20, "after"),
    ("stage", "*", FILES, IN_MS),
    ("stage", "*", FILES, "after"),
    ("write", "manifest.csv", 1, IN_MS),
    ("write", "gallery.html", 1, "after"),
    ("settle", "*", 1, "before"),
]
BETWEEN = [
    ("settle", "*", 1, IN_MS),
    ("settle", "*", 1, "after"),
    ("settle", "*", 12, IN_MS),
    ("settle", "*", FILES, "after"),
    ("replace", "manifest.json", 1, "before"),
    ("replace", "manifest.json", 1, IN_MS),
]
AFTER = [("replace", "manifest.json", 1, "after")]


@pytest.fixture(scope="module", params=list(KINDS))
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StorageServer]:
    with KINDS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def demo(
    repository: Path, shotlist: Shotlist, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """Its workspace, drawn and published here, and the manifest."""
    root = tmp_path_factory.mktemp("demo")
    for folder in ("campaigns", "templates"):
        shutil.copytree(repository / folder, root / folder)
    done = shotlist("run", "campaigns/demo.yaml", "--provider", "proof", cwd=root)
    assert done.code == 0, done.err
    manifest = json.loads((root / "outputs" / "demo" / "manifest.json").read_text("utf-8"))
    assert len(named(manifest)) == DEMO_FILES
    return root, manifest


def publish_demo(
    demo: tuple[Path, dict[str, Any]], shotlist_alone: Shotlist, to: str, reach: Mapping[str, str]
) -> Ended:
    words = ("publish", "campaigns/demo.yaml", "--to", to, "--provider", "proof", "--json")
    return shotlist_alone(*words, cwd=demo[0], **reach)


def said(done: Ended) -> str:
    return f"{done.out}\n{done.err}"


def test_the_demo_is_the_same_on_every_kind_of_storage_and_its_manifest_valid(
    server: StorageServer,
    demo: tuple[Path, dict[str, Any]],
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
) -> None:
    to = f"{server.url}/demo"
    environment = {**clean_environment, **server.environment}
    done = publish_demo(demo, shotlist_alone, to, server.environment)
    assert done.code == 0, said(done)
    assert (done.document["made_files"], done.document["bought"]) == (DEMO_FILES, 0)

    found = lying(to, environment)
    expected = named(demo[1])
    assert found.keys() == {*expected, *PAGES}
    assert {path: found[path][0] for path in expected} == expected

    schema = shotlist_alone("schema", "--manifest", cwd=demo[0]).document
    jsonschema.Draft202012Validator.check_schema(schema)
    manifest = manifest_at(to, environment)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(manifest)) == []
    assert manifest["renditions"] == demo[1]["renditions"]

    text = contents(to, "manifest.csv", environment).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["path"]: row["sha256"] for row in rows} == expected
    assert _renditions(contents(to, "manifest.parquet", environment)) == manifest["renditions"]


def _renditions(parquet: bytes) -> list[dict[str, Any]]:
    """The rows of a table without the columns of their takes, as a manifest has them."""
    import pyarrow.parquet as pq

    rows = pq.read_table(io.BytesIO(parquet)).to_pylist()
    return [{k: v for k, v in row.items() if not k.startswith("take_")} for row in rows]


@pytest.mark.parametrize("kind", ["s3", "gs", "az"])
def test_the_demo_arrives_whole_through_a_busy_store_and_cut_lines(
    kind: str,
    demo: tuple[Path, dict[str, Any]],
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    faults = Faults(busy=10, cut=20)
    with KINDS[kind](tmp_path) as running, proxy(running.port, faults) as port:
        to = f"{running.url}/faulty"
        reach = {
            name: value.replace(f"127.0.0.1:{running.port}", f"127.0.0.1:{port}")
            for name, value in running.environment.items()
        }
        done = publish_demo(demo, shotlist_alone, to, reach)
        assert done.code == 0, said(done)
        _tell(f"{kind}: {faults.asked} asked, {faults.answered_busy} 503, {faults.cuts} cut")
        assert faults.asked >= DEMO_FILES
        assert faults.answered_busy == faults.asked // 10
        assert faults.cuts == (faults.asked + 19) // 20
        found = lying(to, {**clean_environment, **running.environment})
    assert {path: found[path][0] for path in named(demo[1])} == named(demo[1])
    assert found.keys() == {*named(demo[1]), *PAGES}


def test_the_demo_arrives_whole_by_sftp_though_lines_are_cut(
    demo: tuple[Path, dict[str, Any]],
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    files = [row["bytes"] for row in demo[1]["renditions"]]
    plan = Cuts(after=sum(files) // len(files) * 10)
    with KINDS["sftp"](tmp_path) as running, cutter(running.port, plan) as port:
        known = Path(running.environment["HOME"]) / ".ssh" / "known_hosts"
        line = known.read_text()
        known.write_text(line + line.replace(f":{running.port} ", f":{port} "))
        to = f"{running.url}/faulty"
        done = publish_demo(
            demo, shotlist_alone, to.replace(f":{running.port}/", f":{port}/"), running.environment
        )
        assert done.code == 0, said(done)
        _tell(f"sftp: {plan.sent:,} bytes over {plan.lines} lines, {plan.cuts} cut")
        assert plan.cuts >= 4
        found = lying(to, {**clean_environment, **running.environment})
    assert {path: found[path][0] for path in named(demo[1])} == named(demo[1])


def test_killed_at_every_moment_the_former_manifest_is_true_and_the_next_run_completes(
    server: StorageServer,
    shotlist: Shotlist,
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment = {**clean_environment, **server.environment}
    to = f"{server.url}/killed"
    (tmp_path / "campaigns").mkdir()
    specs = [tmp_path / "campaigns" / f"{quality}.yaml" for quality in (82, 60)]
    for spec in specs:
        text = SPEC.replace("PRODUCTS", PRODUCTS).replace("QUALITY", spec.stem)
        spec.write_text(text, "utf-8")
    drawn = shotlist("run", specs[0], "--provider", "proof", cwd=tmp_path)
    assert drawn.code == 0, said(drawn)

    def words(spec: Path) -> tuple[str, ...]:
        return ("publish", str(spec), "--to", to, "--provider", "proof")

    def published(spec: Path) -> dict[str, Any]:
        done = shotlist_alone(*words(spec), cwd=tmp_path, **server.environment)
        assert done.code == 0, said(done)
        manifest = manifest_at(to, environment)
        assert len(named(manifest)) == FILES
        assert _torn(to, environment) == []
        return manifest

    former = published(specs[0])
    torn: list[tuple[tuple[str, str, int, str], int]] = []
    for number, moment in enumerate([*BEFORE_THE_FIRST_MOVE, *BETWEEN, *AFTER], 1):
        spec = specs[number % 2]
        code = _killed(to, moment, words(spec), tmp_path, environment)
        assert code == -9, (moment, (tmp_path / "killed.txt").read_text())
        lies = _torn(to, environment)
        now = manifest_at(to, environment)
        if moment in BEFORE_THE_FIRST_MOVE:
            assert (lies, now) == ([], former), moment
        if moment in AFTER:
            assert lies == [], moment
            assert now["run"] != former["run"]
        if lies:
            torn.append((moment, len(lies)))
        former = published(spec)
    _tell(f"{server.kind}: 20 kills, {len(torn)} tore: {torn}")
    pruned = shotlist_alone(
        "prune", specs[0], "--to", to, "--yes", cwd=tmp_path, **server.environment
    )
    assert pruned.code == 0, said(pruned)
    # the last kill came after all was written: the next one takes that file
    assert lying(to, environment).keys() - {".turn"} == {*named(former), *PAGES}


def test_two_that_publish_at_once_leave_the_files_of_one(
    server: StorageServer,
    shotlist: Shotlist,
    clean_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    if server.kind == "sftp":
        pytest.skip("sftp: keeps no conditions, which a run there says")
    environment = {**clean_environment, **server.environment}
    to = f"{server.url}/raced"
    refused = 0
    for number in range(6):
        ends = []
        for name, quality in (("one", 60 + number), ("two", 80 + number)):
            spec = tmp_path / name / "campaigns" / "lamps.yaml"
            spec.parent.mkdir(parents=True, exist_ok=True)
            text = SPEC.replace("PRODUCTS", PRODUCTS).replace("QUALITY", str(quality))
            spec.write_text(text, "utf-8")
            if not number:
                drawn = shotlist("run", spec, "--provider", "proof", cwd=tmp_path / name)
                assert drawn.code == 0, said(drawn)
        for name in ("one", "two"):
            words = ["publish", "campaigns/lamps.yaml", "--to", to, "--provider", "proof"]
            ends.append(
                subprocess.Popen(
                    [sys.executable, "-m", "flows.cli", *words],
                    cwd=tmp_path / name,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        told = [one.communicate(timeout=240)[0] for one in ends]
        codes = sorted(one.returncode for one in ends)
        assert codes in ([0, 0], [0, 4]), told
        refused += codes[1] == 4
        assert codes[1] == 0 or any("published there while this run was at work" in t for t in told)
        assert _torn(to, environment) == []
        table = contents(to, "manifest.csv", environment).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(table))
        assert {row["path"]: row["sha256"] for row in rows} == named(manifest_at(to, environment))
    _tell(f"{server.kind}: 6 times two at once, {refused} times one was refused")
    assert refused


def test_names_with_their_contents_hash_cannot_be_torn_at_any_moment(
    shotlist: Shotlist,
    shotlist_alone: Shotlist,
    clean_environment: dict[str, str],
    tmp_path: Path,
) -> None:
    to = str(tmp_path / "place")
    (tmp_path / "campaigns").mkdir()
    path = "{{ product.key }}/{{ name }}-{{ hash }}.{{ ext }}"
    for quality in ("82", "60"):
        text = SPEC.replace("PRODUCTS", PRODUCTS).replace("QUALITY", quality)
        (tmp_path / "campaigns" / f"{quality}.yaml").write_text(
            f'{text}publish: {{path: "{path}"}}\n', "utf-8"
        )
    words = ("--to", to, "--provider", "proof")
    drawn = shotlist("run", "campaigns/82.yaml", *words, cwd=tmp_path)
    assert drawn.code == 0, said(drawn)
    former = manifest_at(to, clean_environment)
    again = ("publish", "campaigns/60.yaml", *words)
    for moment in [
        ("create", "images/*", 1, "before"),
        ("create", "images/*", 4, IN_MS),
        ("create", "images/*", 6, "after"),
        ("replace", "manifest.json", 1, "before"),
    ]:
        code = _killed(to, moment, again, tmp_path, clean_environment)
        assert code == -9, (moment, (tmp_path / "killed.txt").read_text())
        assert manifest_at(to, clean_environment) == former
        assert _torn(to, clean_environment) == []
    done = shotlist_alone(*again, cwd=tmp_path)
    assert done.code == 0, said(done)
    now = manifest_at(to, clean_environment)
    assert named(now).keys().isdisjoint(named(former))
    assert _torn(to, clean_environment) == []


def _torn(to: str, environment: Mapping[str, str]) -> list[str]:
    """Files that are not what the manifest says."""
    found = lying(to, environment)
    expected = named(manifest_at(to, environment))
    return [path for path, sha256 in expected.items() if found.get(path, ("", 0))[0] != sha256]


def _killed(
    to: str,
    moment: tuple[str, str, int, str],
    words: tuple[str, ...],
    cwd: Path,
    environment: Mapping[str, str],
) -> int:
    """How the command ended that was to be killed then."""
    with (cwd / "killed.txt").open("wb") as told:
        done = subprocess.run(
            [sys.executable, killing.__file__, to, *map(str, moment), *words],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            timeout=240,
            check=False,
        )
    return done.returncode


def _tell(line: str) -> None:
    """A figure, shown by `make bench`."""
    sys.stdout.write(f"\n  {line}")
