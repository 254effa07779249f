"""The gallery: one page that shows a manifest to people, from disk, with no network.

Style and script are inlined under their hashes and the content security policy allows nothing
else; all text from outside is escaped by Jinja or travels as JSON that the script only ever sets
as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TypedDict
from urllib.parse import quote

from flows.nouns.rendition import FailureRow, Manifest, RenditionRow
from flows.nouns.shot import Shot

GALLERY_HTML = "gallery.html"
SHORT = 16
"""Hex digits of a sha256 that name a picture in the page and in gallery/."""
SCRIPTS = ("page.js", "sheet.js", "view.js")
MOST_PLAIN = 2000
"""Pictures that are listed for a browser without scripts; the others are in manifest.csv."""

_REALMS = {
    "live": "made by the model",
    "proof": "for position only",
    "sandbox": "made by the sandbox, not for use",
}

Row = list[object]


class PlainRow(TypedDict):
    """One picture where there are no scripts."""

    link: str
    picture: str
    alt: str
    width: int
    height: int
    caption: str


class PageData(TypedDict):
    """What the script gets; rows are lists in the order that page.js names at its top."""

    strings: list[str]
    products: list[Row]
    columns: list[Row]
    shots: list[Row]
    takes: list[Row]
    files: list[Row]
    cells: list[Row]
    pictures: dict[str, str | int]


def picture_path(sha256: str) -> str:
    """Where the thumbnail of these bytes lies when it is not in the page."""
    return f"gallery/{sha256[:SHORT]}.webp"


def data_uri(webp: bytes) -> str:
    """A thumbnail as an address that needs no file."""
    return f"data:image/webp;base64,{base64.b64encode(webp).decode()}"


def page(
    manifest: Manifest,
    *,
    pictures: Mapping[str, str],
    shots: Sequence[Shot] = (),
    beside: Sequence[str] = (),
) -> str:
    """The whole page.

    `pictures` has the address of a thumbnail (a data URI or `picture_path`) by the sha256 of each
    rendition and reference that has one; `shots`, the whole plan, gives titles, the order, and
    the places of what was not made; `beside` are paths of other files that lie there, to be named
    with the manifest.
    """
    from jinja2 import Environment

    style = _asset("page.css")
    script = "\n".join(map(_asset, SCRIPTS))
    titles = {shot.product.key: shot.product.title for shot in shots}
    plain, left_out = _plain(manifest["renditions"], titles, pictures)
    template = Environment(autoescape=True, keep_trailing_newline=True).from_string(
        _asset("page.html.j2")
    )
    return template.render(
        title=manifest["title"] or manifest["campaign"],
        campaign=manifest["campaign"],
        realm=manifest["realm"],
        realm_words=_REALMS.get(manifest["realm"], ""),
        numbers=_numbers(manifest),
        failures=manifest["failures"],
        run_id=manifest["run"]["id"],
        version=manifest["run"]["version"],
        plain=plain,
        left_out=left_out,
        beside=[(quote(path), path) for path in beside],
        style=style,
        style_hash=_source_hash(style),
        script=script,
        script_hash=_source_hash(script),
        data=_island(_data(manifest, shots, titles, pictures)),
    )


class _Numbered:
    """Values by number, each kept once, in the order in which they came."""

    def __init__(self) -> None:
        self.numbers: dict[object, int] = {}

    def __call__(self, value: object) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


def _data(
    manifest: Manifest,
    shots: Sequence[Shot],
    titles: Mapping[str, str],
    pictures: Mapping[str, str],
) -> PageData:
    strings, products = _Numbered(), _Numbered()
    failed = {row["shot_id"]: row for row in manifest["failures"]}
    columns = _columns(manifest["renditions"], [shot for shot in shots if shot.shot_id in failed])
    takes = {take["recipe"]: number for number, take in enumerate(manifest["takes"])}
    known = {shot.shot_id: number for number, shot in enumerate(shots)}
    shot_rows: dict[str, Row] = {}
    cells: dict[tuple[str, str, str, str], tuple[str, list[int]]] = {}
    files: list[Row] = []
    for row in manifest["renditions"]:
        shot_rows.setdefault(row["shot_id"], _shot_row(row["shot_id"], failed))
        cell = (row["product"], row["variant"], row["locale"], row["name"])
        cells.setdefault(cell, (row["shot_id"], []))[1].append(len(files))
        files.append(_file_row(row, takes, strings))
    for shot in shots:
        if shot.shot_id in failed and shot.shot_id not in shot_rows:
            shot_rows[shot.shot_id] = _shot_row(shot.shot_id, failed)
            for name, _ in _shapes(shot):
                cell = (shot.product.key, shot.variant, shot.locale, name)
                cells.setdefault(cell, (shot.shot_id, []))
    shot_numbers = {shot_id: number for number, shot_id in enumerate(shot_rows)}
    column_numbers = {tuple(column[:3]): number for number, column in enumerate(columns)}
    in_order = sorted(cells.items(), key=lambda item: known.get(item[1][0], len(known)))
    cell_rows: list[Row] = [
        [products(product), column_numbers[axes], shot_numbers[shot_id], numbers]
        for (product, *axes_), (shot_id, numbers) in in_order
        if (axes := tuple(axes_)) in column_numbers
    ]
    return PageData(
        strings=[str(text) for text in strings.numbers],
        products=[[key, titles.get(str(key), "")] for key in products.numbers],
        columns=columns,
        shots=list(shot_rows.values()),
        takes=[
            [
                take["provider"], take["model"], take["seed"], take["cost_usd"],
                take["cost_from"], take["sha256"][:12], take["width"], take["height"],
                take["created_at"], take["host_task_id"],
                [
                    [one.get("role", ""), one.get("from", ""), one.get("sha256", "")[:SHORT]]
                    for one in take["references"]
                ],
            ]
            for take in manifest["takes"]
        ],
        files=files,
        cells=cell_rows,
        pictures={
            sha256[:SHORT]: 1 if address == picture_path(sha256) else address
            for sha256, address in pictures.items()
        },
    )  # fmt: skip


def _shot_row(shot_id: str, failed: Mapping[str, FailureRow]) -> Row:
    failure = failed.get(shot_id)
    if failure is None:
        return [shot_id, 0]
    return [
        shot_id,
        [failure["stage"], failure["reason"], failure["provider"], failure["billed"]],
    ]


def _file_row(row: RenditionRow, takes: Mapping[str, int], strings: _Numbered) -> Row:
    return [
        row["path"], row["format"], row["bytes"], row["width"], row["height"], row["take"],
        takes.get(row["recipe"], -1), strings(row["prompt"]), strings(row["alt"]),
        strings(", ".join(row["tags"])), int(row["stale"]), row["sha256"][:SHORT],
        strings("; ".join(row["notes"])), strings(row["channel"] or ""),
        strings(row["aspect_ratio"]),
    ]  # fmt: skip


def _columns(renditions: Iterable[RenditionRow], failed: Iterable[Shot]) -> list[Row]:
    """Variants x locales x outputs that occur, grouped, each axis in the order it appears in."""
    variants, locales, names = _Numbered(), _Numbered(), _Numbered()
    shapes: dict[tuple[str, str, str], float] = {}
    for row in renditions:
        axes = (row["variant"], row["locale"], row["name"])
        shapes.setdefault(axes, row["width"] / max(row["height"], 1))
        _ = variants(row["variant"]), locales(row["locale"]), names(row["name"])
    for shot in failed:
        for name, shape in _shapes(shot):
            shapes.setdefault((shot.variant, shot.locale, name), shape)
            _ = variants(shot.variant), locales(shot.locale), names(name)
    ordered = sorted(shapes, key=lambda axes: (variants(axes[0]), locales(axes[1]), names(axes[2])))
    return [[*axes, round(shapes[axes], 4)] for axes in ordered]


def _shapes(shot: Shot) -> list[tuple[str, float]]:
    """The outputs of a shot that has no files: name and width over height."""
    return [(output.name, float(output.shape)) for output in shot.outputs]


def _plain(
    renditions: Sequence[RenditionRow], titles: Mapping[str, str], pictures: Mapping[str, str]
) -> tuple[list[tuple[str, str, list[PlainRow]]], int]:
    rows: dict[str, list[PlainRow]] = {}
    for row in renditions[:MOST_PLAIN]:
        link = quote(row["path"])
        small = pictures.get(row["sha256"], "")
        axes = (row["variant"], row["locale"], row["name"], row["format"])
        rows.setdefault(row["product"], []).append(
            PlainRow(
                link=link,
                picture=link if small.startswith("data:") or not small else small,
                alt=row["alt"],
                width=row["width"],
                height=row["height"],
                caption=" · ".join(filter(None, axes)),
            )
        )
    listed = [(key, titles.get(key, ""), of_key) for key, of_key in rows.items()]
    return listed, max(0, len(renditions) - MOST_PLAIN)


def _numbers(manifest: Manifest) -> list[tuple[str, str]]:
    totals, run = manifest["totals"], manifest["run"]
    products = len({row["product"] for row in manifest["renditions"]})
    stale = sum(row["stale"] for row in manifest["renditions"])
    shots = f"{totals['shots']:,}"
    if totals["published"] < totals["shots"]:
        shots = f"{totals['published']:,} of {shots}"
    numbers = [
        ("Products", f"{products:,}"),
        ("Shots", shots),
        ("Renditions", f"{len(manifest['renditions']):,}"),
    ]
    for label, count in (("Failed", totals["failed"]), ("Parked", totals["parked"])):
        if count:
            numbers.append((label, f"{count:,}"))
    if stale:
        numbers.append(("Stale", f"{stale:,}"))
    return [
        *numbers,
        ("Spent in this run", f"${run['spent_usd']:,.2f}"),
        ("Date", _date(run["ended_at"])),
    ]


def _date(text: str) -> str:
    """An ISO 8601 time for reading, in UTC; as it is where it is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    when = when.astimezone(UTC) if when.tzinfo else when
    return f"{when.day} {when:%b %Y, %H:%M} UTC"


def _island(data: PageData) -> str:
    """JSON that cannot end the script element it lies in
    (https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements).
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@cache
def _asset(name: str) -> str:
    return resources.files("flows.publish").joinpath("gallery", name).read_text(encoding="utf-8")


def _source_hash(text: str) -> str:
    """The hash by which a content security policy allows an inline element (w3.org/TR/CSP3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
