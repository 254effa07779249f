"""Brief, Shot and ShotList: what a campaign asks for, picture by picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from flows.nouns.campaign import Campaign, ReferenceWish, Value
from flows.nouns.focus_wish import Wish
from flows.nouns.output import Channel, Output
from flows.nouns.overlay import BrandKit
from flows.nouns.product import Product
from flows.nouns.recipe import Recipe
from flows.nouns.reference import Reference
from flows.nouns.said_overlay import SaidOverlay
from flows.nouns.take import Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedRow:
    """A catalogue row (or product) that was left out, and why."""

    place: str
    product: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBrief:
    """One row of a CSV campaign: a product with wishes of its own. None: the campaign's default."""

    product: Product
    place: str
    variant: str | None = None
    locale: str | None = None
    prompt: str | None = None
    """A template in templates/."""
    prompt_text: str | None = None
    references: tuple[ReferenceWish, ...] | None = None
    aspect_ratios: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    takes: int | None = None
    seed: int | str | None = None
    alt: str | None = None
    tags: tuple[str, ...] | None = None
    vars: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What `read` hands to `plan`: the campaign, its products, and what a reader should know.

    For a YAML campaign `rows` is None and every product meets every variant and locale; for a CSV
    campaign each row is a brief. `places` maps a dotted key of the spec (`references.0.from`) to
    `file:line:column`, so that later stages can point at what was written.
    """

    campaign: Campaign
    products: tuple[Product, ...]
    rows: tuple[RowBrief, ...] | None
    spec_path: str
    spec_sha256: str
    image_base: str
    """Folder or URL that image paths of rows are relative to and may not leave."""
    skipped: tuple[SkippedRow, ...] = ()
    notes: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    channels: Mapping[str, Channel] | None = None
    """The presets that the campaign may name; None where it names none."""
    brand: BrandKit | None = None
    """The brand with its files read; None where nothing is laid over pictures."""
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Keys of products that the catalogue has and the campaign does not choose, each with the key
    of the spec that leaves it out: `where` or `limit`."""


class ShotState(StrEnum):
    """A shot held against the ledger."""

    NEW = "new"  # never made
    CHANGED = "changed"  # made before from another recipe
    KEPT = "kept"  # every take of it is there
    PARKED = "parked"  # a purchase of it is unknown
    FAILED = "failed"  # refused or failed last time
    RETIRED = "retired"  # left the catalogue or the spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture that is wanted: outputs of one master are one shot with several renditions."""

    shot_id: str
    product: Product
    variant: str
    locale: str
    name: str
    aspect_ratio: str
    prompt: str
    references: tuple[Reference, ...]
    outputs: tuple[Output, ...]
    paths: tuple[str, ...]
    """Rendered `publish.path` of each rendition, without `images/`: outputs outer, formats inner;
    with `publish.takes: all` a third, innermost loop over the takes."""
    recipes: tuple[Recipe, ...]
    alt: str
    tags: tuple[str, ...]
    title: str
    state: ShotState
    why: str
    overlays: tuple[SaidOverlay, ...] = ()
    """What is laid over its pictures in its locale, in the campaign's order; which of them stand
    on an output is told by `flows.nouns.said_overlay.on_output`."""
    focus: Wish = "auto"
    """The product's own, else the campaign's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredShot:
    """A shot of an earlier run that the campaign no longer asks for."""

    shot_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What making the missing takes would need. None: not known, and `unknown` says why."""

    generations: int
    requests: int
    cost_usd_low: Decimal | None
    cost_usd_high: Decimal | None
    eta_s: float | None
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotList:
    """The plan: all shots of a campaign, held against the ledger."""

    campaign: str
    realm: Realm
    shots: Sequence[Shot]
    retired: tuple[RetiredShot, ...]
    skipped: tuple[SkippedRow, ...]
    notes: tuple[str, ...]
    estimate: Estimate
    """Of the shots that are chosen."""
    hosts: tuple[str, ...] = ()
    """The hosts that can make them, first choice first."""
    chosen: frozenset[str] | None = None
    """The shots that a run shall make; None for all."""
    softer: Mapping[str, Recipe] = field(default_factory=lambda: MappingProxyType({}))
    """Recipe to the one that may be bought in its place where hosts refuse its prompt."""
