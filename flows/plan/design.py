"""Design: the factors of an experiment to variants, with ids that survive a reordering."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import Experiment, Scalar, Variant
from flows.plan.faults import Faults

MOST_VARIANTS = 1000

_MOST_TURNS = 20
_MOST_SEEDS = 100
"""Samples that are drawn until one tells the factors apart; mostly the first does."""

Levels = tuple[Scalar, ...]


def designed(experiment: Experiment, faults: Faults) -> Iterator[Variant]:
    """The variants of a design; an id is made of the levels, such as `calm-low`, and a weight is
    the product of theirs.
    """
    if not _is_sound(experiment, faults):
        return
    combinations = _combinations(experiment)
    if combinations is None:
        faults.add(_mingled(experiment, faults))
        return
    for levels, name in zip(combinations, _ids(combinations), strict=True):
        weights = (
            experiment.weights.get(factor, {}).get(_spelled(level), 1.0)
            for factor, level in zip(experiment.factors, levels, strict=True)
        )
        variables = dict(zip(experiment.factors, levels, strict=True))
        yield Variant(id=name, weight=math.prod(weights), vars=variables)


def notes(experiment: Experiment, variants: Sequence[Variant | None]) -> list[str]:
    """What a person should know of the ids of a design."""
    alike: dict[str, list[str]] = {}
    for one in variants:
        if one is not None:
            slug = "-".join(_slug(_level(one, factor)) for factor in experiment.factors)
            alike.setdefault(slug, []).append(one.id)
    return [
        f"the levels of variants {', '.join(ids)} look alike as ids, so each got a mark; spell them"
        " less alike, and their ids can be read and stay"
        for ids in alike.values()
        if len(ids) > 1
    ]


def _level(variant: Variant, factor: str) -> Scalar:
    value = variant.vars[factor]
    return None if isinstance(value, (list, dict)) else value


def _ids(combinations: Sequence[Levels]) -> list[str]:
    slugs = ["-".join(_slug(level) for level in levels) for levels in combinations]
    met = Counter(slugs)
    # levels that look alike as ids (`Low!`, `low`) are told apart by what they are
    return [
        slug if met[slug] == 1 else f"{slug}-{_mark(levels)}"
        for levels, slug in zip(combinations, slugs, strict=True)
    ]


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
    found += [*_of_number(experiment, faults), *_of_weights(experiment, faults)]
    for fault in found:
        faults.add(fault)
    return not found


def _of_number(experiment: Experiment, faults: Faults) -> Iterator[Fault]:
    """Faults of `n`."""
    needed = _needed(experiment)
    if experiment.design != "sampled":
        if experiment.n is not None:
            yield Fault(
                faults.place("experiment.n"),
                f"`n` is for sampled designs, and this one is {experiment.design}:"
                f" it has {_count(experiment):,} variants",
                remedy="write `design: sampled`, or remove `n`",
            )
    elif experiment.n is None:
        yield Fault(
            faults.place("experiment"),
            "a sampled design does not say how many variants it takes",
            remedy=f"write `n: {needed}` or more",
        )
    elif experiment.n < needed:
        yield Fault(
            faults.place("experiment.n"),
            f"{experiment.n} variants cannot tell these factors apart",
            f"{needed} or more: one, and one for each further level of a factor",
            "raise `n`, or take levels away",
        )


def _of_weights(experiment: Experiment, faults: Faults) -> Iterator[Fault]:
    """Weights of factors and levels that are not there."""
    for name, weights in experiment.weights.items():
        place = f"experiment.weights.{name}"
        if name not in experiment.factors:
            names = list(experiment.factors)
            yield Fault(
                faults.place(place),
                f"there is no factor '{name}'",
                ", ".join(names),
                did_you_mean(name, names),
            )
            continue
        levels = [_spelled(level) for level in experiment.factors[name]]
        for level in weights:
            if level not in levels:
                yield Fault(
                    faults.place(f"{place}.{level}"),
                    f"factor '{name}' has no level '{level}'",
                    ", ".join(levels),
                    did_you_mean(level, levels),
                )


def _mingled(experiment: Experiment, faults: Faults) -> Fault:
    return Fault(
        faults.place("experiment.n"),
        f"no sample of {experiment.n} variants was found that tells the factors apart",
        remedy="raise `n`, or write `design: full`",
    )


def _needed(experiment: Experiment) -> int:
    """As many variants as there are effects: the mean, and each level beside its factor's first."""
    return 1 + sum(len(levels) - 1 for levels in experiment.factors.values())


def _count(experiment: Experiment) -> int:
    levels = [len(one) for one in experiment.factors.values()]
    if experiment.design == "one-factor":
        return sum(levels) - len(levels) + 1
    if experiment.design == "sampled":
        return min(experiment.n or 0, math.prod(levels))
    return math.prod(levels)


def _combinations(experiment: Experiment) -> Sequence[Levels] | None:
    """None where no sample tells the factors apart."""
    levels = list(experiment.factors.values())
    if experiment.design == "full":
        return list(itertools.product(*levels))
    if experiment.design == "sampled":
        drawn = (
            _sampled(levels, _count(experiment), experiment.seed + turn)
            for turn in range(_MOST_SEEDS)
        )
        return next((one for one in drawn if _tells_apart(levels, one)), None)
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


def _tells_apart(levels: Sequence[Sequence[Scalar]], combinations: Sequence[Levels]) -> bool:
    """Whether the effect of each level can be told from all others: the columns that say which
    variant has which level, beside the mean's, are independent.
    """
    import numpy as np

    columns = [
        [repr(combination[factor]) == repr(level) for combination in combinations]
        for factor, one in enumerate(levels)
        for level in one[1:]
    ]
    matrix = np.array([[True] * len(combinations), *columns], dtype=float)
    return int(np.linalg.matrix_rank(matrix)) == len(matrix)


def _rank(*parts: int) -> bytes:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).digest()


def _mark(levels: Sequence[Scalar]) -> str:
    return hashlib.sha256(repr(tuple(levels)).encode()).hexdigest()[:6]


def _spelled(level: Scalar) -> str:
    """A level as a campaign file spells it."""
    if level is None:
        return "null"
    return str(level).lower() if isinstance(level, bool) else str(level)


def _slug(level: Scalar) -> str:
    """`Very calm` to `very-calm`; what has no Latin letters at all becomes a short mark."""
    text = str(level).lower() if level is None else _spelled(level)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or _mark([level])
