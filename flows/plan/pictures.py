"""Pictures: the references of a brief, from wishes to images that were looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flows.errors import BadInput, Fault
from flows.nouns.campaign import ReferenceWish, Role
from flows.nouns.product import Product
from flows.nouns.reference import Reference, ReferenceReader
from flows.plan.expand import Brief, Wording
from flows.plan.faults import Faults
from flows.plan.texts import Texts, Words, is_template


class BadRow(Exception):
    """A required reference of this row cannot be used."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictured:
    """The references of a brief and what a recipe keeps of them: role and sha256."""

    references: tuple[Reference, ...]
    marks: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _LeftOut:
    first: str
    reason: str
    products: set[str]


_Looked = Reference | BadInput


class Pictures:
    """Looks at each address once. With `skip_rows` a bad required one raises BadRow, else it is
    collected as a fault.
    """

    def __init__(
        self, texts: Texts, reader: ReferenceReader, faults: Faults, *, skip_rows: bool
    ) -> None:
        self._texts = texts
        self._reader = reader
        self._faults = faults
        self._skip_rows = skip_rows
        self._looked: dict[tuple[str, Role, bool], _Looked] = {}
        self._product: Product | None = None
        self._pictured: dict[tuple[Reference, ...], Pictured] = {}
        self._left_out: dict[tuple[str, str], _LeftOut] = {}

    def of(self, brief: Brief, words: Words) -> Pictured:
        """The references of a brief in the order of the wishes.

        Raises:
            BadRow: a row's required reference is at fault and bad rows are skipped.

        """
        found: list[Reference] = []
        for number, wish in enumerate(brief.terms.references):
            found.extend(self._wished(brief, words, wish, number))
        references = tuple(found)
        if brief.product is not self._product:
            self._product, self._pictured = brief.product, {}
        if references not in self._pictured:
            marks = tuple((one.role, one.sha256) for one in references)
            self._pictured[references] = Pictured(references, marks)
        return self._pictured[references]

    def notes(self) -> list[str]:
        """What was left out because it was not required."""
        told = []
        for (source, role), left in self._left_out.items():
            others = len(left.products) - 1
            more = f" and {others:,} more" if others else ""
            told.append(
                f"reference {source} ({role}) is left out for product {left.first}{more}:"
                f" {left.reason}"
            )
        return told

    def _wished(
        self, brief: Brief, words: Words, wish: ReferenceWish, number: int
    ) -> list[Reference]:
        terms = brief.terms
        of_template = is_template(wish.from_)
        of_row = of_template or terms.references_of_row
        place = terms.references_place
        if not terms.references_of_row:
            place = self._faults.place(f"{place}.{number}.from")
        sources = [wish.from_]
        if of_template:
            text = self._texts.of(Wording(text=wish.from_, place=place))
            if text is None:
                return []
            try:
                rendered = text.of_brief(words)
            except BadInput as error:
                self._faults.gather(error, product=brief.product.key, place=place)
                return []
            sources = [source for part in rendered.split("|") if (source := part.strip())]
            if not sources:
                self._bad(brief, wish, BadInput("", [_empty(wish, place)]), place, of_row=True)
        seen = []
        for source in sources:
            looked = self._look(source, wish.role, of_row=of_row)
            if isinstance(looked, BadInput):
                self._bad(brief, wish, looked, place, of_row=of_row)
            else:
                seen.append(looked)
        return seen

    def _look(self, source: str, role: Role, *, of_row: bool) -> _Looked:
        key = (source, role, of_row)
        looked = self._looked.get(key)
        if looked is None:
            try:
                looked = self._reader.look(source, role=role, of_row=of_row)
            except BadInput as error:
                looked = error
            self._looked[key] = looked
        return looked

    def _bad(
        self, brief: Brief, wish: ReferenceWish, error: BadInput, place: str, *, of_row: bool
    ) -> None:
        key = brief.product.key
        reason = "; ".join(fault.found for fault in error.faults) or error.what
        if not wish.required:
            left = self._left_out.setdefault((wish.from_, wish.role), _LeftOut(key, reason, set()))
            left.products.add(key)
        elif of_row and self._skip_rows:
            raise BadRow(reason)
        else:
            self._faults.gather(error, product=key if of_row else "", place=place)


_ONE_FIELD = re.compile(r"\{\{\s*product\.(\w+)\s*\}\}")


def _empty(wish: ReferenceWish, place: str) -> Fault:
    field = _ONE_FIELD.fullmatch(wish.from_.strip())
    what = field[1] if field else wish.from_
    return Fault(place, f"{what} is empty", remedy="fill it, or write `required: false`")
