"""Callbacks: only what the host is shown to have said is written down, and each word of it once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import providers, sandbox
from flows.callbacks import Receiver, bound_to, listening
from flows.errors import EnvironmentFault
from flows.jobs.accounts import accounts
from flows.nouns.recipe import Recipe
from flows.nouns.workspace import Workspace
from flows.providers.base import Accepted, Done, Image, Order, Ready, RefusalKind, Refused, Running
from flows.providers.base.wire import read, written
from flows.settings import Settings

CALLING = ["eachlabs", "evolink", "fal", "freepik", "replicate"]
TOKEN = "unguessable-token"


class Memory:
    """A book that keeps what it hears."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, str]] = {}
        self.heard = 0

    def hear(self, host: str, message_id: str, *, job: str, mark: str, document: str) -> bool:
        self.heard += 1
        is_new = (host, message_id) not in self.rows
        self.rows.setdefault((host, message_id), {"job": job, "mark": mark, "document": document})
        return is_new

    def of(self, job: str) -> list[dict[str, str]]:
        return [row for row in self.rows.values() if row["job"] == job]


@pytest.fixture(scope="module")
def running() -> Iterator[sandbox.Running]:
    with sandbox.started(speed=60) as started:
        yield started


def opened(
    running: sandbox.Running, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> providers.Provider:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    (account,) = accounts(providers.host(host), Settings.load(Workspace(tmp_path)))
    return providers.opened(account)


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def created(host: providers.Provider, callback: str) -> str:
    """A job of the sandbox that calls back."""
    order = Order(
        recipe=Recipe(model="seedream-4", prompt="a mug", ratio="1:1", tier="2K", seed=7),
        size=host.capabilities.shapes.nearest(2048, 2048),
        callback=callback,
    )
    with httpx.Client() as client:
        reply = host.submitted(client.send(host.submit(order)), order)
    assert isinstance(reply, Accepted), reply
    return reply.job.id


@pytest.mark.parametrize("name", CALLING)
def test_the_end_of_a_job_is_heard_verified_and_written_down(
    name: str, running: sandbox.Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = opened(running, name, tmp_path, monkeypatch)
    memory, port = Memory(), free_port()
    with listening(Receiver([host], memory, TOKEN), "127.0.0.1", port):
        job = created(host, f"http://127.0.0.1:{port}/{TOKEN}/{name}?take=mark-1")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ended = [read(row["document"]) for row in memory.of(job)]
            if any(one is None or isinstance(one, Done) for one in ended):
                break
            time.sleep(0.05)
    rows = memory.of(job)
    assert rows, "nothing was heard"
    assert {row["mark"] for row in rows} == {"mark-1"}
    # a host that signs its body is believed; of the others the job is asked for
    signs = name in {"fal", "freepik", "replicate"}
    assert any(isinstance(read(row["document"]), Done) for row in rows) == signs


@pytest.mark.parametrize("name", CALLING)
def test_a_stranger_is_refused_and_nothing_is_written(
    name: str, running: sandbox.Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = opened(running, name, tmp_path, monkeypatch)
    memory = Memory()
    application = Receiver([host], memory, TOKEN).application()
    body: dict[str, Any] = {
        "id": "x",
        "task_id": "x",
        "exec_id": "x",
        "request_id": "x",
        "status": "completed",
    }

    async def post() -> list[int]:
        through = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=through, base_url="http://here") as client:
            forged = await client.post(f"/{TOKEN}/{name}", json=body)
            wrong = await client.post(f"/guess/{name}", json=body)
            nobody = await client.post(f"/{TOKEN}/nobody", json=body)
            large = await client.post(f"/{TOKEN}/{name}", content=b"x" * 10_000_001)
            got = await client.get(f"/{TOKEN}/{name}")
            return [one.status_code for one in (forged, wrong, nobody, large, got)]

    codes = asyncio.run(post())
    # evolink signs nothing: the token in the address is all that keeps strangers out
    assert codes == [200 if name == "evolink" else 401, 404, 404, 413, 405]
    assert memory.heard == (1 if name == "evolink" else 0)


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (Done(images=(Image(url="https://e.x/a.png"),), seed=3, cost_usd=Decimal("0.03")), True),
        (Refused(kind=RefusalKind.MODERATION, words="no", code="E1", billed=None), True),
        (Running(ahead=3), False),
        (Ready(), False),
        (Done(images=(Image(data=b"x"),)), False),
        (None, False),
    ],
)
def test_a_reply_in_words_is_the_reply_or_a_wish_to_ask(reply: Any, kept: bool) -> None:
    told = read(written(reply))
    assert told == (reply if kept else Running() if isinstance(reply, Running) else None)
    assert isinstance(json.loads(written(reply)), dict)


@pytest.mark.parametrize(
    ("public", "bound"),
    [
        ("http://127.0.0.1:9123/x", ("127.0.0.1", 9123)),
        ("http://localhost:9123", ("localhost", 9123)),
        ("https://hooks.acme.example/shotlist", ("127.0.0.1", 8787)),
    ],
)
def test_a_receiver_listens_here_for_an_address_of_here_and_for_a_proxy_otherwise(
    public: str, bound: tuple[str, int]
) -> None:
    assert bound_to(public) == bound


def test_a_callback_address_that_is_none_is_told() -> None:
    with pytest.raises(EnvironmentFault, match="SHOTLIST_CALLBACK_URL"):
        bound_to("hooks.acme.example")


def test_a_port_that_is_taken_is_told() -> None:
    port = free_port()
    with (
        listening(Receiver([], Memory(), TOKEN), "127.0.0.1", port),
        pytest.raises(EnvironmentFault, match=f"127.0.0.1:{port}"),
        listening(Receiver([], Memory(), TOKEN), "127.0.0.1", port),
    ):
        pytest.fail("two listened at one port")
