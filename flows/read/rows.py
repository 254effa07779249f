"""One row of a CSV campaign: cells to wishes, and what is wrong with each cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from flows.errors import Fault, did_you_mean
from flows.nouns.campaign import ID_PATTERN, RATIO_PATTERN, Campaign, ReferenceWish, Role
from flows.nouns.output import Channel, ratio_of
from flows.read.columns_of_briefs import Header
from flows.read.named import bad_channel, bad_locale, bad_template
from flows.read.plain import cell
from flows.read.refusals import refusal, shown
from flows.read.tables import Row, Table

ROLES: tuple[str, ...] = get_args(Role)
MOST_TAKES = 20
_ROLE_PREFIX = re.compile(r"\s*(\w+)\s*=\s*(?=\S)")
_LARGEST_SEED = 2**31 - 1


@dataclass(slots=True, kw_only=True)
class Line:
    """A row as it was understood. `product` is filled later where the row leaves it blank."""

    number: int
    cells: list[str]
    product: str = ""
    title: str = ""
    prompt: str | None = None
    template: str | None = None
    references: tuple[ReferenceWish, ...] | None = None
    aspect_ratios: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    variant: str | None = None
    locale: str | None = None
    takes: int | None = None
    seed: int | str | None = None
    alt: str | None = None
    tags: tuple[str, ...] | None = None
    images: tuple[str, ...] = ()
    vars: dict[str, str] = field(default_factory=dict)

    def outputs(self, campaign: Campaign) -> Iterator[tuple[object, str]]:
        """What this row asks for: what makes an output unlike the others, and its name."""
        ratios = campaign.aspect_ratios if self.aspect_ratios is None else self.aspect_ratios
        channels = campaign.channels if self.channels is None else self.channels
        yield from ((ratio_of(ratio), ratio.replace(":", "x")) for ratio in ratios)
        yield from ((channel, channel) for channel in channels)
        yield from ((size.name, size.name) for size in campaign.sizes)


def line_of(
    row: Row,
    header: Header,
    rows: Table,
    campaign: Campaign,
    templates: Path,
    channels: Mapping[str, Channel],
) -> tuple[Line, list[Fault]]:
    """A row's wishes, without those that are told in its faults."""
    cells = [cell(text) for text in row.cells]
    reader = _Cells(
        dict(zip(header.known, (cells[at] for at in header.known.values()), strict=True)),
        lambda column: rows.place(row.number, header.columns[header.known[column]]),
    )
    line = Line(number=row.number, cells=cells)
    line.product = reader.text("product")
    line.title = reader.text("title")
    line.prompt = reader.text("prompt") or None
    line.template = reader.template(templates)
    line.references = reader.references()
    line.aspect_ratios = reader.ratios()
    line.channels = reader.channels(channels)
    line.variant = reader.variant()
    line.locale = reader.locale()
    line.takes = reader.whole("takes", 1, MOST_TAKES)
    line.seed = reader.seed()
    line.alt = reader.text("alt") or None
    line.tags = reader.several("tags")
    line.vars = _variables(line, header, cells, campaign)
    line.images = _images(line, header, cells)
    reader.faults += _missing(line, rows, campaign, reader)
    return line, reader.faults


def _variables(line: Line, header: Header, cells: list[str], campaign: Campaign) -> dict[str, str]:
    """The cells of the other columns; a blank one leaves a variable of the defaults as it is."""
    variant = next((one for one in campaign.variants if one.id == line.variant), None)
    known = {
        *campaign.vars,
        *campaign.locale_variables().get(line.locale or "", ()),
        *(variant.vars if variant else ()),
    }
    return {
        name: cells[at] for name, at in header.variables.items() if cells[at] or name not in known
    }


def _images(line: Line, header: Header, cells: list[str]) -> tuple[str, ...]:
    """What `product.image` is: the row's pictures of the product, else its image columns."""
    shown_by_row = [one.from_ for one in line.references or () if one.role == "product"]
    of_columns = [part.strip() for at in header.images for part in cells[at].split("|")]
    found = [*shown_by_row, *of_columns]
    return tuple(dict.fromkeys(one for one in found if one and "{{" not in one))


