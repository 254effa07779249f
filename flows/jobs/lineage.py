"""From a take to its files: which files a shot has, and the digest of all that decides each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter

from flows.nouns.campaign import Campaign
from flows.nouns.output import Output
from flows.nouns.recipe import Recipe
from flows.nouns.rendition import AI_COMPOSITE, AI_GENERATED, SourceType, Words
from flows.nouns.shot import Shot
from flows.nouns.take import Realm, Take, TakeState

_WORDS = sorted(one.name for one in fields(Words))
_VALUES = attrgetter(*_WORDS)
_WORDED = attrgetter("title", "alt", "tags", "prompt", "locale", "variant", "product")
"""All that `words` may read of a shot: where it is the same, so are the words."""
RENDERING = 2
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
    rights, tagging = campaign.rights, campaign.tagging
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
        usage_terms=rights.usage_terms,
        licensor_url=rights.licensor_url,
        prompt=shot.prompt if tagging.prompt else None,
        aigc_producer=tagging.tc260.producer if tagging.tc260 is not None else None,
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
    look: str,
) -> str:
    """Digest of all that decides a file's bytes and place; the same digest, the same file."""
    digests = Digests(campaign)
    return digests.of(published_take, output, form, path, digests.words(said), source, look)


class Digests:
    """`made_from` for many files of one campaign.

    The form is what `json.dumps(…, sort_keys=True, ensure_ascii=False)` writes, put together by
    hand from parts that are the same for many files: a plan holds a hundred thousand files against
    it. A test holds it against json.dumps.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._shot: tuple[object, ...] = ()
        self._finish = _dumped(campaign.finish.model_dump(mode="json"))
        self._words = ""
        self._outputs: dict[tuple[int, str], tuple[Output, str, str]] = {}

    def words_of(self, shot: Shot, realm: Realm) -> str:
        """The part of the form that a shot's files have in common."""
        facts = (*_WORDED(shot), realm)
        if facts != self._shot:  # mostly a product's shots say the same
            self._shot = facts
            self._words = self.words(words(shot, self._campaign, realm))
        return self._words

    def words(self, said: Words) -> str:
        """The part of the form that is made of words."""
        parts = zip(_WORDS, map(_text, _VALUES(said)), strict=True)
        return f"{{{', '.join([f'{_quoted(name)}: {text}' for name, text in parts])}}}"

    def of(
        self,
        take: Take,
        output: Output,
        form: str,
        path: str,
        words: str,
        source: SourceType | None,
        look: str,
    ) -> str:
        """Digest of one file; `words` is what `words` gives, `look` what `Looks.digest` gives."""
        # by identity, which a plan's shots share and which is quicker than equality: the output is
        # kept beside, so that no other can come to have its identity
        key = (id(output), form)
        parts = self._outputs.get(key)
        if parts is None:
            parts = self._outputs[key] = (output, *self._of_output(output, form))
        text = (
            f"{parts[1]}{_quoted(path)}{parts[2]}{_text(source)}"
            f', "take": {_text(take.sha256)}, "with": {look}, "words": {words}}}'
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def _of_output(self, output: Output, form: str) -> tuple[str, str]:
        """What stands before the path and between it and the source type."""
        size = [output.width, output.height, str(output.shape)]
        before = (
            f'{{"finish": {self._finish}, "format": {_quoted(form)}, '
            f'"max_bytes": {_dumped(output.max_bytes)}, "path": '
        )
        behind = (
            f', "quality": {output.quality}, "rendering": {RENDERING}, '
            f'"size": {_dumped(size)}, "source_type": '
        )
        return before, behind


_quoted = json.encoder.encode_basestring
_dumped = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def _text(value: object) -> str:
    if type(value) is str:
        return _quoted(value)
    return "null" if value is None else _dumped(value)
