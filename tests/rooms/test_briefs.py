"""A campaign that is one CSV file: each row a brief, the rest from defaults, every fault with its cell."""

# ruff: noqa: E501  (a fault stands here on one line, as it is printed)
from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import read
from flows.errors import BadInput
from flows.nouns.campaign import ReferenceWish
from flows.nouns.shot import Reading

CHANNELS = "meta-feed-1x1, meta-feed-4x5, meta-feed-191x1, meta-story-9x16, meta-reels-9x16, meta-reels-disclaimer-9x16"

FAULTS = [
    "line 2, column 'locale': 'de_DE' is not a locale (allowed: a language tag such as de or pt-BR); did you mean 'de-DE'?",
    "line 2, column 'takes': 'x' is no number of takes (allowed: a whole number, 1 to 20)",
    "line 2, column 'seed': 'abc' is no seed (allowed: stable, none or a whole number up to 2147483647)",
    "line 3, column 'template': there is no template 'studo.j2' in templates/ (allowed: studio.j2); did you mean 'studio.j2'?",
    "line 3, column 'aspect_ratios': aspect_ratios: '4;5' does not have the right form (allowed: width:height, for example 4:5 or 1.91:1); did you mean '4:5'?",
    "line 3, column 'aspect_ratios': '2:2' is the same shape as '1:1'; keep one",
    "line 3, column 'channels': there is no channel 'meta-feed-4x6' (allowed: "
    + CHANNELS
    + " and 67 more: see `shotlist channels`); did you mean 'meta-feed-4x5'?",
    "line 3, column 'variant': variant: 'B!' does not have the right form (allowed: a-z, 0-9 and single dashes between them, for example spring-mugs); did you mean 'b'?",
    "line 3, column 'takes': '0' is no number of takes (allowed: a whole number, 1 to 20)",
    "line 3, column 'seed': '-1' is no seed (allowed: stable, none or a whole number up to 2147483647)",
    "line 4: the row has neither a product nor a title; fill one of the two",
    "line 5: the row has no prompt and there is none in the defaults; fill the column `prompt` or `template`, or give defaults with a prompt",
    "line 5: the row asks for no output and there is none in the defaults; fill the column `aspect_ratios`, for example 1:1|4:5, or `channels`",
    "line 6, column 'aspect_ratios': '1:1' stands here twice; keep one",
    "line 6, column 'locale': 'de_DE' is not a locale (allowed: a language tag such as de or pt-BR); did you mean 'de-DE'?",
    "line 6, column 'takes': '21' is no number of takes (allowed: a whole number, 1 to 20)",
    "line 6, column 'seed': '2147483648' is no seed (allowed: stable, none or a whole number up to 2147483647)",
    "line 6: `prompt` and `template` are two ways to say the same; keep one",
    "line 6: mug/a/de_DE/1x1 is asked for here and on line 2; give one of them a `variant`, or other outputs",
    "line 7, column 'template': '../x.j2' leaves the folder templates/; name a file inside it",
    "line 8, column 'prompt': 2 cells where the header has 10: nothing for 'prompt'; write a comma for each blank cell",
]
HEADER_FAULTS = [
    "header, column 'aspect ratio': unknown column; did you mean 'aspect_ratios'?",
    "header, column 'name': a variable 'name' would hide the name that templates know; call it otherwise",
    "header, column '1st': no template can say the variable '1st'; begin it with a letter",
    "header, column 'Prompt': the same name as column 'prompt': prompt; rename or remove one of them",
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/studio.j2").write_text("A {{ product.title }}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_text(text: str, name: str = "campaigns/brief.csv", **more: Path) -> Reading:
    Path(name).write_text(text, encoding="utf-8")
    return read.campaign(Path(name), **more)


def faults_of(text: str, name: str = "campaigns/brief.csv", **more: Path) -> list[str]:
    with pytest.raises(BadInput) as error:
        read_text(text, name, **more)
    assert error.value.what == f"{name} cannot be used"
    return [str(fault).removeprefix(f"{name}: ") for fault in error.value.faults]


def wish(path: str, role: str) -> ReferenceWish:
    return ReferenceWish.model_validate({"from": path, "role": role})


def test_a_row_is_a_brief_and_other_columns_are_variables(workspace: Path) -> None:
    text = (
        "product,title,prompt,references,aspect_ratios,channels,variant,locale,takes,seed,alt,tags,Mood Board\n"
        "mug, Blue mug ,A {{ mood_board }} mug,mug.jpg|style=brand/linen.jpg|brand/wood.jpg,1:1 | 4:5,"
        "meta-feed-4x5,a,de,2,7,A mug,blue|mug,calm\n"
        'mug,,"=x, {{ product.title }}",,1:1,,b,,,none,,,bold\n'
    )
    reading = read_text(text)
    first, second = reading.rows or ()
    assert first.product.key == second.product.key == "mug"
    assert first.product.title == second.product.title == "Blue mug"
    assert first.product.images == ("mug.jpg",)
    assert first.product.fields["image"] == "mug.jpg"
    assert first.product.row["Mood Board"] == "calm"
    assert second.product.fields["mood_board"] == "bold"
    assert first.place == "campaigns/brief.csv: line 2"
    assert (first.prompt, first.prompt_text) == (None, "A {{ mood_board }} mug")
    assert second.prompt_text == "=x, {{ product.title }}"
    assert first.references == (
        wish("mug.jpg", "product"),
        wish("brand/linen.jpg", "style"),
        wish("brand/wood.jpg", "style"),
    )
    assert first.aspect_ratios == ("1:1", "4:5")
    assert first.channels == ("meta-feed-4x5",)
    assert (first.variant, first.locale, first.takes, first.seed) == ("a", "de", 2, 7)
    assert (second.variant, second.locale, second.takes, second.seed) == ("b", None, None, "none")
    assert (first.alt, first.tags, first.vars) == ("A mug", ("blue", "mug"), {"mood_board": "calm"})
    assert (second.alt, second.tags, second.references) == (None, None, None)
    assert [product.key for product in reading.products] == ["mug"]
    assert reading.campaign.campaign == "brief"
    assert reading.image_base == "campaigns"
    assert reading.spec_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert reading.notes == ()


def test_every_wrong_cell_of_every_row_is_told(workspace: Path) -> None:
    text = (
        "product,title,prompt,template,aspect_ratios,channels,variant,locale,takes,seed\n"
        "mug,Mug,x,,1:1,,a,de_DE,x,abc\n"
        ",Blaue Tasse,,studo.j2,4;5|1:1|2:2,meta-feed-4x6,B!,,0,-1\n"
        ",,x,,1:1,,,,,\n"
        "lamp,Lamp,,,,,,,,\n"
        "mug,Mug,x,studio.j2,1:1|1:1,,a,de_DE,21,2147483648\n"
        "out,Out,,../x.j2,1:1,,,,,\n"
        "odd,Odd\n"
    )
    assert faults_of(text) == FAULTS


def test_the_header_is_checked_before_the_rows(workspace: Path) -> None:
    assert faults_of("title,prompt,aspect ratio,name,1st,Prompt\na,b,c,d,e,f\n") == HEADER_FAULTS
    assert faults_of("titel,prompt\na,b\n") == [
        "header: no column says what a row is about (allowed: product or title); is 'titel' meant to be 'title'?"
    ]


def test_a_blank_product_is_made_from_its_title_and_never_shared(workspace: Path) -> None:
    reading = read_text(
        "title,prompt,aspect_ratios\n日本語 の 写真,x,1:1\nCafé crème!,x,1:1\nCafe creme,x,1:1\n"
        "Große Tasse,x,1:1\nGroße Tasse,x,4:5\n🧁,x,1:1\n"
    )
    marks = [
        hashlib.sha256(one.encode()).hexdigest()[:6] for one in ("Café crème!", "Cafe creme", "🧁")
    ]
    assert [row.product.key for row in reading.rows or ()] == [
        "日本語-の-写真",
        f"cafe-creme-{marks[0]}",
        f"cafe-creme-{marks[1]}",
        "grosse-tasse",
        "grosse-tasse",
        marks[2],
    ]
    assert len(reading.products) == 5


def test_a_made_key_does_not_take_one_that_is_written(workspace: Path) -> None:
    reading = read_text("product,title,prompt,aspect_ratios\nmug,Another,x,1:1\n,Mug,x,1:1\n")
    mark = hashlib.sha256(b"Mug").hexdigest()[:6]
    assert [row.product.key for row in reading.rows or ()] == ["mug", f"mug-{mark}"]


def test_one_picture_is_asked_for_once(workspace: Path) -> None:
    assert faults_of("product,prompt,aspect_ratios\nmug,x,1:1|4:5\nmug,y,9:16|8:10\n") == [
        "line 3: mug/8x10 is asked for here and on line 2; give one of them a `variant`, or other outputs"
    ]
    assert faults_of("title,prompt,aspect_ratios\nMug,x,1:1\nMug,y,1:1\n") == [
        "line 3: mug/1x1 is asked for here and on line 2; give one of them a `variant`, or other outputs"
    ]


def test_a_yaml_of_the_same_stem_gives_the_rest(workspace: Path) -> None:
    Path("campaigns/brief.yaml").write_text(
        "prompt: studio.j2\naspect_ratios: [1:1]\nvars: {season: spring, mood: calm}\ntakes: 2\n"
    )
    reading = read_text("title,season,mood,place\nA mug,,bold,\n")
    assert reading.campaign.campaign == "brief"
    assert (reading.campaign.prompt, reading.campaign.takes) == ("studio.j2", 2)
    assert reading.campaign.products is None
    row = (reading.rows or ())[0]
    assert row.vars == {"mood": "bold", "place": ""}
    assert row.aspect_ratios is None
    assert reading.places["prompt"] == "campaigns/brief.yaml:1:9"


def test_defaults_that_are_named_win_over_those_beside(workspace: Path) -> None:
    Path("campaigns/brief.yaml").write_text("prompt: nothing-like-it.j2\n")
    Path("house.yaml").write_text("campaign: house\nprompt: studio.j2\naspect_ratios: [1:1]\n")
    reading = read_text("title\nA mug\n", defaults=Path("house.yaml"))
    assert reading.campaign.prompt == "studio.j2"
    assert reading.campaign.campaign == "brief"
    assert reading.notes == ("house.yaml:1:11: the campaign's id is brief, from brief.csv",)


def test_a_yaml_with_products_is_another_campaign(workspace: Path) -> None:
    Path("campaigns/brief.yaml").write_text("campaign: brief\nproducts: {from: nothing.csv}\n")
    text = "title,prompt,aspect_ratios\nA mug,x,1:1\n"
    reading = read_text(text)
    assert reading.notes == (
        "campaigns/brief.yaml has products of its own: it is another campaign and gives no defaults",
    )
    assert faults_of(text, defaults=Path("campaigns/brief.yaml")) == [
        "campaigns/brief.yaml:2:1: defaults have no products: the rows are the products; remove `products`"
    ]


def test_faults_of_defaults_and_rows_come_together(workspace: Path) -> None:
    Path("campaigns/brief.yml").write_text("prompt: studo.j2\ntakes: many\nseed: [1\n")
    text = "title,takes\nA mug,x\n"
    assert faults_of(text) == [
        "campaigns/brief.yml:4:1: the list that opens at line 3, column 7 is not closed here; write `,` or `]`",
        "line 2, column 'takes': 'x' is no number of takes (allowed: a whole number, 1 to 20)",
        "line 2: the row has no prompt and there is none in the defaults; fill the column `prompt` or `template`, or give defaults with a prompt",
        "line 2: the row asks for no output and there is none in the defaults; fill the column `aspect_ratios`, for example 1:1|4:5, or `channels`",
    ]
    Path("campaigns/brief.yml").write_text("prompt: studo.j2\ntakes: many\naspect_ratios: [1:1]\n")
    assert faults_of(text) == [
        "campaigns/brief.yml:1:9: there is no template 'studo.j2' in templates/ (allowed: studio.j2); did you mean 'studio.j2'?",
        "campaigns/brief.yml:2:8: takes: expected a whole number, found text 'many'",
        "line 2, column 'takes': 'x' is no number of takes (allowed: a whole number, 1 to 20)",
    ]


def test_the_id_is_made_from_the_name_or_refused(workspace: Path) -> None:
    text = "title,prompt,aspect_ratios\nA mug,x,1:1\n"
    reading = read_text(text, "campaigns/Brief Q3.csv")
    assert reading.campaign.campaign == "brief-q3"
    assert reading.notes == ("the campaign's id is brief-q3, from the file's name",)
    assert faults_of(text, "campaigns/…….csv") == [
        "the campaign's id is the file's name, and '……' makes none (allowed: a-z, 0-9 and dashes); rename the file, for example spring-briefs.csv"
    ]


@pytest.mark.parametrize("data", [b"", b"title\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_file_without_rows_is_refused(workspace: Path, data: bytes) -> None:
    Path("campaigns/brief.csv").write_bytes(data)
    with pytest.raises(BadInput) as error:
        read.campaign(Path("campaigns/brief.csv"))
    assert error.value.what == "campaigns/brief.csv cannot be used"
    assert len(error.value.faults) == 1


def test_tabs_semicolons_and_other_encodings_are_read(workspace: Path) -> None:
    rows = "title;prompt;aspect_ratios\nGrüne Tasse;x;1:1|4:5\n"
    for name, data in (
        ("a.csv", rows.encode("utf-16")),
        ("b.csv", rows.encode("utf-8-sig")),
        ("c.tsv", rows.replace(";", "\t").encode()),
    ):
        Path("campaigns", name).write_bytes(data)
        row = (read.campaign(Path("campaigns", name)).rows or ())[0]
        assert (row.product.key, row.aspect_ratios) == ("grune-tasse", ("1:1", "4:5"))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=80),
        st.lists(st.text("ab|:;,=\n\"'{}é1 ", max_size=30), max_size=5).map(
            lambda cells: ("title,prompt,aspect_ratios,takes,x\n" + ",".join(cells)).encode()
        ),
    )
)
def test_whatever_is_written_is_read_or_refused(workspace: Path, data: bytes) -> None:
    Path("campaigns/brief.csv").write_bytes(data)
    try:
        reading = read.campaign(Path("campaigns/brief.csv"))
    except BadInput as error:
        assert error.faults  # noqa: PT017
    else:
        assert reading.rows


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", categories=("L", "N", "Zs", "S")), min_size=1),
        min_size=1,
        max_size=6,
    )
)
def test_unlike_titles_never_share_a_key(workspace: Path, titles: list[str]) -> None:
    rows = "".join(f'"{title}",x,1:1,v{at}\n' for at, title in enumerate(titles) if title.strip())
    if not rows:
        return
    reading = read_text("title,prompt,aspect_ratios,variant\n" + rows)
    made = {(row.product.key, row.product.title) for row in reading.rows or ()}
    assert len({key for key, _ in made}) == len(made)
