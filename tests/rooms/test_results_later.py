"""Results long after the run: the catalogue has moved on or is gone, the campaign was edited."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import read
from flows.cli import run_command
from flows.errors import BadInput
from flows.nouns.campaign import Scalar
from flows.results import Arm, as_published, assignments, published
from tests.rooms.manifest_factory import manifest, rendition

REPORT = "variant,impressions,clicks\ncalm,20000,400\nbold,20000,600\n"
TEST = """\
campaign: mugs
products: {from: %s}
prompt: gone.j2
aspect_ratios: ["1:1"]
brand: {logo: gone.svg}
experiment: {factors: {mood: [calm, bold]}}
"""
BRIEFS = "product,prompt,variant\nMUG-01,A mug,%s\nMUG-01,A mug in red,%s\n"

Judged = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Judged:
    """`shotlist results … --json`: exit code, the document (empty where there is none), words."""
    pytest.importorskip(
        "statsmodels", reason="statsmodels is not installed (pip install 'shotlist[results]')"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("r.csv").write_text(REPORT)

    def call(*words: str) -> tuple[int, dict[str, Any], str]:
        capsys.readouterr()
        code = run_command(["results", *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else {}, err

    return call


def handed_over(folder: str, *arms: Arm, campaign: str = "mugs") -> None:
    """An assignment file of these arms, as a run leaves it at its destination."""
    rows = [rendition(f"MUG-01/{arm.id}") for arm in arms]
    place = Path(folder) / "variants"
    place.mkdir(parents=True)
    made = manifest(*rows)
    made["campaign"] = campaign
    (place / "assignments.csv").write_bytes(assignments(made, arms))


@pytest.mark.parametrize("catalogue", ["gone.csv", "http://127.0.0.1:9/products.csv"])
def test_a_catalogue_that_is_gone_or_cannot_be_reached_is_not_asked(
    judged: Judged, catalogue: str
) -> None:
    Path("mugs.yaml").write_text(TEST % catalogue)
    code, told, _ = judged("mugs.yaml", "r.csv")
    assert (code, told["winner"]) == (0, "bold")


def test_a_fault_of_the_campaign_file_itself_is_told(judged: Judged) -> None:
    test = TEST % "gone.csv"
    Path("mugs.yaml").write_text(test.replace("experiment: {", "experiment: {desing: full, "))
    code, told, err = judged("mugs.yaml", "r.csv")
    assert (code, told) == (2, {})
    assert "did you mean 'design'?" in err


def test_a_csv_of_briefs_takes_what_it_does_not_say_from_its_defaults(judged: Judged) -> None:
    Path("mugs.csv").write_text(BRIEFS % ("calm", "bold"))
    code, told, _ = judged("mugs.csv", "r.csv")
    assert (code, told["campaign"], told["winner"]) == (0, "mugs", "bold")
    assert told["sample_ratio"]["wanted"] == {"calm": 0.5, "bold": 0.5}

    Path("rest.yaml").write_text("variants: [{id: calm, weight: 3}, {id: bold}]\nprompt: x.j2\n")
    code, told, _ = judged("mugs.csv", "r.csv", "--defaults", "rest.yaml")
    assert (code, told["sample_ratio"]["wanted"]) == (0, {"calm": 0.75, "bold": 0.25})


def test_a_variant_whose_rows_left_the_campaign_is_known_from_what_was_published(
    judged: Judged,
) -> None:
    Path("mugs.csv").write_text(BRIEFS.replace("MUG-01,A mug in red,%s\n", "") % "calm")
    assert judged("mugs.csv", "r.csv")[0] == 2

    handed_over("outputs/mugs", Arm("calm"), Arm("bold"))
    code, told, _ = judged("mugs.csv", "r.csv")
    assert (code, told["winner"]) == (0, "bold")


def test_weights_count_as_they_were_published(judged: Judged) -> None:
    Path("mugs.yaml").write_text(TEST % "gone.csv")
    handed_over("there", Arm("calm", 3.0, {"mood": "calm"}), Arm("bold", 1.0, {"mood": "bold"}))
    code, told, err = judged("mugs.yaml", "r.csv", "--to", "there")
    assert (code, told["sample_ratio"]["wanted"]) == (0, {"calm": 0.75, "bold": 0.25})
    assert "weights count as they were published: calm 3 where the campaign says 1" in err


def test_a_level_that_is_a_number_stays_one_when_a_variant_of_it_has_left(judged: Judged) -> None:
    design = "{mood: [calm, bold], size: [10, 20]}"
    Path("mugs.yaml").write_text((TEST % "gone.csv").replace("{mood: [calm, bold]}", design))
    left = Arm("old", 1.0, {"mood": "calm", "size": 10})
    arms = [
        Arm(f"{mood}-{size}", 1.0, {"mood": mood, "size": size})
        for mood in ("calm", "bold")
        for size in (10, 20)
    ]
    handed_over("outputs/mugs", *arms, left)
    rows = "".join(f"{arm.id},20000,{400 + 9 * n}\n" for n, arm in enumerate([*arms, left]))
    Path("r.csv").write_text(f"variant,impressions,clicks\n{rows}")
    code, told, _ = judged("mugs.yaml", "r.csv")
    size = told["metrics"][0]["factors"][1]
    assert (code, size["factor"]) == (0, "size")
    assert [(one["level"], one["trials"]) for one in size["levels"]] == [
        ("10", 60_000),
        ("20", 40_000),
    ]


def test_what_another_campaign_published_judges_nothing(judged: Judged) -> None:
    Path("mugs.yaml").write_text(TEST % "gone.csv")
    handed_over("there", Arm("calm"), Arm("bold"), campaign="jugs")
    code, told, err = judged("mugs.yaml", "r.csv", "--to", "there")
    assert (code, told) == (2, {})
    assert (
        "there/variants/assignments.csv: column 'utm_campaign': 'jugs' (allowed: 'mugs'); give the"
        " campaign file of 'jugs', or --to where mugs was published"
    ) in " ".join(err.split())


def test_a_destination_that_cannot_be_read_is_a_note_unless_it_was_named(judged: Judged) -> None:
    broken = "publish: {to: 'nosuch://bucket'}\n"
    Path("mugs.yaml").write_text((TEST % "gone.csv") + broken)
    code, told, err = judged("mugs.yaml", "r.csv")
    assert (code, told["winner"]) == (0, "bold")
    assert "nosuch://bucket" in err
    assert "the variants are those of the campaign file" in err

    code, told, err = judged("mugs.yaml", "r.csv", "--to", "nosuch://bucket")
    assert (code, told) == (4, {})

    code, told, err = judged("mugs.yaml", "r.csv", "--to", "elsewhere")
    assert (code, told) == (4, {})
    assert "elsewhere/variants/assignments.csv: there is none; a run with variants writes it" in err


def test_an_assignment_file_gives_back_the_arms_that_it_was_written_from() -> None:
    arms = (
        Arm("calm", 2.0, {"mood": "calm", "place": "-indoors"}),
        Arm("bold", 0.5, {"mood": "bold", "place": "=garden"}),
    )
    rows = [rendition(f"MUG-0{n}/{arm.id}") for n in (1, 2) for arm in arms]
    assert published(assignments(manifest(*rows, rendition("MUG-03/old")), arms)) == (
        *arms,
        Arm("old", 0.0),
    )
    assert published(b"") == published(b"a,b\n1,2\n") == ()


def test_what_the_campaign_says_and_what_was_published_come_together() -> None:
    now = (Arm("calm", 1.0, {"mood": "calm"}), Arm("new", 1.0, {"mood": "new"}))
    out = (Arm("calm", 1.0, {"mood": "calm"}), Arm("bold", 2.0, {"mood": "bold"}))
    other = (Arm("dim", 1.0, {"light": "dim"}),)
    assert as_published(now, out) == ((*now, out[1]), "")
    assert as_published(now, other) == ((*now, Arm("dim")), "")
    assert as_published((), out) == (out, "")


@pytest.mark.parametrize(
    ("levels", "text", "level"),
    [
        ((10, 20), "10", 10),
        ((True, None), "true", True),
        ((True, None), "null", None),
        ((1.5, 2), "2", 2),
        ((10, 20), "30", "30"),
    ],
)
def test_a_published_level_is_the_written_one_that_is_spelled_so(
    levels: tuple[Scalar, ...], text: str, level: Scalar
) -> None:
    now = tuple(Arm(f"v{n}", 1.0, {"size": one}) for n, one in enumerate(levels))
    arms, _ = as_published(now, (Arm("old", 1.0, {"size": text}),))
    assert repr(arms[-1]) == repr(Arm("old", 1.0, {"size": level}))


def test_a_published_level_that_may_be_either_of_two_says_nothing() -> None:
    now = (Arm("a", 1.0, {"size": 10}), Arm("b", 1.0, {"size": "10"}))
    arms, _ = as_published(now, (Arm("old", 1.0, {"size": "10"}),))
    assert arms == (*now, Arm("old"))


def test_an_outline_is_what_the_campaign_file_says_and_a_wrong_one_is_refused_as_ever(
    tmp_path: Path,
) -> None:
    spec = tmp_path / "mugs.yaml"
    spec.write_text(TEST % "gone.csv")
    told = read.outline(spec)
    assert (told.campaign.campaign, told.spec_path, told.named) == ("mugs", str(spec), ())
    assert told.places["experiment.factors"] == f"{spec}:6:14"
    assert not hasattr(told, "products")
    for path, defaults in ((tmp_path / "none.yaml", None), (tmp_path, None), (spec, spec)):
        with pytest.raises(BadInput):
            read.outline(path, defaults=defaults)
