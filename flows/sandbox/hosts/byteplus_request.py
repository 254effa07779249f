"""What a request to BytePlus wants: fields, size, number of images, references.

Source: https://docs.byteplus.com/en/docs/ModelArk/1541523
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flows.sandbox import fields, pictures, seedream
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.world import World

MODEL = "seedream-4-0-250828"
REFERENCE_MOST_BYTES = 30_000_000
_FORMATS = ("jpeg", "png", "webp", "bmp", "tiff", "gif")
_PIXELS = re.compile(r"(\d{1,5})[x×](\d{1,5})")
_RATIO = re.compile(r"(?<!\d)(\d{1,2}):(\d{1,2})(?!\d)")

CHECKS: dict[str, fields.Check] = {
    "model": fields.text(least=1),
    "prompt": fields.text(least=1),
    "image": fields.anything(),
    "size": fields.text(),
    "sequential_image_generation": fields.text(only=("disabled", "auto")),
    "sequential_image_generation_options": fields.anything(),
    "stream": fields.flag(),
    "response_format": fields.text(only=("url", "b64_json")),
    "watermark": fields.flag(),
    "optimize_prompt_options": fields.anything(),
}
# fields of other models: the vendor's own client sends them as null, which is no offence
OTHER_MODELS = (
    "seed",
    "guidance_scale",
    "optimize_prompt",
    "output_format",
    "tools",
    "layer_decomposition",
)


def check_fields(body: dict[str, Any]) -> None:
    """Refuse the first field that is missing, unknown or wrong.

    Raises:
        Refused: 400, with the code of its kind.

    """
    for fault in fields.faults_of(body, CHECKS, ("model", "prompt")):
        if fault.problem == "missing":
            code = f"MissingParameter.{fault.field}"
        elif fault.problem == "unknown":
            code = "InvalidParameter.UnsupportedParameter"
        else:
            code = "InvalidParameter"
        raise Refused(400, fault.message, code=code, field=fault.field)
    options = body.get("optimize_prompt_options", {})
    mode = {"mode": fields.text(only=("standard", "fast"))}
    _check_object("optimize_prompt_options", options, mode)


def _check_object(name: str, value: object, checks: dict[str, fields.Check]) -> None:
    if not isinstance(value, dict):
        raise Refused(400, f"{name} must be an object", code="InvalidParameter", field=name)
    # the vendor's client fills an object's other members with null
    said = {key: part for key, part in value.items() if part is not None}
    for fault in fields.faults_of(said, checks):
        place = f"{name}.{fault.field}"
        raise Refused(400, f"{name}: {fault.message}", code="InvalidParameter", field=place)


def count(body: dict[str, Any], references: int) -> int:
    """How many images are asked for, beside so many references.

    Raises:
        Refused: 400.

    """
    name = "sequential_image_generation_options"
    if body.get("sequential_image_generation") != "auto":
        if name in body:
            message = f"{name} needs sequential_image_generation auto"
            raise Refused(400, message, code="InvalidParameter", field=name)
        return 1
    options = body.get(name, {})
    _check_object(name, options, {"max_images": fields.whole(1, 15)})
    room = seedream.MOST_TOGETHER - references
    most = options.get("max_images")
    if most is not None and most > room:
        message = f"references and max_images together must be at most {seedream.MOST_TOGETHER}"
        raise Refused(400, message, code="InvalidParameter", field=f"{name}.max_images")
    return room if most is None else int(most)


def size(body: dict[str, Any], looks: list[pictures.Look | None]) -> tuple[int, int]:
    """The pixels of the output.

    Raises:
        Refused: 400.

    """
    wanted = body.get("size", "2048x2048")
    if wanted in seedream.TIERS:
        # the shape comes from the words of the prompt, else from the first reference
        sizes = seedream.TIERS[wanted]
        if spoken := _RATIO.search(body["prompt"]):
            ratio = seedream.ratio_of(spoken[0])
            if ratio is not None:
                return seedream.nearest(ratio, sizes)
        first = looks[0] if looks else None
        return seedream.nearest(first.ratio if first else 1.0, sizes)
    pixels = _PIXELS.fullmatch(wanted)
    if pixels is None:
        message = f"size must be 1K, 2K, 4K or <width>x<height>, got {wanted}"
        raise Refused(400, message, code="InvalidParameter", field="size")
    width, height = int(pixels[1]), int(pixels[2])
    wrong = "a side of 0 pixels" if not width * height else seedream.size_fault(width, height)
    if wrong:
        raise Refused(400, wrong, code="InvalidParameter", field="size")
    return width, height


def references(world: World, call: Call, image: object) -> list[pictures.Look | None]:
    """What is known of each reference; None: a foreign address, which is never fetched.

    Raises:
        Refused: 400.

    """
    if image is None:
        return []
    addresses = [image] if isinstance(image, str) else image
    check = fields.array(fields.text(least=1), least=1, most=seedream.MOST_REFERENCES)
    if (wrong := check(addresses)) is not None or not isinstance(addresses, list):
        raise Refused(400, f"image {wrong}", code="InvalidParameter", field="image")
    looks: list[pictures.Look | None] = []
    for address in addresses:
        data = _bytes_behind(world, call, address)
        looks.append(None if data is None else _look(data))
    return looks


def _bytes_behind(world: World, call: Call, address: str) -> bytes | None:
    if address.startswith("data:"):
        try:
            media, data = pictures.from_data_uri(address)
            look = pictures.look(data)
        except pictures.NotAPicture as error:
            code = "InvalidImageURL.InvalidFormat"
            raise Refused(400, str(error), code=code, field="image") from error
        if media != f"image/{look.format.lower()}":
            message = f"a data URI of type {media!r} holds {look.format}"
            raise Refused(400, message, code="InvalidImageURL.InvalidFormat", field="image")
        return data
    if (wrong := fields.address()(address)) is not None:
        code = "InvalidImageURL.InvalidFormat"
        raise Refused(400, f"image {wrong}, or a data URI", code=code, field="image")
    link = world.reference(call, address)
    return link.data if link is not None else None


def _look(data: bytes) -> pictures.Look:
    try:
        look = pictures.look(data)
    except pictures.NotAPicture as error:
        code = "InvalidImageURL.InvalidFormat"
        raise Refused(400, str(error), code=code, field="image") from error
    if look.format.lower() not in _FORMATS:
        message = f"image format {look.format} is not one of {', '.join(_FORMATS)}"
        raise Refused(400, message, code="InvalidImageURL.InvalidFormat", field="image")
    wrong = seedream.reference_fault(look)
    if look.size > REFERENCE_MOST_BYTES:
        wrong = f"image has {look.size} bytes, at most {REFERENCE_MOST_BYTES}"
    if wrong:
        raise Refused(400, wrong, code="InvalidParameter", field="image")
    return look
