"""In: a campaign file alone, whatever became of what it points at. Out: its Outline."""

from __future__ import annotations

from pathlib import Path

from flows.errors import Fault
from flows.nouns.campaign import Campaign
from flows.nouns.outline import Outline
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
        found = campaign(spec, defaults=defaults)  # it says what is wrong
        return Outline(campaign=found.campaign, spec_path=found.spec_path, places=found.places)
    if is_table:
        return _of_briefs(spec, defaults)
    source = understood(document(file_bytes(spec), str(spec)))
    if source.faults:
        raise unusable(spec, in_order(source.faults))
    return Outline(campaign=source.campaign, spec_path=str(spec), places=source.places())


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
        campaign=said.model_copy(update={"campaign": name}),
        spec_path=str(spec),
        places=chosen.source.places() if chosen.source else {},
        named=tuple(dict.fromkeys(cell for cell in cells if cell)),
    )
