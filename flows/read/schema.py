"""The JSON Schema of a campaign file, for editors; `campaigns/campaign.schema.json` holds it."""

from __future__ import annotations

from typing import Any

from flows.nouns.campaign import Campaign


def schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) of a campaign file in YAML.

    Titles that pydantic makes of names are left out: an editor shows the key anyway.
    """
    made = Campaign.model_json_schema(by_alias=True)
    tidy: dict[str, Any] = _without_titles(made)
    tidy.pop("description", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": tidy.pop("$id"),
        "title": "Shotlist campaign",
        "description": "A campaign: products, prompts and outputs. Unknown keys are errors.",
        **tidy,
    }


def _without_titles(part: Any, *, names_fields: bool = False) -> Any:
    if isinstance(part, list):
        return [_without_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_titles(
            value, names_fields=key in ("properties", "$defs") and not names_fields
        )
        for key, value in part.items()
        if names_fields or key != "title" or not isinstance(value, str)
    }
