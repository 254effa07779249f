from __future__ import annotations

import csv
import io
import json
import re
from fractions import Fraction
from typing import Any

import jsonschema
import pytest

from flows.errors import Fault
from flows.nouns.campaign import Adcp, Campaign
from flows.nouns.output import Output
from flows.nouns.product import Product
from flows.nouns.rendition import AI_COMPOSITE, Manifest, RenditionRow
from flows.nouns.shot import Reading, Shot, ShotList, ShotState
from flows.publish.adcp import as_adcp
from flows.publish.adcp_faults import adcp_faults
from flows.publish.manifest import check
from flows.results import ad_names, assignments
from flows.results.arms import Arm
from flows.results.names import Known
from tests.rooms.adcp_schema import ANSWER
from tests.rooms.manifest_factory import CDN, digest, failure, manifest, rendition, take

FEED = Output(name="4x5", aspect_ratio="4:5", shape=Fraction(4, 5), formats=("jpeg", "webp"))
STORY = Output(name="9x16", aspect_ratio="9:16", shape=Fraction(9, 16), formats=("jpeg",))
HERO = Output(name="hero", aspect_ratio="2:1", shape=Fraction(2), formats=("avif",))


def shot(product: str, variant: str, *outputs: Output, link: str = "", **changes: Any) -> Shot:
    fields = {"link": link} if link else {}
    known: dict[str, Any] = {
        "shot_id": f"{product}/{variant}",
        "product": Product(key=product, title="A mug", fields=fields, row={}),
        "variant": variant,
        "locale": "",
        "name": "4x5",
        "aspect_ratio": "4:5",
        "prompt": "",
        "references": (),
        "outputs": outputs or (FEED, STORY),
        "paths": (),
        "recipes": (),
        "alt": "",
        "tags": (),
        "title": "A mug",
        "state": ShotState.NEW,
        "why": "",
    }
    return Shot(**{**known, **changes})


def files(shot_id: str, **changes: Any) -> list[RenditionRow]:
    return [rendition(shot_id, **changes), rendition(shot_id, "9x16", **changes)]


ARMS = (Arm("a"), Arm("b"))


def written(of: Manifest, *shots: Shot, wish: Adcp | None = None) -> bytes:
    return as_adcp(of, shots=shots, wish=wish or Adcp(), names=ad_names(of, ARMS))


def answer(of: Manifest, *shots: Shot, wish: Adcp | None = None) -> dict[str, Any]:
    """The document, held against the receiver's schema."""
    assert check(of) == []
    found: dict[str, Any] = json.loads(written(of, *shots, wish=wish))
    jsonschema.Draft7Validator(ANSWER).validate(found)
    return found


def variants(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for group in found["creatives"] for one in group.get("variants", [])]


TWO_CELLS = manifest(*files("mug-01/a"), *files("mug-01/b"))


def test_a_group_is_a_product_in_an_output_and_its_variants_are_the_cells_of_the_test() -> None:
    found = answer(TWO_CELLS, shot("mug-01", "a"), shot("mug-01", "b"))

    assert [
        (
            group["build_creative_id"],
            group["catalog_item_ref"],
            [one["variant_axis_value"] for one in group["variants"]],
        )
        for group in found["creatives"]
    ] == [
        (f"spring-mugs/mug-01/{name}", {"catalog_type": "product", "item_id": "mug-01"}, ["a", "b"])
        for name in ("4x5", "9x16")
    ]
    del found["creatives"]
    assert found == {
        "adcp_version": "3.1",
        "status": "completed",
        "items_total": 1,
        "items_returned": 1,
        "leaves_total": 4,
        "leaves_returned": 4,
        "budget_status": "complete",
        "keep_mode_applied": "keep_all",
        "vendor_cost": 0.06,
        "currency": "USD",
    }


