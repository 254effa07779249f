"""Another `public_url`: all that is handed over has it after the next run, and nothing is drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run_command
from tests.rooms.feed_factory import tsv

OLD, NEW = "https://old.acme.example/mugs", "https://cdn.acme.example/mugs"
PUBLISH = """\
publish:
  public_url: {base}
  feeds: [{{name: merchant}}]
  adcp: true
"""
SPEC = (
    """\
campaign: mugs
products: {{items: [{{sku: MUG-01, title: Blue mug}}, {{sku: MUG-02, title: {title}}}]}}
prompt_text: "{{{{ product.title }}}}"
aspect_ratios: ["1:1"]
variants: [{{id: a}}]
"""
    + PUBLISH
)

Ran = Callable[..., dict[str, Any]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ran:
    """`shotlist run … --provider proof --json`: what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        assert run_command(["run", *words, "--provider", "proof", "--json"]) == 0
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return call


def pictures() -> Mapping[str, tuple[int, int]]:
    """The files below images/: whether one was written again shows in when and in its number."""
    found = Path("outputs/mugs/images").rglob("*.jpg")
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in found}


def handed_over() -> list[str]:
    """Everything beside the pictures that holds addresses."""
    names = ("manifest.json", "manifest.csv", "adcp.json", "feeds/merchant.tsv")
    return [Path(f"outputs/mugs/{one}").read_text("utf-8-sig") for one in names] + [
        Path("outputs/mugs/variants/assignments.csv").read_text("utf-8-sig")
    ]


def test_rows_that_a_run_carries_on_have_the_new_base_too(ran: Ran) -> None:
    Path("mugs.yaml").write_text(SPEC.format(base=OLD, title="Red mug"))
    ran("mugs.yaml")
    before = pictures()
    assert len(before) == 2

    # the second product's picture is old now, and not asked for: its row is carried on
    Path("mugs.yaml").write_text(SPEC.format(base=NEW, title="Crimson mug"))
    told = ran("mugs.yaml", "--only", "MUG-01*")

    assert (told["bought"], told["made_files"]) == (0, 0)
    assert pictures() == before
    rows = json.loads(Path("outputs/mugs/manifest.json").read_text())["renditions"]
    assert [row["stale"] for row in rows] == [False, True]
    assert [row["url"] for row in rows] == [f"{NEW}/{row['path']}" for row in rows]
    feed = tsv(Path("outputs/mugs/feeds/merchant.tsv").read_bytes())
    assert [row["additional_image_link"] for row in feed] == [row["url"] for row in rows]
    assert [NEW in text and OLD not in text for text in handed_over()] == [True] * 5


def test_a_base_in_the_defaults_of_a_csv_is_heeded_as_well(ran: Ran) -> None:
    Path("mugs.csv").write_text("product,prompt,aspect_ratios,variant\nMUG-01,A mug,1:1,a\n")
    Path("mugs.yaml").write_text(PUBLISH.format(base=OLD))
    ran("mugs.csv")
    before = pictures()
    Path("mugs.yaml").write_text(PUBLISH.format(base=NEW))
    told = ran("mugs.csv")
    assert (told["bought"], told["made_files"], pictures()) == (0, 0, before)
    assert [NEW in text and OLD not in text for text in handed_over()] == [True] * 5


def test_a_base_that_was_taken_away_leaves_no_address(ran: Ran) -> None:
    Path("mugs.yaml").write_text(SPEC.format(base=OLD, title="Red mug"))
    ran("mugs.yaml")
    spec = SPEC.format(base=OLD, title="Crimson mug")
    Path("mugs.yaml").write_text(spec[: spec.index("publish:")])
    ran("mugs.yaml", "--only", "MUG-01*")
    rows = json.loads(Path("outputs/mugs/manifest.json").read_text())["renditions"]
    assert [row["url"] for row in rows] == [None, None]


@pytest.mark.parametrize("channel", ["google-merchant-lifestyle", "gmc-lifestyle"])
def test_a_feed_takes_the_pictures_of_a_channel_by_either_of_its_names(
    ran: Ran, channel: str
) -> None:
    spec = SPEC.format(base=NEW, title="Red mug").replace(
        'aspect_ratios: ["1:1"]', "channels: [meta-feed-4x5, gmc-lifestyle, gmc-additional]"
    )
    feed = f"{{name: merchant, column: additional_image_link, channel: {channel}}}"
    Path("mugs.yaml").write_text(spec.replace("{name: merchant}", feed))
    ran("mugs.yaml")
    rows = json.loads(Path("outputs/mugs/manifest.json").read_text())["renditions"]
    lifestyle = [row["url"] for row in rows if row["channel"] == "gmc-lifestyle"]
    assert [row["name"] for row in rows][:3] == ["meta-feed-4x5", "gmc-lifestyle", "gmc-additional"]
    feed_rows = tsv(Path("outputs/mugs/feeds/merchant.tsv").read_bytes())
    assert [row["additional_image_link"] for row in feed_rows] == lifestyle
    assert len(lifestyle) == 2
