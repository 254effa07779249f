"""Design: the factors of an experiment to variants, with ids that survive a reordering."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from flows.errors import Fault
from flows.nouns.campaign import Experiment, Scalar, Variant
from flows.plan.faults import Faults

MOST_VARIANTS = 1000

_MOST_TURNS = 20

Levels = tuple[Scalar, ...]


def designed(experiment: Experiment, faults: Faults) -> Iterator[Variant]:
    """The variants of a design; an id is made of the levels, such as `calm-low`."""
    if not _is_sound(experiment, faults):
        return
    combinations = _combinations(experiment)
    slugs = ["-".join(_slug(level) for level in levels) for levels in combinations]
    met = Counter(slugs)
    for levels, slug in zip(combinations, slugs, strict=True):
        # levels that look alike as ids (`Low!`, `low`) are told apart by what they are
        unique = slug if met[slug] == 1 else f"{slug}-{_mark(levels)}"
        yield Variant(id=unique, vars=dict(zip(experiment.factors, levels, strict=True)))


def _is_sound(experiment: Experiment, faults: Faults) -> bool:
    found: list[Fault] = []
    if not experiment.factors:
        found.append(Fault(faults.place("experiment.factors"), "there are no factors"))
    for name, levels in experiment.factors.items():
        place = faults.place(f"experiment.factors.{name}")
        if not levels:
            found.append(Fault(place, f"factor '{name}' has no levels"))
        if len({repr(level) for level in levels}) < len(levels):
            found.append(Fault(place, f"factor '{name}' has a level twice"))
    count = _count(experiment)
    if count > MOST_VARIANTS:
        found.append(
            Fault(
                faults.place("experiment.factors"),
                f"this design gives {count:,} variants",
                f"at most {MOST_VARIANTS:,}",
                "take levels away, or write `design: one-factor`",
            )
        )
    if experiment.design == "sampled" and experiment.n is None:
        found.append(
            Fault(
                faults.place("experiment"),
                "a sampled design does not say how many variants it takes",
                remedy="write `n: <number>`",
            )
        )
    for fault in found:
        faults.add(fault)
    return not found


def _count(experiment: Experiment) -> int:
    levels = [len(one) for one in experiment.factors.values()]
    if experiment.design == "one-factor":
        return sum(levels) - len(levels) + 1
    if experiment.design == "sampled":
        return min(experiment.n or 0, math.prod(levels))
    return math.prod(levels)


def _combinations(experiment: Experiment) -> Sequence[Levels]:
    levels = list(experiment.factors.values())
    if experiment.design == "full":
        return list(itertools.product(*levels))
    if experiment.design == "sampled":
        return _sampled(levels, _count(experiment), experiment.seed)
    base = tuple(one[0] for one in levels)
    return [
        base,
        *(
            (*base[:place], level, *base[place + 1 :])
            for place, one in enumerate(levels)
            for level in one[1:]
        ),
    ]


def _sampled(levels: Sequence[Sequence[Scalar]], wanted: int, seed: int) -> list[Levels]:
    """A Latin sample: the levels of a factor come up equally often, as far as it divides.

    McKay, Beckman, Conover 1979, https://doi.org/10.2307/1268522. What comes up twice is dropped
    and the sample is filled up, so that `wanted` different combinations come out.
    """
    chosen: dict[str, Levels] = {}

    def take(combinations: Iterator[Levels]) -> None:
        for combination in combinations:
            if len(chosen) == wanted:
                return
            # by their spelling: as dictionary keys 1 and true would be one
            chosen.setdefault(repr(combination), combination)

    for turn in range(_MOST_TURNS):
        columns = []
        for factor, one in enumerate(levels):
            order = sorted(range(wanted), key=lambda at, f=factor: _rank(seed, turn, f, at))  # type: ignore[misc]
            columns.append([one[at % len(one)] for at in order])
        take(iter(zip(*columns, strict=True)))
    take(itertools.product(*levels))
    return list(chosen.values())


def _rank(*parts: int) -> bytes:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).digest()


def _mark(levels: Sequence[Scalar]) -> str:
    return hashlib.sha256(repr(tuple(levels)).encode()).hexdigest()[:6]


def _slug(level: Scalar) -> str:
    """`Very calm` to `very-calm`; what has no Latin letters at all becomes a short mark."""
    text = str(level).lower() if level is None or isinstance(level, bool) else str(level)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or _mark([level])
