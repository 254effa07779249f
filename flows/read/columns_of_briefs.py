"""The header of a CSV campaign: which columns are known, and what the others are as variables."""

from __future__ import annotations

from dataclasses import dataclass

from flows.errors import Fault, nearest
from flows.read.dialects.names import image_columns, snake
from flows.read.soundness import AXES
from flows.read.tables import Table

KNOWN = (
    "product", "title", "prompt", "template", "references", "aspect_ratios", "channels", "variant",
    "locale", "takes", "seed", "alt", "tags",
)  # fmt: skip

_SINGULAR = {
    "aspect_ratio": "aspect_ratios",
    "channel": "channels",
    "reference": "references",
    "locales": "locale",
    "variants": "variant",
    "tag": "tags",
    "take": "takes",
    "products": "product",
    "prompts": "prompt",
    "templates": "template",
    "seeds": "seed",
    "titles": "title",
}
"""Spellings so near to a column that a variable can hardly be meant."""


@dataclass(frozen=True, slots=True)
class Header:
    """`known` and `variables` are positions by name; `images` those of columns with pictures."""

    columns: tuple[str, ...]
    known: dict[str, int]
    variables: dict[str, int]
    images: tuple[int, ...]


def header_of(rows: Table) -> tuple[Header, list[Fault]]:
    """The columns of a table of briefs, and everything that is wrong with them."""
    known: dict[str, int] = {}
    variables: dict[str, int] = {}
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for at, column in enumerate(rows.columns):
        name = snake(column)
        place = f"{rows.name}: header, column '{column}'"
        if name in seen:
            found = f"the same name as column '{seen[name]}': {name}"
            faults.append(Fault(place, found, remedy="rename or remove one of them"))
            continue
        seen[name] = column
        if name in KNOWN:
            known[name] = at
        elif name in _SINGULAR:
            faults.append(
                Fault(place, "unknown column", remedy=f"did you mean '{_SINGULAR[name]}'?")
            )
        elif name in AXES:
            found = f"a variable '{name}' would hide the {name} that templates know"
            faults.append(Fault(place, found, remedy="call it otherwise"))
        elif not name.isidentifier():
            remedy = "begin it with a letter"
            faults.append(Fault(place, f"no template can say the variable '{name}'", remedy=remedy))
        else:
            variables[name] = at
    if not {"product", "title"} & known.keys() and not faults:
        faults.append(_no_name(rows))
    fields = tuple(snake(column) for column in rows.columns)
    images = tuple(fields.index(name) for name in image_columns(fields) if name in variables)
    return Header(rows.columns, known, variables, images), faults


def _no_name(rows: Table) -> Fault:
    others = [column for column in rows.columns if snake(column) not in KNOWN]
    near = [(one, meant) for one in others if (meant := nearest(one, ("product", "title")))]
    return Fault(
        f"{rows.name}: header",
        "no column says what a row is about",
        "product or title",
        f"is '{near[0][0]}' meant to be '{near[0][1]}'?" if near else "name a column `title`",
    )
