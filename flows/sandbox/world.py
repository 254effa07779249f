"""The world of one sandbox: its clock, bill, faults and links, and a desk for each host.

How to write a host (flows/sandbox/hosts/<name>.py):

1. `HOST = Host(name=..., usd=..., refuse=_refuse, ...)`: see `host.py` for all that can be said
   there: key headers, windows and slots, latency, life of links, words of the common refusals.
   `_refuse(call, refused) -> Response` shapes every error body, also 401, 404, 413, 429, 5xx.
2. `routes(world)`: `desk = world.desk(HOST)` once, then `desk.route("POST", "/name/v1/x", handler,
   at="create")` for each path. Paths begin with one of the host's prefixes. Unknown paths below a
   prefix are answered by the core (404 by `_refuse`), so are the files (`/name/files/...`) and
   presigned PUTs (`/name/put/...`). A handler is `async def create(call: Call) -> Response`.
3. Authentication and limits are done when the handler is called: `call.key` is the account. Keys
   that begin with bad- never arrive; broke- ones are refused by `desk.start`; look at
   `call.is_locked` yourself.
4. Validate: `body = call.json()` (or `call.form()`), `fields.faults_of(body, CHECKS, ("prompt",))`,
   then `raise Refused(422, message, code=..., field=...)`. References: `world.reference(call, url)`
   gives the bytes of an own upload, None for a foreign address (never fetched); `pictures.look`,
   `pictures.from_data_uri`, `pictures.from_base64` read what came inline.
5. Create: `job = desk.start(call, Order(prompt=..., width=..., height=..., n=..., document=body))`,
   synchronous hosts `job = await desk.make(call, order)`. Both write the bill by themselves.
   Then look at `job.state`, `job.fate` (moderation or failure: the host's own words), `job.n`.
6. Poll: `desk.jobs.find(task, call.key)`; `desk.jobs.of(key)` lists, `await desk.jobs.cancel(job)`.
   Result addresses: `call.url(link.path) for link in job.links`; their host comes from the
   request's Host header. `call.hit("unknown_state")` wants a state word that no page knows. Where
   sources conflict answer as `job.form` says: "seed" or "present".
7. Inline images (base64): `await job.links[0].read()`, then `desk.deliver_inline(job)`.
8. Uploads: `world.links.store(...)` keeps bytes, `world.links.expect(...)` opens a presigned PUT.
9. Webhooks: `Order(changed=told)`; in `told(job)` build a body and
   `world.webhooks.send(Delivery(host=..., task=job.id, url=..., body=..., sign=..., waits=...))`.
   Addresses in a webhook: remember `call.url(...)` results, or `call.url("")`, in `job.more`.
10. Other faults (drop, status, slow, malformed, html, links) are the core's. Moments shown to a
   client are `world.clock.iso(t)` or `wall(t)`; `clock.now()` is for windows and lifetimes.
11. `environment(base)`: the variables for a client; keys are `sandbox-<name>`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from flows.sandbox.bill import Bill
from flows.sandbox.call import Call
from flows.sandbox.clock import Clock
from flows.sandbox.connections import Connections
from flows.sandbox.desk import Desk
from flows.sandbox.faults import Faults
from flows.sandbox.host import Host
from flows.sandbox.limits import Limits
from flows.sandbox.links import Link, Links
from flows.sandbox.refused import Refused
from flows.sandbox.webhooks import Webhooks

Form = Literal["seed", "present", "alternate"]

__all__ = ["Form", "Host", "World"]


class World:
    """One sandbox. Nothing of it outlives the process."""

    def __init__(
        self,
        *,
        speed: float = 1.0,
        faults: Faults | None = None,
        form: Form = "alternate",
        limits: Mapping[str, Limits] | None = None,
        seed: int = 0,
        latencies: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """Make a world.

        Args:
            speed: sandbox seconds in one real second.
            faults: what goes wrong; None: nothing.
            form: how hosts answer where their sources conflict; `alternate` switches by task.
            limits: by host, in place of the host's own.
            seed: decides the latencies.
            latencies: by host, in place of its own: the mean in sandbox seconds and the coefficient
                of variation.

        """
        self.clock = Clock(speed)
        self.bill = Bill(speed)
        self.faults = faults or Faults()
        self.form = form
        self.seed = seed
        self.links = Links(self.clock)
        self.connections = Connections()
        self.webhooks = Webhooks(self)
        self.desks: dict[str, Desk] = {}
        self._limits = dict(limits or {})
        self._latencies = dict(latencies or {})
        self._tasks: set[asyncio.Task[None]] = set()

    def desk(self, host: Host) -> Desk:
        """The host's desk; the same one each time."""
        if host.name not in self.desks:
            limits = self._limits.get(host.name, host.limits)
            if host.name in self._latencies:
                mean_s, variation = self._latencies[host.name]
                host = replace(host, latency_s=mean_s, latency_cv=variation)
            self.desks[host.name] = Desk(self, host, limits)
        return self.desks[host.name]

    def form_of(self, number: int) -> Literal["seed", "present"]:
        """How the `number`-th task of a host (from 1) answers where sources conflict."""
        if self.form == "alternate":
            return "seed" if number % 2 else "present"
        return self.form

    def reference(self, call: Call, url: str) -> Link | None:
        """The sandbox's own file behind a reference's address; None for a foreign address.

        A foreign address is never fetched: the sandbox leaves this machine for nothing.

        Raises:
            Refused: 400, the address is the sandbox's own, but there is no such file (any more).

        """
        parts = urlsplit(url)
        if parts.netloc != urlsplit(call.url("")).netloc:
            return None
        link = self.links.find(parts.path)
        if link is None or not self.links.is_alive(link) or (not link.data and not link.picture):
            raise Refused(400, f"the image at {url} cannot be downloaded")
        return link

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Let work run in the background until it ends or the sandbox closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End all work in the background."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.webhooks.close()
