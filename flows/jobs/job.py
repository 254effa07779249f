"""Request, Job and Batch: what was asked, what it means, and the portions it is made in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from flows.nouns.campaign import Campaign
from flows.nouns.overlay import BrandKit
from flows.nouns.rendition import Manifest, RenditionRow
from flows.nouns.shot import Reading, Shot, ShotList
from flows.nouns.take import Realm
from flows.nouns.workspace import Workspace
from flows.providers import Account
from flows.settings import Settings, Signing
from flows.storage import Place

MOST_TASK_RUNS = 1000
"""One task run a product up to here, one a batch of products beyond: servers of Prefect's users
become unstable at about twice as many (github.com/PrefectHQ/prefect issues on mapped tasks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person or a schedule asked for; plain values, so that it travels."""

    spec: str
    providers: tuple[str, ...] = ()
    max_cost: Decimal | None = None
    only: tuple[str, ...] = ()
    to: str | None = None
    defaults: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What making a product needs to know of its run; plain values, so that it travels."""

    run: str
    started_at: str
    realm: Realm
    ledger_url: str
    takes_url: str
    staging: Path
    campaign: Campaign
    brand: BrandKit | None = field(default=None, repr=False)
    """The brand with its files read; None where nothing is laid over pictures."""
    signing: Signing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A shot that needs takes or files, and where each goes (in the order of `Shot.paths`)."""

    shot: Shot
    paths: tuple[str, ...]
    why: str = ""
    """Why its files are made anew though every take of it is there; empty where takes are missing
    or nothing was published before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one task run makes: the work of one product, or of several where there are many."""

    name: str
    work: tuple[Work, ...]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A campaign that was read, planned and held against ledger and destination."""

    request: Request
    workspace: Workspace
    settings: Settings
    reading: Reading
    realm: Realm
    accounts: tuple[Account, ...] = field(repr=False)
    shot_list: ShotList
    paths: Sequence[tuple[str, ...]]
    """Of every shot in the list, its files' paths below the destination."""
    place: Place
    former: Manifest | None
    kept: Mapping[str, Sequence[RenditionRow]]
    """Shot id to the files of it that are at the destination and as they should be."""
    work: Sequence[Work]
    pages_are_there: bool
    """Whether the gallery and the table of renditions are at the destination."""
    notes: tuple[str, ...] = ()
    retired_ids: frozenset[str] = field(default_factory=frozenset)

    @property
    def campaign(self) -> Campaign:
        return self.reading.campaign

    @cached_property
    def unseen(self) -> Mapping[str, Sequence[str]]:
        """Published shots of products that could not be read this time, with their recipes: nobody
        can say what is wanted of them now, so they stay as they are.
        """
        skipped = {row.product for row in self.shot_list.skipped}
        if self.former is None or not skipped:
            return {}
        planned = {shot.shot_id for shot in self.shot_list.shots}
        found: dict[str, list[str]] = {}
        for row in self.former["renditions"]:
            if row["product"] in skipped and row["shot_id"] not in planned:
                found.setdefault(row["shot_id"], []).append(row["recipe"])
        return found

    @property
    def retires(self) -> bool:
        """Whether the manifest names shots or files that the campaign no longer wants."""
        if self.former is None:
            return False
        wanted = {shot.shot_id for shot in self.shot_list.shots} | self.unseen.keys()
        return any(row["shot_id"] not in wanted for row in self.former["renditions"])

    @property
    def is_done(self) -> bool:
        """Nothing to make, and the manifest says what the spec says."""
        if self.work or self.former is None or self.retires:
            return False
        return self.pages_are_there and self.former["spec_sha256"] == self.reading.spec_sha256

    @cached_property
    def anew(self) -> Mapping[str, str]:
        """Shots whose takes are there and whose files are made anew, with why."""
        return {work.shot.shot_id: work.why for work in self.work if work.why}

    @property
    def hosts(self) -> str:
        """The hosts' names, first choice first."""
        return ", ".join(dict.fromkeys(one.host for one in self.accounts))

    def batches(self) -> list[Batch]:
        """The work by product, in the catalogue's order; past a thousand, several in each."""
        by_product: dict[str, list[Work]] = {}
        for work in self.work:
            by_product.setdefault(work.shot.product.key, []).append(work)
        keys = list(by_product)
        size = math.ceil(len(keys) / MOST_TASK_RUNS) or 1
        groups = [keys[start : start + size] for start in range(0, len(keys), size)]
        return [
            Batch(
                name=group[0] if len(group) == 1 else f"{group[0]} … {group[-1]} ({len(group)})",
                work=tuple(work for key in group for work in by_product[key]),
            )
            for group in groups
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step that a person may watch: so many takes, files, shots, products more."""

    products: int = 0
    takes: int = 0
    files: int = 0
    shots: int = 0
    usd: float = 0.0
