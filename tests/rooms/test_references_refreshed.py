"""Photos on the web, looked at again tomorrow: what has not changed is not sent again."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from PIL import Image

from flows import read
from flows.errors import BadInput
from flows.nouns.reference import Looked, Reference
from flows.read.web import MOST_STAMP, Public
from tests.rooms.plan_factory import product, reading

PUBLIC = "93.184.216.34"
SHOP = "http://shop.example"


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 64), colour).save(file, "PNG")
    return file.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Shelf:
    """What the shop's server has, and how it was asked."""

    photos: dict[str, bytes] = field(default_factory=dict)
    stamps: str = "etag"
    """etag, date, long, none; or `unconditional`: it has ETags and sends every body."""
    bodies: list[str] = field(default_factory=list)
    conditions: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)


DATES = ("Sat, 21 Nov 2026 06:00:00 GMT", "Sat, 21 Nov 2026 07:00:00 GMT")


def answering(shelf: Shelf) -> type[BaseHTTPRequestHandler]:
    first = dict(shelf.photos)

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shelf.connections.add(self.client_address[1])
            for name in ("If-None-Match", "If-Modified-Since"):
                if value := self.headers.get(name):
                    shelf.conditions.append((name, value))
            if value := self.headers.get("Cookie"):
                shelf.cookies.append(value)
            if self.path.startswith("/moved/"):
                self.tell(301, {"Location": self.path.removeprefix("/moved")})
                return
            data = shelf.photos.get(self.path)
            if data is None:
                self.tell(404, {})
                return
            tag = f'"{digest(data)[:16]}"'
            date = DATES[data != first.get(self.path)]
            if shelf.stamps == "long":
                tag = '"' + "x" * MOST_STAMP + '"'
            headers = {"date": {"Last-Modified": date}, "none": {}}.get(shelf.stamps, {"ETag": tag})
            is_same = {
                "etag": self.headers.get("If-None-Match") == tag,
                "date": self.headers.get("If-Modified-Since") == date,
            }.get(shelf.stamps, False)
            if is_same:
                self.tell(304, headers)
                return
            shelf.bodies.append(self.path)
            self.tell(200, {**headers, "Set-Cookie": "visitor=1"}, data)

        def tell(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    return Shop


class Wire(httpx.BaseTransport):
    """Leads what goes to the shop's public address to its server on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == PUBLIC
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class Known:
    """The last stamp of each location, as the ledger keeps it."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, Looked]] = {}

    def stamp(self, location: str) -> str:
        return self.seen.get(location, ("",))[0]

    def recall(self, location: str, stamp: str) -> Looked | None:
        found = self.seen.get(location)
        return found[1] if found is not None and found[0] == stamp else None

    def remember(self, location: str, stamp: str, record: Looked) -> None:
        self.seen[location] = (stamp, record)


class Shopper:
    """Looks at the shop's photos, each time as a new plan does."""

    def __init__(self, port: int, folder: Path) -> None:
        self._wire = Wire(port)
        self._folder = folder
        self.cache = folder / "cache"
        self.known = Known()

    def references(self) -> read.References:
        return read.References(
            spec_folder=str(self._folder),
            image_base=str(self._folder),
            known=self.known,
            cache=self.cache,
            fetch=Public(lambda _host, _port: [PUBLIC], self._wire),
        )

    def look(self, *paths: str) -> list[Reference]:
        looker = self.references()
        return [looker.look(f"{SHOP}{one}", role="product", of_row=True) for one in paths]

    def close(self) -> None:
        self._wire.close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(photos={"/mug.png": picture("navy"), "/pan.png": picture("black")})


@pytest.fixture
def shopper(shelf: Shelf, tmp_path: Path) -> Iterator[Shopper]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering(shelf))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    one = Shopper(server.server_address[1], tmp_path)
    yield one
    one.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("stamps", "header"), [("etag", "If-None-Match"), ("date", "If-Modified-Since")]
)
def test_a_photo_that_has_not_changed_is_sent_once(
    shelf: Shelf, shopper: Shopper, stamps: str, header: str
) -> None:
    shelf.stamps = stamps
    first = shopper.look("/mug.png", "/pan.png")
    assert shelf.conditions == []
    assert shopper.look("/mug.png", "/pan.png") == first
    assert shelf.bodies == ["/mug.png", "/pan.png"]
    assert shelf.conditions == [
        (header, shopper.known.stamp(f"{SHOP}/{name}.png")) for name in ("mug", "pan")
    ]


