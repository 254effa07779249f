from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.nouns.product import Product
from flows.nouns.shot import Shot, ShotState
from flows.publish import names, places
from flows.publish.names import folded, safe

# Text that is bad for a path more often than chance would have it.
PIECES = [
    "/", "..", ".", "\\", "-", " ", "CON", "nul", "COM1", ".jpeg", "mug", "MUG", "é", "e\u0301",
    "\u202e", "\u200d", "\0", "\n", "🧁", "日本", "ﷺ", "ı", "İ", "ſ", "ß", "=\u0338", "K",
    "x" * 99, "é" * 60, "*", ":", "%2e", "~", "\ud800",
]  # fmt: skip
NASTY = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)
DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(\..*)?", re.IGNORECASE)


def shot(shot_id: str, *paths: str) -> Shot:
    return Shot(
        shot_id=shot_id,
        product=Product(key=shot_id, title="", fields={}, row={}),
        variant="",
        locale="",
        name="1x1",
        aspect_ratio="1:1",
        prompt="",
        references=(),
        outputs=(),
        paths=paths,
        recipes=(),
        alt="",
        tags=(),
        title="",
        state=ShotState.NEW,
        why="",
    )


def assert_is_safe(path: str) -> None:
    assert len(path.encode()) <= 240
    assert unicodedata.normalize("NFC", path) == path
    for segment in path.split("/"):
        assert 0 < len(segment.encode()) <= 100
        assert segment[0] not in ".-~ "
        assert segment[-1] not in ". "
        assert not DEVICES.fullmatch(segment)
        for char in segment:
            assert char in "-_.@+," or unicodedata.category(char)[0] in "LMN", segment


@given(NASTY)
def test_any_text_becomes_a_safe_relative_path(text: str) -> None:
    assert_is_safe("images/" + safe(text))


@given(NASTY)
def test_a_safe_path_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)


@given(st.lists(st.lists(NASTY, max_size=3), max_size=6))
def test_no_two_files_of_a_shot_list_meet_on_any_file_system(texts: list[list[str]]) -> None:
    shots = [shot(f"s{number}", *paths) for number, paths in enumerate(texts)]

    placed = places(shots)

    assert [len(paths) for paths in placed] == [len(paths) for paths in texts]
    flat = [path for paths in placed for path in paths]
    for path in flat:
        assert path.startswith("images/")
        assert_is_safe(path)
    files = {unicodedata.normalize("NFC", path.casefold()) for path in flat}
    assert len(files) == len(flat)
    parents = {path[: match.start()] for path in flat for match in re.finditer("/", path)}
    assert files.isdisjoint(unicodedata.normalize("NFC", parent.casefold()) for parent in parents)
    assert placed == places(shots)


