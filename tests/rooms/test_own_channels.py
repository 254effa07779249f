"""Presets of a workspace's own, and presets that have grown old."""

# ruff: noqa: E501  (a fault stands here on one line, as it is printed)

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from flows import read
from flows.cli import run_command
from flows.errors import BadInput
from flows.nouns.output import Channel
from flows.presets import channels

OWN = """\
our-hero:
  width: 1600
  height: 900
  formats: [webp, jpeg]
  ratio: 16:9
  max_bytes: 300 kB
  min_width: 800
  safe_zone: [0.1, 0.05, 0.1, 0.05]
  keep_out: [[0.8, 0.8, 1, 1]]
  text: avoid
  note: The shop's start page
  source: https://acme.example/guide
  verified: 2026-10-01
og-image: {replaces: true, width: 1200, height: 630, formats: [png]}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns/products.csv").write_text("sku,title\nMUG-1,Mug\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(text: str, workspace: Path) -> list[str]:
    """The faults of a workspace's file."""
    (workspace / "channels.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as error:
        channels(workspace)
    assert error.value.what == f"{workspace}/channels.yaml cannot be used"
    return [str(fault).removeprefix(f"{workspace}/channels.yaml:") for fault in error.value.faults]


def test_a_workspace_adds_presets_and_replaces_shipped_ones(workspace: Path) -> None:
    (workspace / "channels.yaml").write_text(OWN, encoding="utf-8")
    found = channels(workspace)
    assert list(found) == [*channels(), "our-hero"]
    assert found["our-hero"] == Channel(
        id="our-hero",
        width=1600,
        height=900,
        formats=("webp", "jpeg"),
        ratio="16:9",
        max_bytes=300_000,
        min_width=800,
        safe_zone=(0.1, 0.05, 0.1, 0.05),
        keep_out=((0.8, 0.8, 1.0, 1.0),),
        text="avoid",
        note="The shop's start page",
        source="https://acme.example/guide",
        verified="2026-10-01",
        origin="channels.yaml:1",
    )
    assert found["og-image"] == Channel(
        id="og-image",
        width=1200,
        height=630,
        formats=("png",),
        ratio="40:21",
        origin="channels.yaml:14",
    )
    assert channels()["og-image"].formats == ("jpeg", "png")


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_adds_nothing(workspace: Path, text: str) -> None:
    (workspace / "channels.yaml").write_text(text)
    assert channels(workspace) == channels()


ROW = "{width: 10, height: 10, formats: [png]"
BROKEN = {
    "no presets": ("- a\n", ["1:1: expected presets by their ids; write `our-shop-hero: {width: 1600, height: 900, formats: [webp, jpeg]}`"]),
    "no YAML": ("a: {b\n", ["2:1: not YAML: expected ',' or '}', but got '<stream end>'"]),
    "what is needed is not there": (
        "a: {width: 10}\n",
        ["1:1: a says no height and no formats; write `our-shop-hero: {width: 1600, height: 900, formats: [webp, jpeg]}`"],
    ),
    "an id and a row of the wrong form": (
        f"My Hero: {ROW}}}\na: 3\n",
        [
            "1:1: 'My Hero' is no id of a preset (allowed: a-z, 0-9 and single dashes between them, for example our-shop-hero)",
            "2:4: a: expected keys and values; write `our-shop-hero: {width: 1600, height: 900, formats: [webp, jpeg]}`",
        ],
    ),
    "an id and a key twice": (
        f"a: {ROW}}}\na: {ROW}}}\nb: {ROW}, width: 20}}\n",
        [
            "2:1: 'a' stands here and on line 1; keep one of the two",
            "3:44: b: 'width' stands here twice; keep one",
        ],
    ),
    "a shipped id without a word, and a word without one": (
        f"og-image: {ROW}}}\nog-imag: {ROW}, replaces: true}}\n",
        [
            "1:1: 'og-image' is a preset of shotlist; give yours another id, or write `replaces: true` in it",
            "2:1: 'og-imag' replaces no preset of shotlist; did you mean 'og-image'?",
        ],
    ),
    "values that their keys do not take": (
        ("a:\n  widht: 10\n  width: ten\n  height: 0\n  formats: [jpg, png]\n  ratio: wide\n  max_bytes: 3 MO\n"
        "  safe_zone: [0.5, 0, 0.5, 0]\n  keep_out: [[0.5, 0, 0.5, 1]]\n  text: no\n  verified: May\n  min_width: [1]\n"),
        [
            "2:3: unknown key 'widht' under a (allowed: width, height, formats, ratio, min_width, min_height, max_bytes, safe_zone, keep_out, colour, text, generated, note, source, verified, replaces); did you mean 'width'?",
            "3:10: a: width: 'ten' (allowed: a whole number of pixels)",
            "4:11: a: height: '0' (allowed: a whole number of pixels)",
            "5:12: a: formats: 'jpg' (allowed: jpeg, png, webp, avif, tiff); did you mean 'jpeg'?",
            "6:10: a: ratio: 'wide' (allowed: width:height, for example 4:5 or 1.91:1)",
            "7:14: a: max_bytes: '3 MO' (allowed: a number of bytes such as 300 kB, 2 MB or 150000)",
            "8:14: a: safe_zone: [0.5, 0, 0.5, 0] leaves nothing free (allowed: top, right, bottom, left)",
            "9:13: a: keep_out: [0.5, 0, 0.5, 1] has no inside (allowed: left, top, right, bottom)",
            "10:9: a: text: 'no' (allowed: ok, avoid, none, logo); did you mean 'none'?",
            "11:13: a: verified: 'May' (allowed: a day such as 2026-11-21)",
            "12:14: a: min_width: expected one value, found several",
        ],
    ),
    "sizes that do not agree": (
        ("a: {width: 9000, height: 100, formats: [png]}\n"
        "b: {width: 100, height: 50, formats: [png], min_width: 200, ratio: '1:1'}\n"),
        [
            "1:1: a: 9000x100 is not a ratio from 1:16 to 16:1",
            "2:1: b: min_width 200 is above width 100",
            "2:1: b: ratio 1:1 is not that of 100x50",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_every_fault_of_the_file_is_told_with_its_place(workspace: Path, kind: str) -> None:
    text, expected = BROKEN[kind]
    assert own(text, workspace) == expected


def test_a_file_that_is_not_utf_8_is_told(workspace: Path) -> None:
    (workspace / "channels.yaml").write_bytes(b"a: \xff")
    with pytest.raises(BadInput, match="not UTF-8; save it as UTF-8"):
        channels(workspace)


def campaign(workspace: Path, text: str, today: date = date(2026, 11, 21)):
    spec = workspace / "campaigns/x.yaml"
    spec.write_text(f"campaign: x\nproducts: {{from: products.csv}}\nprompt_text: p\n{text}")
    return read.campaign(spec, today=today)


def test_a_campaign_asks_for_presets_of_its_workspace(workspace: Path) -> None:
    (workspace / "channels.yaml").write_text(OWN, encoding="utf-8")
    reading = campaign(workspace, "channels: [our-hero, og-image]\n")
    assert reading.channels is not None
    assert reading.channels["our-hero"].width == 1600
    assert reading.channels["og-image"].formats == ("png",)


def test_rows_ask_for_presets_of_their_workspace(workspace: Path) -> None:
    (workspace / "channels.yaml").write_text(OWN, encoding="utf-8")
    spec = workspace / "campaigns/rows.csv"
    spec.write_text("product,prompt,channels\nA,p,our-hero|x-card\nB,p,our-hera\n")
    with pytest.raises(BadInput) as error:
        read.campaign(spec, today=date(2026, 11, 21))
    assert "there is no channel 'our-hera'" in str(error.value)
    assert "did you mean 'our-hero'?" in str(error.value)
    spec.write_text("product,prompt,channels\nA,p,our-hero|x-card\n")
    reading = read.campaign(spec, today=date(2026, 11, 21))
    assert reading.channels is not None
    assert "our-hero" in reading.channels
    assert [note.partition(" was")[0] for note in reading.notes] == ["channel x-card"]


def test_a_broken_file_is_told_with_the_campaign_and_only_where_it_is_used(
    workspace: Path,
) -> None:
    (workspace / "channels.yaml").write_text("a: {width: 10}\n")
    assert campaign(workspace, 'aspect_ratios: ["1:1"]\n').channels is None
    with pytest.raises(BadInput) as error:
        campaign(workspace, "channels: [og-image]\nsizes: [{name: a}]\n")
    assert sorted(fault.place for fault in error.value.faults) == [
        f"{workspace}/campaigns/x.yaml:5:9",
        f"{workspace}/channels.yaml:1:1",
    ]


def test_a_preset_that_was_read_too_long_ago_is_a_note(workspace: Path) -> None:
    (workspace / "channels.yaml").write_text(OWN, encoding="utf-8")
    asked = "channels: [our-hero, meta-feed-1x1, x-card]\n"
    assert campaign(workspace, asked).notes == (
        (
            "channel x-card was held against its source 313 days ago, on 2026-01-12: look at"
            f" {channels()['x-card'].source} before you rely on it"
        ),
    )
    later = campaign(workspace, asked, date(2027, 3, 31)).notes
    assert [note.partition(",")[0] for note in later] == [
        "channel our-hero was held against its source 181 days ago",
        "channel meta-feed-1x1 was held against its source 188 days ago",
        "channel x-card was held against its source 443 days ago",
    ]


def test_the_command_lists_presets_of_the_workspace_and_where_they_are_from(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "channels.yaml").write_text(OWN, encoding="utf-8")
    assert run_command(["channels", "--json"]) == 0
    listed = {one["id"]: one for one in json.loads(capsys.readouterr().out)["channels"]}
    assert len(listed) == len(channels()) + 1
    assert listed["our-hero"]["origin"] == "channels.yaml:1"
    assert listed["meta-feed-1x1"]["origin"] == "shotlist"
    assert listed["snapchat-ad-9x16"]["keep_out"] == [[0.85, 0.55, 1.0, 1.0]]
    assert listed["amazon-main"]["generated"] == "refused"
