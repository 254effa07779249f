from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from PIL import Image

from flows.nouns.output import Output
from flows.nouns.product import Product
from flows.nouns.rendition import (
    FailureRow,
    Manifest,
    RenditionRow,
)
from flows.nouns.shot import Shot, ShotState
from flows.publish import commit, gallery, thumbnail
from flows.publish.commit import MOST_IN_PAGE
from flows.storage import Place
from tests.rooms import manifest_factory
from tests.rooms.manifest_factory import digest

HOSTILE = "</script><script>alert(1)</script><!-- \u2028 & \"q\" 'a' {{ 7*7 }}"


class Parsed(HTMLParser):
    """What a browser's parser makes of the page: elements, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, dict[str, str | None], str]] = []
        self.shown = ""
        self._raw: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._raw = (tag, dict(attrs)) if tag in {"script", "style"} else None
        if self._raw:
            self.inside.append((*self._raw, ""))

    def handle_data(self, data: str) -> None:
        if self._raw:
            tag, attributes, before = self.inside[-1]
            self.inside[-1] = (tag, attributes, before + data)
        else:
            self.shown += data

    def handle_endtag(self, tag: str) -> None:
        self._raw = None
        self.shown += " "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return " ".join(self.shown.split())

    @property
    def data(self) -> Any:
        [text] = [text for _, attributes, text in self.inside if attributes.get("id") == "data"]
        return json.loads(text)


def picture(colour: str = "red", size: tuple[int, int] = (800, 1000), form: str = "JPEG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, form)
    return data.getvalue()


def rendition(product: str, variant: str = "a", name: str = "4x5", **changes: Any) -> RenditionRow:
    """The file of a shot that has one output."""
    shot_id = f"{product}/{variant}/{name}"
    plain = {
        "path": f"images/{shot_id}.jpeg",
        "url": None,
        "product": product,
        "variant": variant,
        "width": 800,
        "height": 1000,
        "alt": f"{product} on a table",
    }
    return manifest_factory.rendition(shot_id, name, **{**plain, **changes})


def manifest(*rows: RenditionRow, **changes: Any) -> Manifest:
    """A proof of which one product came to much."""
    run = manifest_factory.run(ended_at="2026-11-20T23:30:00-02:00", spent_usd=1234.5)
    return manifest_factory.manifest(
        *rows, **{"campaign": "mugs", "realm": "proof", "run": run, **changes}
    )


def shot(product: str, variant: str = "a", name: str = "4x5", title: str = "") -> Shot:
    return Shot(
        shot_id=f"{product}/{variant}/{name}",
        product=Product(key=product, title=title, fields={}, row={}),
        variant=variant,
        locale="",
        name=name,
        aspect_ratio="4:5",
        prompt="",
        references=(),
        outputs=(Output(name=name, aspect_ratio="4:5", shape=Fraction(4, 5), formats=("jpeg",)),),
        paths=(f"{product}/{variant}/{name}.jpeg",),
        recipes=(),
        alt="",
        tags=(),
        title="",
        state=ShotState.NEW,
        why="",
    )


def lay(place: Place, *rows: RenditionRow) -> None:
    """The files of `rows`, each with its true sha256."""
    for number, row in enumerate(rows):
        data = picture(size=(80, 100)) + str(number).encode()  # a tail that no decoder minds
        row["sha256"] = hashlib.sha256(data).hexdigest()
        place.write(row["path"], data)


def test_text_from_outside_is_never_markup() -> None:
    row = rendition(HOSTILE, variant=HOSTILE, prompt=HOSTILE, alt=HOSTILE, tags=[HOSTILE])
    row["path"] = "images/x.jpeg"
    failed = FailureRow(
        shot_id=HOSTILE, stage=HOSTILE, reason=HOSTILE, provider=HOSTILE, billed=True
    )

    page = Parsed(
        gallery.page(
            manifest(row, title=HOSTILE, failures=[failed]),
            pictures={},
            shots=[shot(HOSTILE, title=HOSTILE)],
        )
    )

    clean = Parsed(gallery.page(manifest(rendition("A"), failures=[failed]), pictures={}))
    assert len(page.all("script")) == len(clean.all("script")) == 2
    assert page.shown.count(HOSTILE) >= 5
    assert page.data["products"] == [[HOSTILE, HOSTILE]]
    assert HOSTILE in page.data["strings"]


def test_no_element_reaches_outside_and_only_our_script_and_style_may_run() -> None:
    row = rendition("A", prompt="see https://elsewhere.example/x")
    page = Parsed(
        gallery.page(manifest(row), pictures={row["sha256"]: "data:image/webp;base64,AA=="})
    )

    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "poster", "formaction"):
            assert not re.match(r"[a-z]+:|//", attributes.get(name) or "") or (
                attributes[name] == "data:,"
            ), (tag, attributes)
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    [policy] = [one["content"] for one in page.all("meta") if one.get("http-equiv")]
    rules = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    inlined = {
        tag: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for tag, attributes, text in page.inside
        if attributes.get("type") != "application/json"
    }
    assert rules == {
        "default-src": "'none'",
        "img-src": "'self' data: file:",
        "style-src": f"'sha256-{inlined['style']}'",
        "script-src": f"'sha256-{inlined['script']}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    for _, _, text in page.inside[:1] + page.inside[2:]:
        assert not re.search(r"https?://|url\(|@import|fetch\(|innerHTML|eval\(", text)


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("images/a b/50%#1?.jpeg", "images/a%20b/50%25%231%3F.jpeg"),
        ("images/é/日本🧁.jpeg", "images/%C3%A9/%E6%97%A5%E6%9C%AC%F0%9F%A7%81.jpeg"),
        ("images/a:b\"<'&.jpeg", "images/a%3Ab%22%3C%27%26.jpeg"),
    ],
)
def test_links_are_percent_encoded(path: str, link: str) -> None:
    page = Parsed(gallery.page(manifest(rendition("A", path=path)), pictures={}))
    hrefs = [one.get("href") for one in page.all("a")]
    assert link in hrefs
    assert unquote(link) == path
    assert page.data["files"][0][0] == path


def test_products_go_down_and_variants_by_outputs_across() -> None:
    rows = [
        rendition(product, variant, name, width=width, height=1000)
        for product in ("MUG", "CUP")
        for variant in ("b", "a")
        for name, width in (("1x1", 1000), ("9x16", 562))
    ]
    rows.append(rendition("MUG", "b", "1x1", path="images/MUG/b.webp", format="webp", width=1000))

    data = Parsed(gallery.page(manifest(*rows), pictures={})).data

    assert data["columns"] == [
        ["b", "", "1x1", 1], ["b", "", "9x16", 0.562],
        ["a", "", "1x1", 1], ["a", "", "9x16", 0.562],
    ]  # fmt: skip
    assert data["products"] == [["MUG", ""], ["CUP", ""]]
    assert data["cells"] == [
        [0, 0, 0, [0, 8]], [0, 1, 1, [1]], [0, 2, 2, [2]], [0, 3, 3, [3]],
        [1, 0, 4, [4]], [1, 1, 5, [5]], [1, 2, 6, [6]], [1, 3, 7, [7]],
    ]  # fmt: skip


def test_what_was_not_made_has_its_place_and_its_reason() -> None:
    failed = FailureRow(
        shot_id="MUG/a/9x16", stage="shoot", reason="refused", provider="fal", billed=False
    )
    late = FailureRow(
        shot_id="CUP/a/4x5", stage="parked", reason="no answer", provider="fal", billed=None
    )
    plan = [
        shot("MUG", name="9x16", title="Mug"),
        shot("MUG", title="Mug"),
        shot("CUP", title="Cup"),
    ]

    page = Parsed(
        gallery.page(
            manifest(rendition("MUG"), rendition("CUP", stale=True), failures=[failed, late]),
            pictures={},
            shots=plan,
        )
    )

    shots = {row[0]: row[1] for row in page.data["shots"]}
    assert shots == {
        "MUG/a/4x5": 0,
        "CUP/a/4x5": ["parked", "no answer", "fal", None],
        "MUG/a/9x16": ["shoot", "refused", "fal", False],
    }
    assert page.data["products"] == [["MUG", "Mug"], ["CUP", "Cup"]]
    assert [(cell[0], cell[3]) for cell in page.data["cells"]] == [(0, []), (0, [0]), (1, [1])]
    assert [file[10] for file in page.data["files"]] == [0, 1]
    assert "MUG/a/9x16 shoot at fal: refused" in page.words


@pytest.mark.parametrize(
    ("realm", "words"),
    [
        ("proof", "PROOF for position only"),
        ("sandbox", "SANDBOX made by the sandbox"),
        ("live", "LIVE"),
    ],
)
def test_the_head_says_what_it_is(realm: str, words: str) -> None:
    page = Parsed(gallery.page(manifest(rendition("A"), realm=realm), pictures={}))
    assert words in page.words
    assert "Products 1 Shots 1 Renditions 1 Spent in this run $1,234.50" in page.words
    assert "21 Nov 2026, 01:30 UTC" in page.words


def test_a_page_of_nothing_is_a_page() -> None:
    page = Parsed(gallery.page(manifest(), pictures={}))
    assert (page.data["cells"], page.data["files"]) == ([], [])


def test_without_scripts_every_picture_is_a_link() -> None:
    rows = [rendition("MUG"), rendition("CUP")]
    page = Parsed(gallery.page(manifest(*rows), pictures={}))
    sources = [one.get("src") for one in page.all("img") if one.get("src")]
    assert sources == ["images/MUG/a/4x5.jpeg", "images/CUP/a/4x5.jpeg"]
    assert {"images/MUG/a/4x5.jpeg", "images/CUP/a/4x5.jpeg"} <= {
        one.get("href") for one in page.all("a")
    }


def test_few_thumbnails_lie_in_the_page(tmp_path: Path) -> None:
    place, rows = Place(str(tmp_path)), [rendition("MUG"), rendition("CUP")]
    lay(place, *rows)

    commit(place, manifest(*rows), reference={digest("mug"): picture("blue")}.get)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gallery.html", "images", "manifest.csv", "manifest.json", "manifest.parquet",
    ]  # fmt: skip
    pictures = Parsed((tmp_path / "gallery.html").read_text()).data["pictures"]
    assert list(pictures) == [row["sha256"][:16] for row in rows] + [digest("mug")[:16]]
    sizes = []
    for address in pictures.values():
        data = base64.b64decode(address.removeprefix("data:image/webp;base64,"), validate=True)
        with Image.open(io.BytesIO(data)) as small:
            sizes.append((small.format, small.size))
    assert sizes == [("WEBP", (80, 100)), ("WEBP", (80, 100)), ("WEBP", (256, 320))]


def test_the_page_names_what_lies_beside_it_and_nothing_else(tmp_path: Path) -> None:
    place, row = Place(str(tmp_path)), rendition("MUG")
    lay(place, row)
    manifests = ["manifest.json", "manifest.csv", "manifest.parquet"]

    def named(*beside: str) -> list[str | None]:
        commit(place, manifest(row), beside=beside)
        page = Parsed((tmp_path / "gallery.html").read_text())
        links = [one.get("href") for one in page.all("a") if one.get("href")]
        return links[links.index("manifest.json") :]

    place.write("feeds/left.csv", b"id\r\n")
    assert named() == manifests
    handed = ("feeds/meta 1.csv", "variants/assignments.csv")
    assert named(*handed) == [*manifests, "feeds/meta%201.csv", "variants/assignments.csv"]


def test_many_thumbnails_lie_beside_the_page_and_leave_with_their_picture(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    rows = [rendition(f"MUG-{number}") for number in range(MOST_IN_PAGE + 2)]
    lay(place, *rows)
    place.write("gallery/notes.txt", b"a person's own file")

    commit(place, manifest(*rows))
    commit(place, manifest(*rows[1:]))

    named = {f"{row['sha256'][:16]}.webp" for row in rows[1:]}
    assert {path.name for path in (tmp_path / "gallery").iterdir()} == named | {"notes.txt"}
    page = Parsed((tmp_path / "gallery.html").read_text())
    assert set(page.data["pictures"].values()) == {1}
    assert len((tmp_path / "gallery.html").read_bytes()) < 400_000


class Watched(Place):
    """A place that remembers what was asked of it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.written: list[str] = []
        self.was_read: list[str] = []

    def write(self, path: str, data: bytes) -> None:
        self.written.append(path)
        super().write(path, data)

    def read(self, path: str) -> bytes | None:
        self.was_read.append(path)
        return super().read(path)


