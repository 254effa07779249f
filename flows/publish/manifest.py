"""The manifest: what a destination holds, kept true from run to run, as JSON and as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from flows.errors import EnvironmentFault
from flows.nouns.rendition import (
    MANIFEST_SCHEMA,
    FailureRow,
    Manifest,
    RenditionRow,
    RunRow,
    TakeRow,
    Totals,
)
from flows.publish import schema
from flows.publish.names import FOLDER, folded

MANIFEST_JSON = "manifest.json"
MANIFEST_CSV = "manifest.csv"
MANIFEST_PARQUET = "manifest.parquet"
PARKED = "parked"

# What a spreadsheet takes for a formula at the start of a cell
# (https://owasp.org/www-community/attacks/CSV_Injection), full-width forms among them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one run has to say: its head, the whole plan, and what it made of it.

    `wanted` is the whole plan in its order, shot id to the recipes of its takes; `made` the shots
    whose renditions, new or kept, are all in `renditions`. `outputs`, where it is given, says
    which (name, format) each shot still wants. A row of `takes` may be of a take that no
    rendition names in the end; it is left out.
    """

    campaign: str
    title: str
    realm: str
    spec_sha256: str
    run: RunRow
    wanted: Mapping[str, Sequence[str]]
    made: Collection[str]
    renditions: Sequence[RenditionRow]
    takes: Sequence[TakeRow]
    failures: Sequence[FailureRow] = ()
    outputs: Mapping[str, Collection[tuple[str, str]]] = field(default_factory=dict)
    gone: Collection[str] = ()
    """Paths of former renditions whose files are no longer there: they are not carried on."""


