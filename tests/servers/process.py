"""A server beside the tests: started, waited for, ended by its own process id."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

TRIES = 400
PAUSE_S = 0.1


def free_port(*, least: int = 0) -> int:
    """A port that nobody listens on, and whose neighbour `port + 10000` is one, too."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            if port + 10000 > 65535 or port < least:
                continue
            with contextlib.suppress(OSError):
                other.bind(("127.0.0.1", port + 10000))
                return port


@contextlib.contextmanager
def served(
    command: Sequence[str | Path],
    folder: Path,
    is_ready: Callable[[], bool],
    environment: dict[str, str] | None = None,
) -> Iterator[None]:
    """While a server runs. What it says is shown where it does not come up."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "said.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(TRIES):
            assert process.poll() is None, log.read_text(errors="replace")
            if is_ready():
                break
            time.sleep(PAUSE_S)
        else:
            raise AssertionError(log.read_text(errors="replace"))
        yield
    finally:
        process.terminate()
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int, path: str = "/") -> Callable[[], bool]:
    """Whether something speaks HTTP there and does not say that it is not ready."""
    import http.client

    def look() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()

    return look
