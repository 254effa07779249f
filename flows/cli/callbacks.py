from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault

if TYPE_CHECKING:
    from flows.ledger import Ledger


def callbacks(*, port: int | None = None) -> int:
    """Receive what hosts call back with and write it into the ledger, until Ctrl-C.

    SHOTLIST_CALLBACK_URL is the public address; runs read what was heard. Of each host whose key is
    set and that calls back, only what can be verified is written.

    Args:
        port: listen at this port of 127.0.0.1; default: that of SHOTLIST_CALLBACK_URL where it is
            on this machine, else 8787.
    """
    from flows.callbacks import Receiver, bound_to, listening
    from flows.jobs.calling import calling, nobody
    from flows.ledger import open_ledger
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    if port is not None and not 1 <= port <= 65535:
        fault = Fault("--port", str(port), "1 to 65535")
        raise BadInput("callbacks are not received", [fault])
    settings = Settings.load(Workspace(Path.cwd()))
    if settings.callback_url is None:
        raise EnvironmentFault(
            "SHOTLIST_CALLBACK_URL is not set: it says at which public address hosts reach this "
            "machine, for example https://hooks.example.com/shotlist"
        )
    place = bound_to(settings.callback_url)
    if port is not None:
        place = ("127.0.0.1", port)
    hosts, notes = calling(settings)
    if not hosts:
        raise EnvironmentFault(nobody())
    for said in notes:
        terminal.note(said)
    with open_ledger(settings.ledger_url) as book:
        token = book.callback_token()
        with (
            _until_stopped() as stopped,
            listening(Receiver(hosts, _Telling(book), token), *place),
        ):
            for name in dict.fromkeys(one.name for one in hosts):
                # not into the log file: who knows it can speak for a host that signs nothing
                print(f"{settings.callback_url.rstrip('/')}/{token}/{name}", flush=True)
            terminal.say(
                f"callbacks: received at {place[0]}:{place[1]} under the addresses above, which "
                f"are secret; runs tell hosts theirs; stop with Ctrl-C"
            )
            stopped.wait()
    return 0


class _Telling:
    """The ledger, and a line for the person who watches."""

    def __init__(self, book: Ledger) -> None:
        self._book = book

    def hear(self, host: str, message_id: str, *, job: str, mark: str, document: str) -> bool:
        is_new = self._book.hear(host, message_id, job=job, mark=mark, document=document)
        task = "".join(letter for letter in job if letter.isprintable())[:80]
        terminal.say(f"heard: {host}, {task or 'no task'}{'' if is_new else ', again'}")
        return is_new


@contextmanager
def _until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