def from_json(data: bytes) -> Manifest:
    """The manifest in a file's bytes.

    Raises:
        ValueError: it is none, or not a true one; in words that go behind the file's name.

    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = f"is not whole JSON ({error})"
        raise ValueError(msg) from error
    if not isinstance(found, dict) or not str(found.get("schema", "")).startswith("shotlist/"):
        msg = "is not a manifest of this program"
        raise ValueError(msg)
    if found["schema"] != MANIFEST_SCHEMA:
        msg = f"has the form {found['schema']}, this version knows {MANIFEST_SCHEMA}"
        raise ValueError(msg)
    manifest = cast("Manifest", found)
    if wrong := check(manifest):
        msg = f"is not a true manifest: {wrong[0]}"
        raise ValueError(msg)
    return manifest


def admit(lying: Manifest, *, campaign: str, realm: str, where: str) -> None:
    """Ask, before anything is made, whether a run may publish where this manifest lies.

    Raises:
        EnvironmentFault: it is another campaign's, or live and this run is not.

    """
    if realm and lying["realm"] == "live" and realm != "live":
        raise EnvironmentFault(
            f"{where}: holds a live manifest of {lying['campaign']}, and this run is {realm}; "
            "publish it elsewhere with --to"
        )
    if lying["campaign"] != campaign:
        raise EnvironmentFault(
            f"{where}: holds the manifest of campaign {lying['campaign']}, not of {campaign}; "
            "publish to a place of its own with --to, or move that manifest away"
        )


def merge(lying: Manifest | None, news: News) -> Manifest:
    """The manifest after a run: what it made, and of the former one what is still wanted.

    A wanted shot that the run did not make keeps its former renditions, `stale` where their
    recipe is not wanted any more, and its former failure unless the run has one of its own. A
    former rendition whose path a new one took is gone. Nothing is carried from another realm.

    Raises:
        EnvironmentFault: the former manifest is live and this run is not, or it is another
            campaign's.

    """
    if lying is not None:
        admit(lying, campaign=news.campaign, realm=news.realm, where="the destination")
    base = lying if lying is not None and lying["realm"] == news.realm else None
    renditions = _renditions(base, news)
    failures = _failures(base, news)
    return Manifest(
        schema=MANIFEST_SCHEMA,
        campaign=news.campaign,
        title=news.title,
        realm=news.realm,
        spec_sha256=news.spec_sha256,
        run=news.run,
        renditions=renditions,
        takes=_takes(renditions, [*(base["takes"] if base else ()), *news.takes]),
        failures=failures,
        totals=_totals(news.wanted, renditions, failures),
    )


def check(manifest: Manifest) -> list[str]:
    """What is untrue in it, in words: a value that is not as its schema says; else a path not below
    images/ or of two files, a take not told.
    """
    if wrong := schema.faults(manifest):
        return wrong
    told = {take["recipe"] for take in manifest["takes"]}
    faults = [
        f"no take is told of {row['path']!r}"
        for row in manifest["renditions"]
        if row["recipe"] not in told
    ]
    seen: dict[str, str] = {}
    if _are_plain([row["path"] for row in manifest["renditions"]]):
        return faults
    for row in manifest["renditions"]:
        path = row["path"]
        if not path.startswith(FOLDER) or "\\" in path or {"", ".", ".."} & set(path.split("/")):
            faults.append(f"path {path!r} of {row['shot_id']} does not lie below {FOLDER}")
            continue
        key = folded(path)
        if key in seen:
            faults.append(f"path {path!r} is both of {seen[key]} and of {row['shot_id']}")
        seen[key] = row["shot_id"]
    return faults


def _are_plain(paths: Sequence[str]) -> bool:
    """Whether all lie below images/ and are files of their own, as nearly always."""
    return len({folded(path) for path in paths}) == len(paths) and all(
        path.startswith(FOLDER)
        and not ("\\" in path or "//" in path or "/." in path or path.endswith("/"))
        for path in paths
    )


def as_json(manifest: Manifest) -> bytes:
    """UTF-8 with one row a line, in the order of the nouns: quick to write, easy to compare."""
    parts: list[str] = []
    for name, value in manifest.items():
        if isinstance(value, list):
            rows = ",\n".join(f"  {_dumped(row)}" for row in value)
            parts.append(f" {_dumped(name)}: [\n{rows}\n ]" if rows else f" {_dumped(name)}: []")
        else:
            parts.append(f" {_dumped(name)}: {_dumped(value)}")
    # half a surrogate pair (JSON feeds can hold one) becomes the JSON escape that it was
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode("utf-8", "backslashreplace")


def as_csv(manifest: Manifest) -> bytes:
    """The renditions as rows; UTF-8 with BOM, the sign by which spreadsheets know it.

    A text cell that a spreadsheet would run as a formula gets an apostrophe before it; lists are
    joined by `|`.
    """
    columns = list(RenditionRow.__annotations__)
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(columns)
    for row in manifest["renditions"]:
        table.writerow([_cell(value) for value in map(cast("dict[str, object]", row).get, columns)])
    return text.getvalue().encode("utf-8-sig", "replace")


def _renditions(base: Manifest | None, news: News) -> list[RenditionRow]:
    made = set(news.made)
    rows: dict[str, list[RenditionRow]] = {shot_id: [] for shot_id in news.wanted}
    for row in news.renditions:
        # a row that was stale and is kept because its recipe is wanted again
        rows[row["shot_id"]].append(RenditionRow(**{**row, "stale": False}))
    taken = {folded(row["path"]) for row in news.renditions}
    for row in base["renditions"] if base else ():
        shot_id = row["shot_id"]
        if shot_id not in news.wanted or shot_id in made or folded(row["path"]) in taken:
            continue
        if row["path"] in news.gone:
            continue
        outputs = news.outputs.get(shot_id)
        if outputs is not None and (row["name"], row["format"]) not in outputs:
            continue
        stale = row["recipe"] not in news.wanted[shot_id]
        rows[shot_id].append(RenditionRow(**{**row, "stale": stale}))
    return [row for of_shot in rows.values() for row in of_shot]


def _failures(base: Manifest | None, news: News) -> list[FailureRow]:
    known = set(news.made) | {row["shot_id"] for row in news.failures}
    carried = [row for row in (base["failures"] if base else ()) if row["shot_id"] not in known]
    order = {shot_id: number for number, shot_id in enumerate(news.wanted)}
    wanted = [row for row in [*carried, *news.failures] if row["shot_id"] in order]
    return sorted(wanted, key=lambda row: order[row["shot_id"]])


def _takes(renditions: Iterable[RenditionRow], known: Iterable[TakeRow]) -> list[TakeRow]:
    by_recipe = {take["recipe"]: take for take in known}
    shots: dict[str, dict[str, None]] = {}
    for row in renditions:
        shots.setdefault(row["recipe"], {})[row["shot_id"]] = None
    return [
        TakeRow(**{**by_recipe[recipe], "shot_ids": list(of_take)})
        for recipe, of_take in shots.items()
    ]


def _totals(
    wanted: Collection[str], renditions: Iterable[RenditionRow], failures: Iterable[FailureRow]
) -> Totals:
    failed = {row["shot_id"] for row in failures if row["stage"] != PARKED}
    parked = {row["shot_id"] for row in failures if row["stage"] == PARKED}
    return Totals(
        shots=len(wanted),
        published=len({row["shot_id"] for row in renditions}),
        failed=len(failed),
        parked=len(parked - failed),
    )


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = "|".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


_dumped = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
