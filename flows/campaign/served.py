"""Served: campaigns that this machine runs when they are due, until it is stopped."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.runner import Runner

from flows.campaign.deployments import Parameters, deployment, told
from flows.campaign.watching import Tell, Watch
from flows.nouns.campaign import Campaign

LETTERS = 6


def serve(campaigns: Sequence[tuple[Campaign, Parameters]], tell: Tell) -> None:
    """Register campaigns and run them on this machine when they are due, until it is stopped.

    `tell` is called from another thread when a run begins or ends. The schedules rest while nobody
    serves them.

    Raises:
        EnvironmentFault: the server does not take them.

    """
    served: dict[UUID, Campaign] = {}
    runner = _Runner(pause_on_shutdown=False)  # it would not, where it is stopped as it begins
    with told(), get_client(sync_client=True) as client, suppress(KeyboardInterrupt):
        try:
            for one, parameters in campaigns:
                made = deployment(one, parameters, _name(one, parameters))
                served[cast("UUID", runner.add_deployment(made))] = one
            with Watch(served, tell):
                runner.run()
        finally:
            _rest(client, served)


def _name(campaign: Campaign, parameters: Parameters) -> str:
    """Told from those of `deploy`, which workers of a pool look after, and from a campaign of the
    same id in another folder.
    """
    place = hashlib.sha256(str(parameters["workspace"]).encode()).hexdigest()[:LETTERS]
    return f"{campaign.campaign}-served-{place}"


def _rest(client: SyncPrefectClient, served: Mapping[UUID, Campaign]) -> None:
    for each in served:
        # a server that is gone has stopped its schedules with it
        with suppress(httpx.HTTPError):
            client.pause_deployment(each)


class _Runner(Runner):
    """One that ends alike at Ctrl-C and at SIGTERM: its runs are asked to end, and told as such.

    Prefect 3.8's own answer to SIGTERM is never awaited. SIGINT cannot stand in for it: a shell
    starts what it sends to the background with SIGINT ignored.
    """

    _task: asyncio.Task[Any] | None = None
    _fault: Exception | None = None

    def run(self) -> None:
        """Run what is due until a signal comes; at a second one, leave at once."""
        former = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            with suppress(KeyboardInterrupt, asyncio.CancelledError):
                asyncio.run(self._until_stopped())
        finally:
            for one, handler in former.items():
                signal.signal(one, handler)
        if self._fault is not None:
            raise self._fault

    async def _until_stopped(self) -> None:
        self._task = asyncio.current_task()
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self.handle_sigterm)
        await self.start()  # it sends SIGTERM to `handle_sigterm`

    def handle_sigterm(self, *_args: Any, **_more: Any) -> None:
        if self._task is not None:
            asyncio.run_coroutine_threadsafe(self._end(self._task), self._task.get_loop())

    async def _end(self, task: asyncio.Task[Any]) -> None:
        if not self.started:  # not yet, or it was asked before
            task.cancel()
            return
        try:
            await self.astop()
        except Exception as error:  # noqa: BLE001 - whatever kept it from stopping: `serve` ends
            self._fault = error  # nobody waits for this coroutine; `run` raises it
            task.cancel()
