"""A host without latency and nearly without cost, in a process of its own: Freepik's three answers
(created, done, the picture) and nothing else, so that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from tests.bench import beside

PATH = "/v1/ai/text-to-image/seedream-v4"
SIDE = 576


@dataclass(slots=True, kw_only=True)
class Seen:
    """What came: creates, questions and downloads, and what serving them took."""

    began: float = 0.0
    """When the first create came, by the machine's clock."""
    creates: int = 0
    polls: int = 0
    pictures: int = 0
    cpu_s: float = 0.0


@contextmanager
def serving() -> Iterator[tuple[str, Callable[[], Seen]]]:
    """Its address, and what ends it and tells what it saw."""
    with beside.serving("tests.bench.instant") as (url, ended):
        yield url, lambda: Seen(**ended())


def _picture() -> bytes:
    from PIL import Image

    across = Image.linear_gradient("L").resize((SIDE, SIDE))
    noise = Image.effect_noise((SIDE, SIDE), 12)
    out = io.BytesIO()
    Image.merge("RGB", (across, noise, across.rotate(90))).save(out, "JPEG", quality=85)
    return out.getvalue()


class _Talk(asyncio.Protocol):
    """One connection: a request at a time, each answered as soon as it is there."""

    def __init__(self, base: Callable[[], str], seen: Seen, picture: bytes) -> None:
        self._base, self._seen, self._picture = base, seen, picture
        self._came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        while b"\r\n\r\n" in self._came:
            head, _, rest = self._came.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            length = int(headers.get("content-length", "0"))
            if len(rest) < length:
                return
            self._came = rest[length:]
            method, path, _ = first.split(" ")
            self._answer(method, path)
            if headers.get("connection", "").lower() == "close":
                self._transport.close()

    def _answer(self, method: str, path: str) -> None:
        seen, kind = self._seen, b"application/json"
        if method == "POST" and path == PATH:
            seen.began = seen.began or time.time()
            seen.creates += 1
            task = f"{seen.creates:08d}-0000-4000-8000-000000000000"
            body = json.dumps({"data": {"task_id": task, "status": "CREATED", "generated": []}})
        elif path.startswith(f"{PATH}/"):
            seen.polls += 1
            task = path.rpartition("/")[2]
            links = [f"{self._base()}/pictures/{task}.jpg"]
            body = json.dumps(
                {"data": {"task_id": task, "status": "COMPLETED", "generated": links}}
            )
        else:
            seen.pictures += 1
            self._send(self._picture, b"image/jpeg")
            return
        self._send(body.encode(), kind)

    def _send(self, body: bytes, kind: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % (kind, len(body)) + body)


async def _serve() -> None:
    seen, picture, loop, base = Seen(), _picture(), asyncio.get_running_loop(), ""
    server = await loop.create_server(lambda: _Talk(lambda: base, seen, picture), "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    sys.stdout.write(f"{base}\n")
    sys.stdout.flush()
    began_s = time.process_time()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    seen.cpu_s = time.process_time() - began_s
    sys.stdout.write(json.dumps(asdict(seen)))


if __name__ == "__main__":
    asyncio.run(_serve())
