"""Tasks of a host: queued, running, then done, failed or cancelled, after drawn latencies."""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from flows.sandbox.links import Link
from flows.sandbox.pictures import Format, Picture

if TYPE_CHECKING:
    from flows.sandbox.desk import Desk

State = Literal["queued", "running", "done", "failed", "cancelled"]
Fate = Literal["good", "moderation", "failure"]
WAITS_IN_LINE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a create asks for, in the core's words.

    `n` images of `width` x `height`; `document` is the request as the host shows it again;
    `changed` is awaited after each change of state (for webhooks); `usd` is the price of one image.
    """

    prompt: str
    width: int
    height: int
    n: int = 1
    format: Format = "jpeg"
    model: str = ""
    task: str = ""
    usd: float | None = None
    latency_s: float | None = None
    document: dict[str, Any] = field(default_factory=dict)
    changed: Callable[[Job], Awaitable[None]] | None = None


@dataclass(slots=True)
class Job:
    """A task. Moments in sandbox time. `form` is how this one answers where sources conflict."""

    id: str
    key: str = field(repr=False)
    order: Order
    number: int
    form: Literal["seed", "present"]
    fate: Fate
    n: int
    latency_s: float
    created_at: float
    state: State = "queued"
    started_at: float | None = None
    ended_at: float | None = None
    links: list[Link] = field(default_factory=list)
    usd: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        return self.state in {"done", "failed", "cancelled"}

    @property
    def run_s(self) -> float:
        """Sandbox seconds from start to end; 0 while it runs."""
        if self.started_at is None or self.ended_at is None:
            return 0.0
        return round(self.ended_at - self.started_at, 3)

    @property
    def seed(self) -> int:
        """A seed drawn for a create that named none; 1 to 2147483647."""
        digest = hashlib.sha256(self.id.encode()).digest()
        return 1 + int.from_bytes(digest[:4], "big") % 2_147_483_646


class Jobs:
    """The tasks of one host, in memory."""

    def __init__(self, desk: Desk, seed: int = 0) -> None:
        self._desk = desk
        self._all: dict[str, Job] = {}
        self._line: dict[str, deque[tuple[Job, asyncio.Event]]] = defaultdict(deque)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._dice = random.Random(f"{seed}/{desk.host.name}")  # noqa: S311 - latencies, no secrets

    def add(self, order: Order, key: str, fate: Fate, n: int) -> Job:
        """Write a job down; `begin` lets it live."""
        desk = self._desk
        number = len(self._all) + 1
        job = Job(
            id=order.task or secrets.token_hex(13),
            key=key,
            order=order,
            number=number,
            form=desk.world.form_of(number),
            fate=fate,
            n=n,
            latency_s=self._latency(order.latency_s or desk.host.latency_s),
            created_at=desk.clock.now(),
        )
        self._all[job.id] = job
        return job

    def begin(self, job: Job) -> None:
        """Let the job live by itself. Its running slot is taken already unless the host queues."""
        self._tasks[job.id] = self._desk.world.spawn(self._live(job))

    def find(self, task: str, key: str | None = None) -> Job | None:
        """A job by its id, of this account alone when `key` is given."""
        job = self._all.get(task)
        return job if job and (key is None or job.key == key) else None

    def of(self, key: str) -> list[Job]:
        """The account's jobs, the newest first."""
        return [job for job in reversed(self._all.values()) if job.key == key]

    def ahead_of(self, job: Job) -> int:
        """How many wait in line before this one."""
        for place, (waiting, _) in enumerate(self._line[job.key]):
            if waiting is job:
                return place
        return 0

    async def cancel(self, job: Job) -> bool:
        """End a job that is not over, unbilled; False when it was over."""
        if job.is_over:
            return False
        task = self._tasks.pop(job.id, None)
        if task is not None:
            task.cancel()
        held_slot = job.state == "running" or not self._desk.host.queues
        line = self._line[job.key]
        for waiting in [entry for entry in line if entry[0] is job]:
            line.remove(waiting)
        if held_slot:
            self._give_back(job.key)
        await self._end(job, "cancelled")
        return True

    async def _live(self, job: Job) -> None:
        clock = self._desk.clock
        if self._desk.host.queues:
            turn = asyncio.Event()
            self._line[job.key].append((job, turn))
            self._pump(job.key)
            await turn.wait()
        else:
            await clock.sleep(job.latency_s * WAITS_IN_LINE)
        job.state, job.started_at = "running", clock.now()
        await self._tell(job)
        await clock.sleep(job.latency_s)
        self._tasks.pop(job.id, None)  # from here on a cancel comes too late
        if job.fate == "good":
            self._make(job)
        self._give_back(job.key)
        await self._end(job, "done" if job.fate == "good" else "failed")

    def _make(self, job: Job) -> None:
        desk, order = self._desk, job.order
        for image in range(job.n):
            picture = Picture(order.width, order.height, f"{job.id} {image + 1}", order.format)
            job.links.append(desk.publish(job, picture, image))
        if not job.n:
            return
        job.usd = job.n * (desk.host.usd if order.usd is None else order.usd)
        desk.bill.made(
            desk.host.name,
            job.key,
            task=job.id,
            prompt=order.prompt,
            size=f"{order.width}x{order.height}",
            n=job.n,
            usd=job.usd,
            at=desk.clock.iso(),
        )

    async def _end(self, job: Job, state: State) -> None:
        job.state, job.ended_at = state, self._desk.clock.now()
        job.ended.set()
        await self._tell(job)

    async def _tell(self, job: Job) -> None:
        if job.order.changed is not None:
            await job.order.changed(job)

    def _pump(self, key: str) -> None:
        line = self._line[key]
        while line and self._desk.gate.begin(key):
            line.popleft()[1].set()

    def _give_back(self, key: str) -> None:
        self._desk.gate.end(key)
        self._pump(key)

    def _latency(self, mean: float) -> float:
        if mean <= 0:
            return 0.0
        variation = math.log(1 + self._desk.host.latency_cv**2)
        return self._dice.lognormvariate(math.log(mean) - variation / 2, math.sqrt(variation))
