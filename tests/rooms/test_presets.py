"""The channel presets: data that people correct, so it is held to its form."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict
from datetime import date
from importlib.resources import files
from typing import get_args
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import TypeAdapter

from flows.nouns.campaign import ID_PATTERN, RATIO_PATTERN, Format
from flows.nouns.output import Channel, ratio_of
from flows.presets import _channel, channels


def test_presets_of_every_channel_are_there():
    families = Counter(name.split("-")[0] for name in channels())
    assert families == {
        "meta": 10, "google": 24, "gmc": 3, "amazon": 8, "shopify": 2, "web": 4, "og": 1, "x": 4,
        "email": 1, "pinterest": 3, "tiktok": 4, "linkedin": 4, "snapchat": 2, "youtube": 1,
        "vertical": 1, "print": 2,
    }  # fmt: skip


def test_a_preset_carries_all_its_facts():
    assert channels()["meta-story-9x16"] == Channel(
        id="meta-story-9x16",
        width=1440,
        height=2560,
        ratio="9:16",
        min_width=500,
        formats=("jpeg", "png"),
        max_bytes=30_000_000,
        safe_zone=(0.14, 0.06, 0.35, 0.06),
        note="Taller phones zoom in and cut more",
        source="https://www.facebook.com/business/ads-guide/update/image/instagram-story",
        verified="2026-09-24",
        status="B",
    )


def test_pixels_of_a_safe_zone_become_shares_rounded_inward():
    top, right, bottom, left = channels()["google-demandgen-vertical"].safe_zone
    assert (top * 1920, bottom * 1920) == (288, 672)
    assert 192 <= right * 1080 < 192.1
    assert 48 <= left * 1080 < 48.1


def test_no_id_is_written_twice():
    text = files("flows.presets").joinpath("channels.yaml").read_text(encoding="utf-8")
    keys = [key.value for key, _ in yaml.compose(text).value]
    assert [name for name, count in Counter(keys).items() if count > 1] == []
    assert list(channels()) == keys


def test_an_unknown_key_in_the_file_is_an_error():
    with pytest.raises(TypeError, match="heigth"):
        _channel("x", formats=["jpeg"], width=1, heigth=1, ratio="1:1")


def test_presets_cannot_be_changed_by_who_reads_them():
    with pytest.raises(TypeError):
        channels()["mine"] = channels()["og-image"]
    assert channels() is channels()


def wrong(is_right):
    """Ids of the presets that are not as they should be."""
    return [channel.id for channel in channels().values() if not is_right(channel)]


@pytest.mark.parametrize("channel", channels().values(), ids=lambda channel: channel.id)
def test_types_are_what_the_noun_says(channel):
    assert TypeAdapter(Channel).validate_json(json.dumps(asdict(channel)), strict=True) == channel


def test_ids_and_ratios_are_spelled_as_a_campaign_may_spell_them():
    assert wrong(lambda one: re.fullmatch(ID_PATTERN, one.id)) == []
    assert wrong(lambda one: re.fullmatch(RATIO_PATTERN, one.ratio)) == []


def test_ratio_agrees_with_pixels():
    assert wrong(lambda one: abs(one.width / one.height / ratio_of(one.ratio) - 1) < 0.01) == []


def test_formats_are_ones_we_write_each_once():
    assert wrong(lambda one: one.formats and set(one.formats) <= set(get_args(Format))) == []
    assert wrong(lambda one: len(set(one.formats)) == len(one.formats)) == []


def test_smallest_size_is_not_above_the_size():
    assert wrong(lambda one: (one.min_width or 1) <= one.width) == []
    assert wrong(lambda one: (one.min_height or 1) <= one.height) == []


def test_a_safe_zone_leaves_a_middle():
    zones = {one.id: one.safe_zone for one in channels().values() if one.safe_zone}
    assert len(zones) > 20
    for name, (top, right, bottom, left) in zones.items():
        assert min(top, right, bottom, left) >= 0, name
        assert max(top + bottom, left + right) < 1, name


def test_a_fact_has_its_source_and_a_convention_says_that_it_is_ours():
    for one in channels().values():
        if one.status == "D":
            assert (one.source, one.note[:18]) == ("", "Our own convention"), one.id
        else:
            address = urlsplit(one.source)
            assert (address.scheme, "." in address.netloc) == ("https", True), one.id


def test_a_fact_has_its_day_and_how_sure_it_is():
    assert wrong(lambda one: date.fromisoformat(one.verified).isoformat() == one.verified) == []
    assert wrong(lambda one: one.status in {"A", "B", "C", "D", "?"}) == []


def test_words_are_from_the_known_lists():
    assert wrong(lambda one: one.text in {"ok", "avoid", "none", "logo"}) == []
    assert wrong(lambda one: one.colour in {"srgb", "cmyk"}) == []
    assert [one.id for one in channels().values() if one.colour == "cmyk"] == [
        "print-a4-300",
        "print-a5-300",
    ]


def test_only_what_a_channel_dropped_is_retired():
    assert {channel.id: channel.retired for channel in channels().values() if channel.retired} == {
        "google-rda-portrait": "no longer in the asset list of responsive display ads"
    }
