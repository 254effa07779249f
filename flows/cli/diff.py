from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli import terminal
from flows.errors import BadInput, Fault

if TYPE_CHECKING:
    from flows.nouns.rendition import Manifest
    from flows.publish.diff import Difference, Money

MOST_SHOWN = 20


def diff(
    old: str,
    new: str,
    /,
    *,
    exit_code: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say what changed between two manifests: files with why, takes, failures, money.

    Args:
        old: a manifest.json, or the folder or address that holds one.
        new: the later one.
        exit_code: exit with 1 where something that is published differs.
        json: print it as one JSON document.
    """
    from flows.nouns.workspace import Workspace
    from flows.publish.diff import difference
    from flows.settings import hand_to_storages

    hand_to_storages(Workspace(Path.cwd()))
    before, after = _manifest(old), _manifest(new)
    found = difference(before, after)
    if json:
        terminal.document(
            {"old": _named(old, before), "new": _named(new, after), **found.document()}
        )
    else:
        for at, (place, manifest) in enumerate(((old, before), (new, after))):
            terminal.result(f"{'-+'[at] * 3} {_told(place, manifest)}")
        for line in _lines(found):
            terminal.result(line)
    return int(exit_code and not found.is_same)


def _manifest(place: str) -> Manifest:
    from flows.nouns.address import shown
    from flows.publish.manifest import MANIFEST_JSON, from_json
    from flows.read.addresses import is_address

    address = place
    if not is_address(place):
        address = str(Path(place, MANIFEST_JSON)) if Path(place).is_dir() else place
    elif not place.partition("?")[0].endswith(".json"):
        address = f"{place.rstrip('/')}/{MANIFEST_JSON}"
    name = shown(address)
    try:
        return from_json(_bytes(address, name))
    except ValueError as error:
        raise BadInput(
            f"{name} cannot be compared", [Fault(name, str(error), "the manifest.json of a run")]
        ) from error


def _bytes(address: str, name: str) -> bytes:
    """From the web as a stranger sees it, from a storage with the keys that publishing has."""
    from flows.read.addresses import is_address, read
    from flows.storage import Place

    what = f"{name} cannot be read"
    if not is_address(address):
        return read(address, name)
    if address.lower().startswith(("http://", "https://")):
        try:
            return read(address, name)
        except BadInput as error:
            remedy = "fetch it yourself and name the file"
            faults = [Fault(one.place, one.found, remedy=remedy) for one in error.faults]
            raise BadInput(what, faults) from error
    folder, _, file = address.rpartition("/")
    data = Place(folder).read(file)
    if data is None:
        raise BadInput(what, [Fault(name, "no such file", "a manifest.json, or its folder")])
    return data


def _named(place: str, manifest: Manifest) -> dict[str, object]:
    from flows.nouns.address import shown

    return {
        "place": shown(place),
        "campaign": manifest["campaign"],
        "realm": manifest["realm"],
        "run": manifest["run"]["id"],
        "ended_at": manifest["run"]["ended_at"],
        "renditions": len(manifest["renditions"]),
    }


def _told(place: str, manifest: Manifest) -> str:
    from flows.nouns.address import shown

    run = manifest["run"]
    return (
        f"{shown(place)}: {manifest['campaign']}, {manifest['realm']}, run {run['id']}"
        f" of {run['ended_at']}, {terminal.counted(len(manifest['renditions']), 'file')}"
    )


def _lines(found: Difference) -> Iterator[str]:
    for name in ("campaign", "realm", "title"):
        if name in found.head:
            one, other = found.head[name]
            yield f"{name}: {other} instead of {one}"
    if "spec_sha256" in found.head:
        yield "the campaign file changed"
    if found.is_same:
        yield f"nothing that is published changed: {terminal.counted(found.unchanged, 'file')}"
        return
    replaced, moved, described = (
        found.of_kind(kind) for kind in ("replaced", "moved", "described")
    )
    yield (
        f"{len(found.added):,} added, {len(found.removed):,} removed, {len(replaced):,} replaced,"
        f" {len(moved):,} moved, {len(described):,} said otherwise, {found.unchanged:,} unchanged"
    )
    yield from _some([f"+ {one.row['path']}: {one.why}" for one in found.added])
    yield from _some([f"- {one.row['path']}: {one.why}" for one in found.removed])
    yield from _some([f"~ {one.new['path']}: {'; '.join(one.why)}" for one in replaced])
    yield from _some(
        [f"> {one.new['path']} (was {one.old['path']}): {'; '.join(one.why)}" for one in moved]
    )
    yield from _some([f". {one.new['path']}: {'; '.join(one.why)}" for one in described])
    yield from _takes(found)
    failures = found.failures_added, found.failures_removed
    if any(failures):
        yield f"failures: {len(failures[0]):,} new, {len(failures[1]):,} gone"
        yield from _some([f"! {row['shot_id']}: {row['reason']}" for row in failures[0]])


def _takes(found: Difference) -> Iterator[str]:
    counts = (
        (len(found.takes_added), "new"),
        (len(found.takes_removed), "gone"),
        (len(found.takes_changed), "changed"),
    )
    if not any(count for count, _ in counts):
        return
    yield f"takes: {', '.join(f'{count:,} {word}' for count, word in counts)}"
    before, after = found.paid
    yield (
        f"paid for all that is named: {_money(after)}, before {_money(before)};"
        f" for new takes: {_money(found.paid_for_new)}"
    )


def _money(paid: Money) -> str:
    unknown = f" and {terminal.counted(paid.unknown, 'take')} of unknown cost"
    return f"{terminal.money(paid.usd)}{unknown if paid.unknown else ''}"


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:MOST_SHOWN])
    if len(lines) > MOST_SHOWN:
        yield f"  … and {len(lines) - MOST_SHOWN:,} more (--json)"
