"""A campaign file to a Reading: all faults of the spec at once, then all of its catalogue."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from flows.errors import BadInput, EnvironmentFault, Fault, did_you_mean
from flows.nouns.shot import Reading
from flows.nouns.workspace import Workspace
from flows.read.local import listed
from flows.read.marks import Document, document
from flows.read.refusals import slug
from flows.read.soundness import NO_PRODUCTS, check
from flows.read.spec_yaml import Written, written

YAML_ENDINGS = (".yaml", ".yml")
TABLE_ENDINGS = (".csv", ".tsv")


def campaign(spec: Path, *, defaults: Path | None = None, today: date | None = None) -> Reading:
    """Everything that a campaign file says, with its products.

    `defaults` is a YAML that gives a CSV of briefs the rest; without it a YAML of the same stem
    that has no `products` is used. `today` tells which presets are old (default: the day in UTC).

    Raises:
        BadInput: every fault of the spec or, where the spec is sound, of its catalogue.
        EnvironmentFault: a file is there but cannot be read.

    """
    today = today or datetime.now(UTC).date()
    if spec.is_dir():
        raise unusable(spec, [Fault(str(spec), "a folder, not a file", remedy=_inside(spec))])
    ending = spec.suffix.lower()
    if ending in TABLE_ENDINGS:
        from flows.read.briefs import briefs

        return briefs(spec, defaults=defaults, today=today)
    if ending not in YAML_ENDINGS:
        raise unusable(
            spec,
            [
                Fault(
                    str(spec),
                    f"'{ending}' is no campaign file" if ending else "the name has no ending",
                    "YAML (.yaml, .yml) or CSV (.csv, .tsv)",
                    _near(spec),
                )
            ],
        )
    if defaults is not None:
        raise unusable(
            spec,
            [
                Fault(
                    "--defaults",
                    f"{spec} is YAML and says everything itself",
                    remedy="give --defaults with a CSV of briefs",
                )
            ],
        )
    return _of_yaml(spec, today)


def campaign_id(spec: Path) -> str:
    """The id of a campaign file, without reading its catalogue or rows. What else is wrong with the
    file is not told here.

    Raises:
        BadInput: there is no such file, or it has no id.
        EnvironmentFault: it is there but cannot be read.

    """
    if spec.suffix.lower() in TABLE_ENDINGS and spec.is_file() and (made := slug(spec.stem)):
        return made
    if spec.suffix.lower() not in YAML_ENDINGS or not spec.is_file():
        return campaign(spec).campaign.campaign  # it says what is wrong
    source = understood(document(file_bytes(spec), str(spec)))
    if "campaign" not in source.keys or source.is_told("campaign"):
        raise unusable(spec, in_order(source.faults))
    return source.campaign.campaign


def _of_yaml(spec: Path, today: date) -> Reading:
    data = file_bytes(spec)
    source = understood(document(data, str(spec)))
    found = check(
        source, folder=spec.parent, workspace=workspace_of(spec), of_rows=False, today=today
    )
    if source.faults or found.faults:
        raise unusable(spec, _with_csv(in_order([*source.faults, *found.faults]), spec))
    wish = source.campaign.products
    if wish is None:
        msg = "a campaign without products passed its checks"
        raise AssertionError(msg)
    from flows.read.catalogue import products

    try:
        catalogue = products(wish, folder=str(spec.parent))
    except BadInput as error:
        faults = [_placed(fault, source) for fault in error.faults]
        raise unusable(spec, faults or [Fault(source.place("products"), error.what)]) from error
    return Reading(
        campaign=source.campaign,
        products=catalogue.products,
        rows=None,
        spec_path=str(spec),
        spec_sha256=hashlib.sha256(data).hexdigest(),
        image_base=catalogue.image_base,
        skipped=catalogue.skipped,
        notes=(*found.notes, *catalogue.notes),
        places=source.places(),
        channels=found.channels,
        brand=found.brand,
        left_out=catalogue.left_out,
    )


def understood(source: Document) -> Written:
    """The campaign in a document that is one.

    Raises:
        BadInput: the document is empty or no mapping.

    """
    if (found := written(source)) is not None:
        return found
    raise unusable(source.name, [no_mapping(source)])


def no_mapping(source: Document) -> Fault:
    """Why a document holds no campaign at all."""
    if source.root is None:
        return Fault(f"{source.name}:1:1", "the file is empty", remedy="`shotlist init` makes one")
    return Fault(
        source.place(source.root.mark),
        "a campaign file begins with keys and values, this with a list or text",
        remedy="write `campaign: <id>` at the top",
    )


def _placed(fault: Fault, source: Written) -> Fault:
    """The catalogue names keys of the spec (`products.key`); here their lines are known."""
    if re.match(r"products\b", fault.place) is None:
        return fault
    if item := re.match(r"products\.items: item ([0-9]+)(?:, column '(.*)')?", fault.place):
        place = source.place("products", "items", int(item[1]) - 1, *filter(None, [item[2]]))
    else:
        place = source.place(*fault.place.split("."))
    return replace(fault, place=place, found=f"{fault.place}: {fault.found}")


def _with_csv(faults: list[Fault], spec: Path) -> list[Fault]:
    """A YAML without products beside a CSV of its stem is that CSV's defaults: say this first."""
    table = next((one for one in map(spec.with_suffix, TABLE_ENDINGS) if one.is_file()), None)
    lacking = next((one for one in faults if one.found == NO_PRODUCTS), None)
    if table is None or lacking is None:
        return faults
    remedy = f"these look like the defaults of {table.name}: run {table}"
    return [
        replace(one, remedy=remedy) if one is lacking else one
        for one in faults
        if one.place != lacking.place or one is lacking
    ]


def workspace_of(spec: Path) -> Workspace:
    return Workspace.of(spec, Path.cwd())


def file_bytes(path: Path) -> bytes:
    """The bytes of a campaign file.

    Raises:
        BadInput: there is no such file.
        EnvironmentFault: it is there and cannot be read.

    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise unusable(path, [Fault(str(path), "no such file", remedy=_near(path))]) from error
    except OSError as error:
        raise EnvironmentFault(f"{path}: cannot be read: {error.strerror or error}") from error


def _near(path: Path) -> str:
    return did_you_mean(path.name, _specs(path.parent))


def _inside(folder: Path) -> str:
    there = _specs(folder)
    return f"name a file in it: {', '.join(there[:8])}" if there else "name a campaign file"


def _specs(folder: Path) -> list[str]:
    return [name for name in listed(folder) if name.endswith((*YAML_ENDINGS, *TABLE_ENDINGS))]


def in_order(faults: Sequence[Fault]) -> list[Fault]:
    """By line and column; the same fault of an aliased value is told once."""

    def position(fault: Fault) -> tuple[int, int]:
        parts = fault.place.rsplit(":", 2)
        if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
            return int(parts[1]), int(parts[2])
        return 0, 0

    return sorted(dict.fromkeys(faults), key=position)


def unusable(spec: Path | str, faults: Sequence[Fault]) -> BadInput:
    return BadInput(f"{spec} cannot be used", faults)
