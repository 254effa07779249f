"""Expand: products x variants x locales, or the rows of a CSV campaign, to briefs.

A brief is one product on one set of terms; terms are everything that is not the product, so that
ten thousand briefs share a handful of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.errors import Fault
from flows.nouns.campaign import Campaign, ReferenceWish, Value, Variant
from flows.nouns.output import Output
from flows.nouns.product import Product
from flows.nouns.shot import Reading, RowBrief
from flows.plan.design import designed
from flows.plan.faults import Faults
from flows.plan.outputs import Outputs

Seed = int | str

OUR_NAMES = frozenset({"product", "variant", "locale", "aspect_ratio", "name", "range", "loop"})
"""Names in templates that no variable of a campaign may take."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Wording:
    """A template as the campaign names it: a file in templates/ or the text itself."""

    file: str | None = None
    text: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Terms:
    """All that decides a picture besides its product."""

    variant: str
    locale: str
    variables: Mapping[str, Value]
    prompt: Wording
    alt: Wording | None
    tags: tuple[Wording, ...]
    references: tuple[ReferenceWish, ...]
    references_place: str
    references_of_row: bool
    outputs: tuple[Output, ...]
    takes: int
    seed: Seed


@dataclass(frozen=True, slots=True, eq=False)
class Brief:
    """One product on one set of terms. Briefs of one `unit` are skipped together."""

    product: Product
    terms: Terms
    unit: int
    place: str


def briefs(reading: Reading, outputs: Outputs, faults: Faults) -> list[Brief]:
    """Every brief of the campaign, products outermost, then variants, then locales."""
    if reading.rows is not None:
        return list(_of_rows(reading, outputs, faults))
    all_terms = list(_of_axes(reading.campaign, outputs, faults))
    return [
        Brief(product, terms, unit, _place_of(product))
        for unit, product in enumerate(reading.products)
        for terms in all_terms
    ]


def _place_of(product: Product) -> str:
    if product.source and product.row_number:
        return f"{product.source}, row {product.row_number}"
    return f"product {product.key}"


def variants_of(campaign: Campaign, faults: Faults) -> list[Variant | None]:
    """The written variants or those that an experiment generates; [None] where there is no axis."""
    if campaign.experiment is not None:
        return list(designed(campaign.experiment, faults)) or [None]
    seen: set[str] = set()
    for number, variant in enumerate(campaign.variants):
        if variant.id in seen:
            place = faults.place(f"variants.{number}.id")
            faults.add(Fault(place, f"variant '{variant.id}' is there twice"))
        seen.add(variant.id)
    return list(campaign.variants) or [None]


def _of_axes(campaign: Campaign, outputs: Outputs, faults: Faults) -> Iterator[Terms]:
    locales = campaign.locale_variables() or {"": {}}
    if isinstance(campaign.locales, list) and len(locales) < len(campaign.locales):
        faults.add(Fault(faults.place("locales"), "a locale is there twice"))
    variants = variants_of(campaign, faults)
    _refuse_our_names(campaign.vars, "vars", faults)
    for locale, variables in locales.items():
        _refuse_our_names(variables, f"locales.{locale}.vars", faults)
    wanted = outputs.of_campaign()
    tags = tuple(
        Wording(text=text, place=faults.place(f"tags.{number}"))
        for number, text in enumerate(campaign.tags)
    )
    alt = _wording(text=campaign.alt, place=faults.place("alt"))
    for number, variant in enumerate(variants):
        own: Mapping[str, Value] = variant.vars if variant else {}
        _refuse_our_names(own, f"variants.{number}.vars", faults)
        prompt = _prompt_of(campaign, variant, number, faults)
        for locale, variables in locales.items():
            yield Terms(
                variant=variant.id if variant else "",
                locale=locale,
                variables={**campaign.vars, **variables, **own},
                prompt=prompt,
                alt=alt,
                tags=tags,
                references=tuple(campaign.references),
                references_place="references",
                references_of_row=False,
                outputs=wanted,
                takes=campaign.takes,
                seed=campaign.seed,
            )