def _missing(line: Line, rows: Table, campaign: Campaign, reader: _Cells) -> Iterator[Fault]:
    """A row needs a prompt and an output, its own or the defaults'."""
    place = rows.place(line.number)
    variant = next((one for one in campaign.variants if one.id == line.variant), None)
    of_variant = variant is not None and (variant.prompt or variant.prompt_text)
    if line.prompt and reader.text("template"):
        yield Fault(
            place, "`prompt` and `template` are two ways to say the same", remedy="keep one"
        )
    elif not (
        line.prompt
        or reader.text("template")
        or of_variant
        or campaign.prompt
        or campaign.prompt_text
    ):
        yield Fault(
            place,
            "the row has no prompt and there is none in the defaults",
            remedy="fill the column `prompt` or `template`, or give defaults with a prompt",
        )
    if reader.text("aspect_ratios") or reader.text("channels"):
        return
    if not any(line.outputs(campaign)):
        yield Fault(
            place,
            "the row asks for no output and there is none in the defaults",
            remedy="fill the column `aspect_ratios`, for example 1:1|4:5, or `channels`",
        )


class _Cells:
    """Reads the known cells of one row; collects what is wrong with them."""

    def __init__(self, cells: dict[str, str], place: Callable[[str], str]) -> None:
        self._cells = cells
        self._place = place
        self.faults: list[Fault] = []

    def text(self, column: str) -> str:
        return self._cells.get(column, "")

    def several(self, column: str) -> tuple[str, ...] | None:
        """The parts of a cell between `|`; None where it is blank: the defaults' list is meant."""
        parts = tuple(part.strip() for part in self.text(column).split("|"))
        return tuple(part for part in parts if part) or None

    def template(self, templates: Path) -> str | None:
        name = self.text("template")
        if name:
            self.faults += bad_template(name, self._place("template"), templates)
        return name or None

    def whole(self, column: str, low: int, high: int) -> int | None:
        text = self.text(column)
        if not text:
            return None
        if re.fullmatch(r"[0-9]{1,10}", text) and low <= int(text) <= high:
            return int(text)
        found = f"'{shown(text)}' is no number of {column}"
        self.faults.append(Fault(self._place(column), found, f"a whole number, {low} to {high}"))
        return None

    def seed(self) -> int | str | None:
        text = self.text("seed")
        if text in ("", "stable", "none"):
            return text or None
        if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= _LARGEST_SEED:
            return int(text)
        self.faults.append(
            Fault(
                self._place("seed"),
                f"'{shown(text)}' is no seed",
                f"stable, none or a whole number up to {_LARGEST_SEED}",
                did_you_mean(text, ("stable", "none")),
            )
        )
        return None

    def ratios(self) -> tuple[str, ...] | None:
        good: list[str] = []
        shapes: dict[object, str] = {}
        for text in self.several("aspect_ratios") or ():
            place = self._place("aspect_ratios")
            if not re.fullmatch(RATIO_PATTERN, text):
                self._refuse("aspect_ratios", RATIO_PATTERN, text)
            elif (shape := ratio_of(text)) in shapes:
                found = f"'{text}' is the same shape as '{shapes[shape]}'"
                if text == shapes[shape]:
                    found = f"'{text}' stands here twice"
                self.faults.append(Fault(place, found, remedy="keep one"))
            else:
                shapes[shape] = text
                good.append(text)
        return tuple(good) or None

    def channels(self, known: Mapping[str, Channel]) -> tuple[str, ...] | None:
        named = self.several("channels")
        for at, name in enumerate(named or ()):
            self.faults += bad_channel(name, self._place("channels"), known)
            if name in (named or ())[:at]:
                found = f"'{name}' stands here twice"
                self.faults.append(Fault(self._place("channels"), found, remedy="keep one"))
        return named

    def variant(self) -> str | None:
        text = self.text("variant")
        if text and not re.fullmatch(ID_PATTERN, text):
            self._refuse("variant", ID_PATTERN, text)
        return text or None

    def locale(self) -> str | None:
        text = self.text("locale")
        if text:
            self.faults += bad_locale(text, self._place("locale"))
        return text or None

    def references(self) -> tuple[ReferenceWish, ...] | None:
        parts = self.several("references")
        if parts is None:
            return None
        wishes = []
        for at, part in enumerate(parts):
            prefix = _ROLE_PREFIX.match(part)
            if prefix is not None and prefix[1] in ROLES:
                role, path = prefix[1], part[prefix.end() :]
            else:
                role, path = "product" if at == 0 else "style", part
            wishes.append(ReferenceWish.model_validate({"from": path, "role": cast("Role", role)}))
        return tuple(wishes)

    def _refuse(self, column: str, pattern: str, text: str) -> None:
        error = {
            "type": "string_pattern_mismatch", "value": text, "ctx": {"pattern": pattern},
        }  # fmt: skip
        self.faults.append(refusal(self._place(column), column, error))
