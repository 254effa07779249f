"""Receiver: hosts announce the end of a job; what is verified is written down, answered fast.

The address that a host gets holds a token that nobody else knows, and the mark of the take: the
first keeps strangers out where a host does not sign (https://docs.evolink.ai), the second repairs a
create whose answer was lost.
"""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hmac import compare_digest
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from flows.errors import EnvironmentFault
from flows.network import client
from flows.providers import Provider
from flows.providers.base import Heard, UnverifiedError
from flows.providers.base.wire import written

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 10_000_000
"""Bodies with long logs are large (https://github.com/replicate/replicate-javascript/issues/344)."""
KEYS_LAST_S = 3600.0
"""Published keys may be kept for a day (fal's documentation of webhooks); an hour is enough."""
DEFAULT_PORT = 8787


class Book(Protocol):
    """Where what was heard is written down."""

    def hear(self, host: str, message_id: str, *, job: str, mark: str, document: str) -> bool:
        """False where this message was heard before."""
        ...


class Receiver:
    """Verifies callbacks of the given accounts and writes them down."""

    def __init__(self, hosts: Sequence[Provider], book: Book, token: str) -> None:
        self._hosts = hosts
        self._book = book
        self._token = token
        self._keys: dict[str, tuple[float, bytes]] = {}

    def application(self) -> Starlette:
        """The server's application: one path, `…/{token}/{host}`, whatever stands before it in
        the public address.
        """
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(routes=[Route("/{path:path}", self._heard, methods=["POST"])])

    async def _heard(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse

        token, host = ["", "", *request.path_params["path"].split("/")][-2:]
        if not compare_digest(token.encode(), self._token.encode()):
            return PlainTextResponse("not found", 404)
        of_host = [one for one in self._hosts if one.name == host]
        if not of_host:
            return PlainTextResponse("not found", 404)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return PlainTextResponse("too large", 413)
        try:
            heard = await self._verified(of_host, dict(request.headers), body)
        except UnverifiedError:
            # no reason is given: it would help only who should not know
            return PlainTextResponse("not verified", 401)
        await asyncio.to_thread(
            self._book.hear,
            of_host[0].name,
            heard.message_id,
            job=heard.job.id,
            mark=request.query_params.get("take", ""),
            document=written(heard.reply),
        )
        # a replay is acknowledged like the first: a refusal would only make the host try again
        return PlainTextResponse("ok")

    async def _verified(
        self, of_host: Sequence[Provider], headers: dict[str, str], body: bytes
    ) -> Heard:
        """What one of the host's accounts can verify."""
        told = UnverifiedError("no account of this host")
        for one in of_host:
            try:
                keys = await self._keys_of(one)
                return one.heard(headers, body, now=datetime.now(UTC), keys=keys)
            except UnverifiedError as error:
                told = error
        raise told

    async def _keys_of(self, host: Provider) -> bytes:
        """The host's published keys, kept for a while."""
        request = host.callback_keys()
        if request is None:
            return b""
        now = asyncio.get_running_loop().time()
        kept = self._keys.get(host.account.name)
        if kept is not None and now - kept[0] < KEYS_LAST_S:
            return kept[1]
        import httpx

        try:
            async with client(allowed=host.own_origins(), timeout_s=10.0) as asking:
                answer = await asking.send(request)
        except httpx.HTTPError as error:
            raise UnverifiedError("the host's keys cannot be had") from error
        if not answer.is_success:
            raise UnverifiedError("the host's keys cannot be had")
        self._keys[host.account.name] = (now, answer.content)
        return answer.content


def bound_to(public: str) -> tuple[str, int]:
    """Where a receiver for this public address listens: there, where the address is of this
    machine, else on loopback, for a proxy to lead to.

    Raises:
        EnvironmentFault: it is no http(s) address.

    """
    parts = urlsplit(public)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EnvironmentFault("SHOTLIST_CALLBACK_URL is not an http(s) address")
    try:
        is_here = ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        is_here = parts.hostname == "localhost"
    if is_here:
        return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    return "127.0.0.1", DEFAULT_PORT


@contextmanager
def listening(receiver: Receiver, host: str, port: int) -> Iterator[None]:
    """A server in a thread of its own, from entering to leaving.

    Raises:
        EnvironmentFault: the port cannot be had.

    """
    import socket

    import uvicorn

    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)  # now, or a second one could bind too
    except OSError as error:
        listener.close()
        raise EnvironmentFault(
            f"callbacks cannot be received at {host}:{port}: {error.strerror}; "
            f"is `shotlist callbacks` or another run listening there?"
        ) from error
    config = uvicorn.Config(
        receiver.application(), log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="callbacks", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