def test_a_variant_is_a_whole_creative_manifest() -> None:
    row = rendition("mug-01/a", digital_source_type=AI_COMPOSITE)
    found = answer(
        manifest(row),
        shot("mug-01", "a", FEED, link="https://acme.example/p/mug-01"),
        wish=Adcp(brand="acme.example", formats={"4x5": "feed_4x5"}),
    )
    assert variants(found) == [
        {
            "build_variant_id": ad_names(manifest(row), ARMS)[row["path"]].creative_id,
            "recipe_hash": f"sha256:{row['recipe']}",
            "variant_axis_value": "a",
            "vendor_cost": 0.03,
            "currency": "USD",
            "consumption": {"images_generated": 1},
            "creative_manifest": {
                "format_kind": "image",
                "format_option_ref": {"scope": "product", "format_option_id": "feed_4x5"},
                "brand": {"domain": "acme.example"},
                "provenance": {
                    "digital_source_type": "composite_with_trained_algorithmic_media",
                    "ai_tool": {"name": "Seedream", "version": "4", "provider": "ByteDance"},
                    "human_oversight": "prompt_only",
                    "declared_by": {"role": "tool"},
                    "created_time": "2026-11-20T10:00:00+00:00",
                },
                "assets": {
                    "image_main": {
                        "asset_type": "image",
                        "url": f"{CDN}/images/mug-01/a/4x5.jpeg",
                        "width": 1080,
                        "height": 1350,
                        "format": "jpeg",
                        "file_size_bytes": 182_344,
                        "alt_text": "mug-01 on an oak table",
                    },
                    "landing_page_url": {
                        "asset_type": "url",
                        "url": "https://acme.example/p/mug-01",
                        "url_type": "clickthrough",
                    },
                },
                "ext": {
                    "shotlist": {
                        "campaign": "spring-mugs",
                        "realm": "live",
                        "utm_content": ad_names(manifest(row), ARMS)[row["path"]].utm_content,
                        "sha256": row["sha256"],
                        "shot_id": "mug-01/a",
                        "variant": "a",
                        "locale": "",
                        "stale": False,
                    }
                },
            },
        }
    ]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("creative_manifest", "assets", "image_main", "url"), "images/mug-01/a/4x5.jpeg"),
        (("creative_manifest", "provenance", "digital_source_type"), "trainedAlgorithmicMedia"),
        (("creative_manifest", "format_id"), {"agent_url": CDN, "id": "x"}),
        (("currency",), None),
    ],
)
def test_a_receiver_would_refuse_what_the_protocol_forbids(
    place: tuple[str, ...], value: object
) -> None:
    found = answer(TWO_CELLS)
    holder = found["creatives"][1]["variants"][1]
    *way, last = place
    for step in way:
        holder = holder[step]
    holder[last] = value
    if value is None:
        del holder[last]
    assert not jsonschema.Draft7Validator(ANSWER).is_valid(found)


def test_locales_are_groups_of_their_own() -> None:
    rows = [rendition(f"mug-01/{locale}", locale=locale, variant="") for locale in ("en", "de")]
    found = answer(manifest(*rows))
    assert [group["build_creative_id"] for group in found["creatives"]] == [
        "spring-mugs/mug-01/4x5/en",
        "spring-mugs/mug-01/4x5/de",
    ]
    assert ["variant_axis_value" in one for one in variants(found)] == [False, False]


def test_what_a_take_cost_stands_once_and_the_sum_is_what_was_paid() -> None:
    shared = digest("a take of two shots")
    rows = [
        *files("mug-01/a", recipe=shared),
        *files("mug-02/a", recipe=shared),
        *files("mug-01/b"),
    ]
    found = answer(
        manifest(
            *rows,
            takes=[take("mug-01/a", recipe=shared, cost_usd=0.1), take("mug-01/b", cost_usd=0.2)],
        )
    )
    assert [
        (one["variant_axis_value"], one["vendor_cost"], one["consumption"]["images_generated"])
        for one in variants(found)
    ] == [("a", 0.1, 1), ("b", 0.2, 1), ("a", 0.0, 0), ("b", 0.0, 0), ("a", 0.0, 0), ("a", 0.0, 0)]
    assert (found["vendor_cost"], found["currency"]) == (0.3, "USD")


