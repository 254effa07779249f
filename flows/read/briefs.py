"""A CSV campaign: one row a brief, known columns by name, every other column a variable.

What a row leaves blank comes from the defaults, a YAML without `products`. A reference is written
as a path, or as `role=path` (`style=brand/linen.jpg`); without a role the first of a row shows the
product and the others are for style.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from flows.errors import BadInput, Fault
from flows.nouns.campaign import Campaign
from flows.nouns.output import Channel
from flows.nouns.overlay import BrandKit
from flows.nouns.product import Product
from flows.nouns.shot import Reading, RowBrief
from flows.read.columns_of_briefs import Header, header_of
from flows.read.defaults import defaults_of
from flows.read.named import grown_old, known_channels
from flows.read.refusals import slug
from flows.read.rows import Line, line_of
from flows.read.soundness import Checked, check
from flows.read.spec import file_bytes, in_order, unusable, workspace_of
from flows.read.spec_yaml import Written
from flows.read.tables import Table, table


def briefs(spec: Path, *, defaults: Path | None, today: date) -> Reading:
    """The briefs of a CSV or TSV file, with what `defaults` says for all of them.

    Raises:
        BadInput: every fault of the defaults and of all rows.
        EnvironmentFault: a file is there but cannot be read.

    """
    faults: list[Fault] = []
    notes: list[str] = []
    name = _campaign_id(spec, faults, notes)
    data = file_bytes(spec)
    chosen = _Defaults()
    try:
        chosen = _defaults(spec, defaults, name, today)
    except BadInput as error:
        faults += error.faults
    faults += chosen.faults
    try:
        rows = table(data, str(spec))
    except BadInput as error:
        raise unusable(spec, [*faults, *error.faults]) from error
    faults += [Fault(rows.place(r.number, r.column), r.found, remedy=r.remedy) for r in rows.bad]
    header, wrong = header_of(rows)
    faults += wrong
    campaign = chosen.campaign or Campaign(campaign=name)
    lines: list[Line] = []
    known = chosen.channels
    if not wrong and known is None and "channels" in header.known:
        known = known_channels(workspace_of(spec), faults)
    if not wrong:
        templates = workspace_of(spec).templates
        for row in rows.rows:
            line, wrong_cells = line_of(row, header, rows, campaign, templates, known or {})
            faults += wrong_cells
            lines.append(line)
        faults += _keyed(lines, rows)
        faults += _repeated(lines, rows, campaign)
    if faults:
        raise unusable(spec, _by_line(faults, rows))
    products = _products(lines, header, rows)
    made = tuple(_brief(line, product, rows) for line, product in zip(lines, products, strict=True))
    first = {product.key: product for product in reversed(products)}
    return Reading(
        campaign=campaign,
        products=tuple(first[key] for key in dict.fromkeys(one.key for one in products)),
        rows=made,
        spec_path=str(spec),
        spec_sha256=hashlib.sha256(data + chosen.data).hexdigest(),
        image_base=str(spec.parent),
        notes=(*notes, *chosen.notes, *rows.notes, *_grown_old(lines, chosen, known, today)),
        places=chosen.source.places() if chosen.source else {},
        channels=known,
        brand=chosen.brand,
    )


def _grown_old(
    lines: list[Line], chosen: _Defaults, known: Mapping[str, Channel] | None, today: date
) -> list[str]:
    """Of the channels that rows name and the defaults do not, whose age is told already."""
    told = chosen.campaign.channels if chosen.campaign else []
    named = [name for line in lines for name in line.channels or () if name not in told]
    return grown_old(named, known or {}, today)


def _by_line(faults: list[Fault], rows: Table) -> list[Fault]:
    """What is no row's comes first, then the rows' in the order of the file."""
    begin = f"{rows.name}: {rows.unit} "

    def line(fault: Fault) -> int:
        number = re.match("[0-9]+", fault.place.removeprefix(begin))
        return int(number[0]) if fault.place.startswith(begin) and number else 0

    return sorted(dict.fromkeys(faults), key=line)


def _campaign_id(spec: Path, faults: list[Fault], notes: list[str]) -> str:
    """The file's stem, made an id where that can be done."""
    made = slug(spec.stem)
    if not made:
        faults.append(
            Fault(
                str(spec),
                f"the campaign's id is the file's name, and '{spec.stem}' makes none",
                "a-z, 0-9 and dashes",
                "rename the file, for example spring-briefs.csv",
            )
        )
        return "unnamed"
    if made != spec.stem:
        notes.append(f"the campaign's id is {made}, from the file's name")
    return made


