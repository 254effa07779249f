"""Catalogues by http(s): fetched from public addresses only, within bounds, told in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import httpx
import pytest

from flows.errors import BadInput, EnvironmentFault
from flows.nouns.address import shown
from flows.nouns.campaign import Products
from flows.read import addresses
from flows.read.catalogue import products
from flows.read.web import CATALOGUE, Public

PUBLIC = "93.184.216.34"
CSV = b"sku,title\nMUG-01,Mug\n"


class Shop(BaseHTTPRequestHandler):
    """A shop's server, as far as a feed needs one."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = {
            "/feed.csv?token=s3cret": (200, {}, CSV),
            "/old.csv": (301, {"Location": "/feed.csv?token=s3cret"}, b""),
            "/inside.csv": (302, {"Location": "http://127.0.0.1:1/feed.csv"}, b""),
            "/busy.csv": (503, {}, b""),
        }.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


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


@pytest.fixture
def shop() -> Iterator[Public]:
    Shop.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    wire = Wire(server.server_address[1])
    yield Public(lambda _host, _port: [PUBLIC], wire, CATALOGUE)
    wire.close()
    server.shutdown()
    thread.join()
    server.server_close()


def refused(address: str, fetch: Public) -> str:
    with pytest.raises((BadInput, EnvironmentFault)) as caught:
        addresses.read(address, shown(address), fetch=fetch)
    return f"{caught.value.exit_code} {caught.value}"


def test_a_catalogue_comes_from_its_address_with_its_query_and_after_a_redirect(
    shop: Public,
) -> None:
    for address in ("http://shop.example/feed.csv?token=s3cret", "http://shop.example/old.csv"):
        assert addresses.read(address, "feed", fetch=shop) == CSV
    assert Shop.asked == ["/feed.csv?token=s3cret", "/old.csv", "/feed.csv?token=s3cret"]


def test_what_a_server_answers_is_told_with_the_exit_code_of_who_must_act(shop: Public) -> None:
    assert refused("http://shop.example/gone.csv?key=s3cret", shop) == (
        "2 http://shop.example/gone.csv cannot be read\n"
        "  - http://shop.example/gone.csv: the server answers 404"
    )
    assert refused("http://shop.example/busy.csv", shop) == (
        "4 http://shop.example/busy.csv: the server answers 503"
    )


def test_a_redirect_into_this_machine_is_not_followed(shop: Public) -> None:
    said = refused("http://shop.example/inside.csv", shop)
    assert said.startswith("2 http://shop.example/inside.csv cannot be read")
    assert "copy the catalogue beside the campaign" in said
    assert Shop.asked == ["/inside.csv"]


def test_a_catalogue_of_this_machine_is_not_asked_for(shop: Public) -> None:
    port = shop.transport._port  # type: ignore[union-attr]
    wish = Products.model_validate({"from": f"http://127.0.0.1:{port}/feed.csv?token=s3cret"})
    with pytest.raises(BadInput) as caught:
        products(wish, folder="campaigns")
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert Shop.asked == []


def test_more_than_the_bound_is_not_read(shop: Public) -> None:
    small = replace(shop, bounds=replace(CATALOGUE, most_bytes=8))
    assert refused("http://shop.example/feed.csv?token=s3cret", small).endswith(
        "more than 0 MB; give a smaller catalogue"
    )
