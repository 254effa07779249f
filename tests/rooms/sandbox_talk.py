"""One sandbox for a file of tests, and for each test an account and a bill of its own."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from flows.sandbox import started
from flows.sandbox.server import Running

FAST = 400.0


@contextmanager
def sandbox(module, *, faults=None, form="seed", limits=None, speed=FAST) -> Iterator[Running]:
    """A sandbox that speaks for one host."""
    with started(
        speed=speed,
        faults=faults,
        form=form,
        speaking=[module],
        limits=None if limits is None else {module.HOST.name: limits},
    ) as running:
        yield running


@contextmanager
def account(running: Running, scheme: str = "Bearer") -> Iterator[httpx.Client]:
    """A client with a key that nobody else has, and an empty bill."""
    for name in running.report()["hosts"]:
        del running.world.bill._pages[name]
        running.world.bill.open(name)
    headers = {"authorization": f"{scheme} {uuid.uuid4()}"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=30) as http:
        yield http


@contextmanager
def talking(module, scheme: str = "Bearer", **more) -> Iterator[tuple[Running, httpx.Client]]:
    """A sandbox of one's own, and a client of it."""
    with sandbox(module, **more) as running, account(running, scheme) as http:
        yield running, http


def inline(data: bytes, media: str = "image/png") -> str:
    return f"data:{media};base64,{base64.b64encode(data).decode()}"
