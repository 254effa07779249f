"""Rendition and Manifest: the files that a run hands over, with their lineage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypedDict

MANIFEST_SCHEMA = "shotlist/manifest/1"

AI_GENERATED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
AI_COMPOSITE: Final = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)

SourceType = Literal[
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
]


class RenditionRow(TypedDict):
    """One file in the manifest. `path` begins with images/ and is relative to the manifest."""

    path: str
    url: str | None
    sha256: str
    bytes: int
    width: int
    height: int
    format: str
    name: str
    channel: str | None
    shot_id: str
    product: str
    variant: str
    locale: str
    aspect_ratio: str
    take: int
    recipe: str
    prompt: str
    alt: str
    tags: list[str]
    digital_source_type: SourceType | None
    stale: bool
    focus: str | None
    """What the cut went by: given, product, ground, face, saliency or center; null where nothing is
    cut off."""
    kept: float | None
    """Share of that which lies in the picture, from 0 to 1."""
    contrast: float | None
    """The lowest WCAG ratio of words and logo to what lies behind them; null where none are."""
    made_from: str
    """Digest of all that decides this file's bytes and place (take, output, words, settings)."""
    notes: list[str]


class TakeRow(TypedDict):
    """A take in the manifest; `references` are rows of role, from and sha256."""

    recipe: str
    shot_ids: list[str]
    provider: str
    model: str
    host_task_id: str | None
    seed: int | None
    cost_usd: float | None
    cost_from: str | None
    sha256: str
    width: int
    height: int
    references: list[dict[str, str]]
    created_at: str


class FailureRow(TypedDict):
    """A shot that is wanted and not published, and why."""

    shot_id: str
    stage: str
    reason: str
    provider: str | None
    billed: bool | None


class Totals(TypedDict):
    """Counts of shots."""

    shots: int
    published: int
    failed: int
    parked: int


class RunRow(TypedDict):
    """The run that wrote the manifest."""

    id: str
    started_at: str
    ended_at: str
    bought: int
    kept: int
    spent_usd: float
    retired: int
    skipped_rows: list[dict[str, str]]
    notes: list[str]
    version: str


class Manifest(TypedDict):
    """What a finished run hands over; written last, it is the commit."""

    schema: str
    campaign: str
    title: str
    realm: str
    spec_sha256: str
    run: RunRow
    renditions: list[RenditionRow]
    takes: list[TakeRow]
    failures: list[FailureRow]
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said about a picture, in one locale: the single source of every tag."""

    title: str
    description: str
    alt: str
    keywords: tuple[str, ...] = ()
    creator: str | None = None
    copyright: str | None = None
    credit: str | None = None
    license_url: str | None = None
    usage_terms: str | None = None
    licensor_url: str | None = None
    """Where a licence is to be had."""
    prompt: str | None = None
    """What the model was told; None unless the campaign allows it to be published."""
    aigc_producer: str | None = None
    """Who answers for the picture in China's label; None where that label is not asked for."""
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One finished file before it is published."""

    output: str
    format: str
    data: bytes
    width: int
    height: int
    notes: tuple[str, ...] = ()
    focus: str | None = None
    """What the cut went by: given, product, ground, face, saliency or center; None: nothing was cut
    off."""
    kept: float | None = None
    """Share of it that lies in the cut."""
    contrast: float | None = None
    """The lowest WCAG ratio of words and logo to what lies behind them; None: none are laid."""
    faults: tuple[str, ...] = ()
    """What keeps it from being published."""
