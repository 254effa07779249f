from __future__ import annotations

from pathlib import Path

import pytest

from flows import plan, read
from flows.errors import BadInput
from flows.feeds import Sound, sound
from flows.nouns.take import Realm
from tests.rooms.plan_factory import PROOF, Ledger, Reader

SPEC = """campaign: mugs
products: {items: [{sku: A, title: Mug, Offer ID: x1}]}
prompt_text: A {{ product.title }}
"""
PUBLIC = "  public_url: https://cdn.acme.example/mugs\n"


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("campaigns").mkdir()


def checked(
    feeds: str, outputs: str = 'aspect_ratios: ["4:5"]\n', public: str = PUBLIC, more: str = ""
) -> Sound:
    """What is said of a campaign; the feeds are on line 6 where `more` is empty."""
    spec = Path("campaigns/x.yaml")
    spec.write_text(SPEC + outputs + more + "publish:\n" + public + f"  feeds: [{feeds}]\n")
    reading = read.campaign(spec)
    shots = plan.shot_list(
        reading,
        templates=Path("templates"),
        references=Reader(),
        book=Ledger(),
        realm=Realm.PROOF,
        hosts=[PROOF],
    )
    return sound(reading, shots)


def faults(*asked: str, **changes: str) -> list[str]:
    return [
        str(fault).removeprefix("campaigns/x.yaml:") for fault in checked(*asked, **changes).faults
    ]


def test_a_campaign_without_feeds_has_nothing_to_say() -> None:
    assert checked("", public="") == Sound()


def test_sound_feeds_have_nothing_to_say() -> None:
    asked = (
        "{name: merchant}, {name: merchant, column: lifestyle_image_link, channel: gmc-lifestyle},"
        " {name: merchant-xml}, {name: meta, variant: a}, {name: shopify, locale: de},"
        " {name: woocommerce, output: 4x5, column: images}, {name: pinterest, id: offer id},"
        " {name: meta, file: meta-b, variant: b}"
    )
    outputs = 'aspect_ratios: ["4:5"]\nchannels: [gmc-lifestyle]\n'
    more = "variants: [{id: a}, {id: b}]\nlocales: [de, en]\n"
    assert checked(asked, outputs, more=more) == Sound()


def test_feeds_without_a_public_address_are_refused() -> None:
    assert faults("{name: merchant}", public="") == [
        (
            "6:3: feeds name pictures by their public address, and there is no `public_url`;"
            " write `public_url: https://…` under publish"
        )
    ]


def test_an_unknown_feed_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInput) as error:
        checked("{name: merchnat}, {name: meta, file: ../x}, {name: meta, existing: drop}")
    assert [str(fault).removeprefix("campaigns/x.yaml:") for fault in error.value.faults] == [
        (
            "7:18: publish.feeds.name: 'merchnat' is not known (allowed: merchant, merchant-xml,"
            " meta, shopify, woocommerce, pinterest); did you mean 'merchant'?"
        ),
        (
            "7:48: publish.feeds.file: '../x' does not have the right form (allowed: a-z, 0-9 and"
            " single dashes between them, for example spring-mugs); did you mean 'x'?"
        ),
        "7:78: publish.feeds.existing: 'drop' is not known (allowed: keep, replace)",
    ]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            "{name: meta, column: lifestyle_image_link}",
            (
                "7:32: a supplementary feed of a Meta catalogue has no column"
                " 'lifestyle_image_link' for pictures (allowed: image_link, additional_image_link);"
                " did you mean 'additional_image_link'?"
            ),
        ),
        (
            "{name: shopify, column: image_link}",
            (
                "7:35: Shopify's product CSV has no column 'image_link' for pictures"
                " (allowed: Product image URL)"
            ),
        ),
        (
            "{name: merchant, channel: gmc-lifestlye}",
            (
                "7:37: there is no channel 'gmc-lifestlye' (allowed: those of `shotlist channels`);"
                " did you mean 'gmc-lifestyle'?"
            ),
        ),
        (
            "{name: merchant, output: 4:5}",
            "7:36: the campaign has no output '4:5' (allowed: 4x5); did you mean '4x5'?",
        ),
        (
            "{name: merchant, variant: a}",
            "7:37: the campaign has no variant 'a'; remove `variant`",
        ),
        (
            "{name: merchant, locale: de}",
            "7:36: the campaign has no locale 'de'; remove `locale`",
        ),
        (
            "{name: merchant, id: Offre ID}",
            (
                "7:32: the catalogue has no column 'Offre ID' (allowed: sku, title, Offer ID);"
                " did you mean 'Offer ID'?"
            ),
        ),
        (
            "{name: meta}, {name: shopify, file: meta}",
            (
                "7:25: feeds/meta.csv would be a feed for meta and for shopify;"
                " give one of them a `file` of its own"
            ),
        ),
        (
            "{name: meta}, {name: meta, column: image_link, id: sku}",
            (
                "7:62: feeds/meta.csv would have two columns of ids;"
                " write the same `id` for all its columns, or give one a `file` of its own"
            ),
        ),
    ],
)
def test_what_is_wrong_with_a_wish_is_told_at_its_place(asked: str, told: str) -> None:
    assert faults(asked) == [told]


