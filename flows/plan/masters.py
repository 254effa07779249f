"""Masters: the fewest generations that cover the wanted outputs, and the tier of each."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flows.nouns.output import Output
from flows.nouns.recipe import TIERS, master_size

DEFAULT_TIER = "2K"

_MOST_TRIED = 12
"""Up to so many unlike shapes every choice is tried; beyond, the greedy one is taken."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Master:
    """One picture to be generated and the outputs that are cut from it."""

    namer: Output
    """The output whose name and shape it has."""
    outputs: tuple[Output, ...]
    tier: str
    ratio: str
    """The shape in lowest terms, as recipes have it."""
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Planned width and height."""
        return master_size(self.namer.shape, self.tier)


def masters(
    outputs: Sequence[Output], *, tolerance: float = 0.0, tier: str | None = None
) -> tuple[Master, ...]:
    """Group outputs into masters, in the order of the outputs that name them.

    Outputs of equal shape share one; with a `tolerance` above 0 so do others, as long as no output
    loses more than that share of the master's area. `tier` is what the campaign wrote: kept even
    where an output must then be enlarged, with a note. Where it wrote none, 2K rises to 4K where an
    output needs it.
    """
    groups = _of_equal_shape(outputs, tier or DEFAULT_TIER)
    if tolerance > 0 and len(groups) > 1:
        groups = _shared(groups, tolerance)
    position = {output.name: at for at, output in enumerate(outputs)}
    return tuple(
        _master(group[0], sorted(group, key=lambda one: position[one.name]), tier)
        for group in sorted(groups, key=lambda group: position[group[0].name])
    )


def without(
    whole: Sequence[Master],
    kept: Collection[str],
    *,
    tolerance: float = 0.0,
    tier: str | None = None,
) -> tuple[Master, ...]:
    """The masters that the outputs named in `kept` still need.

    A master keeps its name as long as the output that names it stays, so leaving one output out
    renames no shot; the rest of a group that lost its name is grouped anew.
    """
    left: list[Master] = []
    for master in whole:
        staying = [output for output in master.outputs if output.name in kept]
        if len(staying) == len(master.outputs):
            left.append(master)
        elif master.namer in staying:
            left.append(_master(master.namer, staying, tier))
        else:
            left.extend(masters(staying, tolerance=tolerance, tier=tier))
    return tuple(left)


def crop_size(width: int, height: int, shape: Fraction) -> tuple[int, int]:
    """The largest part of this shape that can be cut from a picture of width x height."""
    if shape > Fraction(width, height):
        return width, max(1, round(width / shape))
    return max(1, round(height * shape)), height


def planned_size(output: Output, shape: Fraction, tier: str) -> tuple[int, int]:
    """The size of an output that is cut from a master of this shape and tier."""
    if output.width is not None and output.height is not None:
        return output.width, output.height
    width, height = master_size(shape, tier)
    if output.shape == shape:
        return width, height
    return crop_size(width, height, output.shape)


def crop_loss(master: Fraction, output: Fraction) -> float:
    """The share of the master's area that is cut away."""
    return float(1 - min(master, output) / max(master, output))


def is_same_shape(one: Output, other: Output, tier: str = DEFAULT_TIER) -> bool:
    """Whether cutting one to the other's shape takes less than a pixel off the smaller of them."""
    if one.shape == other.shape:
        return True
    sizes = [
        (output.width, output.height)
        if output.width is not None and output.height is not None
        else master_size(output.shape, tier)
        for output in (one, other)
    ]
    small, shape = min(
        (sizes[0], other.shape), (sizes[1], one.shape), key=lambda pair: pair[0][0] * pair[0][1]
    )
    width, height = small
    # the other picture, scaled until it just covers the smaller one, sticks out by this much
    over = max(height * shape - width, width / shape - height)
    return over < 1


def _of_equal_shape(outputs: Sequence[Output], tier: str) -> list[list[Output]]:
    groups: list[list[Output]] = []
    for output in outputs:
        for group in groups:
            if is_same_shape(group[0], output, tier):
                group.append(output)
                break
        else:
            groups.append([output])
    return groups


def _shared(groups: list[list[Output]], tolerance: float) -> list[list[Output]]:
    """The fewest of the groups whose shape covers all; each other joins where it loses least."""
    loss = [
        [max(crop_loss(master[0].shape, one.shape) for one in group) for group in groups]
        for master in groups
    ]
    for at in range(len(groups)):
        loss[at][at] = 0.0  # a group is always served by its own shape
    served = [{at for at, lost in enumerate(row) if lost <= tolerance} for row in loss]
    chosen = (_fewest if len(groups) <= _MOST_TRIED else _greedy)(served, loss)
    shared: dict[int, list[Output]] = {at: list(groups[at]) for at in chosen}
    for at, group in enumerate(groups):
        if at not in shared:
            best = min((one for one in chosen if at in served[one]), key=lambda one: loss[one][at])
            shared[best].extend(group)
    return list(shared.values())


def _fewest(served: Sequence[set[int]], loss: Sequence[Sequence[float]]) -> tuple[int, ...]:
    everything = set(range(len(served)))
    for count in range(1, len(served)):
        covers = [
            chosen
            for chosen in itertools.combinations(range(len(served)), count)
            if set().union(*(served[at] for at in chosen)) == everything
        ]
        if covers:
            return min(
                covers,
                key=lambda chosen: sum(min(loss[one][at] for one in chosen) for at in everything),
            )
    return tuple(everything)


def _greedy(served: Sequence[set[int]], loss: Sequence[Sequence[float]]) -> tuple[int, ...]:
    """Chvátal's greedy cover (1979, https://doi.org/10.1287/moor.4.3.233)."""
    open_ones = set(range(len(served)))
    chosen: list[int] = []
    while open_ones:
        best = max(
            range(len(served)),
            key=lambda at: (
                len(served[at] & open_ones),
                -sum(loss[at][one] for one in served[at] & open_ones),
                -at,
            ),
        )
        chosen.append(best)
        open_ones -= served[best]
    return tuple(sorted(chosen))


def _master(namer: Output, outputs: Sequence[Output], written: str | None) -> Master:
    tier = written or DEFAULT_TIER
    if written is None and any(_falls_short(namer, output, tier) for output in outputs):
        tier = list(TIERS)[-1]
    notes = tuple(
        _enlarged(namer, output, tier, written)
        for output in outputs
        if _falls_short(namer, output, tier)
    )
    shape = namer.shape
    return Master(
        namer=namer,
        outputs=tuple(outputs),
        tier=tier,
        ratio=f"{shape.numerator}:{shape.denominator}",
        notes=notes,
    )


def _falls_short(namer: Output, output: Output, tier: str) -> bool:
    if output.width is None or output.height is None:
        return False
    width, height = crop_size(*master_size(namer.shape, tier), output.shape)
    # a pixel's difference is the rounding of the shape, not a lack of detail
    return width < output.width - 1 or height < output.height - 1


def _enlarged(namer: Output, output: Output, tier: str, written: str | None) -> str:
    width, height = crop_size(*master_size(namer.shape, tier), output.shape)
    remedy = ""
    if written is not None and tier != list(TIERS)[-1]:
        remedy = "; a larger model.resolution, or none, would help"
    return (
        f"{output.name} ({output.width}x{output.height}) will be upscaled:"
        f" a {tier} master gives it {width}x{height}{remedy}"
    )
