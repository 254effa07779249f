"""Reasons: why a shot is not what it was, as far as the former manifest tells.

The ledger knows that a recipe is another one; the manifest at the destination knows the prompt and
the references behind each file that lies there. Held against each other they name what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flows.nouns.campaign import Campaign, Value
from flows.nouns.rendition import Manifest, RenditionRow, TakeRow
from flows.nouns.take import Realm
from flows.nouns.text_difference import brief, told
from flows.plan.drafts import Draft

UNTOLD = "its recipe changed: prompt, references, shape, seed or model"

_NAMED_FIRST = ("title", "description", "category", "price")
_CUT_MARKS = ("…", "...")
_LEAST_SHORTENED = 4
_SHORTEST = 2
"""A value of one letter stands everywhere in a prompt and names nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why shots are new or changed. Nothing is looked at before it is asked for."""

    campaign: Campaign
    drafts: Sequence[Draft]
    lookup: Lookup

    def changed(self, at: int) -> str:
        """What changed about the shot of this number since its picture was published."""
        draft = self.drafts[at]
        found = self.lookup.published.get(draft.shot_id)
        if found is None:
            return UNTOLD
        row, take = found
        prompt = draft.recipes[0].prompt
        why = [
            *_prompt(row["prompt"], prompt, self._words(draft)),
            *_references(take, draft.pictured.marks),
        ]
        return "; ".join(why) or "its shape, resolution, seed or a setting of the model changed"

    def of_new(self, at: int) -> str:
        """Why a shot was never made; empty where there is nothing to say."""
        return "its product is new" if self.lookup.is_new(self.drafts[at].product.key) else ""

    def _words(self, draft: Draft) -> Iterator[tuple[str, str]]:
        """Names and values that a prompt may be made of, those that people know best first."""
        fields = draft.product.in_locale(draft.locale)
        for name in _NAMED_FIRST:
            if name in fields:
                yield name, fields[name]
        variables: dict[str, Value] = {
            **self.campaign.vars,
            **self.campaign.locale_variables().get(draft.locale, {}),
        }
        for variant in self.campaign.variants:
            if variant.id == draft.variant:
                variables |= variant.vars
        yield from ((name, str(value)) for name, value in variables.items())
        yield from ((name, value) for name, value in fields.items() if name not in _NAMED_FIRST)
        yield from draft.product.row.items()


class Lookup:
    """What was planned and published before, by shot; sorted through once, when first asked."""

    def __init__(
        self, former: Manifest | None, realm: Realm, earlier: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._former = former if former is not None and former["realm"] == realm.value else None
        self._earlier = earlier

    @cached_property
    def published(self) -> Mapping[str, tuple[RenditionRow, TakeRow]]:
        """Shot id to one of its published files and the take behind it."""
        if self._former is None:
            return {}
        takes = {take["recipe"]: take for take in self._former["takes"]}
        return {
            row["shot_id"]: (row, takes[row["recipe"]])
            for row in reversed(self._former["renditions"])
            if row["recipe"] in takes
        }

    def is_new(self, product: str) -> bool:
        """Whether the campaign was planned before, and no shot of this product."""
        return bool(self._earlier) and product not in self._beginnings

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        found = set()
        for shot_id in self._earlier:
            # a key may hold slashes itself
            end = shot_id.find("/")
            while end >= 0:
                found.add(shot_id[:end])
                end = shot_id.find("/", end + 1)
        return frozenset(found)


def _prompt(old: str, new: str, words: Iterable[tuple[str, str]]) -> Iterator[str]:
    if old == new:
        return
    named = list(words)
    for spelled in (_spelled, _shortened):
        for name, value in named:
            for text in spelled(value, new):
                was = _replaced(old, new, text)
                # a value that stood there before is not what changed: words around it did
                if was is not None and text not in was:
                    yield f"{name} changed: {brief(was)} -> {brief(text)}"
                    return
    yield f"prompt changed: {told(old, new)}"


def _spelled(value: str, _prompt: str) -> Iterable[str]:
    return dict.fromkeys((value, value.lower(), value.upper(), value.strip()))


def _shortened(value: str, prompt: str) -> Iterator[str]:
    """The longest beginning of a value that stands in a prompt, with the mark of what was cut."""
    least, most = _LEAST_SHORTENED, len(value) - 1
    if value[:least] not in prompt:
        return
    # where a beginning stands, all shorter ones do
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if value[:middle] in prompt else (least, middle - 1)
    beginning = value[:least].rstrip()
    for mark in _CUT_MARKS:
        if beginning + mark in prompt:
            yield beginning + mark
    if " " in beginning:  # one word alone may stand there for itself
        yield beginning


def _replaced(old: str, new: str, value: str) -> str | None:
    """What stood in the old text wherever `value` stands in the new one; None where that is not
    the whole difference.
    """
    if len(value) < _SHORTEST:
        return None
    parts = new.split(value)
    count = len(parts) - 1
    letters = len(old) - sum(map(len, parts))
    if not count or letters <= 0 or letters % count:
        return None
    start = len(parts[0])
    was = old[start : start + letters // count]
    return was if was.strip() and was.join(parts) == old else None


def _references(take: TakeRow, now: Sequence[tuple[str, str]]) -> Iterator[str]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for one in take["references"]:
        before.setdefault(one["role"], []).append(one["sha256"])
    for role, sha256 in now:
        after.setdefault(role, []).append(sha256)
    for role in {**before, **after}:
        noun = "photo" if role == "product" else f"{role} reference"
        if role not in after:
            yield f"{noun} left"
        elif role not in before:
            yield f"{noun} came"
        elif before[role] != after[role]:
            yield f"{noun} changed"
