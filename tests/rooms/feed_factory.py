"""Manifests, catalogues and independent readers for the tests of feeds: no parser of ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from flows.feeds import FeedFile, feeds
from flows.nouns.campaign import Feed
from flows.nouns.product import Product
from flows.nouns.rendition import Manifest, RenditionRow
from tests.rooms import manifest_factory
from tests.rooms.manifest_factory import CDN

__all__ = ["CDN", "GOOGLE", "comma", "manifest", "product", "rendition", "tsv", "wish", "written"]

GOOGLE = "{http://base.google.com/ns/1.0}"


def product(key: str, images: Sequence[str] = (), row: dict[str, str] | None = None) -> Product:
    title = f"Mug {key}"
    cells = {"sku": key, "title": title} if row is None else row
    return Product(
        key=key,
        title=cells.get("Title") or cells.get("title") or title,
        fields={"title": title},
        row=cells,
        images=tuple(images),
    )


def rendition(key: str, name: str = "4x5", **changes: Any) -> RenditionRow:
    """A rendition of product `key`; where it lies follows from it unless it is said."""
    form = changes.get("format", "jpeg")
    ending = {"jpeg": "jpg"}.get(form, form)
    axes = [changes.get("variant", ""), changes.get("locale", "")]
    shot_id = "/".join(filter(None, [key, *axes, name]))
    path = changes.get("path", f"images/{shot_id}.{ending}")
    plain = {
        "product": key,
        "variant": "",
        "path": path,
        "url": f"{CDN}/{quote(path)}",
        "sha256": manifest_factory.digest(path),
        "bytes": 200_000,
        "width": 1500,
        "height": 1500,
        "alt": "",
    }
    return manifest_factory.rendition(shot_id, name, **{**plain, **changes})


def manifest(rows: Iterable[RenditionRow], realm: str = "live") -> Manifest:
    return manifest_factory.manifest(
        *rows, campaign="mugs", title="Mugs & more", realm=realm, takes=[]
    )


def wish(name: str, **said: Any) -> Feed:
    return Feed.model_validate({"name": name, **said})


def written(
    rows: Iterable[RenditionRow],
    wishes: Feed | Sequence[Feed],
    products: Iterable[Product] | None = None,
    realm: str = "live",
) -> FeedFile:
    """The one file that these wishes make; products without more are made from the rows."""
    rows = list(rows)
    if products is None:
        products = [product(key) for key in dict.fromkeys(row["product"] for row in rows)]
    asked = [wishes] if isinstance(wishes, Feed) else list(wishes)
    (file,) = feeds(manifest(rows, realm), {one.key: one for one in products}, asked)
    return file


def tsv(data: bytes) -> list[dict[str, str]]:
    """Google's text files: tabs part cells and nothing is quoted."""
    lines = data.decode("utf-8").split("\n")
    assert lines[-1] == ""
    reader = csv.DictReader(lines[:-1], delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
    rows = list(reader)
    assert all(None not in row and None not in row.values() for row in rows)
    return rows


def comma(data: bytes) -> list[dict[str, str]]:
    """RFC 4180: quotes doubled, no escape character."""
    text = io.StringIO(data.decode("utf-8"), newline="")
    rows = list(csv.DictReader(text, doublequote=True, escapechar=None, strict=True))
    assert all(None not in row and None not in row.values() for row in rows)
    return rows
