"""Overlays: words and logos laid over a picture, readable and within their safe zone."""

from __future__ import annotations

import hashlib
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from flows.errors import BadInput
from flows.lettering import arranged, fingerprint, laid, unwritable
from flows.nouns.campaign import Overlay
from flows.nouns.overlay import BrandKit, FontFile, LaidOverlay
from flows.presets import channels
from tests.rooms.lettering_scenes import (
    LOGO,
    built_in_font,
    busy,
    changed,
    light,
    needs_noto,
    plain,
)

HEADLINES = {
    "en": "Mornings deserve a better mug",
    "de": "Frühstücksgeschirrkollektion in Winterwaldgrün: jetzt entdecken",
    "fr": "Enfin l’été ! Des matins « tout en douceur »",
    "ar": "ابدأ صباحك بكوب Acme الجديد بخصم 20%",
    "he": "בוקר טוב מתחיל עם ספל Acme חדש (ב־20% הנחה)",
    "ja": "毎日の朝を、もっと豊かにする「一杯」。",
    "zh": "让每一个清晨，都充满温暖与惊喜。",
    "hi": "हर सुबह की शुरुआत एक बेहतर प्याले के साथ।",
}
PRESETS = (
    "meta-feed-1x1",
    "meta-story-9x16",
    "google-banner-728x90",
    "google-banner-300x250",
    "google-pmax-landscape",
    "og-image",
    "pinterest-pin-2x3",
    "tiktok-carousel-9x16",
    "snapchat-ad-9x16",
    "x-card",
)
KIT = BrandKit(fonts=(built_in_font(),), palette=("#0F4C81",), logo=LOGO)


def lay(picture, *overlays, kit=KIT, locale="en", safe_zone=None):
    return laid(picture, overlays, safe_zone=safe_zone, brand=kit, locale=locale)


@needs_noto
@pytest.mark.parametrize("ground", ["plain", "busy"])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_headline_of_each_language_is_whole_readable_and_within_the_safe_zone(preset, ground):
    channel = channels()[preset]
    size = (channel.width, channel.height)
    top, right, bottom, left = channel.safe_zone or (0, 0, 0, 0)
    picture = plain(size) if ground == "plain" else busy(size)
    for locale, text in HEADLINES.items():
        found = lay(
            picture,
            LaidOverlay(text=text),
            kit=BrandKit(),
            locale=locale,
            safe_zone=channel.safe_zone,
        )
        placed = found.boxes[0]
        assert placed.box[0] >= left * size[0] - 1e-6
        assert placed.box[1] >= top * size[1] - 1e-6
        assert placed.box[2] <= size[0] * (1 - right) + 1e-6
        assert placed.box[3] <= size[1] * (1 - bottom) + 1e-6
        assert placed.contrast >= 4.5
        assert found.notes == ()
        said = "".join(line.removesuffix("-") for line in placed.lines).replace(" ", "")
        assert said == unicodedata.normalize("NFC", text).replace(" ", "")
        assert unwritable([text], BrandKit(), locale) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_contrast_that_is_told_is_what_a_judge_measures(seed):
    picture = busy((800, 500), seed)
    found = lay(picture, LaidOverlay(text="Summer is here", color="white"))
    placed = found.boxes[0]
    pixels = np.asarray(found.picture.crop(placed.box))
    letters = (pixels == 255).all(axis=2)
    around = light(pixels[~letters])
    assert letters.sum() > 500
    assert placed.contrast >= 4.5
    # what is neither white nor a soft edge of a letter is ground
    ratios = 1.05 / (np.sort(around)[: int(len(around) * 0.6)] + 0.05)
    assert ratios.min() >= 4.5


def test_no_scrim_is_laid_where_letters_can_be_read_without():
    found = lay(plain((600, 600)), LaidOverlay(text="Hello"))
    assert found.boxes[0].background == "none"
    assert found.boxes[0].color == "#000000"
    assert changed(plain((600, 600)), found.picture) == found.boxes[0].box