def test_an_unknown_cost_leaves_out_its_variants_costs_and_the_sum() -> None:
    takes = [take("mug-01/a"), take("mug-01/b", cost_usd=None)]
    found = answer(manifest(*files("mug-01/a"), *files("mug-01/b"), takes=takes))
    assert [one.get("vendor_cost") for one in variants(found)] == [0.03, None, 0.0, None]
    assert found.keys().isdisjoint({"vendor_cost", "currency"})


def test_of_several_file_formats_of_a_cell_one_is_handed_over() -> None:
    rows = [rendition("mug-01/a", format=form) for form in ("avif", "webp", "png", "jpeg")]
    found = answer(manifest(*rows))
    assert [
        one["creative_manifest"]["assets"]["image_main"]["format"] for one in variants(found)
    ] == ["jpeg"]
    assert (found["leaves_total"], found["vendor_cost"]) == (1, 0.03)


def test_several_takes_of_a_cell_are_variants_of_the_same_value() -> None:
    rows = [
        rendition("mug-01/a", take=number, recipe=digest(str(number)), path=f"images/{number}.jpeg")
        for number in (1, 2)
    ]
    found = answer(manifest(*rows), shot("mug-01", "a", FEED))
    assert [one["variant_axis_value"] for one in variants(found)] == ["a", "a"]
    assert len({one["build_variant_id"] for one in variants(found)}) == 2
    assert [
        one["creative_manifest"]["provenance"].get("human_oversight") for one in variants(found)
    ] == ["prompt_only", None]
    assert (found["leaves_total"], found["leaves_returned"]) == (2, 2)


def test_what_cannot_be_handed_over_says_why_in_its_group() -> None:
    rows = [
        rendition("mug-01/a"),
        rendition("mug-01/a", "hero", format="avif"),
        rendition("mug-02/a", url=None),
    ]
    plan = [shot("mug-01", "a", FEED, HERO), *(shot(f"mug-0{n}", "a", FEED) for n in (2, 3, 4))]
    failures = [failure("mug-03/a"), failure("mug-04/a", stage="budget", reason="$1.00 is spent")]
    found = answer(manifest(*rows, failures=failures), *plan)

    assert [group.get("errors") for group in found["creatives"]] == [
        None,
        [
            {
                "code": "SHOTLIST_NO_FORMAT",
                "message": "it is there as avif, and the kind image takes jpeg, png, webp",
            }
        ],
        [{"code": "SHOTLIST_NO_PUBLIC_URL", "message": "its files have no public address"}],
        [{"code": "SHOTLIST_SHOOT", "message": "mug-03/a: the host refused the prompt"}],
        [{"code": "BUDGET_CAP_REACHED", "message": "mug-04/a: $1.00 is spent"}],
    ]
    assert {name: found[name] for name in ("items_total", "items_returned", "budget_status")} == {
        "items_total": 4,
        "items_returned": 1,
        "budget_status": "capped",
    }
    assert (found["leaves_total"], found["leaves_returned"]) == (4, 1)
    assert [one["code"] for one in found["errors"]] == ["BUDGET_CAP_REACHED"]


def test_proofs_claim_no_model_and_no_source_type() -> None:
    row = rendition("mug-01/a", digital_source_type=None)
    proof = take("mug-01/a", provider="proof", model="proof", cost_usd=0.0)
    found = answer(manifest(row, realm="proof", takes=[proof]))
    [one] = variants(found)
    assert one["creative_manifest"]["provenance"] == {
        "declared_by": {"role": "tool"},
        "created_time": "2026-11-20T10:00:00+00:00",
    }
    assert "consumption" not in one
    assert found["sandbox"] is True