def test_pictures_that_a_column_refuses_are_told_before_they_are_bought() -> None:
    outputs = 'aspect_ratios: ["4:5"]\nfinish: {formats: [webp]}\n'
    assert checked("{name: merchant}", outputs).faults == ()
    assert faults("{name: merchant, column: lifestyle_image_link}", outputs=outputs) == [
        (
            "8:36: lifestyle_image_link of merchant takes no picture of 4x5 (webp)"
            " (allowed: jpeg, png, tiff); add `jpeg` to finish.formats"
        )
    ]
    both = 'aspect_ratios: ["4:5"]\nfinish: {formats: [webp, jpeg]}\n'
    assert checked("{name: merchant, column: lifestyle_image_link}", both) == Sound()


def test_some_pictures_that_a_column_refuses_are_a_note() -> None:
    outputs = 'aspect_ratios: ["4:5"]\nsizes: [{name: hero, size: 800x400, formats: [avif]}]\n'
    found = checked("{name: meta}", outputs)
    assert found.faults == ()
    assert found.notes == (
        "campaigns/x.yaml:8:11: additional_image_link of meta takes no picture of hero (avif)",
    )


def test_a_channel_that_the_campaign_does_not_make_is_a_note() -> None:
    found = checked("{name: merchant, channel: google-merchant-lifestyle}")
    assert found.faults == ()
    assert found.notes == (
        (
            "campaigns/x.yaml:7:37: no output of the campaign is for google-merchant-lifestyle:"
            " feeds/merchant.tsv gets no picture of it"
        ),
    )


def test_a_channel_of_the_workspaces_own_and_either_name_of_a_preset_are_known() -> None:
    Path("channels.yaml").write_text("our-hero: {width: 1500, height: 1500, formats: [jpeg]}\n")
    outputs = "channels: [our-hero, gmc-lifestyle]\n"
    for channel in ("our-hero", "gmc-lifestyle", "google-merchant-lifestyle"):
        assert checked(f"{{name: merchant, channel: {channel}}}", outputs) == Sound()
    assert faults("{name: merchant, channel: our-herro}", outputs=outputs) == [
        (
            "7:37: there is no channel 'our-herro' (allowed: those of `shotlist channels`);"
            " did you mean 'our-hero'?"
        )
    ]


def test_shopify_is_told_of_an_address_without_tls() -> None:
    found = checked("{name: shopify}, {name: meta}", public="  public_url: http://cdn.example\n")
    assert found.faults == ()
    assert found.notes == (
        ("campaigns/x.yaml:7:11: Shopify asks for https://, public_url is http://cdn.example"),
    )
