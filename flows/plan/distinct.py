"""Distinct: no two shots of a campaign have one id, no two renditions one path."""

from __future__ import annotations

from collections.abc import Sequence

from flows.errors import Fault
from flows.nouns.hashed_path import shown
from flows.plan.drafts import Draft
from flows.plan.faults import Faults

_MOST_RENDITIONS = 1_000_000
"""Takes of a shot times outputs times formats stays far below; packs two numbers into one."""

Axes = dict[str, str]


def check(drafts: Sequence[Draft], names: frozenset[str], place: str, faults: Faults) -> None:
    """Collect a fault for every shot id that is there twice and every path that is written twice.

    `names` are the variables that `publish.path` uses, `place` is where it is written.
    """
    _check_ids(drafts, faults)
    if not faults:
        _check_paths(drafts, names, place, faults)


def _check_ids(drafts: Sequence[Draft], faults: Faults) -> None:
    first: dict[str, Draft] = {}
    for draft in drafts:
        other = first.setdefault(draft.shot_id, draft)
        if other is not draft:
            faults.add(
                Fault(
                    draft.place,
                    f"{draft.shot_id} is asked for twice, first at {other.place}",
                    remedy="product, variant, locale and output together are unique:"
                    " change one of them or take one away",
                )
            )


def _check_paths(
    drafts: Sequence[Draft], names: frozenset[str], place: str, faults: Faults
) -> None:
    first: dict[str, int] = {}
    clashes: dict[str, list[str]] = {}
    for number, draft in enumerate(drafts):
        for at, path in enumerate(draft.paths):
            here = number * _MOST_RENDITIONS + at
            there = first.setdefault(path, here)
            if there == here:
                continue
            other = drafts[there // _MOST_RENDITIONS]
            one, two = _axes(other, there % _MOST_RENDITIONS), _axes(draft, at)
            found = (
                f"{shown(path)} would be written twice: {_told(other, one)} and {_told(draft, two)}"
            )
            clashes.setdefault(_remedy(one, two, names), []).append(found)
    for remedy, alike in clashes.items():
        more = f" … and {len(alike) - 1:,} more like it" if len(alike) > 1 else ""
        faults.add(Fault(place, alike[0] + more, remedy=remedy))


def _axes(draft: Draft, number: int) -> Axes:
    """What tells the rendition of this number in the draft's paths from others."""
    outputs = draft.master.outputs
    takes = len(draft.paths) // sum(len(one.formats) for one in outputs)
    at, take = divmod(number, takes)
    name, format_ = [(one.name, format_) for one in outputs for format_ in one.formats][at]
    return {
        "product": draft.product.key,
        "variant": draft.variant,
        "locale": draft.locale,
        "name": name,
        "ext": format_,
        "take": str(take + 1),
    }


def _told(draft: Draft, axes: Axes) -> str:
    return f"{axes['name']} as {axes['ext']}, take {axes['take']} of {draft.shot_id}"


def _remedy(one: Axes, two: Axes, names: frozenset[str]) -> str:
    unlike = [axis for axis in one if one[axis] != two[axis]]
    missing = [axis for axis in unlike if axis not in names]
    if "product" in unlike and (not missing or "product" in missing):
        missing = ["product.key", *(axis for axis in missing if axis != "product")]
    words = " and ".join(f"{{{{ {axis} }}}}" for axis in missing)
    return f"add {words} to publish.path" if words else ""