@dataclass
class _Defaults:
    campaign: Campaign | None = None
    source: Written | None = None
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    channels: Mapping[str, Channel] | None = None
    brand: BrandKit | None = None
    data: bytes = b""


def _defaults(spec: Path, given: Path | None, name: str, today: date) -> _Defaults:
    """What the defaults say, held against what it names."""
    chosen = defaults_of(spec, given, name)
    if chosen.source is None:
        return _Defaults(faults=[*chosen.faults], notes=[*chosen.notes])
    source, path = chosen.source, chosen.path
    found: Checked = check(
        source, folder=path.parent, workspace=workspace_of(spec), of_rows=True, today=today
    )
    campaign = source.campaign
    if campaign.campaign != name:
        if "campaign" in source.keys:
            found.notes.append(
                f"{source.place('campaign')}: the campaign's id is {name}, from {spec.name}"
            )
        campaign = campaign.model_copy(update={"campaign": name})
    faults = in_order([*source.faults, *found.faults])
    return _Defaults(
        campaign, source, faults, found.notes, found.channels, found.brand, chosen.data
    )


def _keyed(lines: list[Line], rows: Table) -> list[Fault]:
    """Give each line without a product a key made of its title; unlike titles never share one."""
    faults = []
    written_keys = {line.product for line in lines if line.product}
    titles: dict[str, set[str]] = {}
    for line in lines:
        if not line.product and line.title:
            titles.setdefault(_key_of(line.title), set()).add(line.title)
    for line in lines:
        if line.product:
            continue
        if not line.title:
            faults.append(
                Fault(
                    rows.place(line.number),
                    "the row has neither a product nor a title",
                    remedy="fill one of the two",
                )
            )
            continue
        key = _key_of(line.title)
        if not key or len(titles[key]) > 1 or key in written_keys:
            mark = hashlib.sha256(line.title.encode()).hexdigest()[:6]
            key = f"{key}-{mark}" if key else mark
        line.product = key
    return faults


def _key_of(title: str) -> str:
    """`Blaue Tasse` to `blaue-tasse`. A title in another script keeps its letters."""
    if all(not sign.isalpha() or slug(sign) for sign in title):
        return slug(title)
    words = "".join(sign if sign.isalnum() else " " for sign in title.casefold()).split()
    return "-".join(words)


def _repeated(lines: list[Line], rows: Table, campaign: Campaign) -> list[Fault]:
    """Two rows that ask for one picture: same product, variant, locale and output."""
    first: dict[tuple[object, ...], int] = {}
    faults = []
    for line in lines:
        if not line.product:
            continue
        brief = (line.product, line.variant or "", line.locale or "")
        for output, name in dict(line.outputs(campaign)).items():
            key = (*brief, output)
            if key in first:
                which = "/".join(part for part in (*brief, name) if part)
                faults.append(
                    Fault(
                        rows.place(line.number),
                        f"{which} is asked for here and on {rows.unit} {first[key]}",
                        remedy="give one of them a `variant`, or other outputs",
                    )
                )
                break
            first[key] = line.number
    return faults


def _products(lines: list[Line], header: Header, rows: Table) -> list[Product]:
    """A product for each line. What a later row of a product leaves blank, its first row says."""
    first: dict[str, Line] = {}
    made: dict[tuple[object, ...], Product] = {}
    products = []
    for line in lines:
        base = first.setdefault(line.product, line)
        title = line.title or base.title or line.product
        fields = {
            **base.vars,
            **{name: text for name, text in line.vars.items() if text},
            "title": title,
        }
        images = line.images or base.images
        if images:
            fields["image"] = images[0]
        same = (line.product, images, *sorted(fields.items()))
        if same not in made:
            made[same] = Product(
                key=line.product,
                title=title,
                fields=fields,
                row=dict(zip(header.columns, line.cells, strict=True)),
                images=images,
                source=rows.name,
                row_number=line.number,
            )
        products.append(made[same])
    return products


def _brief(line: Line, product: Product, rows: Table) -> RowBrief:
    return RowBrief(
        product=product,
        place=rows.place(line.number),
        variant=line.variant,
        locale=line.locale,
        prompt=line.template,
        prompt_text=line.prompt,
        references=line.references,
        aspect_ratios=line.aspect_ratios,
        channels=line.channels,
        takes=line.takes,
        seed=line.seed,
        alt=line.alt,
        tags=line.tags,
        vars=line.vars,
    )
