"""One take to all its files. Same take, output, words and settings: same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from flows.errors import BadInput, Fault
from flows.finish import tag
from flows.finish.crop import cut, focus_point
from flows.finish.encode import Tags, encoded_within
from flows.finish.open import opened
from flows.finish.resize import enlarged, resized
from flows.finish.tag import Lineage
from flows.nouns.campaign import Finish
from flows.nouns.output import Output
from flows.nouns.rendition import Rendition, Words


def renditions(
    take: bytes,
    outputs: Sequence[Output],
    *,
    finish: Finish,
    words: Words,
    source_type: str | None,
    lineage: Lineage,
) -> list[Rendition]:
    """The files of a take: outputs outside, the formats of each inside.

    `source_type` is the full IPTC address of how the picture came to be, or None for a proof. What
    a person should know of a file (enlarged, squeezed, over its cap, tags cut) is in its notes.

    Raises:
        BadInput: the take is not a whole picture, or `fit` is not `crop`.

    """
    if finish.fit != "crop":
        fault = Fault("finish.fit", f"'{finish.fit}' is not made yet", allowed="crop")
        raise BadInput("the take cannot be finished", [fault])
    picture = opened(take)
    focus = focus_point(picture, finish.focus)
    words, tag_notes = tag.fitted(words, lineage, source_type)
    fields = tag.exif(words, lineage)
    made = []
    for output in outputs:
        part = cut(picture.size, output, focus)
        pixels = resized(picture, part)
        for form in output.formats:
            instance = _instance(lineage, output, form, finish, words)
            packet = tag.xmp(words, lineage, source_type, instance)
            data, size_notes = encoded_within(
                pixels,
                form,
                Tags(packet, fields),
                quality=output.quality,
                max_bytes=output.max_bytes,
            )
            notes = (enlarged(part), *size_notes, *tag_notes)
            made.append(
                Rendition(
                    output=output.name,
                    format=form,
                    data=data,
                    width=pixels.width,
                    height=pixels.height,
                    notes=tuple(note for note in notes if note),
                )
            )
    return made


def _instance(lineage: Lineage, output: Output, form: str, finish: Finish, words: Words) -> str:
    """An id of this one file: a hash of what decides it, so that no dice are needed."""
    decides = [
        asdict(lineage),
        output.name,
        [output.width, output.height, str(output.shape), output.quality, output.max_bytes],
        form,
        finish.focus,
        asdict(words),
    ]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
