"""Which pictures of a product a column gets: what it takes, in order, no more than it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flows.feeds.addresses import encoded
from flows.feeds.formats import Column, channel_id
from flows.feeds.notes import Notes
from flows.nouns.campaign import Feed
from flows.nouns.rendition import RenditionRow


@dataclass(frozen=True, slots=True)
class Picture:
    """An address as it goes into a feed, and what is said about the picture."""

    url: str
    alt: str = ""


def asked_for(row: RenditionRow, wish: Feed) -> bool:
    """Whether a wish's filters let this rendition through."""
    return (
        (wish.channel is None or row["channel"] == channel_id(wish.channel))
        and (wish.output is None or row["name"] == wish.output)
        and (wish.variant is None or row["variant"] == wish.variant)
        and (wish.locale is None or row["locale"] == wish.locale)
    )


def taken(rows: Iterable[RenditionRow], column: Column, notes: Notes) -> list[Picture]:
    """Of each picture the first file that the column takes, in the manifest's order."""
    files: dict[tuple[str, str, int], list[RenditionRow]] = {}
    for row in rows:
        files.setdefault((row["shot_id"], row["name"], row["take"]), []).append(row)
    found: dict[str, Picture] = {}
    for of_one in files.values():
        reasons = [_why_not(row, column) for row in of_one]
        if "" not in reasons:
            for row, reason in zip(of_one, reasons, strict=True):
                notes.add(reason, row["product"])
            continue
        row = of_one[reasons.index("")]
        width, height = column.advised
        if row["width"] < width or row["height"] < height:
            notes.add(
                f"{column.name} asks for {width}x{height} pixels; {row['name']} is smaller",
                row["product"],
            )
        url = encoded(row["url"] or "")
        found.setdefault(url, Picture(url, row["alt"]))
    return list(found.values())


def _why_not(row: RenditionRow, column: Column) -> str:
    """Why a column does not get a file; empty where it does."""
    return next((f"{row['name']} is left out: {why}" for why in _obstacles(row, column)), "")


def _obstacles(row: RenditionRow, column: Column) -> Iterator[str]:
    where = column.name
    if row["format"] not in column.takes:
        yield f"{where} takes no {row['format']}"
    if not row["url"]:
        yield "it was published before `public_url` was set; run without --only"
    elif column.longest is not None and len(encoded(row["url"])) > column.longest:
        yield f"its address is longer than {column.longest:,} characters"
    if column.most_bytes is not None and row["bytes"] > column.most_bytes:
        yield f"{where} takes at most {column.most_bytes:,} bytes"
    if column.most_pixels is not None and row["width"] * row["height"] > column.most_pixels:
        yield f"{where} takes at most {column.most_pixels:,} pixels"
    if min(row["width"], row["height"]) < column.least:
        yield f"{where} needs {column.least} pixels on each side"


def joined(
    column: Column, new: Sequence[Picture], old: Sequence[Picture], *, notes: Notes, product: str
) -> tuple[list[Picture], list[Picture]]:
    """New pictures, then those that were there, as far as the column has room.

    New ones come first: a column that is full loses old ones, never what the campaign made.
    """
    known = {picture.url for picture in new}
    others = [picture for picture in old if picture.url not in known]
    kept = _room(column, new, [])
    kept_old = _room(column, others, kept) if len(kept) == len(new) else []
    if len(kept) < len(new):
        first = "the first is" if column.most == 1 else "the first are"
        notes.add(f"{column.name} {_limit(column)}: {first} written", product)
    elif len(kept_old) < len(others):
        notes.add(
            f"{column.name} {_limit(column)}: of the catalogue's own pictures"
            " the last are left out",
            product,
        )
    return kept, kept_old


def _room(column: Column, wanted: Sequence[Picture], there: Sequence[Picture]) -> list[Picture]:
    count, length = len(there), sum(len(one.url) + 1 for one in there)
    kept: list[Picture] = []
    for picture in wanted:
        count, length = count + 1, length + len(picture.url) + 1
        is_many = column.most is not None and count > column.most
        # one comma fewer than addresses
        is_long = column.longest_cell is not None and length - 1 > column.longest_cell
        if is_many or is_long:
            break
        kept.append(picture)
    return kept


def _limit(column: Column) -> str:
    if column.most == 1:
        return "takes one picture a product"
    words = f"takes {column.most} pictures a product"
    if column.longest_cell is not None:
        words += f" and {column.longest_cell:,} characters"
    return words
