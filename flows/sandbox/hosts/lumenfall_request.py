"""What a request to Lumenfall wants: fields by JSON or by form, sizes, references.

Sources: https://docs.lumenfall.ai/api-reference/images/generate and /edit,
https://lumenfall.ai/models/bytedance/seedream-4/llms.txt (sizes, fields of single routes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from flows.sandbox import fields, pictures, seedream
from flows.sandbox.forms import Part
from flows.sandbox.pictures import Format, Look
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call

MOCK = "mock-image"
ROUTES: Final = {"byteplus": "BytePlus", "fal": "fal", "replicate": "Replicate"}
REFERENCE_MOST_BYTES = 10_000_000
_MODELS = ("seedream-4", "seedream-4.0", "byteplus/seedream-4", "replicate/seedream-4")
_GENERATING = (*_MODELS, "fal/seedream-4", MOCK)
_EDITING = (*_MODELS, "fal/seedream-4-edit")
_FORMATS = ("png", "jpeg", "webp", "gif", "avif")
_LOSSY = ("jpeg", "webp", "avif")
_REFERENCE_FORMATS = ("PNG", "JPEG", "WEBP")
_AVIF_MOST_SIDE = 1600
_MOST_SIDE = 4096
_PROMPT_MOST = 1000
_PIXELS = re.compile(r"(\d{1,5})x(\d{1,5})")
_WHOLE = re.compile(r"-?\d{1,18}")

# only 1K is listed for this model; other tiers are taken and mapped to the nearest
SIZES: dict[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "4:3": (1183, 887),
    "3:4": (887, 1182),
    "3:2": (1254, 836),
    "2:3": (836, 1254),
    "16:9": (1365, 768),
    "9:16": (768, 1365),
    "21:9": (1563, 670),
}


def _prompt(value: object) -> str | None:
    if isinstance(value, str) and len(value) > _PROMPT_MOST:
        return f"Too big: expected string to have <={_PROMPT_MOST} characters"
    return fields.text(least=1)(value)


CHECKS: dict[str, fields.Check] = {
    "model": fields.text(least=1),
    "prompt": _prompt,
    "size": fields.text(least=1),
    "aspect_ratio": fields.text(least=1),
    "resolution": fields.text(only=("auto", "0.5K", "1K", "2K", "4K")),
    "n": fields.whole(1, 10),
    "response_format": fields.text(only=("url", "b64_json")),
    "output_format": fields.text(only=_FORMATS),
    "output_compression": fields.whole(0, 100),
    "seed": fields.whole(0, 2_147_483_647),
    "user": fields.text(),
}
# unknown to the other routes, which may fail over them: taken with a forced route alone
OF_ROUTE: dict[str, dict[str, fields.Check]] = {
    "fal": {
        "enable_safety_checker": fields.flag(),
        "sync_mode": fields.flag(),
        "enhance_prompt_mode": fields.text(only=("fast", "standard")),
    },
    "replicate": {
        "enhance_prompt": fields.flag(),
        "width": fields.whole(1024, 4096),
        "height": fields.whole(1024, 4096),
        "sequential_image_generation": fields.text(only=("disabled",)),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request that passed: what is to be made, and by which route."""

    model: str
    route: str
    prompt: str
    width: int
    height: int
    n: int
    format: Format
    is_inline: bool
    user: str | None
    document: dict[str, Any] = field(repr=False)


def generation(call: Call) -> Wanted:
    """Read a JSON request.

    Raises:
        Refused: 400 or 404.

    """
    return _wanted(call.json(), _GENERATING, [])


def edit(call: Call) -> Wanted:
    """Read a form with pictures: one part `image`, or one and more parts `image[]`.

    Raises:
        Refused: 400 or 404, JSON included.

    """
    parts = call.form()
    body: dict[str, Any] = {}
    images: list[Part] = []
    masks: list[Part] = []
    for part in parts:
        if part.name in {"image", "image[]"}:
            images.append(part)
        elif part.name == "mask":
            masks.append(part)
        elif part.name in body:
            raise Refused(400, f"{part.name} is given twice", field=part.name)
        else:
            body[part.name] = _typed(part)
    looks = _looks(images)
    for mask in masks:
        look = _look(mask, ("PNG",))
        if (look.width, look.height) != (looks[0].width, looks[0].height):
            raise Refused(400, "mask must have the size of the image", field="mask")
    return _wanted(body, _EDITING, looks)