def test_background_none_keeps_the_picture_and_says_how_low_the_contrast_is():
    middle = plain((600, 600), (150, 150, 150))
    found = lay(middle, LaidOverlay(text="Hello", color="white", background="none"))
    assert found.boxes[0].background == "none"
    assert found.boxes[0].contrast == pytest.approx(2.96, abs=0.01)
    assert found.notes == ("overlays: contrast 2.96 to 1, below 4.5 to 1",)


def test_a_badge_stands_on_a_plate_of_the_leading_brand_colour():
    found = lay(plain((600, 600)), LaidOverlay(text="NEW", role="badge", box="top-left"))
    placed = found.boxes[0]
    assert (placed.background, placed.color) == ("plate #0F4C81", "#FFFFFF")
    assert placed.contrast == pytest.approx(8.86, abs=0.02)
    assert changed(plain((600, 600)), found.picture)[:2] == (30, 30)


def test_brand_colour_is_taken_where_it_is_asked_for():
    found = lay(plain((600, 600), (255, 255, 255)), LaidOverlay(text="Hello", color="brand"))
    assert found.boxes[0].color == "#0F4C81"
    assert found.boxes[0].background == "none"


def test_a_long_text_becomes_smaller_and_a_short_one_stays_at_its_largest():
    short = lay(plain((600, 600)), LaidOverlay(text="Sale", size=0.1)).boxes[0]
    words = "A considerably longer headline that will not fit on a single line at that size, ever"
    long = lay(plain((600, 600)), LaidOverlay(text=words, size=0.1)).boxes[0]
    assert (short.size_px, len(short.lines)) == (60, 1)
    assert long.size_px < 60
    assert len(long.lines) > 1


def test_a_text_without_room_is_a_fault_that_names_text_room_and_remedy():
    wish = LaidOverlay(text="word " * 150, place="overlays.2")
    with pytest.raises(BadInput) as caught:
        arranged((300, 250), [wish], safe_zone=None, kit=KIT, locale="en")
    fault = caught.value.faults[0]
    assert fault.place == "overlays.2"
    assert "has no room in 276 x 99 pixels of 300x250, even at 11 pixels" in fault.found
    assert fault.remedy.startswith("shorten it")


def test_all_faults_of_a_picture_are_told_at_once():
    wishes = [
        LaidOverlay(text="word " * 150, place="overlays.0"),
        LaidOverlay(text=" ", place="overlays.1"),
        LaidOverlay(text="x", font="No Such Font", place="overlays.2"),
        LaidOverlay(logo=True, place="overlays.3"),
    ]
    with pytest.raises(BadInput) as caught:
        arranged((300, 250), wishes, safe_zone=None, kit=BrandKit(fonts=KIT.fonts), locale="en")
    assert sorted(fault.place for fault in caught.value.faults) == [
        "overlays.0",
        "overlays.1",
        "overlays.3",
        "overlays.font",
    ]


def test_overlays_of_one_box_are_stacked_in_order_and_share_an_edge():
    found = lay(
        plain((800, 800)),
        LaidOverlay(text="Hello there"),
        LaidOverlay(text="24.90", role="price"),
        LaidOverlay(text="Dishwasher safe", role="body"),
    )
    boxes = [one.box for one in found.boxes]
    assert boxes[0][3] < boxes[1][1]
    assert boxes[1][3] < boxes[2][1]
    assert {box[0] for box in boxes} == {40}
    assert boxes[2][3] == 760


def test_a_headline_makes_way_for_the_logo_beside_it():
    found = lay(
        plain((1200, 628)),
        LaidOverlay(text="A headline at the top of the picture", box="top"),
        LaidOverlay(logo=True),
    )
    words, logo = (one.box for one in found.boxes)
    clear = (logo[3] - logo[1]) // 2
    assert words[2] <= logo[0] - clear or words[1] >= logo[3] + clear
    assert found.notes == ()


def test_boxes_in_numbers_are_shares_of_what_the_safe_zone_leaves_free():
    wish = LaidOverlay(text="Hi", box=(0.5, 0.5, 1.0, 1.0), size=1.0)
    found = lay(plain((1000, 1000)), wish, safe_zone=(0.1, 0.2, 0.3, 0.0))
    left, top, right, bottom = found.boxes[0].box
    assert (left, bottom) == (400, 700)
    assert 600 < right <= 800
    assert 400 <= top < 500


