"""Texts: what a brief says in words; compiled once, rendered no oftener than needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flows.errors import BadInput
from flows.nouns.product import Product
from flows.plan.expand import Brief, Wording
from flows.plan.faults import Faults
from flows.plan.prompts import Template, Templates, product_words

_OF_PRODUCT = frozenset({"product", "locale"})


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The variables of one brief, before an output is known."""

    product: Product
    locale: str
    variables: dict[str, object]

    def of_output(self, name: str, aspect_ratio: str) -> dict[str, object]:
        return {**self.variables, "name": name, "aspect_ratio": aspect_ratio}


class Text:
    """One compiled wording. What holds no Jinja is itself, stripped."""

    def __init__(self, template: Template | None, literal: str) -> None:
        self._template = template
        self._literal = literal.strip()
        self.names: frozenset[str] = template.names if template else frozenset()
        self.is_of_output = not self.names.isdisjoint({"name", "aspect_ratio"})
        self._is_of_product = template is not None and self.names <= _OF_PRODUCT
        self._last: tuple[Product, dict[str, str]] | None = None

    def of_brief(self, words: Words) -> str:
        """The text for a brief; variants that it does not speak of share one rendering.

        Raises:
            BadInput: an undefined name or a fault in the template, with its place.

        """
        if not self._is_of_product:
            return self.render(words.variables)
        if self._last is None or self._last[0] is not words.product:
            self._last = (words.product, {})
        known = self._last[1]
        if words.locale not in known:
            known[words.locale] = self.render(words.variables)
        return known[words.locale]

    def of_outputs(self, words: Words) -> Callable[[str, str], str]:
        """The text for any output of a brief, given its name and aspect ratio.

        Raises:
            BadInput: here or from the function.

        """
        if self._template is None:
            return lambda _name, _ratio: self._literal
        render = self._template.for_outputs(words.variables)
        return lambda name, ratio: render(words.of_output(name, ratio))

    def render(self, variables: Mapping[str, object]) -> str:
        if self._template is None:
            return self._literal
        return self._template.render(variables).strip()


class Texts:
    """Compiles wordings; a fault is collected once and its text is then None."""

    def __init__(self, templates: Templates, faults: Faults) -> None:
        self._templates = templates
        self._faults = faults
        self._made: dict[tuple[str | None, str | None], Text | None] = {}
        self._product: Product | None = None
        self._spoken: dict[str, object] = {}

    def of(self, wording: Wording) -> Text | None:
        key = (wording.file, wording.text)
        if key not in self._made:
            self._made[key] = self._compiled(wording)
        return self._made[key]

    def words(self, brief: Brief) -> Words:
        """The variables of a brief, ours over the campaign's."""
        product, terms = brief.product, brief.terms
        if product is not self._product:
            self._product, self._spoken = product, {}
        spoken = self._spoken.get(terms.locale)
        if spoken is None:
            spoken = product_words(
                product,
                locale=terms.locale,
                image=product.images[0] if product.images else "",
                images=product.images,
            )
            self._spoken[terms.locale] = spoken
        return Words(
            product,
            terms.locale,
            {
                **terms.variables,
                "product": spoken,
                "variant": terms.variant,
                "locale": terms.locale,
                "name": "",
                "aspect_ratio": "",
            },
        )

    def _compiled(self, wording: Wording) -> Text | None:
        if wording.file is None and wording.text is None:
            return None  # no prompt at all: said where it is missing
        if wording.file is None and not is_template(wording.text or ""):
            return Text(None, wording.text or "")
        try:
            template = self._templates.compile(
                file=wording.file, text=wording.text, place=wording.place
            )
        except BadInput as error:
            self._faults.gather(error, place=wording.place)
            return None
        return Text(template, "")


def is_template(text: str) -> bool:
    """Whether there is any Jinja in it."""
    return "{{" in text or "{%" in text or "{#" in text


def title_of(product: Product, locale: str) -> str:
    """The product's title in the locale's words."""
    if not product.translations or not locale:
        return product.title
    return product.in_locale(locale).get("title") or product.title