def test_the_manifest_is_written_last_and_kept_pictures_are_not_read_again(tmp_path: Path) -> None:
    place, rows = Watched(str(tmp_path)), [rendition("MUG"), rendition("CUP")]
    lay(place, *rows)
    commit(place, manifest(*rows))
    first = (tmp_path / "gallery.html").read_bytes()
    place.written, place.was_read = [], []

    commit(place, manifest(*rows))

    assert place.written == ["manifest.csv", "manifest.parquet", "gallery.html", "manifest.json"]
    assert [path for path in place.was_read if path != ".turn"] == ["gallery.html"]
    assert (tmp_path / "gallery.html").read_bytes() == first


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_every_format_that_is_published_has_a_thumbnail(form: str) -> None:
    data = thumbnail(picture("green", (1200, 600), form))
    assert data is not None
    with Image.open(io.BytesIO(data)) as small:
        assert (small.format, small.size) == ("WEBP", (320, 160))


@pytest.mark.parametrize(
    "broken", [lambda data: b"", lambda data: b"<html>", lambda data: data[: len(data) // 2]]
)
def test_what_cannot_be_drawn_has_none(broken: Callable[[bytes], bytes]) -> None:
    assert thumbnail(broken(picture())) is None


def test_reference_photos_of_all_kinds_have_thumbnails_or_none(test_data: Path) -> None:
    folder = test_data / "odd-inputs" / "images"
    drawn = {
        path.name: thumbnail(path.read_bytes()) is not None for path in sorted(folder.iterdir())
    }
    assert [name for name, is_drawn in drawn.items() if not is_drawn] == [
        "bomb-12000x12000-rgb.png",
        "bomb-40000x40000-1bit.png",
        "html-error-page.jpg",
        "no-end-marker.jpg",
        "truncated-half.jpg",
        "truncated-half.png",
        "vector.svg",
        "zero-bytes.jpg",
    ]
