"""Results from the outside: the assignment file, reports as platforms write them, the command."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.cli import run_command
from flows.errors import BadInput
from flows.nouns.campaign import Campaign, Variant
from flows.nouns.rendition import Manifest
from flows.results import Arm, arms_of, assignments, products
from flows.results.columns import without_preamble
from flows.results.counts import Counts, Line, counted
from flows.results.names import Known, utm_content
from tests.rooms.manifest_factory import rendition

ARMS = (Arm("calm", 3.0, {"mood": "calm"}), Arm("bold", 1.0, {"mood": "bold"}))


def manifest(*rows: Any) -> Manifest:
    """Only what the assignments look at."""
    return Manifest(campaign="mugs", renditions=list(rows))  # type: ignore[typeddict-item]


def table(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_each_rendition_is_assigned_with_levels_share_and_an_id_to_join_by() -> None:
    shot = {"product": "MUG-01", "variant": "calm", "locale": "de", "name": "4x5"}
    row = rendition("MUG-01/calm/de/4x5", url="https://cdn.acme.example/a.jpeg", **shot)
    (told,) = table(assignments(manifest(row), ARMS))
    assert told == {
        "product": "MUG-01",
        "variant": "calm",
        "factor: mood": "calm",
        "weight": "3",
        "share": "0.75",
        "locale": "de",
        "shot_id": "MUG-01/calm/de/4x5",
        "name": "4x5",
        "channel": "",
        "format": "jpeg",
        "path": row["path"],
        "url": "https://cdn.acme.example/a.jpeg",
        "utm_campaign": "mugs",
        "utm_content": "calm_912fc79f27e7",
        "creative_id": f"calm_912fc79f27e7-{row['sha256'][:12]}",
        "ad_name": "mugs | MUG-01 | calm | de | 4x5 | calm_912fc79f27e7",
        "stale": "false",
    }


def test_formats_of_one_picture_share_an_id_and_takes_products_and_outputs_do_not() -> None:
    rows = [
        rendition("M/calm/4x5", variant="calm", path="images/a.jpeg"),
        rendition("M/calm/4x5", variant="calm", path="images/a.avif", format="avif"),
        rendition("M/calm/4x5", variant="calm", path="images/b.jpeg", recipe="another"),
        rendition("M/calm/4x5", variant="calm", path="images/c.jpeg", take=2),
        rendition("M/calm/1x1", variant="calm", path="images/d.jpeg", name="1x1"),
        rendition("N/calm/4x5", variant="calm", path="images/e.jpeg"),
    ]
    ids = [one["utm_content"] for one in table(assignments(manifest(*rows), ARMS))]
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 4


def test_a_variant_that_left_keeps_its_rows_without_a_weight_and_no_cell_is_a_formula() -> None:
    rows = [
        rendition("x/old/4x5", product="=cmd()", variant="old"),
        rendition("y/4x5", product="y", variant=""),
    ]
    old, plain = table(assignments(manifest(*rows), ARMS))
    assert (old["product"], old["weight"], old["share"]) == ("'=cmd()", "", "")
    assert old["utm_content"].startswith("old_")
    assert plain["utm_content"].isalnum()


@pytest.mark.parametrize("variant", ["calm", "a-1", "Größe XL", "x" * 300, "!!!", "Low", "low"])
def test_an_id_comes_back_from_a_url_or_an_ads_name(variant: str) -> None:
    arms = [Arm("zzz"), Arm(variant)]
    content = utm_content("mugs", arms[1], "M/4x5", "4x5", 1)
    assert content.isascii()
    assert content.replace("-", "").replace("_", "").isalnum()
    assert len(content) < 100
    known = Known(arms)
    for told in (content, content.upper(), f"Spring - {content}", f"a?utm_content={content}&b=1"):
        assert known.found_in(told) == (variant,)
    assert known.found_in(variant) == (variant,)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A", ("a",)),
        ("spring|b|4x5", ("b",)),
        ("spring - b - 4x5", ("b",)),
        ("variant=a", ("a",)),
        ("a nice mug", ()),
        ("ab", ()),
        ("a_b", ("a", "b")),
        ("a|b_0123456789ab", ("b",)),
        ("b_0123456789abc", ("b",)),
    ],
)
def test_a_variant_is_found_where_it_stands_alone(name: str, found: tuple[str, ...]) -> None:
    assert Known([Arm("a"), Arm("b")]).found_in(name) == found


def test_arms_come_from_variants_and_from_the_rows_of_a_csv() -> None:
    spec = {"campaign": "mugs", "experiment": {"factors": {"mood": ["calm", 1]}}}
    variants = [
        Variant(id="calm", weight=2, vars={"mood": "calm"}),
        Variant(id="one", vars={"mood": 1}),
    ]
    assert arms_of(Campaign.model_validate(spec), variants) == (
        Arm("calm", 2.0, {"mood": "calm"}),
        Arm("one", 1.0, {"mood": 1}),
    )


def read(*lines: str, arms: tuple[Arm, ...] = ARMS) -> Counts:
    cells = [line.split(";") for line in lines]
    below = [Line(number, line) for number, line in enumerate(cells[1:], start=2)]
    return counted(arms, name="r.csv", header=cells[0], lines=below)


@pytest.mark.parametrize(
    "header",
    [
        "variant;impressions;clicks;conversions",
        "utm_content;Impr.;Clicks;Conv.",
        "Ad name;Impressions;Link clicks;Purchases",
        "Session manual ad content;Ad impressions;Ad clicks;Key events",
        "Ad name;Impressions;Clicks (destination);Conversions",
    ],
)
def test_the_columns_of_platforms_are_known(header: str) -> None:
    told = read(header, "calm;1,000;20;1.5", "bold;2 000;30;")
    assert [row[:4] for row in told.rows] == [("calm", 1000, 20, 1.5), ("bold", 2000, 30, 0.0)]
    assert told.has_conversions
    assert told.notes == ("r.csv: 1 blank cell of clicks or conversions counted as 0",)


def test_what_is_no_variant_and_what_is_a_sum_is_left_out_and_told() -> None:
    told = read(
        "Day;Ad;Impressions;Clicks;Clicks (all)",
        "1;calm;100;1;5",
        "1;other;40;1;1",
        "2;other;2;0;0",
        "Total: all;--;142;2;6",
    )
    assert (told.unknown, told.missing) == ({"other": 42}, ("bold",))
    assert told.notes == (
        (
            "r.csv: read variant from 'Ad', impressions from 'Impressions', clicks from 'Clicks',"
            " date from 'Day'; not used: 'Clicks (all)'"
        ),
        "r.csv: sums are not counted again (line 5)",
    )


def test_a_variant_or_a_campaign_may_be_called_total_something() -> None:
    arms = (Arm("total-look"), Arm("calm"))
    token = utm_content("total-sale", arms[1], "M/4x5", "4x5", 1)
    told = read(
        "Ad name;Date;Impressions;Clicks",
        "total-look;1;10000;200",
        f"total-sale | MUG-01 | calm | de | 4x5 | {token};1;9000;90",
        "total-sale | calm;1;1000;10",
        "Total look;1;7;1",
        "total-bold;1;5;1",
        "Total;1;20012;302",
        "Total: calm;1;10000;100",
        "Grand total;1;20012;302",
        "--;Total;20012;302",
        arms=arms,
    )
    assert [row[:3] for row in told.rows] == [
        ("total-look", 10_000, 200),
        ("calm", 9_000, 90),
        ("calm", 1_000, 10),
    ]
    assert told.unknown == {"total-bold": 5}
    assert told.notes == ("r.csv: sums are not counted again (line 5, 7, 8, 9, 10)",)


def test_all_faults_of_a_report_are_told_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        read(
            "variant;date;impressions;clicks",
            "calm;1;-5;1",
            "calm;2;100;101",
            "bold;1;;1",
            "bold;2;1.234;ten",
            "calm|bold;3;10;1",
            ";4;10;1",
            "bold;5;10;1",
            "bold;5;11;2",
            "bold;6;99999999999999999;1",
        )
    whole = "allowed: a whole number, 0 or more"
    assert str(caught.value).splitlines() == [
        "r.csv cannot be used",
        f"  - r.csv: line 2, column 'impressions': '-5' ({whole})",
        (
            "  - r.csv: line 3, column 'clicks': 101 clicks of 100 impressions (allowed: not more"
            " than the impressions); check that the columns are what their names say"
        ),
        f"  - r.csv: line 4, column 'impressions': the cell is empty ({whole})",
        (
            f"  - r.csv: line 5, column 'impressions': '1.234' ({whole}); if thousands are meant,"
            " write 1234"
        ),
        f"  - r.csv: line 5, column 'clicks': 'ten' ({whole})",
        (
            "  - r.csv: line 6, column 'variant': 'calm|bold' names 2 variants: bold, calm; let the"
            " ad's name hold one of them, or give a column 'variant'"
        ),
        "  - r.csv: line 7, column 'variant': no variant is named; fill or remove the row",
        (
            "  - r.csv: line 9, column 'variant': 'bold' is there already, on line 8, and nothing"
            " but the counts may tell them apart; remove one, or keep the column that tells them"
            " apart (a date, a channel)"
        ),
        (
            "  - r.csv: line 10, column 'impressions': '99999999999999999' (allowed: at most"
            " 10,000,000,000,000)"
        ),
    ]


def test_missing_columns_are_named_with_what_is_there() -> None:
    with pytest.raises(BadInput) as caught:
        read("varient;views;clicks;clicks", "calm;1;1;1")
    text = str(caught.value)
    assert "there is no column of variants; the header has 'varient', 'views', 'clicks'" in text
    assert "if 'varient' is it, rename it to 'variant'" in text
    assert "there is no column of impressions" in text
    assert "column 'clicks' is there twice" in text


def test_a_report_of_visits_is_told_so_and_its_unknown_variants_with_it() -> None:
    with pytest.raises(BadInput) as caught:
        read("Session manual ad content;Sessions;Ads clicks", "calm;9;1", "bald;9;x")
    known = "impressions, impr, ad impressions, ads impressions, paid impressions, impression"
    assert str(caught.value).splitlines()[1:] == [
        (
            "  - r.csv: there is no column of impressions; the header has 'Session manual ad"
            f" content', 'Sessions', 'Ads clicks' (allowed: {known}); an analytics report counts"
            " visits, not impressions: add a column of the impressions that the ad platform counted"
        ),
        ("  - r.csv: line 3, column 'Ads clicks': 'x' (allowed: a whole number, 0 or more)"),
        (
            "  - r.csv: line 3, column 'Session manual ad content': the campaign has no variant for"
            " 'bald'; it would be left out (allowed: calm, bold); did you mean 'bold'?"
        ),
    ]


def test_two_columns_that_count_otherwise_are_refused_until_one_is_meant() -> None:
    header = "Ad name;Impressions;{};Clicks (all);Results;purchases"
    row = "calm;100;3;5;2;1"
    with pytest.raises(BadInput) as caught:
        read(header.format("Link clicks"), row)
    assert str(caught.value).splitlines()[1:] == [
        (
            "  - r.csv: 2 columns could be the clicks: 'Link clicks', 'Clicks (all)'; rename the"
            " one that is meant to 'clicks', or remove the others"
        ),
        (
            "  - r.csv: 2 columns could be the conversions: 'Results', 'purchases'; rename the one"
            " that is meant to 'conversions', or remove the others"
        ),
    ]
    told = read(header.format("clicks").replace("purchases", "Reach"), row)
    assert [one[1:4] for one in told.rows] == [(100, 3, 2.0)]
    assert told.notes == (
        (
            "r.csv: read variant from 'Ad name', impressions from 'Impressions', clicks from"
            " 'clicks', conversions from 'Results'; not used: 'Clicks (all)', 'Reach'"
        ),
        (
            "r.csv: 'Results' counts what the ad set was optimised for; if these are no"
            " conversions, judge with --goal clicks"
        ),
    )


def test_products_that_no_assignment_names_are_told_and_count() -> None:
    row = rendition("M/calm/4x5", product="=M", variant="calm")
    known = products(assignments(manifest(row), ARMS))
    assert known == {"=M"}
    lines = [Line(2, ["calm", "=m", "100", "2"]), Line(3, ["bold", "N", "90", "2"])]
    header = ["variant", "product", "impressions", "clicks"]
    told = counted(ARMS, name="r.csv", header=header, lines=lines, products=known)
    assert (len(told.rows), told.strangers) == (2, {"N": 90})


def test_a_report_of_another_campaign_is_refused_with_the_ids_that_would_do() -> None:
    with pytest.raises(BadInput) as caught:
        read("variant;impressions;clicks", "clam;10;1")
    assert str(caught.value).splitlines()[1] == (
        "  - r.csv: column 'variant': no row names a variant of this campaign; there are 'clam'"
        " (allowed: calm, bold); did you mean 'calm'?"
    )


def test_lines_above_the_header_become_comments_and_line_numbers_stay() -> None:
    text = "Ad report\r\n1 Nov - 2 Nov\r\nAd name,Impr.,Clicks\r\ncalm,1,1\r\n"
    assert without_preamble(text) == "#" + text.replace("\n1 Nov", "\n#1 Nov")
    assert without_preamble("a,b\n1,2\n") == "a,b\n1,2\n"


CAMPAIGN = """\
campaign: mugs
products: {items: [{sku: MUG-01, title: Mug}]}
prompt_text: "{{ product.title }}, {{ mood }}"
aspect_ratios: ["1:1"]
experiment: {factors: {mood: [calm, bold]}}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`shotlist results` on a report with these bytes: exit code, output, what was said."""
    pytest.importorskip(
        "statsmodels", reason="statsmodels is not installed (pip install 'shotlist[results]')"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("mugs.yaml").write_text(CAMPAIGN)

    def call(data: bytes | None, *words: str) -> tuple[int, str, str]:
        if data is not None:
            Path("r.csv").write_bytes(data)
        capsys.readouterr()
        code = run_command(["results", "mugs.yaml", "r.csv", *words])
        return (code, *capsys.readouterr())

    return call


CLEAR = "variant,impressions,clicks\ncalm,20000,400\nbold,20000,600\n"


def test_the_command_says_who_wins_and_draws_it(run: Run) -> None:
    code, out, err = run(CLEAR.encode(), "--plot", "p.svg")
    assert code == 0
    lead = "50.0 % more than calm (95 % between 32.4 % and {} %)"
    assert out.splitlines()[-3:] == [
        f"mugs, mood: bold wins: {lead.format(69.8)}, p under 0.0001",
        (
            "mugs: bold wins: better than every other variant, chance to be best over 99.9 %;"
            f" {lead.format('70.0')}"
        ),
        (
            "next: keep bold, take the others out of the campaign and run it; expect less than the"
            " lead told here: who wins has been lucky, too"
        ),
    ]
    row = next(line for line in out.splitlines() if line.endswith("wins"))
    assert " ".join(row.split()) == "bold 600 20,000 3.00 % 2.77 – 3.24 % > 99.9 % < 0.1 % wins"
    assert "the file has no dates" in err
    assert Path("p.svg").read_text().startswith("<svg")


def test_a_winner_that_a_warning_speaks_against_is_no_plain_winner(run: Run) -> None:
    _, out, err = run(CLEAR.replace("20000,600", "30000,900").encode())
    lines = out.splitlines()
    but = "impressions do not follow the weights: find out why before you act on it"
    assert any(line.startswith(f"mugs, mood: bold would win, but {but}; it has") for line in lines)
    assert any(line.startswith(f"mugs: bold would win, but {but}. better than") for line in lines)
    assert not any("wins" in line for line in lines)
    assert "warning: impressions do not follow the weights" in err


def test_an_adjusted_rate_is_named_as_such_and_stands_beside_its_counts(run: Run) -> None:
    Path("mugs.yaml").write_text(
        CAMPAIGN.replace("[calm, bold]}", "[calm, bold], angle: [low, eye]}")
    )
    rows = "calm-low,90000,1800\ncalm-eye,10000,400\nbold-low,10000,200\nbold-eye,90000,3600\n"
    _, out, err = run(f"variant,impressions,clicks\n{rows}".encode())
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "mood count of rate adjusted 95 % between best away" in lines
    assert any(line.startswith("calm 2,200 100,000 2.20 % 3.00 % 2.83 – 3.18 %") for line in lines)
    assert "note: adjusted: what the rate would be had all levels been shown on the same" in err
    first = lines[: lines.index("clicks per impression (CTR), by mood")]
    assert not any("adjusted" in line for line in first)


def test_the_command_prints_one_document(run: Run) -> None:
    code, out, _ = run(CLEAR.encode(), "--json")
    told = json.loads(out)
    assert (code, told["schema"], told["winner"]) == (0, "shotlist/results/1", "bold")


@pytest.mark.parametrize(
    "data",
    [
        CLEAR.encode("utf-16"),
        CLEAR.replace(",", "\t").encode("utf-8-sig"),
        CLEAR.replace(",", ";").replace("\n", "\r\n").encode(),
        ("sep=,\n" + CLEAR).encode(),
        ("Rapport d'été\n" + CLEAR).encode("cp1252"),
    ],
    ids=["utf-16", "tabs", "semicolons", "sep", "windows-1252"],
)
def test_reports_are_read_as_programs_write_them(run: Run, data: bytes) -> None:
    code, out, _ = run(data, "--json")
    assert (code, json.loads(out)["winner"]) == (0, "bold")


@pytest.mark.parametrize(
    ("data", "words", "said"),
    [
        (None, (), "there is no such file"),
        (b"", (), "the file is empty"),
        (b"variant,impressions,clicks\n", (), "there is no line below the header"),
        (b"PK\x03\x04rest", (), "a workbook"),
        (b"variant,impressions,clicks\ncalm,10\n", (), "2 cells where the header has 3"),
        (b"variant,impressions,clicks\n\xff\x81,10,1\n", (), "is neither UTF-8 nor Windows-1252"),
        (b"variant,impressions,clicks\ncalm,0,0\nbold,0,0\n", (), "no variant has any impressions"),
        (CLEAR.encode(), ("--goal", "conversions"), "no column of conversions"),
        (CLEAR.encode(), ("--plot", "p.png"), "a name that ends in .svg"),
    ],
)
def test_what_cannot_be_used_is_said_and_ends_with_2(
    run: Run, data: bytes | None, words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(data, *words)
    assert (code, out) == (2, "")
    assert said in err


def test_a_campaign_without_variants_is_no_test(run: Run) -> None:
    Path("mugs.yaml").write_text(CAMPAIGN.replace("experiment", "# experiment"))
    code, _, err = run(CLEAR.encode())
    assert code == 2
    assert "it has no variants" in err


def test_without_the_statistics_it_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "statsmodels" else find(name)
    )
    code, _, err = run(CLEAR.encode())
    assert code == 4
    assert "`shotlist results` needs statsmodels: pip install 'shotlist[results]'" in err