@given(st.text(), st.text())
def test_folding_is_as_coarse_as_case_folding_and_normal_forms(one: str, other: str) -> None:
    for same in (one.casefold(), unicodedata.normalize("NFD", one), one.upper().casefold()):
        assert folded(unicodedata.normalize("NFC", same.casefold())) == folded(same)
    if unicodedata.normalize("NFC", one.casefold()) == unicodedata.normalize(
        "NFC", other.casefold()
    ):
        assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MUG-01/b/de/4x5.jpeg", "MUG-01/b/de/4x5.jpeg"),
        ("MUG-01//de/4x5.jpeg", "MUG-01/de/4x5.jpeg"),
        ("/Blue mug /4x5.jpeg", "Blue-mug/4x5.jpeg"),
        ("Mug - large  size/4x5.jpeg", "Mug-large-size/4x5.jpeg"),
        ("Cafe\u0301/ヴィンテージ 本革.webp", "Café/ヴィンテージ-本革.webp"),
        ("v1.5/a.b.jpeg", "v1.5/a.b.jpeg"),
    ],
)
def test_what_is_harmless_stays_readable(text: str, name: str) -> None:
    assert safe(text) == name


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("../../escape/1x1.jpeg", r"escape-H/1x1\.jpeg"),
        ('a/b\\c:d*e?"f<g>h|i/1x1.jpeg', r"a/b-c-d-e-f-g-h-i-H/1x1\.jpeg"),
        ("CON/1x1.jpeg", r"_CON-H/1x1\.jpeg"),
        ("lpt¹.jpeg", r"_lpt¹-H\.jpeg"),
        ("🧁/1x1.jpeg", r"H/1x1\.jpeg"),
        ("Sac \u202ereversed/1x1.jpeg", r"Sac-reversed-H/1x1\.jpeg"),
        ("a\0b.jpeg", r"ab-H\.jpeg"),
        ("-rf/.hidden.jpeg", r"rf-H/hidden-H\.jpeg"),
        ("end./1x1.jpeg", r"end-H/1x1\.jpeg"),
        ("x" * 1000 + "/1x1.jpeg", r"x{93}-H/1x1\.jpeg"),
        ("é" * 1000 + ".jpeg", r"é{44}-H\.jpeg"),
        (".jpeg", r"H\.jpeg"),
        ("", "H"),
        ("..", "H"),
        ("/".join(["abcdefghi"] * 40) + "/1x1.jpeg", r"(abcdefghi/){21}H/1x1\.jpeg"),
    ],
)
def test_what_a_name_lost_is_hashed_into_it(text: str, pattern: str) -> None:
    assert re.fullmatch(pattern.replace("H", "[0-9a-f]{6}"), safe(text)), safe(text)


def test_keys_that_differ_in_forbidden_characters_stay_apart() -> None:
    names = {
        safe(f"{key}/1x1.jpeg") for key in ("a:b", "a*b", "a?b", "a\\b", "a-b", "🧁a-b", "../a-b")
    }
    assert len(names) == 7


def test_of_two_names_that_fold_together_the_later_shot_yields() -> None:
    first = [shot("MUG/1x1", "MUG/1x1.jpeg"), shot("mug/1x1", "mug/1x1.jpeg")]
    more = [shot("CUP/1x1", "CUP/1x1.jpeg"), *first]

    [(kept,), (parted,)] = places(first)

    assert kept == "images/MUG/1x1.jpeg"
    assert re.fullmatch(r"images/mug/1x1-[0-9a-f]{6}\.jpeg", parted)
    assert places(more)[1:] == [(kept,), (parted,)]


def test_a_plain_name_is_never_lost_to_a_parted_one() -> None:
    pair = [shot("MUG/1x1", "MUG.jpeg"), shot("mug/1x1", "mug.jpeg")]
    parted = places(pair)[1][0].removeprefix("images/")

    placed = places([*pair, shot("sly", parted)])

    assert placed[2] == (f"images/{parted}",)
    assert len({folded(path) for paths in placed for path in paths}) == 3


def test_two_files_of_one_shot_at_one_path_are_parted() -> None:
    [(one, two)] = places([shot("MUG", "same.jpeg", "same.jpeg")])
    assert one == "images/same.jpeg"
    assert re.fullmatch(r"images/same-[0-9a-f]{6}\.jpeg", two)


def test_a_file_yields_to_a_folder_of_its_name() -> None:
    [(file,), (inside,)] = places([shot("a", "k/1x1.jpeg"), shot("b", "k/1x1.jpeg/1x1.jpeg")])
    assert re.fullmatch(r"images/k/1x1-[0-9a-f]{6}\.jpeg", file)
    assert inside == "images/k/1x1.jpeg/1x1.jpeg"


PLAIN_PIECES = [
    "a", "B", "-", "_", ".", "..", "@", "+", ",", "/", "//", " ", "ü", "con", "NUL", "com1", "lpt",
    ".jpg", ".c", "x" * 60, "x" * 101, "Com9.", "aux.jpg", "é", ":", "\n",
]  # fmt: skip


@settings(max_examples=500)
@given(NASTY | st.lists(st.sampled_from(PLAIN_PIECES), max_size=9).map("".join))
def test_what_is_safe_at_a_glance_is_safe_at_a_closer_look(text: str) -> None:
    at_a_glance = safe(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(names, "_SAFE", re.compile("(?!)"))
        assert at_a_glance == safe(text)
