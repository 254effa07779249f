"""Overlays: where lines break, which way letters run, which face they are set from."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from flows.lettering import laid
from flows.lettering.breaks import breaks
from flows.lettering.chain import BOLD, chain_for, faces_of
from flows.lettering.direction import levels, visual
from flows.lettering.faces import house_faces, loaded
from flows.lettering.fit import fitted
from flows.lettering.setting import prepared, set_line
from flows.lettering.words import reads_leftward, ready
from flows.nouns.overlay import BrandKit, FontFile, LaidOverlay
from tests.rooms.lettering_scenes import built_in_font, needs_noto, plain

KIT = BrandKit(fonts=(built_in_font(),))


def pieces(text: str, locale: str, *, hyphenate: bool = False) -> list[str]:
    ends = [one.at for one in breaks(text, locale, hyphenate=hyphenate)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def lines(text: str, locale: str, width: int, *, kit: BrandKit = KIT, size: int = 60) -> list[str]:
    setting = prepared(text, kit=kit, font=None, weight=700, locale=locale, place="overlays.0")
    block = fitted(setting, width=width, height=900, largest=size, smallest=11, leading=1.2)
    assert block is not None
    assert block.width <= width
    return [line.text for line in block.lines]


def test_numbers_stay_with_their_units_and_french_signs_with_their_words():
    assert pieces("Only 4,90 € today", "en") == ["Only ", "4,90 € ", "today"]
    assert pieces("save 20 % on 350 ml", "en") == ["save ", "20 % ", "on ", "350 ml"]
    assert pieces("CHF 12.90 each", "de") == ["CHF 12.90 ", "each"]
    assert pieces("Enfin l’été ! « Doux »", "fr") == ["Enfin ", "l’été ! ", "« Doux »"]


def test_no_japanese_line_begins_with_a_closing_sign_or_ends_with_an_opening_one():
    found = pieces("朝を、もっと「豊かに」する一杯。", "ja")
    assert "".join(found) == "朝を、もっと「豊かに」する一杯。"
    assert not any(piece[0] in "、。」ー" for piece in found)
    assert not any(piece[-1] == "「" for piece in found)


def test_japanese_breaks_between_phrases_are_liked_better():
    text = "毎日の朝をもっと豊かに"
    cheap = [text[: one.at] for one in breaks(text, "ja", hyphenate=False) if one.cost <= 0]
    assert cheap == ["毎日の", "毎日の朝を", "毎日の朝をもっと", text]


def test_german_compounds_are_divided_at_their_seams_where_type_gains_by_it():
    costs = {one.at: one.cost for one in breaks("Frühstücksgeschirr", "de", hyphenate=True)}
    assert min(costs, key=lambda at: (costs[at] if at < 18 else 1, at)) == len("Frühstücks")
    found = lines("Wintergesellschaftsreise", "de", 300, size=60)
    assert len(found) == 2
    assert found[0].endswith("-")
    assert "".join(found).replace("-", "") == "Wintergesellschaftsreise"


def test_a_word_that_fits_is_not_divided():
    assert lines("Gesellschaft", "de", 600) == ["Gesellschaft"]


def test_the_writers_soft_hyphens_come_first_and_are_not_seen_unbroken():
    assert lines("Aaaaaaa\u00adbbbbbbb", "", 700, size=40) == ["Aaaaaaabbbbbbb"]
    assert lines("Aaaaaaa\u00adbbbbbbb", "", 200, size=60) == ["Aaaaaaa-", "bbbbbbb"]


def test_line_ends_that_are_written_are_kept():
    assert lines("One\nTwo three", "en", 900) == ["One", "Two three"]


def test_lines_are_even_and_short_words_go_with_what_follows():
    found = lines("Enjoy the summer with a really good cup", "en", 700, size=60)
    assert len(found) == 2
    assert min(map(len, found)) / max(map(len, found)) > 0.7
    assert not any(line.endswith(" a") for line in found)


# Levels and order of UAX #9, worked out by hand from its rules.
@pytest.mark.parametrize(
    ("text", "leftward", "found"),
    [
        ("ab אב", False, [0, 0, 0, 1, 1]),
        ("אב ab", True, [1, 1, 1, 2, 2]),
        ("אב 20%", True, [1, 1, 1, 2, 2, 2]),
        ("شم 34", True, [1, 1, 1, 2, 2]),
        ("אב (ab)", True, [1, 1, 1, 1, 2, 2, 1]),
        ("ab (אב) c", False, [0, 0, 0, 0, 1, 1, 0, 0, 0]),
        ("1,5 א", False, [0, 0, 0, 0, 1]),
    ],
)
def test_each_letter_runs_the_way_that_unicode_says(text, leftward, found):
    assert levels(text, leftward=leftward) == found


def test_runs_stand_in_the_order_in_which_they_are_seen():
    assert visual([1, 2, 1]) == [2, 1, 0]
    assert visual([0, 1, 2, 1, 0]) == [0, 3, 2, 1, 4]
    assert visual([]) == []


def test_the_language_decides_the_base_direction_and_then_the_first_letter():
    assert reads_leftward("Acme", "ar") is True
    assert reads_leftward("שלום Acme", "") is True
    assert reads_leftward("Acme שלום", "") is False
    assert reads_leftward("Merhaba", "ku-Latn") is False
    assert reads_leftward("2026", "en") is False


@needs_noto
def test_hebrew_hangs_at_the_right_and_a_latin_name_in_it_runs_on():
    found = laid(
        plain((900, 600)),
        [LaidOverlay(text="שלום Acme")],
        safe_zone=None,
        brand=BrandKit(),
        locale="he",
    )
    assert found.boxes[0].box[2] == 900 - 30
    setting = prepared(
        "שלום Acme", kit=BrandKit(), font=None, weight=BOLD, locale="he", place="overlays.0"
    )
    line = set_line(setting, 0, 9, 40)
    assert [run.text.strip() for run in line.runs] == ["Acme", "שלום"]


@needs_noto
def test_arabic_letters_are_joined_and_not_set_one_by_one():
    setting = prepared("سلسبيل", kit=BrandKit(), font=None, weight=BOLD, locale="ar", place="o")

    def ink(start, end):
        line = set_line(setting, start, end, 100)
        return line.ink[2] - line.ink[0]

    together = ink(0, 6)
    apart = sum(ink(at, at + 1) for at in range(6))
    assert together < 0.8 * apart


@needs_noto
def test_a_word_is_set_from_the_first_font_that_has_it_whole():
    text = "Acme 朝 Ω"
    chain = chain_for(text, kit=KIT, font=None, weight=BOLD, locale="ja")
    families = [chain.faces[index].family for index in faces_of(text, chain)]
    assert families[:5] == ["Aileron"] * 5
    assert families[5] == "Noto Sans CJK JP"
    assert families[7] != "Aileron"


@needs_noto
def test_han_letters_come_from_the_font_of_their_language():
    def face(locale):
        chain = chain_for("直", kit=BrandKit(), font=None, weight=BOLD, locale=locale)
        return chain.faces[0].family

    assert [face(one) for one in ("ja", "zh-CN", "zh-TW", "ko")] == [
        "Noto Sans CJK JP",
        "Noto Sans CJK SC",
        "Noto Sans CJK TC",
        "Noto Sans CJK KR",
    ]


def test_lines_are_flush_by_their_letters_and_not_by_a_tail():
    setting = prepared("jot\nHot", kit=KIT, font=None, weight=700, locale="en", place="overlays.0")
    block = fitted(setting, width=900, height=900, largest=200, smallest=200, leading=1.2)
    assert block is not None
    block = block.aligned("left")
    stems = [left + line.edges[0] for line, left in zip(block.lines, block.lefts, strict=True)]
    tails = [left + line.ink[0] for line, left in zip(block.lines, block.lefts, strict=True)]
    assert stems[0] == stems[1] > 0
    assert min(tails) == 0


def test_texts_are_brought_to_one_form():
    assert ready("  Cafe\u0301\t au\u2003lait \r\n\n 2 ") == ("Café au lait\n2", ())
    assert ready("a\u202eb\u2066c") == ("abc", ())
    assert ready("I ❤️ 1️⃣ © ™") == ("I 1 © ™", ("❤️",))


def variable_font() -> FontFile:
    """A font of one letter, whose bar grows from 200 to 800 units with its weight."""

    def bar(width):
        pen = TTGlyphPen(None)
        for point, draw in (((100, 0), pen.moveTo), ((100, 700), pen.lineTo)):
            draw(point)
        for point in ((100 + width, 700), (100 + width, 0)):
            pen.lineTo(point)
        pen.closePath()
        return pen.glyph()

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "n"])
    builder.setupCharacterMap({ord("n"): "n"})
    builder.setupGlyf({".notdef": bar(200), "n": bar(200)})
    builder.setupHorizontalMetrics({".notdef": (1000, 100), "n": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Growing", "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.setupFvar([("wght", 100, 100, 900, "Weight")], [])
    from fontTools.ttLib.tables.TupleVariation import TupleVariation

    wider = [(0, 0), (0, 0), (600, 0), (600, 0), (0, 0), (0, 0), (0, 0), (0, 0)]
    builder.setupGvar({"n": [TupleVariation({"wght": (0.0, 1.0, 1.0)}, wider)]})
    out = io.BytesIO()
    builder.save(out)
    return FontFile(name="growing.ttf", data=out.getvalue())


def test_a_variable_font_is_set_at_the_weight_of_the_role():
    (face,) = house_faces(variable_font())
    assert (face.family, [axis[0] for axis in face.axes]) == ("Growing", ["wght"])
    widths = []
    for weight in (400, 700):
        mask = loaded(face, 100, weight).getmask("n")
        ink = np.array(mask).reshape(mask.size[::-1]) > 128
        widths.append(int(ink.any(axis=0).sum()))
    # 200 units at weight 100, 600 more at 900: 425 and 650 of 1000 at 100 pixels
    assert widths == [pytest.approx(42, abs=1), pytest.approx(65, abs=1)]