@pytest.mark.parametrize("stamps", ["etag", "date"])
def test_another_photo_at_the_same_address_is_sent_and_told_by_its_contents(
    shelf: Shelf, shopper: Shopper, stamps: str
) -> None:
    shelf.stamps = stamps
    shopper.look("/mug.png", "/pan.png")
    shelf.photos["/mug.png"] = picture("red")
    found = shopper.look("/mug.png", "/pan.png")
    assert [one.sha256 for one in found] == [digest(picture("red")), digest(picture("black"))]
    assert shelf.bodies == ["/mug.png", "/pan.png", "/mug.png"]
    assert shopper.look("/mug.png", "/pan.png") == found
    assert len(shelf.bodies) == 3


def test_the_same_photo_behind_another_address_is_the_same_by_its_contents(
    shelf: Shelf, shopper: Shopper
) -> None:
    (before,) = shopper.look("/mug.png")
    shelf.photos["/v2/mug.png"] = shelf.photos.pop("/mug.png")
    (after,) = shopper.look("/v2/mug.png")
    assert (after.sha256, after.location) == (before.sha256, before.location)
    assert [path.name for path in shopper.cache.iterdir()] == [before.sha256]


def test_a_photo_whose_kept_bytes_are_gone_is_sent_again(shelf: Shelf, shopper: Shopper) -> None:
    (found,) = shopper.look("/mug.png")
    Path(found.location).unlink()
    assert shopper.look("/mug.png") == [found]
    assert Path(found.location).read_bytes() == picture("navy")
    assert shelf.conditions == []


@pytest.mark.parametrize("stamps", ["none", "long"])
def test_a_photo_without_a_stamp_that_can_be_kept_is_sent_each_time(
    shelf: Shelf, shopper: Shopper, stamps: str
) -> None:
    shelf.stamps = stamps
    assert shopper.look("/mug.png") == shopper.look("/mug.png")
    assert shelf.bodies == ["/mug.png", "/mug.png"]
    assert shopper.known.seen == {}


def test_a_server_that_knows_no_conditions_is_believed_by_its_stamp(
    shelf: Shelf, shopper: Shopper
) -> None:
    shelf.stamps = "unconditional"
    first = shopper.look("/mug.png")
    shelf.photos["/mug.png"] = picture("red")
    second = shopper.look("/mug.png")
    assert [first[0].sha256, second[0].sha256] == [digest(picture("navy")), digest(picture("red"))]
    assert shopper.look("/mug.png") == second


def test_the_condition_goes_with_a_redirect(shelf: Shelf, shopper: Shopper) -> None:
    first = shopper.look("/moved/mug.png")
    assert shopper.look("/moved/mug.png") == first
    assert shelf.bodies == ["/mug.png"]


def test_a_new_plan_keeps_connections_and_no_cookies(shelf: Shelf, shopper: Shopper) -> None:
    shelf.photos |= {f"/{n}.png": picture("teal") for n in range(20)}
    shopper.look(*(f"/{n}.png" for n in range(20)))
    assert len(shelf.connections) == 1
    shopper.look(*(f"/{n}.png" for n in range(20)))
    assert len(shelf.conditions) == 20
    assert len(shelf.connections) <= 2
    assert shelf.cookies == []


def test_photos_that_were_asked_for_ahead_are_told_as_if_one_by_one(
    shelf: Shelf, shopper: Shopper
) -> None:
    shelf.photos |= {f"/{n}.png": picture(f"#0000{n:02x}") for n in range(40)}
    images = [*(f"{SHOP}/{n}.png" for n in range(40)), f"{SHOP}/none.png", "photos/here.png"]
    asked = reading(
        [product(f"P{n}", image=image) for n, image in enumerate(images)],
        references=[{"from": "{{ product.image }}"}],
    )
    looker = shopper.references()
    looker.look_ahead(asked)
    assert sorted(shelf.bodies) == sorted(f"/{n}.png" for n in range(40))
    found = [looker.look(one, role="product", of_row=True).sha256 for one in images[:40]]
    assert found == [digest(picture(f"#0000{n:02x}")) for n in range(40)]
    with pytest.raises(BadInput, match="the server answers 404"):
        looker.look(images[40], role="product", of_row=True)
    assert len(shelf.bodies) == 40

    shopper.references().look_ahead(asked)
    assert len(shelf.bodies) == 40
    assert len(shelf.conditions) == 40


def test_nothing_is_asked_for_ahead_that_no_reference_names(shelf: Shelf, shopper: Shopper) -> None:
    mug = product("MUG", image=f"{SHOP}/mug.png")
    for spec in (
        {"references": [{"from": "brand/style.png", "role": "style"}]},
        {"references": [{"from": "{{ product.image }}"}], "sample": {"n": 1}},
    ):
        shopper.references().look_ahead(reading([mug], **spec))
    assert (shelf.bodies, shelf.connections) == ([], set())
