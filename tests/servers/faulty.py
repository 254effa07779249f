"""Proxies that fail by plan: before an HTTP server so many requests are answered 503 and so many
cut, before any other a line is cut after so many bytes.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length", "date"})


@dataclass
class Faults:
    """Every `busy`-th request is answered 503, every `cut`-th loses its line: by turns before the
    server saw it, in the middle of what is sent, before its answer came and in the middle of that.
    0: none. `writes` counts what was passed on.
    """

    busy: int = 0
    cut: int = 0
    delay_s: float = 0.0
    """Before each write is passed on."""
    writes: list[str] = field(default_factory=list)
    asked: int = 0
    answered_busy: int = 0
    cuts: int = 0


@contextlib.contextmanager
def proxy(port: int, faults: Faults) -> Iterator[int]:
    """While it runs; gives its port."""
    numbers = itertools.count(1)
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout: ClassVar[float] = 30

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            with turn:
                number = next(numbers)
                faults.asked = number
                is_cut = bool(faults.cut) and number % faults.cut == 1
                faults.cuts += is_cut
                way = faults.cuts % 4 if is_cut else None
            if way in {1, 2}:
                self.rfile.read(length // 2 if way == 2 else 0)
                self._hang_up()
                return
            body = self.rfile.read(length)
            if faults.busy and number % faults.busy == 0:
                faults.answered_busy += 1
                self._say(503, {}, b"")
                return
            if self.command in {"PUT", "POST"}:
                time.sleep(faults.delay_s)
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                line.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in {"connection", "expect"}:
                        line.putheader(name, value)
                line.endheaders(body)
                answer = line.getresponse()
                data = answer.read()
            finally:
                line.close()
            if self.command in {"PUT", "POST"} and answer.status < 300:
                faults.writes.append(self.path)
            if way == 3 or (way == 0 and len(data) < 2):
                self._hang_up()
                return
            headers = {n: v for n, v in answer.getheaders() if n.lower() not in HOP}
            told = answer.getheader("Content-Length") if self.command == "HEAD" else None
            told = told or str(len(data))
            if way == 0:
                data = data[: len(data) // 2]
                self._hang_up()
            self._say(answer.status, headers, data, told)

        def _say(
            self, status: int, headers: dict[str, str], data: bytes, length: str = "0"
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(data)

        def _hang_up(self) -> None:
            self.close_connection = True

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one  # noqa: N815

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed hangs up."""

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass
class Cuts:
    """After each `after` bytes that clients sent, the line that sent them is cut."""

    after: int
    sent: int = 0
    lines: int = 0
    cuts: int = 0


@contextlib.contextmanager
def cutter(port: int, plan: Cuts) -> Iterator[int]:
    """Before a server of any kind, while it runs; gives its port."""
    turn = threading.Lock()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def is_cut(count: int) -> bool:
        with turn:
            before = plan.sent // plan.after
            plan.sent += count
            due = plan.sent // plan.after > before
            plan.cuts += due
            return due

    def pass_on(source: socket.socket, target: socket.socket, *, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if counts and is_cut(len(data)):
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def join(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(
                target=pass_on, args=(server, client), kwargs={"counts": False}, daemon=True
            )
            back.start()
            pass_on(client, server, counts=True)
            back.join()

    def accept() -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                client, _ = listener.accept()
                plan.lines += 1
                threading.Thread(target=join, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
