"""Manifests for tests: two variants, two locales and three outputs, cut from few takes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flows.nouns.rendition import (
    AI_GENERATED,
    MANIFEST_SCHEMA,
    FailureRow,
    Manifest,
    RenditionRow,
    RunRow,
    TakeRow,
    Totals,
)

CDN = "https://cdn.acme.example/mugs"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def rendition(shot_id: str, name: str = "4x5", **changes: Any) -> RenditionRow:
    """A file of a shot whose id is product/variant."""
    form = changes.get("format", "jpeg")
    product, _, variant = shot_id.partition("/")
    path = changes.get("path", f"images/{shot_id}/{name}.{form}")
    row = RenditionRow(
        path=path,
        url=f"{CDN}/{path}",
        sha256=digest(f"{shot_id} {name} {form}"),
        bytes=182_344,
        width=1080,
        height=1350,
        format=form,
        name=name,
        channel=None,
        shot_id=shot_id,
        product=product,
        variant=variant,
        locale="",
        aspect_ratio="4:5",
        take=1,
        recipe=digest(f"recipe of {shot_id}"),
        prompt=f"A picture of {product}",
        alt=f"{product} on an oak table",
        tags=["spring"],
        digital_source_type=AI_GENERATED,
        stale=False,
        focus="product",
        kept=1.0,
        contrast=None,
        made_from=digest(f"made from {shot_id} {name} {form}"),
        notes=[],
    )
    return RenditionRow(**{**row, **changes})


def take(shot_id: str, **changes: Any) -> TakeRow:
    row = TakeRow(
        recipe=digest(f"recipe of {shot_id}"),
        shot_ids=[shot_id],
        provider="freepik",
        model="seedream-4",
        host_task_id="job-1",
        seed=7,
        cost_usd=0.03,
        cost_from="price",
        sha256=digest(f"take of {shot_id}"),
        width=1824,
        height=2280,
        references=[{"role": "product", "from": "mug.jpg", "sha256": digest("mug")}],
        created_at="2026-11-20T10:00:00+00:00",
    )
    return TakeRow(**{**row, **changes})


def failure(shot_id: str, **changes: Any) -> FailureRow:
    row = FailureRow(
        shot_id=shot_id,
        stage="shoot",
        reason="the host refused the prompt",
        provider="freepik",
        billed=False,
    )
    return FailureRow(**{**row, **changes})


def run(**changes: Any) -> RunRow:
    row = RunRow(
        id="r1",
        started_at="2026-11-20T10:00:00+00:00",
        ended_at="2026-11-20T10:01:00+00:00",
        bought=1,
        kept=0,
        spent_usd=0.0,
        retired=0,
        skipped_rows=[],
        notes=[],
        version="0.1.0",
    )
    return RunRow(**{**row, **changes})


def manifest(*rows: RenditionRow, **changes: Any) -> Manifest:
    """With a take of its shot for each recipe, unless `takes` says otherwise."""
    of = {row["recipe"]: row["shot_id"] for row in reversed(rows)}
    shots = len({row["shot_id"] for row in rows})
    whole = Manifest(
        schema=MANIFEST_SCHEMA,
        campaign="spring-mugs",
        title="Spring mugs",
        realm="live",
        spec_sha256=digest("spec"),
        run=run(
            bought=shots,
            spent_usd=0.03 * shots,
            skipped_rows=[{"place": "row 4", "product": "X", "reason": "no image"}],
        ),
        renditions=list(rows),
        takes=[
            take(of[recipe], recipe=recipe) for recipe in dict.fromkeys(r["recipe"] for r in rows)
        ],
        failures=[],
        totals=Totals(shots=shots, published=shots, failed=0, parked=0),
    )
    return Manifest(**{**whole, **changes})
