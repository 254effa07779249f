"""Drafts: every shot with its prompt, references, paths and recipes, before the ledger is asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Campaign
from flows.nouns.focus_wish import Wish
from flows.nouns.product import Product
from flows.nouns.recipe import ParameterValue, Recipe, stable_seed, take_numbers
from flows.nouns.said_overlay import SaidOverlay
from flows.nouns.shot import SkippedRow
from flows.nouns.take import Realm
from flows.plan.cells import Wanted
from flows.plan.expand import Brief, Seed
from flows.plan.faults import Faults
from flows.plan.focus import FocusWishes
from flows.plan.masters import Master
from flows.plan.overlays import Overlays
from flows.plan.paths import Paths
from flows.plan.pictures import BadRow, Pictured, Pictures
from flows.plan.texts import Text, Texts, Words, title_of

_SEEDS = 2**31


class Draft(NamedTuple):
    """A shot that was not yet held against the ledger."""

    shot_id: str
    product: Product
    variant: str
    locale: str
    master: Master
    prompt: str
    pictured: Pictured
    paths: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    alt: str
    tags: tuple[str, ...]
    title: str
    place: str
    overlays: tuple[SaidOverlay, ...]
    focus: Wish


class Drafting:
    """Renders what was expanded. Faults are collected; skipped rows are kept with their reason."""

    def __init__(
        self,
        campaign: Campaign,
        realm: Realm,
        *,
        texts: Texts,
        pictures: Pictures,
        paths: Paths,
        overlays: Overlays,
        faults: Faults,
        turned_down: Mapping[str, frozenset[int]] = MappingProxyType({}),
    ) -> None:
        self._texts = texts
        self._pictures = pictures
        self._paths = paths
        self._overlays = overlays
        self._focus = FocusWishes(campaign, faults)
        self._faults = faults
        self._recipes = _Recipes(campaign, realm)
        self._turned_down = turned_down
        self._tags: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.skipped: list[SkippedRow] = []

    def of(self, matrix: Sequence[Wanted]) -> list[Draft]:
        """The drafts in the order of the matrix, until there are more faults than help."""
        made: list[Draft] = []
        for _, unit in itertools.groupby(matrix, key=lambda one: one.brief.unit):
            if self._faults.is_full:
                break
            before = len(made)
            for wanted in unit:
                words = self._texts.words(wanted.brief)
                try:
                    pictured = self._pictures.of(wanted.brief, words)
                except BadRow as bad:
                    del made[before:]
                    self._skip(wanted.brief, str(bad))
                    break
                made.extend(self._of_brief(wanted, words, pictured))
        return made

    def _skip(self, brief: Brief, reason: str) -> None:
        self.skipped.append(SkippedRow(place=brief.place, product=brief.product.key, reason=reason))

    def _of_brief(self, wanted: Wanted, words: Words, pictured: Pictured) -> Iterator[Draft]:
        brief = wanted.brief
        terms, product = brief.terms, brief.product
        title = title_of(product, terms.locale)
        prompt_text = self._texts.of(terms.prompt)
        spoken = _Spoken(words, self._faults)
        alt_text = self._texts.of(terms.alt) if terms.alt else None
        tag_texts = [text for one in terms.tags if (text := self._texts.of(one))]
        labels_of_output = any(text.is_of_output for text in (alt_text, *tag_texts) if text)
        alt = title
        tags: tuple[str, ...] = ()
        overlays: tuple[SaidOverlay, ...] = ()
        focus = self._focus.of(brief)
        begin = "/".join(filter(None, (product.key, terms.variant, terms.locale)))
        paths = self._paths.of(words, wanted.masters, terms.takes)
        for number, (master, placed) in enumerate(zip(wanted.masters, paths, strict=True)):
            if number == 0 or labels_of_output:
                alt = spoken.of(alt_text, master) if alt_text else title
                tags = self._same(spoken.of(text, master) for text in tag_texts)
            if self._overlays and (number == 0 or self._overlays.is_of_output):
                overlays = self._overlays.said(terms.locale, partial(spoken.of, master=master))
            prompt = spoken.prompt(prompt_text, master, terms.prompt.place)
            shot_id = f"{begin}/{master.namer.name}"
            numbers = take_numbers(terms.takes, self._turned_down.get(shot_id, frozenset()))
            yield Draft(
                shot_id,
                product,
                terms.variant,
                terms.locale,
                master,
                prompt,
                pictured,
                placed,
                self._recipes.of(brief, master, prompt, pictured, numbers),
                alt,
                tags,
                title,
                brief.place,
                overlays,
                focus,
            )

    def _same(self, tags: Iterator[str]) -> tuple[str, ...]:
        """Equal tags as one tuple for all shots."""
        told = tuple(dict.fromkeys(tag for tag in tags if tag))
        return self._tags.setdefault(told, told)


class _Spoken:
    """Renders texts for the masters of one brief: again only where they speak of the output."""

    def __init__(self, words: Words, faults: Faults) -> None:
        self._words = words
        self._faults = faults
        self._said: dict[Text, str] = {}
        self._by_output: dict[Text, Callable[[str, str], str]] = {}

    def of(self, text: Text, master: Master) -> str:
        said = self._said.get(text)
        if said is not None and not text.is_of_output:
            return said
        try:
            if text.is_of_output:
                if text not in self._by_output:
                    self._by_output[text] = text.of_outputs(self._words)
                said = self._by_output[text](master.namer.name, master.namer.aspect_ratio)
            else:
                said = text.of_brief(self._words)
        except BadInput as error:
            product = self._words.product
            self._faults.gather(error, product=product.key, said_by=product)
            said = ""
        self._said[text] = said
        return said

    def prompt(self, text: Text | None, master: Master, place: str) -> str:
        if text is None:
            return ""
        said = self.of(text, master)
        if not said and not self._faults:
            self._faults.add(
                Fault(place, "the prompt renders to nothing"), product=self._words.product.key
            )
        return said


class _Recipes:
    """What of a campaign goes into recipes."""

    def __init__(self, campaign: Campaign, realm: Realm) -> None:
        self._is_proof = realm is Realm.PROOF
        self._model = "proof" if self._is_proof else campaign.model.name
        self._palette = list(campaign.brand.palette)
        written = {"guidance": campaign.model.guidance, "safety": campaign.model.safety}
        self._written: Mapping[str, ParameterValue] = {
            name: value for name, value in written.items() if value is not None
        }

    def of(
        self,
        brief: Brief,
        master: Master,
        prompt: str,
        pictured: Pictured,
        numbers: Sequence[int],
    ) -> tuple[Recipe, ...]:
        terms = brief.terms
        parameters = self._written
        if self._is_proof:
            label = [brief.product.key, terms.variant, master.namer.aspect_ratio]
            parameters = {
                "label": [word for word in label if word],
                "palette": self._palette,
            }
        return tuple(
            [
                Recipe(
                    model=self._model,
                    prompt=prompt,
                    references=pictured.marks,
                    ratio=master.ratio,
                    tier=master.tier,
                    seed=_seed(terms.seed, brief.product.key, master.ratio, take),
                    take=take,
                    parameters=parameters,
                )
                for take in numbers
            ]
        )


def _seed(wish: Seed, product: str, ratio: str, take: int) -> int | None:
    """A written number is the first take's; the others count on, or they would be one picture."""
    if wish == "stable":
        return stable_seed(product, ratio, take)
    if isinstance(wish, int):
        return (wish + take - 1) % _SEEDS
    return None
