"""Legible: whether what is laid over pictures may, can be written and has room, before it costs.

A channel that takes no words is told first. Then fonts are asked for all letters, and for each
output and locale the shot with the most words is arranged as it will be: what has no room there is
told with its place in the campaign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Campaign, Overlay
from flows.nouns.output import Output
from flows.nouns.overlay import BrandKit, LaidOverlay
from flows.nouns.said_overlay import is_asked_for, is_taken, on_output
from flows.plan.drafts import Draft
from flows.plan.faults import Faults
from flows.plan.masters import Master, planned_size
from flows.plan.overlays import Overlays

MOST_ARRANGED = 200
"""Outputs times locales that are tried; the rest is left to finishing, which says the same."""


def check_overlays(
    campaign: Campaign,
    overlays: Overlays,
    drafts: Sequence[Draft],
    kit: BrandKit | None,
    faults: Faults,
) -> list[str]:
    """Collects what is wrong with overlays as they were rendered; returns what is worth a note."""
    if not overlays:
        return []
    notes = _ruled(campaign, drafts, faults)
    if kit is None:
        return notes
    checked = _Checked(campaign.overlays, kit, faults)
    if checked.logos() and checked.letters(drafts):
        notes += checked.room(drafts)
    return notes


def _ruled(campaign: Campaign, drafts: Sequence[Draft], faults: Faults) -> list[str]:
    """What the channels say of words and logos: a refusal is a fault, or a note if not strict."""
    refused: dict[int, dict[str, Output]] = {}
    advised: dict[str, None] = {}
    for index, output in _met(campaign.overlays, drafts):
        if not is_taken(campaign.overlays[index], output):
            refused.setdefault(index, {})[output.name] = output
        elif output.text == "avoid":
            advised[output.name] = None
    notes = []
    if advised:
        verb = "advises" if len(advised) == 1 else "advise"
        notes.append(f"overlays: {', '.join(advised)} {verb} against words over pictures")
    for index, outputs in sorted(refused.items()):
        place = faults.place(f"overlays.{index}")
        found = _refusal(campaign.overlays[index], outputs)
        if campaign.strict:
            remedy = "name its other outputs under its `channels`, or set `strict: false`"
            faults.add(Fault(place, found, remedy=f"{remedy} to leave it out there"))
        else:
            notes.append(f"{place}: {found}; it is left out there")
    return notes


def _met(overlays: Sequence[Overlay], drafts: Sequence[Draft]) -> list[tuple[int, Output]]:
    """Each overlay with each output that it is asked for on and that has a rule about it."""
    met: dict[tuple[int, int], tuple[int, Output]] = {}
    for draft in drafts:
        for output in draft.master.outputs:
            if output.text != "ok":
                for said in draft.overlays:
                    met.setdefault((said.index, id(output)), (said.index, output))
    return [one for one in met.values() if is_asked_for(overlays[one[0]], one[1])]


def _refusal(overlay: Overlay, outputs: dict[str, Output]) -> str:
    names = ", ".join(list(outputs)[:6]) + (
        f" and {len(outputs) - 6} more" if len(outputs) > 6 else ""
    )
    verb = "takes" if len(outputs) == 1 else "take"
    if overlay.logo:
        return f"{names} {verb} no logo over a picture"
    if all(output.text == "logo" for output in outputs.values()):
        return f"{names} {verb} the logo alone, no words"
    return f"{names} {verb} no words over a picture"


@dataclass(slots=True)
class _Fullest:
    """The shot of one output and locale that has the most to say."""

    length: int
    draft: Draft
    output: Output
    master: Master


class _Checked:
    """Asks the lettering what it can do with a campaign's overlays."""

    def __init__(self, overlays: Sequence[Overlay], kit: BrandKit, faults: Faults) -> None:
        self._overlays = overlays
        self._kit = kit
        self._faults = faults

    def logos(self) -> bool:
        """Whether the logos can be drawn; what is wrong with them is told."""
        from flows.lettering import arranged

        if not any(overlay.logo for overlay in self._overlays):
            return True
        is_sound = True
        alone = (LaidOverlay(logo=True, box=(0.0, 0.0, 1.0, 1.0), place="overlays"),)
        for key, data in (("logo", self._kit.logo), ("logo_on_dark", self._kit.logo_on_dark)):
            if data is None:
                continue
            try:
                kit = BrandKit(logo=data)
                arranged((2000, 2000), alone, safe_zone=None, kit=kit, locale="")
            except BadInput as error:
                is_sound = False
                for fault in error.faults:
                    self._faults.add(replace(fault, place=self._faults.place(f"brand.{key}")))
        return is_sound

    def letters(self, drafts: Sequence[Draft]) -> bool:
        """Whether fonts have all letters; what they lack is told once a script, with a product."""
        from flows.lettering import unwritable

        is_sound = True
        for (font, locale), texts in _spoken(drafts, self._overlays).items():
            asked = partial(unwritable, kit=self._kit, locale=locale, font=font)
            try:
                lacking = asked(texts)
                if lacking:
                    is_sound = False
                    index, product = next(texts[one] for one in texts if asked([one]))
                    place = self._faults.place(f"overlays.{index}.text")
                    for found in lacking:
                        # of several scripts it is not known which text lacks which
                        self._faults.add(
                            Fault(place, found), product=product if len(lacking) == 1 else ""
                        )
            except BadInput as error:
                is_sound = False
                index = next(at for at, one in enumerate(self._overlays) if one.font == font)
                for fault in error.faults:
                    self._faults.add(self._placed(fault, index))
        return is_sound

    def room(self, drafts: Sequence[Draft]) -> list[str]:
        """Tell what has no room; the lettering's own notes, such as emoji that are left out."""
        from flows.lettering import arranged

        notes: dict[str, None] = {}
        tried = _fullest(drafts)
        for one in tried[:MOST_ARRANGED]:
            if self._faults.is_full:
                break
            said = on_output(self._overlays, one.draft.overlays, one.output, self._place)
            if not said:
                continue
            master = one.master
            size = planned_size(one.output, master.namer.shape, master.tier)
            try:
                found = arranged(
                    size,
                    said,
                    safe_zone=one.output.clear_zone,
                    kit=self._kit,
                    locale=one.draft.locale,
                )
                notes |= dict.fromkeys(found.notes)
            except BadInput as error:
                for fault in error.faults:
                    found_there = f"{one.output.name}: {fault.found}"
                    told = replace(self._placed(fault, 0), found=found_there)
                    self._faults.add(told, product=one.draft.product.key)
        return list(notes)

    def _place(self, index: int) -> str:
        return self._faults.place(f"overlays.{index}")

    def _placed(self, fault: Fault, index: int) -> Fault:
        """The lettering names keys (`brand.fonts: Inter.ttf`, `overlays.font`); here their lines
        are known.
        """
        key, _, rest = fault.place.partition(": ")
        if key == "overlays.font":
            return replace(fault, place=self._faults.place(f"overlays.{index}.font"))
        if key.startswith("brand."):
            found = f"{rest}: {fault.found}" if rest else fault.found
            return replace(fault, place=self._faults.place(key), found=found)
        return fault