def test_boxes_in_numbers_that_meet_are_noted():
    found = lay(
        plain((400, 400)),
        LaidOverlay(text="One", box=(0, 0, 1, 1), place="overlays.0"),
        LaidOverlay(text="Two", box=(0, 0, 1, 0.99), place="overlays.1"),
    )
    assert found.notes[0] == "overlays.0 and overlays.1 overlap"


def test_emoji_are_left_out_with_a_note_and_never_drawn_as_boxes():
    found = lay(plain((600, 600)), LaidOverlay(text="Hot 🔥 deal 👨‍👩‍👧", place="overlays.0"))
    assert found.boxes[0].text == "Hot deal"
    assert found.notes == ("overlays.0: without 🔥 👨‍👩‍👧, which fonts cannot show",)
    assert unwritable(["Hot 🔥"], KIT, "en") == []


def test_what_no_font_can_write_is_told_with_letters_and_remedy():
    said = unwritable(["plain", "a \U00013000 hieroglyph \ue000"], KIT, "en")
    assert any("U+E000" in line and "brand.fonts" in line for line in said)


def test_bytes_are_the_same_again_and_in_threads():
    wishes = (LaidOverlay(text="Mornings deserve a better mug"), LaidOverlay(logo=True))

    def once(_number):
        made = lay(busy((900, 700)), *wishes).picture
        return hashlib.sha256(made.tobytes()).hexdigest()

    alone = once(0)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(once, range(8))) == {alone}


def test_the_picture_that_is_given_stays_as_it_is():
    picture = plain((300, 300))
    lay(picture, LaidOverlay(text="Hello"))
    assert changed(plain((300, 300)), picture) is None


def test_the_fingerprint_knows_words_fonts_colours_and_logo_and_not_the_place_in_the_file():
    def of(text="Hello", kit=KIT, **more):
        return fingerprint([LaidOverlay(text=text, **more)], brand=kit, locale="en")

    assert of() == of() == of(place="overlays.7")
    others = {
        of("Hello!"),
        of(box="top"),
        of(kit=BrandKit(fonts=KIT.fonts, palette=("#0F4C82",), logo=LOGO)),
        of(kit=BrandKit(fonts=KIT.fonts, palette=KIT.palette, logo=LOGO + b" ")),
        of(kit=BrandKit(palette=KIT.palette, logo=LOGO)),
    }
    assert of() not in others


def test_a_file_that_is_no_font_is_refused_by_its_name():
    kit = BrandKit(fonts=(FontFile(name="brand/Inter.ttf", data=b"<html>not found</html>"),))
    with pytest.raises(BadInput, match=r"brand\.fonts: brand/Inter\.ttf: not a font"):
        lay(plain((300, 300)), LaidOverlay(text="Hello"), kit=kit)
    cut_short = FontFile(name="cut.ttf", data=built_in_font().data[:4000])
    with pytest.raises(BadInput, match=r"brand\.fonts: cut\.ttf"):
        lay(plain((300, 300)), LaidOverlay(text="Hello"), kit=BrandKit(fonts=(cut_short,)))


def test_a_tiny_and_a_one_pixel_picture_are_refused_in_words():
    with pytest.raises(BadInput, match="has no room"):
        lay(Image.new("RGB", (1, 1)), LaidOverlay(text="Hello"))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({}, "either `text` or `logo: true`"),
        ({"text": "a", "logo": True}, "either `text` or `logo: true`"),
        ({"logo": True, "font": "Inter"}, "the logo keeps its own"),
        ({"text": "a", "box": [0.5, 0, 0.2, 1]}, "left < right and top < bottom"),
        ({"text": "a", "role": "title"}, "'headline', 'price', 'badge' or 'body'"),
        ({"text": "a", "colour": "#000000"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_when_the_campaign_is_read(part, said):
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        Overlay.model_validate(part)


def test_what_the_contract_shows_is_still_a_campaign():
    assert Overlay.model_validate({"text": "{{ product.title }}", "box": "bottom"}).logo is False
