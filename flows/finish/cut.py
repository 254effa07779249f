"""One take to all its files. Same take, outputs, words and look: same bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING

from flows import lettering
from flows.finish import gate, sign, tag
from flows.finish.credentials import Master, Origin, Story
from flows.finish.encode import Tags, encoded_within
from flows.finish.look import Look
from flows.finish.open import opened
from flows.finish.resize import Source
from flows.finish.shape import Eye, Shaped, shaped
from flows.finish.signer import Signer
from flows.finish.tag import Lineage
from flows.nouns.campaign import Format
from flows.nouns.output import Output
from flows.nouns.overlay import LaidOverlay
from flows.nouns.rendition import Rendition, SourceType, Words

if TYPE_CHECKING:
    from PIL import Image


def renditions(
    take: bytes,
    outputs: Sequence[Output],
    *,
    look: Look,
    words: Words,
    source_type: SourceType | None,
    lineage: Lineage,
) -> list[Rendition]:
    """The files of a take: outputs outside, the formats of each inside.

    `source_type` is the full IPTC address of how the picture came to be, or None for a proof, which
    is never signed. What a person should know of a file (enlarged, squeezed, its product cut) is in
    its notes; what keeps it from being published is in its faults.

    Raises:
        BadInput: the take is not a whole picture, or an overlay has no room or no font.
        EnvironmentFault: the signer cannot sign.

    """
    source = Source(opened(take))
    eye = Eye(source, look)
    words, tag_notes = tag.fitted(words, lineage, source_type)
    bench = _Bench(look, words, source_type, lineage, _master(take, look, source_type, lineage))

    def made_of(output: Output) -> list[Rendition]:
        part = shaped(source, output, eye, look)
        overlays = look.overlays(output)
        pixels, notes, contrast = _lettered(part, output, overlays, look, words.locale)
        notes = (*part.notes, *notes, *tag_notes)
        return [
            bench.file(output, form, part, pixels, overlays, notes, contrast)
            for form in output.formats
        ]

    # the codecs and the filter let go of the interpreter, so threads use all cores
    with ThreadPoolExecutor(max_workers=min(len(outputs), os.cpu_count() or 1) or 1) as pool:
        return [file for files in pool.map(made_of, outputs) for file in files]


def _lettered(
    part: Shaped, output: Output, overlays: Sequence[LaidOverlay], look: Look, locale: str
) -> tuple[Image.Image, tuple[str, ...], float | None]:
    """The pixels with their words, what is to note, and the worst contrast of them."""
    if not overlays:
        return part.pixels, (), None
    laid = lettering.laid(
        part.pixels, overlays, safe_zone=output.clear_zone, brand=look.brand, locale=locale
    )
    worst = min((one.contrast for one in laid.boxes), default=None)
    return laid.picture, laid.notes, worst if worst is None else round(worst, 2)


def _master(
    take: bytes, look: Look, source_type: SourceType | None, lineage: Lineage
) -> tuple[Master, Signer] | None:
    if look.signer is None or source_type is None:
        return None
    origin = Origin(
        take=take,
        source_type=source_type,
        software=lineage.software,
        system=lineage.system or "",
        system_version=lineage.system_version or "",
        references=look.references,
        created=lineage.created,
    )
    return sign.master(origin, look.signer), look.signer


class _Bench:
    """Makes the files of one take: what all of them share."""

    def __init__(
        self,
        look: Look,
        words: Words,
        source_type: SourceType | None,
        lineage: Lineage,
        signs: tuple[Master, Signer] | None,
    ) -> None:
        self._look = look
        self._words = words
        self._source_type = source_type
        self._lineage = lineage
        self._signs = signs
        self._fields: Mapping[int, bytes] = tag.exif(words, lineage)

    def file(
        self,
        output: Output,
        form: Format,
        part: Shaped,
        pixels: Image.Image,
        overlays: Sequence[LaidOverlay],
        notes: tuple[str, ...],
        contrast: float | None,
    ) -> Rendition:
        """Encoded, tagged, signed, and held against what it shall be."""
        story = self._story(output, part, overlays)
        cap = output.max_bytes
        reserved = 0
        if cap is not None and story is not None and self._signs is not None:
            reserved = sign.reserve_bytes(form, story=story, signer=self._signs[1])
        instance = self._instance(output, form, overlays)
        data, size_notes = encoded_within(
            pixels,
            form,
            Tags(tag.xmp(self._words, self._lineage, self._source_type, instance), self._fields),
            quality=output.quality,
            max_bytes=None if cap is None else max(1, cap - reserved),
        )
        if story is not None and self._signs is not None:
            data = sign.signed(data, form, story=story, signer=self._signs[1])
        return Rendition(
            output=output.name,
            format=form,
            data=data,
            width=pixels.width,
            height=pixels.height,
            notes=(*notes, *size_notes),
            focus=part.found,
            kept=part.kept,
            contrast=contrast,
            faults=gate.faults(
                data,
                form,
                pixels.size,
                output,
                source_type=self._source_type,
                is_signed=story is not None,
            ),
        )

    def _story(self, output: Output, part: Shaped, overlays: Sequence[LaidOverlay]) -> Story | None:
        if self._signs is None:
            return None
        brand = self._look.brand
        logos = [one for one in (brand.logo, brand.logo_on_dark) if one is not None]
        has_words = any(not one.logo for one in overlays)
        return Story(
            master=self._signs[0],
            title=f"{self._words.title} ({output.name})",
            steps=(*part.steps, "text") if has_words else part.steps,
            placed=tuple(logos[:1]) if any(one.logo for one in overlays) else (),
        )

    def _instance(self, output: Output, form: str, overlays: Sequence[LaidOverlay]) -> str:
        """An id of this one file: a hash of what decides it, so that no dice are needed."""
        finish = self._look.finish
        decides = [
            asdict(self._lineage),
            output.name,
            [output.width, output.height, str(output.shape), output.quality, output.max_bytes],
            form,
            [finish.fit, finish.pad, self._look.focus, output.clear_zone],
            [(one.text, one.logo, one.role, str(one.box)) for one in overlays],
            asdict(self._words),
        ]
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
