"""Otherwise: why a file that is at the destination is not the one that is wanted now.

Its take is there and stays; the manifest tells what was said of the file, and whether campaign
file and program were the same. The words that were laid over it stand in no manifest: that they
are others is told by what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from flows import __version__
from flows.jobs.lineage import Published, source_type
from flows.nouns.output import Output
from flows.nouns.rendition import Manifest, RenditionRow
from flows.nouns.said_overlay import on_output
from flows.nouns.shot import Reading, Shot
from flows.nouns.take import Realm
from flows.nouns.text_difference import apart, brief, told

MOST_LAID = 3
"""Overlays whose words are told."""


@dataclass(frozen=True, slots=True)
class InWords:
    """What is said otherwise of a picture, and its shot as it was in that."""

    why: tuple[str, ...]
    shot: Shot


class Otherwise:
    """Reasons, as far as manifest and plan tell them."""

    def __init__(self, reading: Reading, former: Manifest | None, realm: Realm) -> None:
        self._reading = reading
        self._former = former
        self._realm = realm

    def in_words(self, shot: Shot, row: RenditionRow) -> InWords:
        """How alternative text and tags differ from those that were published."""
        why = []
        if row["alt"] != shot.alt:
            why.append(f"alt changed: {told(row['alt'], shot.alt)}")
        if row["tags"] != list(shot.tags):
            why.append(f"tags changed: {told(', '.join(row['tags']), ', '.join(shot.tags))}")
        return InWords(tuple(why), replace(shot, alt=row["alt"], tags=tuple(row["tags"])))

    def why(
        self,
        shot: Shot,
        row: RenditionRow,
        output: Output,
        out: Published,
        in_words: InWords,
        *,
        is_all: bool,
    ) -> str:
        """Why a file is made anew; never empty. `is_all`: nothing but its words is another."""
        if row["recipe"] != out.recipe.sha256 or self._takes.get(row["recipe"]) != out.take.sha256:
            return "another take is published"
        if is_all and in_words.why:
            return "; ".join(in_words.why)
        if self._says_the_same(shot, row, output):
            return f"{'; '.join(in_words.why)}; so did what is laid over it"
        seen = list(self._seen(shot, row, output))
        return "; ".join((*in_words.why, *(seen or [self._unseen(shot, output)])))

    def _says_the_same(self, shot: Shot, row: RenditionRow, output: Output) -> bool:
        """Whether the words by which the alternative text differs are also laid over the picture:
        what changed there changed here.
        """
        new = apart(row["alt"], shot.alt)[1]
        return bool(new) and any(new in text for text in self._laid(shot, output))

    def _laid(self, shot: Shot, output: Output) -> list[str]:
        laid = on_output(self._reading.campaign.overlays, shot.overlays, output)
        return [one.text for one in laid if one.text]

    def _seen(self, shot: Shot, row: RenditionRow, output: Output) -> Iterator[str]:
        size = (output.width, output.height)
        if None not in size and size != (row["width"], row["height"]):
            yield f"size changed: {row['width']}x{row['height']} -> {size[0]}x{size[1]}"
        if row["digital_source_type"] != source_type(shot, self._realm):
            yield "its source type changed"
        if self._former is None:
            return
        if (version := self._former["run"]["version"]) != __version__:
            yield f"version {version} made it, this is {__version__}"
        elif self._former["spec_sha256"] != self._reading.spec_sha256:
            yield "the campaign file changed: finish, overlays, brand, rights or outputs"

    def _unseen(self, shot: Shot, output: Output) -> str:
        """Of what no manifest tells: neither campaign file nor program are others."""
        words = [f'"{brief(text)}"' for text in self._laid(shot, output)]
        if not words:
            return "its title, focus, brand files or the certificate changed"
        more = ", …" if len(words) > MOST_LAID else ""
        return f"its words or look changed; laid over it now: {', '.join(words[:MOST_LAID])}{more}"

    @cached_property
    def _takes(self) -> Mapping[str, str]:
        takes = self._former["takes"] if self._former is not None else ()
        return {take["recipe"]: take["sha256"] for take in takes}