def _of_rows(reading: Reading, outputs: Outputs, faults: Faults) -> Iterator[Brief]:
    campaign = reading.campaign
    variants = {
        one.id: (number, one)
        for number, one in enumerate(variants_of(campaign, faults))
        if one is not None
    }
    locales = campaign.locale_variables()
    tags = tuple(
        Wording(text=text, place=faults.place(f"tags.{number}"))
        for number, text in enumerate(campaign.tags)
    )
    for unit, row in enumerate(reading.rows or ()):
        number, variant = variants.get(row.variant or "", (0, None))
        clashing = sorted(OUR_NAMES & row.vars.keys())
        for name in clashing:
            # the same column in every row: one fault at the first of them
            faults.add(_our_name(reading.spec_path, f"column '{name}'", name), product="")
        terms = Terms(
            variant=row.variant or "",
            locale=row.locale or "",
            variables={
                **campaign.vars,
                **locales.get(row.locale or "", {}),
                **(variant.vars if variant else {}),
                **row.vars,
            },
            prompt=_prompt_of_row(row) or _prompt_of(campaign, variant, number, faults, row=row),
            alt=_wording(text=row.alt, place=f"{row.place}, column alt")
            or _wording(text=campaign.alt, place=faults.place("alt")),
            tags=tags
            if row.tags is None
            else tuple(Wording(text=text, place=f"{row.place}, column tags") for text in row.tags),
            references=tuple(campaign.references) if row.references is None else row.references,
            references_place="references" if row.references is None else row.place,
            references_of_row=row.references is not None,
            outputs=outputs.of_row(row),
            takes=campaign.takes if row.takes is None else row.takes,
            seed=_seed_of_row(campaign, row, faults),
        )
        yield Brief(row.product, terms, unit, row.place)


def _wording(*, text: str | None, place: str) -> Wording | None:
    return None if text is None else Wording(text=text, place=place)


def _prompt_of_row(row: RowBrief) -> Wording | None:
    if row.prompt is None and row.prompt_text is None:
        return None
    column = "prompt" if row.prompt is None else "template"
    return Wording(file=row.prompt, text=row.prompt_text, place=f"{row.place}, column {column}")


def _prompt_of(
    campaign: Campaign,
    variant: Variant | None,
    number: int,
    faults: Faults,
    row: RowBrief | None = None,
) -> Wording:
    """The variant's own prompt, else the campaign's; a fault where neither says one."""
    if variant is not None and (variant.prompt or variant.prompt_text):
        if variant.prompt and variant.prompt_text:
            faults.add(
                Fault(
                    faults.place(f"variants.{number}"),
                    "`prompt` and `prompt_text` are two ways to say the same",
                    remedy="keep one",
                )
            )
        key = "prompt" if variant.prompt else "prompt_text"
        return Wording(
            file=variant.prompt,
            text=variant.prompt_text if variant.prompt is None else None,
            place=faults.place(f"variants.{number}.{key}"),
        )
    if campaign.prompt is None and campaign.prompt_text is None:
        place = row.place if row else faults.place("prompt")
        remedy = "write `prompt: <file in templates/>` or `prompt_text: …`"
        if row:
            remedy = "fill the column prompt or template, or write a prompt in the defaults"
        faults.add(Fault(place, "there is no prompt", remedy=remedy))
    key = "prompt" if campaign.prompt else "prompt_text"
    return Wording(file=campaign.prompt, text=campaign.prompt_text, place=faults.place(key))


def _seed_of_row(campaign: Campaign, row: RowBrief, faults: Faults) -> Seed:
    if row.seed is None:
        return campaign.seed
    if isinstance(row.seed, int) and 0 <= row.seed < 2**31:
        return row.seed
    if row.seed in ("stable", "none"):
        return row.seed
    faults.add(
        Fault(f"{row.place}, column seed", f"'{row.seed}'", "stable, none or 0 to 2147483647")
    )
    return "stable"


def _refuse_our_names(variables: Mapping[str, Value], key: str, faults: Faults) -> None:
    for name in sorted(OUR_NAMES & variables.keys()):
        faults.add(_our_name(faults.place(f"{key}.{name}"), f"variable '{name}'", name))


def _our_name(place: str, what: str, name: str) -> Fault:
    return Fault(
        place,
        f"{what} would hide the {name} that templates know",
        remedy="give it another name",
    )
