"""Rows: what the manifest says of a file and of the take behind it."""

from __future__ import annotations

from flows.jobs.lineage import Published
from flows.nouns.output import Output
from flows.nouns.rendition import Rendition, RenditionRow, SourceType, TakeRow
from flows.nouns.shot import Shot
from flows.nouns.take import Take


def rendition_row(
    shot: Shot,
    out: Published,
    output: Output,
    file: Rendition,
    *,
    path: str,
    sha256: str,
    source: SourceType | None,
    made_from: str,
) -> RenditionRow:
    """A file that was cut from a take of a shot; its address is told when it is published."""
    return RenditionRow(
        path=path,
        url=None,
        sha256=sha256,
        bytes=len(file.data),
        width=file.width,
        height=file.height,
        format=file.format,
        name=output.name,
        channel=output.channel,
        shot_id=shot.shot_id,
        product=shot.product.key,
        variant=shot.variant,
        locale=shot.locale,
        aspect_ratio=output.aspect_ratio,
        take=out.recipe.take,
        recipe=out.recipe.sha256,
        prompt=out.recipe.prompt,
        alt=shot.alt,
        tags=list(shot.tags),
        digital_source_type=source,
        stale=False,
        focus=file.focus,
        kept=file.kept,
        contrast=file.contrast,
        made_from=made_from,
        notes=list(file.notes),
    )


def take_row(shot: Shot, take: Take) -> TakeRow:
    """A take as the manifest tells of it, so far of this shot alone."""
    return TakeRow(
        recipe=take.recipe,
        shot_ids=[shot.shot_id],
        provider=take.provider,
        model=take.model,
        host_task_id=take.host_task_id,
        seed=take.seed,
        cost_usd=None if take.cost_usd is None else float(take.cost_usd),
        cost_from=take.cost_from,
        sha256=take.sha256 or "",
        width=take.width or 0,
        height=take.height or 0,
        references=[
            {"role": one.role, "from": one.shown, "sha256": one.sha256} for one in shot.references
        ],
        created_at=take.created_at,
    )
