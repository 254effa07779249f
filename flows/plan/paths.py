"""Paths: `publish.path` to a path for every rendition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Format, Publish
from flows.nouns.hashed_path import MARK as HASH
from flows.plan.expand import Wording
from flows.plan.faults import Faults
from flows.plan.masters import Master, planned_size
from flows.plan.texts import Text, Texts, Words

EXTENSIONS: dict[Format, str] = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "avif": "avif",
    "tiff": "tif",
}

DEFAULT_PATH = "{{ product.key }}/{{ variant }}/{{ locale }}/{{ name }}.{{ ext }}"
DEFAULT_PATH_OF_TAKES = (
    "{{ product.key }}/{{ variant }}/{{ locale }}/{{ name }}-{{ take }}.{{ ext }}"
)

_OF_RENDITION = frozenset({"name", "aspect_ratio", "width", "height", "ext", "take", "hash"})

_BARE = re.compile(r"\{\{ *(name|aspect_ratio|width|height|ext|take|variant|hash) *\}\}")

_BARE_HASH = re.compile(r"\{\{-?\s*hash\s*-?\}\}")

_PLAIN = re.compile(r"[^\s/]+")

_MARK = "\ue000"  # private use: no title has it


class Rendition(NamedTuple):
    """What is special about one rendition of a master."""

    variables: Mapping[str, object]
    marks: Sequence[tuple[str, str]]
    is_plain: bool
    """Whether what fills the marks can neither end a segment nor leave it empty or untidy."""


class Paths:
    """Renders `publish.path`; without one a path is key, variant, locale and name of the output.

    What differs between the renditions of a product is mostly written bare (`{{ name }}`). Such a
    template is rendered once a product with marks in these places, which are then filled in; any
    other is rendered for every rendition.
    """

    def __init__(self, publish: Publish, texts: Texts, faults: Faults) -> None:
        self._all_takes = publish.takes == "all"
        self._faults = faults
        self.place = faults.place("publish.path")
        source = publish.path
        if source is None:
            source = DEFAULT_PATH_OF_TAKES if self._all_takes else DEFAULT_PATH
        self._text = texts.of(Wording(text=source, place=self.place))
        self._changed = Fault(
            self.place,
            "publish.path changes {{ hash }}, which is known only once the file is there",
            "{{ hash }} as it is, without filters and slices",
        )
        self._marked = self._with_marks(source, texts) if self._text else None
        if "hash" in self.names:
            bare = texts.of(Wording(text=_BARE_HASH.sub(HASH, source), place=self.place))
            if bare is not None and "hash" in bare.names:
                faults.add(self._changed)
                self._text = None
        self._known: dict[tuple[Master, int], list[Rendition]] = {}

    @property
    def names(self) -> frozenset[str]:
        """The variables that tell one path from another."""
        return self._text.names if self._text else frozenset()

    def of(self, words: Words, masters: Sequence[Master], takes: int) -> Iterator[tuple[str, ...]]:
        """For each master a path for each output, format and, where all are published, take."""
        if self._text is None:  # its fault was collected when it was compiled
            yield from (() for _ in masters)
            return
        marked: str | None = None
        if self._marked is not None:
            try:
                marked = self._marked.of_brief(words).replace(
                    f"{_MARK}variant{_MARK}", str(words.variables["variant"])
                )
            except BadInput:
                marked = None  # rendered again as it was written, for the fault's true place
        # where the fillings are plain, the path is tidied once before they are put in
        tidied = _tidied(marked) if marked is not None else ""
        for master in masters:
            renditions = self._renditions_of(master, takes)
            try:
                yield tuple(
                    [
                        _filled(tidied, rendition)
                        if tidied and rendition.is_plain
                        else self._tidy(_rendered(self._text, marked, words, rendition), words)
                        for rendition in renditions
                    ]
                )
            except BadInput as error:
                self._faults.gather(error, product=words.product.key, place=self.place)
                yield ()

    def _with_marks(self, source: str, texts: Texts) -> Text | None:
        # a block ({% filter upper %}) might change a mark
        if "{%" in source or ("take" in self.names and not self._all_takes):
            return None
        marked = _BARE.sub(rf"{_MARK}\1{_MARK}", source)
        text = texts.of(Wording(text=marked, place=self.place))
        return text if text and text.names.isdisjoint(_OF_RENDITION) else None

    def _renditions_of(self, master: Master, takes: int) -> list[Rendition]:
        key = (master, takes)
        if key not in self._known:
            self._known[key] = list(self._renditions(master, takes))
        return self._known[key]

    def _renditions(self, master: Master, takes: int) -> Iterator[Rendition]:
        numbers: Sequence[int | None] = range(1, takes + 1) if self._all_takes else (None,)
        is_sized = not self.names.isdisjoint({"width", "height"})
        for output in master.outputs:
            of_output: dict[str, object] = {
                "name": output.name,
                "aspect_ratio": output.aspect_ratio,
            }
            if is_sized:
                width, height = planned_size(output, master.namer.shape, master.tier)
                of_output |= {"width": width, "height": height}
            for format_ in output.formats:
                for take in numbers:
                    variables = {**of_output, "ext": EXTENSIONS[format_], "hash": HASH}
                    if take is not None:
                        variables["take"] = take
                    marks = [
                        (f"{_MARK}{name}{_MARK}", str(value))
                        for name, value in variables.items()
                        if name in self.names
                    ]
                    is_plain = all(_PLAIN.fullmatch(value) for _, value in marks)
                    yield Rendition(variables, marks, is_plain)

    def _tidy(self, path: str, words: Words) -> str:
        path = _tidied(path)
        fault = None
        if not path:
            fault = Fault(self.place, "publish.path renders to nothing")
        elif "hash" in self.names and HASH not in path:
            fault = self._changed
        if fault:
            self._faults.add(fault, product=words.product.key)
        return path


def _tidied(path: str) -> str:
    """Without the segments that an absent axis leaves empty."""
    if "//" in path or " " in path or path.startswith("/") or path.endswith("/"):
        segments = [segment.strip() for segment in path.split("/")]
        path = "/".join(segment for segment in segments if segment)
    return path


def _rendered(text: Text, marked: str | None, words: Words, rendition: Rendition) -> str:
    if marked is None:
        return text.render({**words.variables, **rendition.variables})
    return _filled(marked, rendition)


def _filled(marked: str, rendition: Rendition) -> str:
    for mark, value in rendition.marks:
        marked = marked.replace(mark, value)
    return marked
