"""An outline: what a campaign file says itself, its catalogue, templates and pictures unopened."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from flows.errors import Fault
from flows.nouns.campaign import Campaign
from flows.nouns.shot import Reading
from flows.read.marks import document
from flows.read.spec import (
    TABLE_ENDINGS,
    YAML_ENDINGS,
    campaign,
    campaign_id,
    file_bytes,
    in_order,
    understood,
    unusable,
)
from flows.read.spec_yaml import Written


class Outline(NamedTuple):
    """`reading` has no products and no rows; `named` are the variants that rows of a CSV name."""

    reading: Reading
    named: tuple[str, ...] = ()


def outline(spec: Path, *, defaults: Path | None = None) -> Outline:
    """A campaign file as far as it goes without anything that it points at.

    It holds whatever became of the catalogue since. `defaults` is as in `campaign`.

    Raises:
        BadInput: every fault of the files themselves.
        EnvironmentFault: a file is there but cannot be read.

    """
    ending = spec.suffix.lower()
    is_table = ending in TABLE_ENDINGS
    if not spec.is_file() or not (is_table or (ending in YAML_ENDINGS and defaults is None)):
        return Outline(campaign(spec, defaults=defaults))  # it says what is wrong
    if is_table:
        return _of_briefs(spec, defaults)
    source = understood(document(file_bytes(spec), str(spec)))
    if source.faults:
        raise unusable(spec, in_order(source.faults))
    return Outline(_reading(spec, source.campaign, source))


def _of_briefs(spec: Path, given: Path | None) -> Outline:
    from flows.read.columns_of_briefs import header_of
    from flows.read.defaults import defaults_of
    from flows.read.tables import table

    name = campaign_id(spec)
    chosen = defaults_of(spec, given, name)
    faults = [*chosen.faults, *(chosen.source.faults if chosen.source else ())]
    rows = table(file_bytes(spec), str(spec))
    header, wrong = header_of(rows)
    faults += [Fault(rows.place(r.number, r.column), r.found, remedy=r.remedy) for r in rows.bad]
    if faults or wrong:
        raise unusable(spec, [*in_order(faults), *wrong])
    at = header.known.get("variant")
    cells = () if at is None else [row.cells[at].strip() for row in rows.rows]
    said = chosen.source.campaign if chosen.source else Campaign(campaign=name)
    return Outline(
        _reading(spec, said.model_copy(update={"campaign": name}), chosen.source),
        tuple(dict.fromkeys(cell for cell in cells if cell)),
    )


def _reading(spec: Path, said: Campaign, source: Written | None) -> Reading:
    return Reading(
        campaign=said,
        products=(),
        rows=None,
        spec_path=str(spec),
        spec_sha256="",
        image_base="",
        places=source.places() if source else {},
    )
