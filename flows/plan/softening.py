"""Softening: the prompt that is tried where hosts refuse a shot's own, and which of the two counts.

A softened prompt is another recipe, so it is bought, kept and found again as any other. It is
rendered with the plan, not when a host says no: what is wrong with its template is known before
anything is spent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Moderation
from flows.nouns.recipe import Recipe
from flows.nouns.take import UNSETTLED, Take, TakeState
from flows.plan.cells import Wanted
from flows.plan.drafts import Draft
from flows.plan.expand import Brief, Wording
from flows.plan.faults import Faults
from flows.plan.masters import Master
from flows.plan.texts import Text, Texts

OWN = "prompt"
"""What the template of the softened prompt knows the shot's own by."""

_REFUSED = "moderation: "
"""How the ledger's reason begins where a host refused a prompt (see `Dispatcher.told`)."""


def softer_recipes(
    wish: Moderation | None,
    matrix: Sequence[Wanted],
    drafts: Sequence[Draft],
    texts: Texts,
    faults: Faults,
) -> Mapping[str, Recipe]:
    """Recipe to the one with the softened prompt, where the campaign names a template for it.

    Shots that share a recipe share its softened one: that of the first of them. A template that
    leaves a prompt as it is softens nothing.
    """
    if wish is None or wish.soften is None:
        return {}
    place = faults.place("moderation.soften")
    text = texts.of(Wording(file=wish.soften, place=place))
    if text is None:
        return {}
    found: dict[str, Recipe] = {}
    for draft, brief in _with_briefs(drafts, matrix):
        if faults.is_full:
            break
        prompt = _softened(text, draft, brief, texts, faults, place)
        if not prompt or prompt == draft.prompt:
            continue
        for recipe in draft.recipes:
            if recipe.sha256 not in found:
                found[recipe.sha256] = replace(recipe, prompt=prompt)
    return found


def note(wish: Moderation | None) -> str | None:
    """What is done about refused prompts, in a line; None where they are only reported."""
    if wish is None:
        return None
    steps = []
    if wish.retries:
        steps.append("is tried again" + (f" {wish.retries} times" if wish.retries > 1 else ""))
    if wish.soften is not None:
        steps.append(f"is softened by {wish.soften}")
    if wish.then == "other-host":
        steps.append("goes to another host where nothing was paid")
    said = f"moderation: a prompt that a host refuses {', then '.join([*steps, 'is reported'])}"
    return f"{said}; a refusal that the host bills counts as spent" if steps else said


def with_softer(
    drafts: Sequence[Draft], softer: Mapping[str, Recipe], takes: Mapping[str, Take]
) -> list[Draft]:
    """The drafts with the recipes that count: the softened one where something was bought of it,
    or where the host billed its refusal of the other.
    """
    return [_with_softer(draft, softer, takes) for draft in drafts]


def _with_softer(draft: Draft, softer: Mapping[str, Recipe], takes: Mapping[str, Take]) -> Draft:
    recipes = tuple(_counting(recipe, softer, takes) for recipe in draft.recipes)
    if recipes == draft.recipes:
        return draft
    return draft._replace(recipes=recipes, prompt=recipes[0].prompt)


def _counting(recipe: Recipe, softer: Mapping[str, Recipe], takes: Mapping[str, Take]) -> Recipe:
    other = softer.get(recipe.sha256)
    if other is None:
        return recipe
    own, softened = takes.get(recipe.sha256), takes.get(other.sha256)
    if own is not None and (own.state is TakeState.DONE or own.state in UNSETTLED):
        return recipe
    if softened is not None and not softened.may_be_bought("park"):
        return other
    return other if own is not None and _was_billed_for_nothing(own) else recipe


def _was_billed_for_nothing(take: Take) -> bool:
    """Whether a host took, or may have taken, money and refused: its prompt is not sent again."""
    is_refused = (take.reason or "").startswith(_REFUSED)
    return is_refused and take.state is TakeState.FAILED and take.billed is not False


def _softened(
    text: Text, draft: Draft, brief: Brief, texts: Texts, faults: Faults, place: str
) -> str:
    if not draft.prompt:
        return ""  # it has a fault of its own
    words = texts.words(brief)
    if fault := _hidden(words.variables, place):
        faults.add(fault)
        return ""
    namer = draft.master.namer
    try:
        said = text.render({**words.of_output(namer.name, namer.aspect_ratio), OWN: draft.prompt})
    except BadInput as error:
        faults.gather(error, product=draft.product.key)
        return ""
    if not said:
        faults.add(
            Fault(place, "the softened prompt renders to nothing"), product=brief.product.key
        )
    return said


def _hidden(variables: Collection[str], place: str) -> Fault | None:
    if OWN not in variables:
        return None
    found = f"its template knows the shot's own prompt as '{OWN}', and a variable is called so, too"
    return Fault(place, found, remedy="give the variable another name")


def _with_briefs(
    drafts: Sequence[Draft], matrix: Sequence[Wanted]
) -> Iterator[tuple[Draft, Brief]]:
    """Each draft with the brief that it is of: in one order, but for briefs that were skipped."""
    following = iter(drafts)
    draft = next(following, None)
    for wanted in matrix:
        for master in wanted.masters:
            if draft is not None and _is_of(draft, wanted.brief, master):
                yield draft, wanted.brief
                draft = next(following, None)


def _is_of(draft: Draft, brief: Brief, master: Master) -> bool:
    return (
        draft.master is master
        and draft.product is brief.product
        and draft.variant == brief.terms.variant
        and draft.locale == brief.terms.locale
    )
