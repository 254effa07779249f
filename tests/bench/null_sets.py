"""(e) How often `shotlist results` names a false winner: `python -m tests.bench.null_sets [sets]`.

Reports in which no variant is the best are made a thousand times in each of several shapes: two
variants and many, few clicks and many, factors in each design, unequal weights, days that jump, the
two best alike. A winner is false if it is named at all, be it a variant or a level of a factor.
Beside it: how often a true lead of a fifth is found, with 23,000 impressions a variant at 2 %.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from flows.nouns.campaign import Scalar
from flows.results import Arm, Judgement, judge
from flows.results.counts import Count, Counts

SETS = 1000
MOST = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How made reports look. `lifts` multiply the rate, one for each arm.

    `jump` is the relative deviation of an arm's rate from day to day: what people share makes
    clicks come together.
    """

    told: str
    arms: Sequence[Arm]
    impressions: int
    rate: float = 0.02
    days: int = 0
    jump: float = 0.0
    conversion: float = 0.0
    lifts: Sequence[float] = ()


def arms(count: int, weights: Sequence[float] = ()) -> list[Arm]:
    return [Arm(f"v{n}", weights[n] if weights else 1.0) for n in range(count)]


def crossed(*chosen: tuple[Scalar, ...]) -> list[Arm]:
    """Arms of two factors and more, `f0`, `f1`, …, with these levels."""
    return [
        Arm("-".join(map(str, levels)), 1.0, {f"f{n}": one for n, one in enumerate(levels)})
        for levels in chosen
    ]


FULL = crossed(*((m, a) for m in ("calm", "bold") for a in ("low", "high", "eye")))
ONE_FACTOR = crossed(("calm", "low"), ("bold", "low"), ("calm", "high"), ("calm", "eye"))
SAMPLED = crossed(("a", "x", 1), ("b", "y", 1), ("c", "x", 2), ("a", "y", 2), ("b", "x", 1))

SHAPES = (
    Shape(told="2 variants", arms=arms(2), impressions=10_000),
    Shape(told="2 variants, 300 impressions", arms=arms(2), impressions=300, rate=0.1),
    Shape(told="8 variants", arms=arms(8), impressions=5_000),
    Shape(told="4 variants, weights 70:10:10:10", arms=arms(4, (7, 1, 1, 1)), impressions=8_000),
    Shape(told="3 variants, conversions decide", arms=arms(3), impressions=20_000, conversion=0.1),
    Shape(told="2 x 3 levels, full", arms=FULL, impressions=8_000),
    Shape(told="2 x 3 levels, one-factor", arms=ONE_FACTOR, impressions=8_000),
    Shape(told="3 factors, 5 of 12 sampled", arms=SAMPLED, impressions=8_000),
    Shape(told="2 variants, 14 days alike", arms=arms(2), impressions=20_000, days=14),
    Shape(
        told="2 variants, 14 days that jump", arms=arms(2), impressions=20_000, days=14, jump=0.3
    ),
    Shape(told="2 variants, 4 days that jump", arms=arms(2), impressions=20_000, days=4, jump=0.3),
    Shape(told="2 x 3 levels, 14 days that jump", arms=FULL, impressions=14_000, days=14, jump=0.3),
    Shape(
        told="4 variants, the two best alike",
        arms=arms(4),
        impressions=20_000,
        lifts=(1.5, 1.5, 1.0, 0.7),
    ),
    Shape(
        told="4 variants, weights 70:10:10:10, the first two best alike",
        arms=arms(4, (7, 1, 1, 1)),
        impressions=20_000,
        lifts=(1.5, 1.5, 1.0, 1.0),
    ),
    Shape(
        told="2 x 3 levels, two alike and one bad",
        arms=FULL,
        impressions=20_000,
        lifts=(1.0, 1.0, 0.5, 1.0, 1.0, 0.5),
    ),
)

TRUE = (
    Shape(told="2 variants", arms=arms(2), impressions=23_000, lifts=(1.0, 1.2)),
    Shape(told="4 variants", arms=arms(4), impressions=23_000, lifts=(1.0, 1.0, 1.0, 1.2)),
)


def reports(shape: Shape, sets: int, seed: int = 0) -> Iterator[Counts]:
    """Made reports of this shape; the same for the same seed."""
    chance = np.random.default_rng(seed)
    weights = sum(arm.weight for arm in shape.arms) / len(shape.arms)
    days = max(1, shape.days)
    lifts = shape.lifts or (1.0,) * len(shape.arms)
    for _ in range(sets):
        rows = []
        for day in range(days):
            for arm, lift in zip(shape.arms, lifts, strict=True):
                shown = int(chance.poisson(shape.impressions * arm.weight / weights / days))
                rate = shape.rate * lift
                if shape.jump:
                    rate *= chance.gamma(1 / shape.jump**2, shape.jump**2)
                clicks = int(chance.binomial(shown, min(1.0, rate)))
                bought = int(chance.binomial(clicks, shape.conversion))
                date = f"2026-11-{day + 1:02d}" if shape.days else ""
                rows.append(Count(arm.id, shown, clicks, bought, (date, "", "")))
        columns = {"variant": "variant", "impressions": "impressions", "clicks": "clicks"}
        yield Counts(
            arms=tuple(shape.arms),
            rows=tuple(rows),
            has_conversions=bool(shape.conversion),
            columns=columns | ({"date": "date"} if shape.days else {}),
            unknown={},
            missing=(),
            notes=(),
        )


def named(judgement: Judgement) -> list[str]:
    """Every winner that is named: a variant, and levels of factors."""
    levels = [
        f"{factor.name}={factor.levels[factor.contest.winner]}"
        for factor in judgement.metrics[0].factors
        if factor.contest is not None and factor.contest.winner is not None
    ]
    return [*filter(None, [judgement.winner]), *levels]


def share_named(shape: Shape, sets: int, seed: int = 0) -> float:
    """The share of reports in which anything is named a winner."""
    return sum(bool(named(judge(one))) for one in reports(shape, sets, seed)) / sets


def share_found(shape: Shape, sets: int, seed: int = 0) -> float:
    """The share of reports in which the last arm is named."""
    last = shape.arms[-1].id
    return sum(judge(one).winner == last for one in reports(shape, sets, seed)) / sets


def _named_of(at: int, sets: int) -> float:
    return share_named(SHAPES[at], sets)


def _found_of(at: int, sets: int) -> float:
    return share_found(TRUE[at], sets)


def main(sets: int = SETS) -> None:
    """Print a line a shape, as they come from all cores."""
    worst, few = 0.0, max(1, sets // 5)
    with ProcessPoolExecutor() as pool:
        false = pool.map(partial(_named_of, sets=sets), range(len(SHAPES)))
        found = pool.map(partial(_found_of, sets=few), range(len(TRUE)))
        sys.stdout.write(
            f"(e) false winners in {sets:,} reports without a best (below {MOST:.0%}):\n"
        )
        for shape, share in zip(SHAPES, false, strict=True):
            worst = max(worst, share)
            sys.stdout.write(f"  {share:6.1%}  {shape.told}\n")
            sys.stdout.flush()
        sys.stdout.write(f"a lead of a fifth found, in {few:,} reports each:\n")
        for shape, share in zip(TRUE, found, strict=True):
            told = f"{shape.told}, {shape.impressions:,} impressions each"
            sys.stdout.write(f"  {share:6.1%}  {told}\n")
    sys.stdout.write(f"worst: {worst:.1%} false winners\n")
    if worst >= MOST:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SETS)
