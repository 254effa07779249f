"""The model's input at fal, judged by the worker: fields, sizes, references.

Sources: https://fal.ai/models/fal-ai/bytedance/seedream/v4/text-to-image/llms.txt and
https://fal.ai/models/fal-ai/bytedance/seedream/v4/edit/llms.txt,
https://fal.ai/docs/documentation/model-apis/errors (types of errors).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.sandbox import fields, pictures, seedream
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.pictures import Look
    from flows.sandbox.world import World

TEXT = "fal-ai/bytedance/seedream/v4/text-to-image"
EDIT = "fal-ai/bytedance/seedream/v4/edit"
MODELS = (TEXT, EDIT)
INLINE_MOST_BYTES = 10_000_000
REFERENCE_MOST_BYTES = 30_000_000
_MOST_SIDE = 14142
_DOCS = "https://docs.fal.ai/errors#"
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# shapes of the names; what is below the model's least area is enlarged
NAMED: dict[str, tuple[int, int]] = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
_AUTO = {"auto": (2048, 2048), "auto_2K": (2048, 2048), "auto_4K": (4096, 4096)}


def _seed(value: object) -> str | None:
    return None if value is None else fields.whole(0, 2_147_483_647)(value)


CHECKS: dict[str, fields.Check] = {
    "prompt": fields.text(least=1),
    "image_size": fields.anything(),
    "num_images": fields.whole(1, 6),
    "max_images": fields.whole(1, 6),
    "seed": _seed,
    "sync_mode": fields.flag(),
    "enable_safety_checker": fields.flag(),
    "enhance_prompt_mode": fields.text(only=("standard", "fast")),
}
EDIT_CHECKS = {**CHECKS, "image_urls": fields.array(fields.text(least=1), least=1)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An input that passed."""

    prompt: str
    width: int
    height: int
    n: int


class Problem(Exception):
    """An input that did not pass, as the result will tell it: a status and a list."""

    def __init__(self, field: str, message: str, kind: str, status: int = 422) -> None:
        """Say which field, what is wrong, and the error's type in fal's list of them."""
        super().__init__(message)
        self.field, self.message, self.status = field, message, status
        self.detail: list[dict[str, Any]] = [
            {"loc": ["body", field], "msg": message, "type": kind, "url": f"{_DOCS}{kind}"}
        ]


async def read(
    world: World, call: Call, model: str, body: dict[str, Any]
) -> tuple[Wanted | None, Problem | None]:
    """What the input wants, or what is wrong with it."""
    try:
        return await _read(world, call, model, body), None
    except Problem as problem:
        return None, problem


async def _read(world: World, call: Call, model: str, body: dict[str, Any]) -> Wanted:
    is_edit = model == EDIT
    required = ("prompt", "image_urls") if is_edit else ("prompt",)
    checks = EDIT_CHECKS if is_edit else CHECKS
    for fault in fields.faults_of(body, checks, required):
        raise Problem(fault.field, fault.message, _kind(fault))
    # more than ten references: only the last ten are used, and nobody is told
    addresses = body.get("image_urls", [])[-seedream.MOST_REFERENCES :]
    n = body.get("num_images", 1) * body.get("max_images", 1)
    if addresses and n + len(addresses) > seedream.MOST_TOGETHER:
        message = f"references and images together must be at most {seedream.MOST_TOGETHER}"
        raise Problem("image_urls", message, "sequence_too_long")
    looks = [await _look(world, call, address) for address in addresses]
    width, height = _size(body, looks, is_edit=is_edit)
    return Wanted(body["prompt"], width, height, n)


def _kind(fault: fields.FieldFault) -> str:
    if fault.problem == "missing":
        return "missing"
    if fault.problem == "unknown":
        return "extra_forbidden"
    for words, kind in (
        ("must be one of", "one_of"),
        ("must be at least", "greater_than_equal"),
        ("must be at most", "less_than_equal"),
        ("must not be empty", "sequence_too_short"),
        ("must have at least", "sequence_too_short"),
    ):
        if words in fault.message:
            return kind
    return "value_error"


async def _look(world: World, call: Call, address: str) -> Look | None:
    """The look of a reference; None: a foreign address, which is believed."""
    data: bytes | None
    if address.startswith("data:"):
        try:
            data = pictures.from_data_uri(address)[1]
        except pictures.NotAPicture as error:
            raise Problem("image_urls", str(error), "image_load_error") from error
        if len(data) > INLINE_MOST_BYTES:
            message = f"a data URI of {len(data)} bytes, at most {INLINE_MOST_BYTES}"
            raise Problem("image_urls", message, "file_too_large")
    else:
        if (wrong := fields.address()(address)) is not None:
            raise Problem("image_urls", f"image_urls {wrong}", "file_download_error")
        try:
            link = world.reference(call, address)
        except Refused as refused:
            raise Problem("image_urls", refused.message, "file_download_error") from refused
        data = await link.read() if link is not None else None
    if data is None:
        return None
    return _judged(data)


def _judged(data: bytes) -> Look:
    try:
        look = pictures.look(data)
    except pictures.NotAPicture as error:
        raise Problem("image_urls", str(error), "image_load_error") from error
    if look.format not in _FORMATS:
        message = f"{look.format} is not a format that is taken"
        raise Problem("image_urls", message, "unsupported_image_format")
    if look.size > REFERENCE_MOST_BYTES:
        raise Problem("image_urls", f"{look.size} bytes are too many", "file_too_large")
    if (wrong := seedream.reference_fault(look)) is not None:
        kind = "downstream_service_error"
        for word in ("small", "large"):
            if f"too {word}" in wrong:
                kind = f"image_too_{word}"
        raise Problem("image_urls", wrong, kind, 400 if kind.startswith("down") else 422)
    return look


def _size(body: dict[str, Any], looks: list[Look | None], *, is_edit: bool) -> tuple[int, int]:
    size = body.get("image_size", {"width": 2048, "height": 2048})
    if isinstance(size, dict):
        side = fields.whole(1, _MOST_SIDE)
        for fault in fields.faults_of(size, {"width": side, "height": side}, ("width", "height")):
            raise Problem("image_size", f"image_size: {fault.message}", _kind(fault))
        width, height = int(size["width"]), int(size["height"])
        if is_edit:
            width, height = _enlarged(width, height)
        if (wrong := seedream.size_fault(width, height)) is not None:
            raise Problem("image_size", wrong, "value_error")
        return width, height
    if isinstance(size, str) and size in NAMED:
        return _enlarged(*NAMED[size])
    if isinstance(size, str) and size in _AUTO:
        first = looks[0] if looks else None
        tier = seedream.TIERS["4K" if size == "auto_4K" else "2K"]
        return seedream.nearest(first.ratio, tier) if first else _AUTO[size]
    allowed = ", ".join([*NAMED, *_AUTO])
    raise Problem("image_size", f"image_size must be width and height, or {allowed}", "one_of")


def _enlarged(width: int, height: int) -> tuple[int, int]:
    if width * height >= seedream.LEAST_PIXELS:
        return width, height
    factor = math.sqrt(seedream.LEAST_PIXELS / (width * height))
    return math.ceil(width * factor - 1e-9), math.ceil(height * factor - 1e-9)
