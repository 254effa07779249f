"""A proxy before an HTTP server that fails by plan: so many requests answered 503, so many cut."""

from __future__ import annotations

import contextlib
import http.client
import itertools
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
    server saw it and before its answer came. 0: none. `writes` counts what was passed on.
    """

    busy: int = 0
    cut: int = 0
    delay_s: float = 0.0
    """Before each write is passed on."""
    writes: list[str] = field(default_factory=list)
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
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with turn:
                number = next(numbers)
            if faults.busy and number % faults.busy == 0:
                faults.answered_busy += 1
                self._say(503, {}, b"")
                return
            is_cut = bool(faults.cut) and number % faults.cut == 1
            if is_cut:
                faults.cuts += 1
            if is_cut and faults.cuts % 2:
                self._hang_up()
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
            if is_cut:
                self._hang_up()
                return
            headers = {n: v for n, v in answer.getheaders() if n.lower() not in HOP}
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._say(answer.status, headers, data, length)

        def _say(
            self, status: int, headers: dict[str, str], data: bytes, length: str | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(data)))
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