def test_the_id_of_a_creative_is_the_one_that_the_assignments_join_by() -> None:
    of = manifest(*files("mug-01/a"), *files("mug-01/b"), rendition("mug-01/a", format="webp"))
    text = assignments(of, ARMS).decode("utf-8-sig")
    table = {row["creative_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    known = Known(ARMS)
    ids = [one["build_variant_id"] for one in variants(answer(of))]
    assert len(set(ids)) == 4
    for one in variants(answer(of)):
        row = table[one["build_variant_id"]]
        image = one["creative_manifest"]["assets"]["image_main"]
        assert image["url"] == row["url"]
        assert one["creative_manifest"]["ext"]["shotlist"]["utm_content"] == row["utm_content"]
        assert one["build_variant_id"].startswith(row["utm_content"])
        assert known.found_in(one["build_variant_id"]) == (row["variant"],)


def test_an_id_is_new_where_the_bytes_are_and_its_utm_content_stays() -> None:
    first, moved, again = (
        ad_names(manifest(row), ARMS)[row["path"]]
        for row in (
            rendition("mug-01/a"),
            rendition("mug-01/a", path="images/x.jpeg"),
            rendition("mug-01/a", sha256=digest("new")),
        )
    )
    assert first == moved
    assert first.utm_content == again.utm_content
    assert first.creative_id != again.creative_id
    assert re.fullmatch(r"a_[0-9a-f]{12}-[0-9a-f]{12}", first.creative_id)


def test_equal_manifests_give_equal_bytes_with_a_group_a_line() -> None:
    data = written(TWO_CELLS)
    assert data == written(json.loads(json.dumps(TWO_CELLS)))
    assert data.count(b"\n") == 4


def test_half_a_surrogate_pair_stays_what_json_made_of_it() -> None:
    row = rendition("mug-01/a", alt="half a smile: \ud83d")
    [one] = variants(answer(manifest(row)))
    assert one["creative_manifest"]["assets"]["image_main"]["alt_text"] == row["alt"]


def test_a_manifest_that_wants_nothing_is_a_failed_answer() -> None:
    assert json.loads(written(manifest())) == {
        "adcp_version": "3.1",
        "status": "failed",
        "errors": [{"code": "SHOTLIST_NOTHING", "message": "the campaign wants no pictures"}],
    }


def reading(publish: dict[str, Any]) -> Reading:
    return Reading(
        campaign=Campaign.model_validate({"campaign": "mugs", "publish": publish}),
        products=(),
        rows=None,
        spec_path="mugs.yaml",
        spec_sha256="",
        image_base="",
        places={"publish.adcp": "mugs.yaml:9:3", "publish.adcp.formats.5x4": "mugs.yaml:10:14"},
    )


def faults(publish: dict[str, Any], *shots: Shot) -> list[Fault]:
    plan = ShotList(
        campaign="mugs",
        realm=None,
        shots=shots,
        retired=(),
        skipped=(),
        notes=(),
        estimate=None,  # type: ignore[arg-type]
    )
    return adcp_faults(reading(publish), plan)


def test_a_campaign_that_does_not_ask_for_it_has_no_faults() -> None:
    assert faults({}, shot("mug-01", "a", HERO)) == []
    assert faults({"adcp": False}, shot("mug-01", "a", HERO)) == []


def test_a_public_address_formats_and_known_outputs_are_asked_for_before_anything_is_bought() -> (
    None
):
    asked = {"adcp": {"formats": {"4x5": "feed", "5x4": "feed"}}}
    assert faults(asked, shot("mug-01", "a", FEED, HERO)) == [
        Fault(
            "mugs.yaml:9:3",
            "adcp.json names pictures by their public address, and there is no `public_url`",
            remedy="write `public_url: https://…` under publish",
        ),
        Fault(
            "mugs.yaml:10:14",
            "the campaign has no output '5x4'",
            "4x5, hero",
            "did you mean '4x5'?",
        ),
        Fault(
            "mugs.yaml:9:3",
            "AdCP takes no picture of hero (avif)",
            "jpeg, png, webp",
            "add `jpeg` to its formats",
        ),
    ]
    assert faults({"adcp": True, "public_url": CDN}, shot("mug-01", "a", FEED, STORY)) == []


@pytest.mark.parametrize(
    ("written", "wish"),
    [
        (True, Adcp()),
        (False, None),
        ({}, Adcp()),
        ({"brand": "acme.example"}, Adcp(brand="acme.example")),
    ],
)
def test_the_wish_is_read_from_true_or_a_mapping(written: object, wish: Adcp | None) -> None:
    assert reading({"adcp": written}).campaign.publish.adcp_wish == wish
