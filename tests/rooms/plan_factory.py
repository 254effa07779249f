"""A campaign without disk: readings, a reader of references and a ledger for tests of the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Campaign, Role
from flows.nouns.output import Channel
from flows.nouns.overlay import BrandKit
from flows.nouns.product import Product
from flows.nouns.reference import Reference
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading, RowBrief, Shot, ShotList
from flows.nouns.take import Realm, Take, TakeState
from flows.plan import Book, HostFacts, shot_list
from flows.plan.prompts import Templates

PROOF = HostFacts(name="proof", model="proof", usd_per_image=Decimal(0), latency_s=0.5, running=2)

NO_FILES = Templates(Path("no-templates"))

CHANNELS = {
    "feed-4x5": Channel(
        id="feed-4x5", width=1440, height=1800, formats=("jpeg", "png"), ratio="4:5"
    ),
    "landscape": Channel(
        id="landscape",
        width=1200,
        height=628,
        formats=("png",),
        ratio="1.91:1",
        max_bytes=5_120_000,
    ),
    "no-text": Channel(
        id="no-text", width=600, height=600, formats=("jpeg",), ratio="1:1", text="none"
    ),
    "mark": Channel(id="mark", width=1200, height=300, formats=("png",), ratio="4:1", text="logo"),
    "calm": Channel(
        id="calm", width=960, height=1200, formats=("jpeg",), ratio="4:5", text="avoid"
    ),
    "photos": Channel(
        id="photos",
        width=2000,
        height=2000,
        formats=("jpeg",),
        ratio="1:1",
        generated="refused",
        note="a photo of the item",
    ),
    "covered": Channel(
        id="covered",
        width=1080,
        height=1920,
        formats=("jpeg",),
        ratio="9:16",
        safe_zone=(0.1, 0.06, 0.35, 0.06),
        keep_out=((0.85, 0.55, 1.0, 1.0),),
        generated="avoid",
        note="generated ones rank lower",
    ),
    "old": Channel(
        id="old", width=600, height=600, formats=("jpeg",), ratio="1:1", retired="left in 2025"
    ),
}


def product(key: str = "MUG-01", **fields: str) -> Product:
    known = {"title": f"Mug {key}", "image": f"photos/{key}.jpg", "category": "mugs"} | fields
    images = tuple(part for part in known["image"].split("|") if part)
    return Product(
        key=key,
        title=known["title"],
        fields=known,
        row=known,
        images=images,
        source="data/products.csv",
        row_number=2,
    )


def campaign(**spec: Any) -> Campaign:
    base: dict[str, Any] = {"campaign": "mugs", "products": {"from": "data/products.csv"}}
    if "prompt" not in spec:
        base["prompt_text"] = "{{ product.title }} on a table"
    return Campaign.model_validate(base | spec)


def reading(
    products: Iterable[Product] | None = None,
    rows: Sequence[RowBrief] | None = None,
    places: Mapping[str, str] | None = None,
    products_of: dict[str, Any] | None = None,
    kit: BrandKit | None = None,
    **spec: Any,
) -> Reading:
    if products_of is not None:
        spec["products"] = products_of
    chosen = [product()] if products is None and rows is None else products or ()
    return Reading(
        campaign=campaign(**spec),
        products=tuple(chosen),
        rows=None if rows is None else tuple(rows),
        spec_path="campaigns/mugs.yaml",
        spec_sha256="0" * 64,
        image_base="data",
        places=places or {},
        brand=kit,
    )


class Reader:
    """Every image is there but the `missing`; its contents are its address."""

    def __init__(self, missing: Collection[str] = ()) -> None:
        self.missing = missing
        self.looked: list[tuple[str, Role, bool]] = []

    def look(self, source: str, *, role: Role, of_row: bool) -> Reference:
        self.looked.append((source, role, of_row))
        if source in self.missing:
            raise BadInput("x", [Fault("", f"{source} is not there")])
        return Reference(
            role=role,
            source=source,
            location=f"data/{source}",
            sha256=digest(source),
            size=3,
            width=100,
            height=100,
            format="jpeg",
        )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """A ledger that holds what it is told."""

    def __init__(
        self,
        states: Mapping[str, TakeState] | None = None,
        earlier: Mapping[str, tuple[str, ...]] | None = None,
        turned: Mapping[str, frozenset[int]] | None = None,
    ) -> None:
        self.states = dict(states or {})
        self.earlier = dict(earlier or {})
        self.turned = dict(turned or {})

    @classmethod
    def after(cls, shots: Iterable[Shot], state: TakeState = TakeState.DONE) -> Ledger:
        """As a run leaves it that made these shots."""
        hashes = {shot.shot_id: tuple(one.sha256 for one in shot.recipes) for shot in shots}
        return cls({recipe: state for each in hashes.values() for recipe in each}, hashes)

    def takes(self, realm: Realm, recipes: Collection[str]) -> Mapping[str, Take]:
        return {
            recipe: Take(
                recipe=recipe,
                realm=realm,
                state=self.states[recipe],
                provider="fal",
                model="seedream-4",
                reason="too red" if self.states[recipe] is TakeState.REFUSED else None,
            )
            for recipe in recipes
            if recipe in self.states
        }

    def shots(self, campaign: str, realm: Realm) -> Mapping[str, tuple[str, ...]]:
        return self.earlier

    def turned_down(self, campaign: str, realm: Realm) -> Mapping[str, frozenset[int]]:
        return self.turned


def planned(
    asked: Reading,
    *,
    templates: Path | Templates = NO_FILES,
    reader: Reader | None = None,
    book: Book | None = None,
    realm: Realm = Realm.PROOF,
    hosts: Sequence[HostFacts] = (PROOF,),
    only: Sequence[str] = (),
    former: Manifest | None = None,
) -> ShotList:
    return shot_list(
        asked,
        templates=templates,
        references=reader or Reader(),
        book=book or Ledger(),
        realm=realm,
        hosts=hosts,
        channels=CHANNELS,
        only=only,
        former=former,
    )


def ids(plan: ShotList) -> list[str]:
    return [shot.shot_id for shot in plan.shots]


def faults(error: BadInput) -> list[str]:
    return [str(fault) for fault in error.faults]
