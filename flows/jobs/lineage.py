"""From a take to its files: which files a shot has, and the digest of all that decides each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from flows.nouns.campaign import Campaign
from flows.nouns.output import Output
from flows.nouns.recipe import Recipe
from flows.nouns.rendition import AI_COMPOSITE, AI_GENERATED, SourceType, Words
from flows.nouns.shot import Shot
from flows.nouns.take import Realm, Take, TakeState

_WORDS = fields(Words)
RENDERING = 1
"""Raise it when finishing gives other bytes for the same take: every file is made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A take that is published and the files that are cut from it: output, format, path."""

    recipe: Recipe
    take: Take
    files: tuple[tuple[Output, str, str], ...]


def published(
    shot: Shot, paths: tuple[str, ...], takes: Mapping[str, Take], *, every_take: bool
) -> Iterator[Published]:
    """The takes of a shot that go out: the first good one, or all of them."""
    files = [(output, form) for output in shot.outputs for form in output.formats]
    candidates = len(shot.recipes) if every_take else 1
    for number, recipe in enumerate(shot.recipes):
        take = takes.get(recipe.sha256)
        if take is None or take.state != TakeState.DONE:
            continue
        column = number if every_take else 0
        yield Published(
            recipe=recipe,
            take=take,
            files=tuple(
                (output, form, paths[index * candidates + column])
                for index, (output, form) in enumerate(files)
            ),
        )
        if not every_take:
            return


def words(shot: Shot, campaign: Campaign, realm: Realm) -> Words:
    """What is said about a picture, the single source of all its tags."""
    rights = campaign.rights
    description = shot.alt
    if realm is Realm.PROOF:
        description = f"For position only, drawn without a model. {shot.alt}"
    return Words(
        title=shot.title,
        description=description,
        alt=shot.alt,
        keywords=shot.tags,
        creator=rights.creator,
        copyright=rights.copyright,
        credit=rights.credit,
        license_url=rights.license_url,
        locale=shot.locale,
    )


def source_type(shot: Shot, realm: Realm) -> SourceType | None:
    """How the picture came to be, in IPTC's terms (cv.iptc.org/newscodes/digitalsourcetype).

    A proof is neither generated nor a photo, so it carries no term.
    """
    if realm is Realm.PROOF:
        return None
    if any(reference.role == "canvas" for reference in shot.references):
        return AI_COMPOSITE
    return AI_GENERATED


def made_from(
    published_take: Take,
    output: Output,
    form: str,
    path: str,
    said: Words,
    *,
    campaign: Campaign,
    source: SourceType | None,
) -> str:
    """Digest of all that decides a file's bytes and place; the same digest, the same file."""
    form_of_it = {
        "rendering": RENDERING,
        "take": published_take.sha256,
        "path": path,
        "format": form,
        "size": [output.width, output.height, str(output.shape)],
        "quality": output.quality,
        "max_bytes": output.max_bytes,
        "finish": campaign.finish.model_dump(mode="json"),
        # without the copies that `asdict` makes: a hundred thousand files are held against this
        "words": {one.name: getattr(said, one.name) for one in _WORDS},
        "source_type": source,
    }
    text = json.dumps(form_of_it, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
