"""Sample: a designed cut through a matrix that is too large. No dice: places are drawn by hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence

from flows.nouns.campaign import Sample
from flows.plan.cells import Wanted

_MOST_ORDERED = 500
"""Up to so many strata their order is balanced over every axis; beyond, it is drawn."""

Stratum = tuple[str, str, str]
"""Variant, locale and name of the output."""


def sampled(matrix: Sequence[Wanted], sample: Sample) -> list[Wanted]:
    """At most `sample.n` products, variants, locales or shots, the same ones every time.

    Shots are drawn in turn from every combination of variant, locale and output, from different
    products as long as there are any, so that no axis is left thin. The order stays.
    """
    if sample.by == "shot":
        return _shots(matrix, sample)
    value: Callable[[Wanted], str] = {
        "product": lambda one: one.brief.product.key,
        "variant": lambda one: one.brief.terms.variant,
        "locale": lambda one: one.brief.terms.locale,
    }[sample.by]
    ranked = sorted({value(one) for one in matrix}, key=lambda word: _rank(sample.seed, word))
    chosen = set(ranked[: sample.n])
    return [one for one in matrix if value(one) in chosen]


def _shots(matrix: Sequence[Wanted], sample: Sample) -> list[Wanted]:
    queues = _queues(matrix, sample.seed)
    order = _in_balance(list(queues), sample.seed)
    waiting = {stratum: iter(queue) for stratum, queue in queues.items()}
    chosen: set[tuple[int, int]] = set()
    while order and len(chosen) < sample.n:
        for stratum in tuple(order):
            if len(chosen) == sample.n:
                break
            place = next(waiting[stratum], None)
            if place is None:
                order.remove(stratum)
            else:
                chosen.add(place)
    left = []
    for at, one in enumerate(matrix):
        kept = tuple(master for number, master in enumerate(one.masters) if (at, number) in chosen)
        if kept:
            left.append(Wanted(one.brief, kept))
    return left


def _queues(matrix: Sequence[Wanted], seed: int) -> dict[Stratum, list[tuple[int, int]]]:
    """Each stratum's shots, by product in one drawn order that every stratum enters elsewhere."""
    keys = sorted(
        {one.brief.product.key for one in matrix}, key=lambda key: _rank(seed, "product", key)
    )
    position = {key: at for at, key in enumerate(keys)}
    members: dict[Stratum, list[tuple[int, int, int]]] = {}
    for at, one in enumerate(matrix):
        terms = one.brief.terms
        for number, master in enumerate(one.masters):
            stratum = (terms.variant, terms.locale, master.namer.name)
            members.setdefault(stratum, []).append((position[one.brief.product.key], at, number))
    queues = {}
    for turn, stratum in enumerate(sorted(members)):
        start = turn * len(keys) // len(members)
        inside = sorted(
            ((place - start) % len(keys), at, number) for place, at, number in members[stratum]
        )
        queues[stratum] = [(at, number) for _, at, number in inside]
    return queues


def _in_balance(strata: list[Stratum], seed: int) -> list[Stratum]:
    """Strata so ordered that every beginning of the list uses each value of each axis evenly."""
    drawn = sorted(strata, key=lambda stratum: _rank(seed, *stratum))
    if len(drawn) > _MOST_ORDERED:
        return drawn
    used: Counter[tuple[int, str]] = Counter()
    order = []
    while drawn:
        best = min(drawn, key=lambda one: sum(used[axis, value] for axis, value in enumerate(one)))
        drawn.remove(best)
        order.append(best)
        used.update(enumerate(best))
    return order


def _rank(seed: int, *words: str) -> bytes:
    return hashlib.sha256("\n".join((str(seed), *words)).encode()).digest()
