"""Document: a shot list as the JSON of `shotlist plan --json`."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NotRequired, TypedDict

from flows.nouns.hashed_path import shown
from flows.nouns.output import Output, ratio_of
from flows.nouns.shot import RetiredShot, Shot, ShotList, ShotState
from flows.plan.masters import planned_size

PlannedReference = TypedDict("PlannedReference", {"role": str, "from": str, "sha256": str})


class PlannedRendition(TypedDict):
    """A file that a run will write; width and height are those of the planned master's cut."""

    name: str
    path: str
    width: int
    height: int
    format: str
    take: NotRequired[int]


class PlannedShot(TypedDict):
    """A shot of the plan."""

    shot_id: str
    product: str
    variant: str
    locale: str
    aspect_ratio: str
    state: str
    why: str
    prompt: str
    references: list[PlannedReference]
    renditions: list[PlannedRendition]
    recipes: list[str]


class Document(TypedDict):
    """The plan as scripts read it."""

    campaign: str
    realm: str
    shots: list[PlannedShot]
    skipped_rows: list[dict[str, str]]
    notes: list[str]
    totals: dict[str, Any]


def document(
    plan: ShotList,
    paths: Mapping[str, Sequence[str]] | None = None,
    anew: Mapping[str, str] = MappingProxyType({}),
) -> Document:
    """The plan as one JSON document.

    `paths` maps a shot id to its paths below the destination (they begin with `images/`), in the
    order of `Shot.paths`; a shot that is not in it shows its rendered paths. Retired shots stand
    after the wanted ones; `totals.shots` counts the wanted. `anew` are shots that are kept and
    whose files are cut anew from their takes, with why; `totals.anew` counts them among the kept.
    """
    final = paths or {}
    return {
        "campaign": plan.campaign,
        "realm": plan.realm.value,
        "shots": [
            *(
                _shot(
                    shot,
                    final.get(shot.shot_id) or [f"images/{path}" for path in shot.paths],
                    anew.get(shot.shot_id, ""),
                )
                for shot in plan.shots
            ),
            *map(_retired, plan.retired),
        ],
        "skipped_rows": [
            {"place": row.place, "product": row.product, "reason": row.reason}
            for row in plan.skipped
        ],
        "notes": list(plan.notes),
        "totals": {**totals(plan), "anew": len(anew)},
    }


def totals(plan: ShotList) -> dict[str, Any]:
    """Counts of shots by state, and what making the missing takes needs."""
    states = Counter(shot.state for shot in plan.shots)
    needed = plan.estimate
    counted: dict[str, Any] = {
        "shots": len(plan.shots),
        **{state.value: states[state] for state in ShotState if state is not ShotState.RETIRED},
        "retired": len(plan.retired),
        "generations": needed.generations,
        "renditions": sum(len(shot.paths) for shot in plan.shots),
        "requests": needed.requests,
        "cost_usd_low": _number(needed.cost_usd_low),
        "cost_usd_high": _number(needed.cost_usd_high),
        "eta_s": needed.eta_s,
    }
    if needed.cost_usd_low is None or needed.cost_usd_high is None:
        counted["cost_reason"] = needed.unknown
    return counted


def _number(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)


def _shot(shot: Shot, paths: Sequence[str], anew: str) -> PlannedShot:
    return {
        "shot_id": shot.shot_id,
        "product": shot.product.key,
        "variant": shot.variant,
        "locale": shot.locale,
        "aspect_ratio": shot.aspect_ratio,
        "state": shot.state.value,
        "why": f"cut anew from its take: {anew}" if anew else shot.why,
        "prompt": shot.prompt,
        "references": [
            {"role": one.role, "from": one.shown, "sha256": one.sha256} for one in shot.references
        ],
        "renditions": list(_renditions(shot, paths)),
        "recipes": [recipe.sha256 for recipe in shot.recipes],
    }


def _retired(one: RetiredShot) -> PlannedShot:
    """A shot of which only the ledger knows any more."""
    return {
        "shot_id": one.shot_id,
        "product": "",
        "variant": "",
        "locale": "",
        "aspect_ratio": "",
        "state": ShotState.RETIRED.value,
        "why": one.why,
        "prompt": "",
        "references": [],
        "renditions": [],
        "recipes": [],
    }


@functools.cache
def _size(output: Output, ratio: str, tier: str) -> tuple[int, int]:
    return planned_size(output, ratio_of(ratio), tier)


def _renditions(shot: Shot, paths: Sequence[str]) -> Iterator[PlannedRendition]:
    recipe = shot.recipes[0]
    files = sum(len(output.formats) for output in shot.outputs)
    numbers: Sequence[int | None] = [None]
    if len(paths) > files:
        numbers = range(1, len(paths) // files + 1)
    following = iter(paths)
    for output in shot.outputs:
        width, height = _size(output, recipe.ratio, recipe.tier)
        for format_, take in itertools.product(output.formats, numbers):
            rendition: PlannedRendition = {
                "name": output.name,
                "path": shown(next(following)),
                "width": width,
                "height": height,
                "format": format_,
            }
            if take is not None:
                rendition["take"] = take
            yield rendition
