"""The model's own input at Replicate: its schema, its sizes, its references.

Source: https://replicate.com/bytedance/seedream-4/llms.txt
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.sandbox import fields, pictures, seedream
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.hosts.replicate_files import Files
    from flows.sandbox.pictures import Look
    from flows.sandbox.world import World

MODEL = "bytedance/seedream-4"
VERSION = "3ee3b70df63b39e425ccb0188d3c14961177c11fa20516d9dfd30a868b41b2d5"
INLINE_MOST_BYTES = 256_000
RATIOS = ("match_input_image", "1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9")


def _uri(value: object) -> str | None:
    if isinstance(value, str) and value.startswith("data:"):
        try:
            data = pictures.from_data_uri(value)[1]
        except pictures.NotAPicture as error:
            return f"must be a URI: {error}"
        if len(data) > INLINE_MOST_BYTES:
            return f"holds {len(data)} bytes inline, at most {INLINE_MOST_BYTES}"
        return None
    return fields.address()(value)


CHECKS: dict[str, fields.Check] = {
    "prompt": fields.text(),
    "image_input": fields.array(_uri, most=seedream.MOST_REFERENCES),
    "size": fields.text(only=("1K", "2K", "4K", "custom")),
    "aspect_ratio": fields.text(only=RATIOS),
    "width": fields.whole(1024, 4096),
    "height": fields.whole(1024, 4096),
    "sequential_image_generation": fields.text(only=("disabled", "auto")),
    "max_images": fields.whole(1, 15),
    "enhance_prompt": fields.flag(),
}


async def references(
    files: Files, world: World, call: Call, given: dict[str, Any]
) -> tuple[str | None, list[Look]]:
    """What is wrong with the references, in the words of the model's maker, and their looks.

    Foreign addresses are believed and not looked at.
    """
    looks: list[Look] = []
    addresses = given.get("image_input", [])
    together = len(addresses) + count(given)
    if count(given) > 1 and together > seedream.MOST_TOGETHER:
        return f"references and images together: {together}, at most 15", looks
    for address in addresses:
        try:
            data = await _bytes_behind(files, world, call, address)
        except Refused as refused:
            return refused.message, looks
        if data is None:
            continue
        try:
            look = pictures.look(data)
        except pictures.NotAPicture as error:
            return str(error), looks
        if (wrong := seedream.reference_fault(look)) is not None:
            return wrong, looks
        looks.append(look)
    return None, looks


async def _bytes_behind(files: Files, world: World, call: Call, address: str) -> bytes | None:
    if address.startswith("data:"):
        return pictures.from_data_uri(address)[1]
    if (data := files.behind(call, address)) is not None:
        return data
    link = world.reference(call, address)
    return await link.read() if link is not None else None


def size(given: dict[str, Any], looks: list[Look]) -> tuple[int, int]:
    """Pixels of the output. Without a reference to match it is a square."""
    name = given.get("size", "2K")
    if name == "custom":
        return int(given.get("width", 2048)), int(given.get("height", 2048))
    ratio = seedream.ratio_of(given.get("aspect_ratio", "match_input_image"))
    if ratio is None:
        ratio = looks[0].ratio if looks else 1.0
    return seedream.nearest(ratio, seedream.TIERS[name])


def count(given: dict[str, Any]) -> int:
    """Images that the group mode may give; one without it."""
    is_group = given.get("sequential_image_generation") == "auto"
    return int(given.get("max_images", 1)) if is_group else 1


def page() -> dict[str, Any]:
    """The model as `GET /models/bytedance/seedream-4` shows it, its input schema inside."""
    words: dict[str, Any] = {
        "prompt": {"type": "string"},
        "image_input": {
            "type": "array",
            "items": {"type": "string", "format": "uri"},
            "default": [],
        },
        "size": {"enum": ["1K", "2K", "4K", "custom"], "default": "2K"},
        "aspect_ratio": {"enum": list(RATIOS), "default": RATIOS[0]},
        "width": {"type": "integer", "minimum": 1024, "maximum": 4096, "default": 2048},
        "height": {"type": "integer", "minimum": 1024, "maximum": 4096, "default": 2048},
        "sequential_image_generation": {"enum": ["disabled", "auto"], "default": "disabled"},
        "max_images": {"type": "integer", "minimum": 1, "maximum": 15, "default": 1},
        "enhance_prompt": {"type": "boolean", "default": True},
    }
    shapes = {
        "Input": {"type": "object", "properties": words, "required": ["prompt"]},
        "Output": {"type": "array", "items": {"type": "string", "format": "uri"}},
    }
    return {
        "url": f"https://replicate.com/{MODEL}",
        "owner": "bytedance",
        "name": "seedream-4",
        "description": None,
        "visibility": "public",
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": {
            "id": VERSION,
            "created_at": "2025-09-09T00:00:00Z",
            "cog_version": "0.16.0",
            "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": shapes}},
        },
    }
