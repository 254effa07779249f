"""Cells: what `exclude` takes out of the matrix, what `include` puts back, and what is left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import RATIO_PATTERN, Campaign, Cell
from flows.nouns.output import Output, ratio_of
from flows.nouns.shot import Reading
from flows.plan.expand import Brief
from flows.plan.faults import Faults
from flows.plan.masters import DEFAULT_TIER, Master, is_same_shape, masters, without


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A brief and the masters that it asks for: one shot each."""

    brief: Brief
    masters: tuple[Master, ...]


def wanted(
    reading: Reading, briefs: Sequence[Brief], faults: Faults, notes: dict[str, None]
) -> list[Wanted]:
    """What is left after `exclude` and `include`. A brief without masters is left out."""
    campaign = reading.campaign
    # with a fault in them the cells are left aside, so that the faults of the rest are found too
    is_sound = _check(reading, briefs, faults, notes)
    excluded = _Cells(campaign.exclude if is_sound else ())
    included = _Cells(campaign.include if is_sound else ())
    grouped = _Masters(campaign)
    left = []
    for brief in briefs:
        outputs = brief.terms.outputs
        mask = (1 << len(outputs)) - 1
        if excluded and (taken := excluded.mask(brief)):
            mask &= ~taken | included.mask(brief)
        if mask:
            left.append(Wanted(brief, grouped.of(outputs, mask)))
    for master in {id(one): one for each in left for one in each.masters}.values():
        notes.update(dict.fromkeys(master.notes))
    return left


class _Masters:
    """Groups each set of outputs once."""

    def __init__(self, campaign: Campaign) -> None:
        self._tolerance = campaign.share_masters
        self._tier = campaign.model.resolution
        self._made: dict[tuple[int, int], tuple[Master, ...]] = {}

    def of(self, outputs: tuple[Output, ...], mask: int) -> tuple[Master, ...]:
        # outputs live as long as their briefs, so their identity is a key
        key = (id(outputs), mask)
        if key not in self._made:
            whole = masters(outputs, tolerance=self._tolerance, tier=self._tier)
            names = {one.name for at, one in enumerate(outputs) if mask >> at & 1}
            self._made[key] = without(whole, names, tolerance=self._tolerance, tier=self._tier)
        return self._made[key]


class _Cells:
    """A list of cells that answers which outputs of a brief it touches, as bits."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._of_product: dict[str | None, list[Cell]] = {}
        for cell in cells:
            self._of_product.setdefault(cell.product, []).append(cell)
        self._general: dict[tuple[str, str, int], int] = {}

    def __bool__(self) -> bool:
        return bool(self._of_product)

    def mask(self, brief: Brief) -> int:
        terms = brief.terms
        key = (terms.variant, terms.locale, id(terms.outputs))
        if key not in self._general:
            self._general[key] = _mask(self._of_product.get(None, ()), brief)
        own = self._of_product.get(brief.product.key, ())
        return self._general[key] | (_mask(own, brief) if own else 0)


def _mask(cells: Iterable[Cell], brief: Brief) -> int:
    terms = brief.terms
    mask = 0
    for cell in cells:
        if cell.variant not in (None, terms.variant) or cell.locale not in (None, terms.locale):
            continue
        for at, output in enumerate(terms.outputs):
            if _is_meant(cell, output):
                mask |= 1 << at
    return mask


def _is_meant(cell: Cell, output: Output) -> bool:
    if cell.name is not None and cell.name != output.name:
        return False
    return cell.aspect_ratio is None or _has_ratio(output, cell.aspect_ratio)


def _has_ratio(output: Output, ratio: str) -> bool:
    """`1.91:1` means a channel of 1200x628 too: what is one shape to a pixel is one here."""
    if output.aspect_ratio == ratio:
        return True
    asked = Output(name="", aspect_ratio=ratio, shape=ratio_of(ratio), formats=())
    return is_same_shape(asked, output, DEFAULT_TIER)


def _check(
    reading: Reading, briefs: Sequence[Brief], faults: Faults, notes: dict[str, None]
) -> bool:
    campaign = reading.campaign
    if not campaign.exclude and not campaign.include:
        return True
    found: list[Fault] = []
    outputs = {id(one.terms.outputs): one.terms.outputs for one in briefs}
    known = _Known(
        products={one.product.key for one in briefs},
        variants={one.terms.variant for one in briefs} - {""},
        locales={one.terms.locale for one in briefs} - {""},
        outputs=[output for each in outputs.values() for output in each],
        products_may_leave=_products_may_leave(reading),
    )
    for what, cells in (("exclude", campaign.exclude), ("include", campaign.include)):
        for number, cell in enumerate(cells):
            key = f"{what}.{number}"
            if not cell.model_dump(exclude_none=True):
                found.append(
                    Fault(
                        faults.place(key),
                        f"this cell of `{what}` names no axis",
                        "product, variant, locale, aspect_ratio, name",
                    )
                )
            for axis, fault in _unknown(cell, key, known, faults):
                if axis == "product" and known.products_may_leave:
                    notes[f"{fault.place}: {fault.found}; the cell matches nothing"] = None
                else:
                    found.append(fault)
    for fault in found:
        faults.add(fault)
    return not found


@dataclass(frozen=True, slots=True)
class _Known:
    products: set[str]
    variants: set[str]
    locales: set[str]
    outputs: list[Output]
    products_may_leave: bool


def _products_may_leave(reading: Reading) -> bool:
    """Whether a product that is not here may be in the catalogue all the same."""
    chosen = reading.campaign.products
    return bool(reading.skipped) or (
        chosen is not None and (chosen.where is not None or chosen.limit is not None)
    )


def _unknown(cell: Cell, key: str, known: _Known, faults: Faults) -> Iterator[tuple[str, Fault]]:
    for axis, word, words in (
        ("product", cell.product, known.products),
        ("variant", cell.variant, known.variants),
        ("locale", cell.locale, known.locales),
        ("name", cell.name, {one.name for one in known.outputs}),
    ):
        if word is not None and word not in words:
            what = "output" if axis == "name" else axis
            yield axis, _no_such(what, word, words, faults.place(f"{key}.{axis}"))
    ratio = cell.aspect_ratio
    if ratio is None:
        return
    place = faults.place(f"{key}.aspect_ratio")
    if re.fullmatch(RATIO_PATTERN, ratio) is None:
        yield (
            "aspect_ratio",
            Fault(place, f"'{ratio}' is not an aspect ratio", "width:height such as 4:5"),
        )
    elif not any(_has_ratio(one, ratio) for one in known.outputs):
        ratios = {one.aspect_ratio for one in known.outputs}
        yield "aspect_ratio", _no_such("aspect ratio", ratio, ratios, place)


_MOST_LISTED = 12


def _no_such(what: str, word: str, words: set[str], place: str) -> Fault:
    listed = sorted(words)
    allowed = ", ".join(listed[:_MOST_LISTED]) + (", …" if len(listed) > _MOST_LISTED else "")
    found = f"there is no {what} '{word}'"
    if not words:
        found += f", and this campaign has no {what}s at all"
    return Fault(place, found, allowed, did_you_mean(word, words))
