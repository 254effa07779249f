"""What a receiver asks of AdCP's answer with variants, as far as images go.

Written for these tests from the schemas at https://github.com/adcontextprotocol/adcp (static/
schemas/source: media-buy/build-creative-response, core/creative-manifest, core/provenance,
core/assets). Stricter where a shape is ours alone: unknown fields are refused.
"""

from __future__ import annotations

from typing import Any

URL = {"type": "string", "pattern": r"^https?://[^\s<>\"{}|\\^`]+$"}
MONEY = {"type": "number", "minimum": 0}
CURRENCY = {"type": "string", "pattern": "^[A-Z]{3}$"}
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


ERROR = closed(["code", "message"], code={**TEXT, "maxLength": 64}, message=TEXT)
IMAGE = closed(
    ["asset_type", "url", "width", "height"],
    asset_type={"const": "image"},
    url=URL,
    width={"type": "integer", "minimum": 1},
    height={"type": "integer", "minimum": 1},
    format={"enum": ["jpg", "jpeg", "png", "gif", "webp", "svg"]},
    file_size_bytes={"type": "integer", "minimum": 1},
    alt_text=TEXT,
)
LINK = closed(
    ["asset_type", "url", "url_type"],
    asset_type={"const": "url"},
    url=URL,
    url_type={"enum": ["clickthrough", "tracker_pixel", "tracker_script"]},
)
PROVENANCE = closed(
    ["declared_by"],
    digital_source_type={
        "enum": [
            "digital_capture",
            "digital_creation",
            "trained_algorithmic_media",
            "composite_with_trained_algorithmic_media",
            "algorithmic_media",
            "composite_capture",
            "composite_synthetic",
            "human_edits",
            "data_driven_media",
        ]
    },
    ai_tool=closed(["name"], name=TEXT, version=TEXT, provider=TEXT),
    human_oversight={"enum": ["none", "prompt_only", "selected", "edited", "directed"]},
    declared_by=closed(
        ["role"], role={"enum": ["creator", "advertiser", "agency", "platform", "tool"]}
    ),
    created_time={
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:\d\d)$",
    },
)
CREATIVE_MANIFEST = closed(
    ["format_kind", "assets", "provenance"],
    format_kind={"const": "image"},
    format_option_ref=closed(
        ["scope", "format_option_id"], scope={"const": "product"}, format_option_id=TEXT
    ),
    brand=closed(["domain"], domain=TEXT),
    provenance=PROVENANCE,
    assets=closed(["image_main"], image_main=IMAGE, landing_page_url=LINK),
    ext={"type": "object", "propertyNames": {"const": "shotlist"}},
)
VARIANT = {
    **closed(
        ["build_variant_id", "creative_manifest"],
        build_variant_id={"type": "string", "pattern": "^[A-Za-z0-9_-]{25,90}$"},
        recipe_hash=TEXT,
        variant_axis_value=TEXT,
        vendor_cost=MONEY,
        currency=CURRENCY,
        consumption=closed([], images_generated=COUNT),
        creative_manifest=CREATIVE_MANIFEST,
    ),
    "dependencies": {"vendor_cost": ["currency"], "currency": ["vendor_cost"]},
}
CREATIVE = {
    **closed(
        ["build_creative_id", "catalog_item_ref"],
        build_creative_id=TEXT,
        catalog_item_ref=closed(["item_id"], item_id=TEXT, catalog_type={"const": "product"}),
        variants={"type": "array", "minItems": 1, "items": VARIANT},
        errors={"type": "array", "minItems": 1, "items": ERROR},
    ),
    "oneOf": [{"required": ["variants"]}, {"required": ["errors"]}],
}
ANSWER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **closed(
        ["status", "creatives"],
        adcp_version={"type": "string", "pattern": r"^\d+\.\d+$"},
        status={"const": "completed"},
        creatives={"type": "array", "minItems": 1, "items": CREATIVE},
        items_total=COUNT,
        items_returned=COUNT,
        leaves_total=COUNT,
        leaves_returned=COUNT,
        vendor_cost=MONEY,
        currency=CURRENCY,
        budget_status={"enum": ["complete", "capped"]},
        keep_mode_applied={"enum": ["keep_all", "keep_one", "keep_some"]},
        errors={"type": "array", "items": ERROR},
        sandbox={"type": "boolean"},
    ),
    "dependencies": {"vendor_cost": ["currency"], "currency": ["vendor_cost"]},
    "if": {"required": ["vendor_cost"]},
    "then": {
        "properties": {
            "creatives": {
                "items": {
                    "properties": {"variants": {"items": {"required": ["vendor_cost", "currency"]}}}
                }
            }
        }
    },
}
