"""Connections that are cut on purpose: the client sees a reset, not an answer."""

from __future__ import annotations

import asyncio

from starlette.requests import Request


class ConnectionCut(Exception):
    """The application runs without a real connection (in a test's own transport) to cut."""


class Connections:
    """The open connections of one server, by the client's address."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def opened(self, transport: asyncio.Transport) -> None:
        """Remember a connection."""
        self._open[_address(transport)] = transport

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self._open.pop(_address(transport), None)

    def abort(self, request: Request) -> None:
        """Cut the connection at once; what is not yet sent is lost."""
        self._transport(request).abort()

    def close(self, request: Request) -> None:
        """Send what is in the buffer, then cut the connection."""
        self._transport(request).close()

    def _transport(self, request: Request) -> asyncio.Transport:
        client = request.client
        transport = self._open.get((client.host, client.port)) if client else None
        if transport is None:
            raise ConnectionCut("the sandbox cuts this connection")
        return transport


def _address(transport: asyncio.Transport) -> tuple[str, int]:
    peer = transport.get_extra_info("peername")
    return (str(peer[0]), int(peer[1])) if peer else ("", 0)
