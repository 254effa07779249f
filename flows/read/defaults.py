"""The defaults of a CSV of briefs: a YAML without products, named or of the same stem."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.errors import Fault
from flows.read.marks import document
from flows.read.spec import YAML_ENDINGS, file_bytes, in_order, no_mapping
from flows.read.spec_yaml import Written, written


@dataclass(frozen=True, slots=True)
class Defaults:
    """The YAML that gives the rest, as it is written; without a `source` there is none to use."""

    source: Written | None = None
    path: Path = Path()
    data: bytes = b""
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def defaults_of(spec: Path, given: Path | None, name: str) -> Defaults:
    """The defaults that were given, else a YAML of the same stem that is no campaign of its own."""
    beside = (spec.with_suffix(ending) for ending in YAML_ENDINGS)
    path = given or next((one for one in beside if one.is_file()), None)
    if path is None:
        return Defaults()
    data = file_bytes(path)
    read = document(data, str(path))
    source = written(read, campaign=name)
    if source is None:
        return Defaults(faults=(no_mapping(read),))
    if "products" in source.keys:
        if given is None:
            note = f"{path} has products of its own: it is another campaign and gives no defaults"
            return Defaults(notes=(note,))
        fault = Fault(
            source.place("products"),
            "defaults have no products: the rows are the products",
            remedy="remove `products`",
        )
        return Defaults(faults=tuple(in_order([*source.faults, fault])))
    return Defaults(source, path, data)