def _typed(part: Part) -> object:
    """A form knows text alone: what spells a number or a truth is one where the field is one."""
    if part.filename is not None:
        raise Refused(400, f"{part.name} must not be a file", field=part.name)
    text = part.text
    if part.name in {"n", "seed", "output_compression", "width", "height"}:
        return int(text) if _WHOLE.fullmatch(text) else text
    if part.name in {"enable_safety_checker", "sync_mode", "enhance_prompt"}:
        return {"true": True, "false": False}.get(text, text)
    return text


def _looks(images: list[Part]) -> list[Look]:
    if not images:
        raise Refused(400, "image is required", field="image")
    if len(images) > 1 and any(part.name == "image" for part in images):
        # the page shows one `image`; several were only ever seen sent as `image[]`
        raise Refused(400, "this model does not support multiple input images", field="image")
    if len(images) > seedream.MOST_REFERENCES:
        message = f"at most {seedream.MOST_REFERENCES} images are taken, got {len(images)}"
        raise Refused(400, message, field="image")
    return [_look(part, _REFERENCE_FORMATS) for part in images]


def _look(part: Part, formats: tuple[str, ...]) -> Look:
    name = part.name.removesuffix("[]")
    if not part.filename:
        raise Refused(400, f"{name} must be a file with a name", field=name)
    try:
        look = pictures.look(part.data)
    except pictures.NotAPicture as error:
        raise Refused(400, "Invalid image file provided", field=name) from error
    if look.format not in formats:
        message = f"Invalid image file provided: {look.format} is not {' or '.join(formats)}"
        raise Refused(400, message, field=name)
    if part.media_type not in {f"image/{look.format.lower()}", "application/octet-stream"}:
        message = f"Invalid image file provided: {part.media_type} holds {look.format}"
        raise Refused(400, message, field=name)
    if look.size > REFERENCE_MOST_BYTES:
        raise Refused(400, f"{name} has more than {REFERENCE_MOST_BYTES} bytes", field=name)
    if wrong := seedream.reference_fault(look):
        raise Refused(400, wrong, code="UPSTREAM_ERROR", field=name)
    return look


def _wanted(body: dict[str, Any], models: tuple[str, ...], looks: list[Look]) -> Wanted:
    model = body.get("model")
    if isinstance(model, str) and model not in models:
        message = f"Model '{model}' not found"
        if model in {*_GENERATING, *_EDITING}:
            message = f"Model '{model}' does not support image {'editing' if looks else 'making'}"
        raise Refused(404, message, reason="unknown", code="MODEL_NOT_FOUND", field="model")
    route = str(model).partition("/")[0] if "/" in str(model) else "byteplus"
    checks = {**CHECKS, **OF_ROUTE.get(route, {})}
    for fault in fields.faults_of(body, checks, ("model", "prompt")):
        raise Refused(400, fault.message, field=fault.field)
    width, height = _size(body, looks)
    output = str(body.get("output_format", "jpeg"))
    if "output_compression" in body and output not in _LOSSY:
        message = f"output_compression needs one of {', '.join(_LOSSY)}"
        raise Refused(400, message, field="output_compression")
    if output == "avif" and max(width, height) > _AVIF_MOST_SIDE:
        message = f"AVIF is made up to {_AVIF_MOST_SIDE} pixels a side"
        raise Refused(400, message, field="output_format")
    return Wanted(
        model=body["model"],
        route=route,
        prompt=body["prompt"],
        width=width,
        height=height,
        n=body.get("n", 1),
        format=cast("Format", output),
        is_inline=body.get("response_format") == "b64_json",
        user=body.get("user"),
        document=body,
    )


def _size(body: dict[str, Any], looks: list[Look]) -> tuple[int, int]:
    size = str(body.get("size", ""))
    if pixels := _PIXELS.fullmatch(size):
        width, height = int(pixels[1]), int(pixels[2])
        wrong = None
        if not 1 <= min(width, height) <= max(width, height) <= _MOST_SIDE:
            wrong = f"each side must be 1 to {_MOST_SIDE} pixels, got {size}"
        elif (fault := seedream.size_fault(width, height)) is not None:
            wrong = fault
        if wrong:
            raise Refused(400, wrong, field="size")
        return width, height
    place, shape = ("size", size) if size and size != "auto" else ("aspect_ratio", "")
    if place == "aspect_ratio":
        shape = str(body.get("aspect_ratio", ""))
    if shape:
        ratio = seedream.ratio_of(shape)
        if ratio is None:
            allowed = "auto, <width>x<height> or a ratio" if place == "size" else "a ratio"
            raise Refused(400, f"{place} must be {allowed}, got {shape}", field=place)
        return seedream.nearest(ratio, SIZES)
    return seedream.nearest(looks[0].ratio if looks else 1.0, SIZES)
