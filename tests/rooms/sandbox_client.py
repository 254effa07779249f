"""What the sandbox's tests share: a client of its hosts, and a receiver of webhooks."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from PIL import Image

PATIENCE_S = 20.0
OPEN: list[httpx.Client] = []
"""The connections of all clients, for a fixture to close."""
TEXT, EDIT = "seedream-v4-text-to-image", "seedream-v4-edit"


def until(happens: Callable[[], object], what: str = "it"):
    """The first true answer of `happens`; fails when none comes."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        answer = happens()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {PATIENCE_S} s")


def picture(width: int = 512, height: int = 512, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
    return out.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def size_of(data: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.format, image.size


@dataclass
class Posted:
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Listens for webhooks; answers with `statuses` in turn, then 200."""

    url: str = ""
    posts: list[Posted] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    heard = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            heard.posts.append(Posted(headers, body))
            self.send_response(heard.statuses.pop(0) if heard.statuses else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_port}/told"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Client:
    """Talks to one sandbox as `key`."""

    def __init__(self, url: str, key: str = "sandbox-key") -> None:
        self.url = url
        self.key = key
        self.http = httpx.Client(base_url=url, timeout=30)
        OPEN.append(self.http)

    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def request(self, method: str, path: str, **more) -> httpx.Response:
        headers = {**self.bearer(), **more.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **more)

    # eachlabs

    def predict(self, model: str = TEXT, webhook: dict | None = None, **wanted) -> httpx.Response:
        body = {
            "model": model,
            "version": "0.0.1",
            "input": {"prompt": "a cup", **wanted},
            **(webhook or {}),
        }
        return self.request("POST", "/eachlabs/v1/prediction", json=body)

    def prediction(self, task: str) -> dict:
        return self.request("GET", f"/eachlabs/v1/prediction/{task}").json()

    def predicted(self, task: str) -> dict:
        over = {"success", "error", "cancelled"}
        return until(
            lambda: answer if (answer := self.prediction(task)).get("status") in over else None,
            "the prediction's end",
        )

    def page(self, host: str) -> dict:
        return self.http.get("/report").json()["hosts"][host]
