"""Hosts: whether each can do what the campaign wishes, told before anything is sent.

What is wished in writing and cannot be met is a fault (with `strict: false` a note); what nobody
wrote adapts, with a note (https://docs.lumenfall.ai/unified-model-behavior has the same idea).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flows.errors import Fault
from flows.nouns.output import ratio_of
from flows.nouns.recipe import master_size
from flows.nouns.shot import Reading
from flows.plan.drafts import Draft
from flows.plan.estimate import HostFacts
from flows.plan.faults import Faults

MOST_LOST = 0.5
"""Beyond this share of the picture a host's nearest shape is no answer to the wish."""

TOLD_LOST = 0.01


@dataclass(slots=True)
class _Found:
    """What is to be said of one host. A refusal goes with the product that met it, or none."""

    refusals: dict[tuple[Fault, str], None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


def able(
    reading: Reading, drafts: Sequence[Draft], hosts: Sequence[HostFacts], faults: Faults
) -> tuple[list[HostFacts], list[str]]:
    """The hosts that can make these shots, and notes on what adapts.

    A host that a person named and that cannot is a fault; one that is there because its key is set
    is left out with a note, as long as another can.
    """
    staying: list[HostFacts] = []
    notes: list[str] = []
    left_out: list[tuple[str, _Found]] = []
    for host in hosts:
        found = _Check(reading, host, faults).of(drafts) if host.capabilities else _Found()
        if found.refusals and not host.is_named:
            left_out.append((host.name, found))
            continue
        for fault, product in found.refusals:
            faults.add(fault, product=product)
        staying.append(host)
        notes.extend(f"{host.name}: {note}" for note in found.notes)
    for name, found in left_out:
        if staying:
            reasons = "; ".join(dict.fromkeys(fault.found for fault, _ in found.refusals))
            notes.append(f"{name} is left out: {reasons}")
            continue
        for fault, product in found.refusals:
            faults.add(fault, product=product)
    return staying, notes


class _Check:
    def __init__(self, reading: Reading, host: HostFacts, faults: Faults) -> None:
        if host.capabilities is None:
            msg = f"nothing is known of what {host.name} can do"
            raise ValueError(msg)
        self._reading = reading
        self._host = host.name
        self._can = host.capabilities
        self._faults = faults
        self._found = _Found()
        self._shapes: set[tuple[str, str]] = set()
        self._pictured: set[int] = set()

    def of(self, drafts: Sequence[Draft]) -> _Found:
        for place, found, allowed in self._wishes(drafts):
            if self._reading.campaign.strict:
                remedy = "leave it out, name another host, or write `strict: false`"
                self._refuse(Fault(place, f"{self._host} {found}", allowed, remedy))
            else:
                self._found.notes[f"{found}; the wish is left out (strict: false)"] = None
        most = self._can.prompt_chars
        for draft in drafts:
            if most is not None and len(draft.prompt) > most:
                self._too_long(draft, most)
            if id(draft.pictured) not in self._pictured:
                self._pictured.add(id(draft.pictured))
                self._of_references(draft)
            shape = (draft.recipes[0].ratio, draft.recipes[0].tier)
            if shape not in self._shapes:
                self._shapes.add(shape)
                self._of_shape(draft, *shape)
        return self._found

    def _refuse(self, fault: Fault, product: str = "") -> None:
        self._found.refusals[fault, product] = None

    def _wishes(self, drafts: Sequence[Draft]) -> Iterator[tuple[str, str, str]]:
        """What is written in the spec and cannot be done: place, found, allowed."""
        campaign, can, place = self._reading.campaign, self._can, self._faults.place
        guidance = campaign.model.guidance
        if guidance is not None:
            if can.guidance is None:
                yield place("model.guidance"), "has no guidance scale", ""
            elif not can.guidance[0] <= guidance <= can.guidance[1]:
                least, most = can.guidance
                found = f"takes no guidance of {guidance:g}"
                yield place("model.guidance"), found, f"{least:g} to {most:g}"
        if campaign.model.safety is False and not can.can_switch_safety_off:
            yield place("model.safety"), "cannot switch its safety checker off", "true"
        tier = campaign.model.resolution
        if tier is not None and tier not in can.tiers:
            allowed = ", ".join(can.tiers)
            yield place("model.resolution"), f"does not make {tier}", allowed
        yield from self._seeds(drafts)

    def _seeds(self, drafts: Sequence[Draft]) -> Iterator[tuple[str, str, str]]:
        places = [
            f"{row.place}, column seed"
            for row in self._reading.rows or ()
            if isinstance(row.seed, int)
        ]
        if isinstance(self._reading.campaign.seed, int):
            places.insert(0, self._faults.place("seed"))
        seeds = self._can.seeds
        if seeds is None:
            if places:
                yield places[0], "has no seeds", "stable or none"
            elif any(recipe.seed is not None for draft in drafts[:1] for recipe in draft.recipes):
                note = "has no seeds: the same recipe made again looks different"
                self._found.notes[note] = None
        elif places:
            least, most = seeds
            for draft in drafts:
                for recipe in draft.recipes:
                    if recipe.seed is not None and not least <= recipe.seed <= most:
                        yield places[0], f"takes no seed {recipe.seed}", f"{least} to {most}"
                        return

    def _too_long(self, draft: Draft, most: int) -> None:
        self._refuse(
            Fault(
                self._faults.place("prompt"),
                f"its prompt is longer than {self._host} takes",
                f"{most:,} characters",
                "shorten the template, or name another host",
            ),
            draft.product.key,
        )

    def _of_references(self, draft: Draft) -> None:
        references, limits = draft.pictured.references, self._can.references
        most = limits.count if self._can.together is None else self._can.together - 1
        most = min(most, limits.count)
        place = self._faults.place("references")
        if len(references) > most:
            found = f"{len(references)} references are more than {self._host} takes"
            remedy = "ask for fewer, or name another host"
            self._refuse(Fault(place, found, str(most), remedy), draft.product.key)
        for one in references:
            why = limits.refuses(one.width, one.height)
            if why is not None:
                found = f"image '{one.shown}' cannot be used at {self._host}: {why}"
                remedy = "use a larger picture, or name another host"
                self._refuse(Fault(place, found, remedy=remedy), draft.product.key)

    def _of_shape(self, draft: Draft, ratio: str, tier: str) -> None:
        wanted = ratio_of(ratio)
        width, height = master_size(wanted, tier)
        size = self._can.shapes.nearest(width, height)
        lost = float(1 - min(size.shape, wanted) / max(size.shape, wanted))
        shown = draft.master.namer.aspect_ratio
        notes = self._found.notes
        if lost > MOST_LOST:
            found = (
                f"{self._host} makes nothing near {shown}: of its nearest, {size.shown}, "
                f"{lost:.0%} would be cut away"
            )
            remedy = "leave the shape out, or name another host"
            self._refuse(Fault(self._faults.place("aspect_ratios"), found, remedy=remedy))
        elif lost > TOLD_LOST:
            notes[f"{shown} is cut from its {size.shown}: {lost:.0%} of the picture is lost"] = None
        if size.width is None or size.height is None:
            notes["the pixels of its shapes are not published: what comes is used"] = None
        elif size.width < width - 2 or size.height < height - 2:
            made = f"{shown} at {tier} is made at {size.shown} instead of {width}x{height}"
            notes[made] = None
