"""The gate: a finished file is opened again, as its channel will, and held against its wishes.

What fails here is not published. Nothing is believed of how the file was made.
"""

from __future__ import annotations

from flows.errors import EnvironmentFault
from flows.finish.tags_read import read_tags
from flows.finish.verify import verify
from flows.nouns.campaign import Format
from flows.nouns.output import Output
from flows.pictures import UnreadableError, form_of, opening, srgb_profile

MOST_PIXELS = 200_000_000
_SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"


def faults(
    data: bytes,
    form: Format,
    size: tuple[int, int],
    output: Output,
    *,
    source_type: str | None,
    is_signed: bool,
) -> tuple[str, ...]:
    """What keeps a file from being published; nothing where it is as it should be.

    Looked at: whole, format by its contents, pixels, bytes under the cap, sRGB profile, the source
    type in its tags, and where it was signed that the signature holds and tells the same.
    """
    try:
        found = [*_of_pixels(data, form, size)]
    except UnreadableError as error:
        return (f"it cannot be opened again: {error}",)
    if output.max_bytes is not None and len(data) > output.max_bytes:
        name = output.channel or output.name
        found.append(f"{len(data):,} bytes, over the {output.max_bytes:,} of {name}")
    told = read_tags(data).get(_SOURCE_TYPE)
    if told != source_type:
        found.append(f"its tags give {told or 'no source type'}, not {source_type or 'none'}")
    if is_signed:
        found += _of_credentials(data, form, source_type)
    return tuple(found)


def _of_pixels(data: bytes, form: Format, size: tuple[int, int]) -> list[str]:
    found = []
    if form_of(data) != form:
        found.append(f"it is {form_of(data) or 'no picture'}, not {form}")
    with opening(data, most_pixels=MOST_PIXELS) as picture:
        picture.load()
        if picture.size != size:
            found.append(f"it has {picture.width}x{picture.height} pixels, not {size[0]}x{size[1]}")
        if picture.mode not in {"RGB", "RGBA"}:
            found.append(f"its pixels are {picture.mode}, not 8-bit RGB")
        if picture.info.get("icc_profile") != srgb_profile():
            found.append("its colour profile is not sRGB")
    return found


def _of_credentials(data: bytes, form: Format, source_type: str | None) -> list[str]:
    try:
        verdict = verify(data, form)
    except EnvironmentFault as error:
        return [f"its Content Credentials cannot be read: {error}"]
    if verdict.state not in {"trusted", "valid"}:
        return [f"its Content Credentials are {verdict.state}: {verdict.reason}"]
    if source_type not in verdict.source_types:
        return [f"its Content Credentials do not tell {source_type}"]
    return []