_Said = dict[str, tuple[int, str]]
"""Texts to the overlay and the product that say them first."""


def _spoken(
    drafts: Sequence[Draft], overlays: Sequence[Overlay]
) -> dict[tuple[str | None, str], _Said]:
    """By font and locale the texts that fonts have to be asked for."""
    whole: dict[tuple[str | None, str], _Said] = {}
    for draft in drafts:
        for said in draft.overlays:
            if said.text:
                texts = whole.setdefault((overlays[said.index].font, draft.locale), {})
                texts.setdefault(said.text, (said.index, draft.product.key))
    return {key: _telling(texts) for key, texts in whole.items()}


def _telling(texts: _Said) -> _Said:
    """Of texts in the same scripts those that bring a new letter: of ten thousand titles some
    hundred.
    """
    kept: _Said = {}
    seen: dict[frozenset[int], set[str]] = {}
    for text, where in texts.items():
        letters = set(text)
        known = seen.setdefault(frozenset(map(_block, letters)), set())
        if not letters <= known:
            known |= letters
            kept[text] = where
    return kept


def _block(letter: str) -> int:
    """Which letters are near it, which stands for its script; all Han letters are one."""
    code = ord(letter)
    return 0x4E00 if 0x3400 <= code < 0xA000 else code >> 7


def _fullest(drafts: Sequence[Draft]) -> list[_Fullest]:
    """For each output and locale the shot with the most words, in the order of the plan."""
    found: dict[tuple[int, int, str, tuple[int, ...]], _Fullest] = {}
    for draft in drafts:
        if not draft.overlays:
            continue
        length = sum(len(said.text) for said in draft.overlays)
        which = tuple([said.index for said in draft.overlays])
        for output in draft.master.outputs:
            key = (id(output), id(draft.master), draft.locale, which)
            held = found.get(key)
            if held is None or length > held.length:
                found[key] = _Fullest(length, draft, output, draft.master)
    return list(found.values())
