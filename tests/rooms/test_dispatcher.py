"""One account at work: what answers say of its pace is kept, and its list is read while it pays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import httpx
import pytest

from flows.nouns.take import Realm
from flows.providers.base import Account, Done, Image, Job, Limits, Listed, Reply, Running, Window
from flows.providers.proof import Host as Proof
from flows.shoot.dispatcher import Dispatcher
from flows.shoot.following import Following

Answer = Callable[[httpx.Request], httpx.Response]
WINDOWS = (Window(amount=100, per_s=60.0),)


class Lists(Proof):
    """A host whose answers are written down, with a list of jobs."""

    lists_results = True

    def __init__(self, answer: Answer, *, latency_s: float = 20.0, running: int = 10) -> None:
        super().__init__(
            Account(
                host="lists",
                name="lists",
                realm=Realm.SANDBOX,
                key="sk-SECRET",
                addresses={},
                limits=Limits(windows=WINDOWS, running=running),
                usd_per_image=Decimal("0.03"),
                latency_s=latency_s,
            )
        )
        self._answer = answer
        self.rows: list[Listed] = []

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.MockTransport(self._answer)

    def list_jobs(self, since: datetime) -> httpx.Request:
        return httpx.Request("GET", "http://127.0.0.1:9/list")

    def listed(self, response: httpx.Response) -> tuple[Sequence[Listed], None]:
        return self.rows, None

    def ask(self, job: Job) -> httpx.Request:
        return httpx.Request("GET", f"http://127.0.0.1:9/job/{job.id}")

    def asked(self, response: httpx.Response, job: Job) -> Reply:
        return Running()


GET = httpx.Request("GET", "http://127.0.0.1:9/job")


def heard(status: int, **headers: str) -> Dispatcher:
    """A dispatcher that has just been answered so."""

    async def work() -> Dispatcher:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        dispatcher = Dispatcher(Lists(lambda _: httpx.Response(status, headers=named)))
        await dispatcher.ask(GET)
        await dispatcher.close()
        return dispatcher

    return asyncio.run(work())


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_answer_to_a_poll_names_is_kept_by_all(status: int) -> None:
    assert heard(status, retry_after="30").pace.paused_s == pytest.approx(30, abs=5)


def test_a_wait_may_be_named_as_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    assert heard(429, retry_after=at).pace.paused_s == pytest.approx(40, abs=5)


def test_answers_that_name_no_wait_pause_nothing() -> None:
    assert heard(429).pace.paused_s == 0
    assert heard(200, retry_after="30").pace.paused_s == 0


def test_where_nothing_is_left_all_waits_until_the_reset() -> None:
    told = heard(200, x_ratelimit_remaining="0", x_ratelimit_reset="30")
    assert told.pace.paused_s == pytest.approx(30, abs=5)


def test_a_lower_limit_is_kept_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    lower = {"x-ratelimit-limit": "50", "x-ratelimit-remaining": "9", "x-ratelimit-reset": "55"}

    async def work() -> Dispatcher:
        dispatcher = Dispatcher(Lists(lambda _: httpx.Response(200, headers=lower)))
        for _ in range(3):
            await dispatcher.ask(GET)
        await dispatcher.close()
        return dispatcher

    with caplog.at_level(logging.WARNING, logger="shotlist.shoot"):
        dispatcher = asyncio.run(work())
    assert dispatcher.pace.windows == (Window(amount=50, per_s=60.0),)
    words = "lists: allows less than was declared; this run keeps to 50 requests in 60 s"
    assert [one.getMessage() for one in caplog.records] == [words]


def test_a_list_that_is_refused_for_now_is_asked_for_again_after_the_wait() -> None:
    async def work() -> tuple[float, bool]:
        refusal = httpx.Response(429, headers={"retry-after": "30"})
        dispatcher = Dispatcher(Lists(lambda _: refusal))
        may_go_on = await dispatcher.listing._read_once()
        await dispatcher.close()
        return dispatcher.pace.paused_s, may_go_on or dispatcher.listing._may_list

    paused_s, is_asked_again = asyncio.run(work())
    assert paused_s == pytest.approx(30, abs=5)
    assert is_asked_again


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_the_host_refuses_is_never_asked_for_again(status: int) -> None:
    async def work() -> int:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return httpx.Response(status)

        dispatcher = Dispatcher(Lists(answer))
        with ExitStack() as jobs:
            for _ in range(5):
                jobs.enter_context(dispatcher.listing.one_more())
            async with asyncio.timeout(20):
                await dispatcher.read_list()
        await dispatcher.close()
        return len(asked)

    assert asyncio.run(work()) == 1


def followed(jobs: int, *, backlog: int = 0) -> tuple[list[str], bool]:
    """What a host is asked while so many jobs are followed that have just begun and end at once,
    and whether each was heard of.
    """

    async def work() -> tuple[list[str], bool]:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            return httpx.Response(200)

        host = Lists(answer)
        done = Done(images=(Image(data=b"x"),))
        host.rows = [Listed(job=Job(id=str(n)), reply=done) for n in range(jobs)]
        dispatcher = Dispatcher(host)
        dispatcher.backlog = lambda: backlog
        now = asyncio.get_running_loop().time()
        all_of = [Following(dispatcher, Job(id=str(n)), None, now) for n in range(jobs)]

        async def end_of(one: Following) -> Reply:
            with one.listening():
                return await one.next()

        ends = [asyncio.create_task(end_of(one)) for one in all_of]
        await asyncio.sleep(0)
        reads = asyncio.create_task(dispatcher.read_list())
        _, waiting = await asyncio.wait(ends, timeout=0.2)
        for task in (*waiting, reads):
            task.cancel()
        await asyncio.gather(*ends, reads, return_exceptions=True)
        await dispatcher.close()
        return asked, not waiting

    return asyncio.run(work())


@pytest.mark.parametrize("backlog", [0, 100])
def test_where_many_jobs_run_one_list_tells_of_all_to_the_runs_end(backlog: int) -> None:
    assert followed(10, backlog=backlog) == (["/list"], True)


def test_where_one_job_runs_it_is_asked_for_by_itself() -> None:
    assert followed(1) == ([], False)  # and it is not time to ask yet


def test_a_list_leaves_room_for_creates_and_for_who_else_reads_it() -> None:
    class Two:
        sharers = 2

    async def work() -> tuple[float, float]:
        dispatcher = Dispatcher(Lists(lambda _: httpx.Response(200)))
        dispatcher.backlog = lambda: 100
        alone = dispatcher.listing._every_s()
        dispatcher.sharing = Two()  # type: ignore[assignment]
        shared = dispatcher.listing._every_s()
        dispatcher.sharing = None
        await dispatcher.close()
        return alone, shared

    alone, shared = asyncio.run(work())
    # a hundred requests a minute, of which ten places need thirty
    assert alone == pytest.approx(60 / 70 / 0.9)
    assert shared == pytest.approx(2 * alone)


def test_at_the_end_of_a_run_those_that_are_left_are_asked_for_more_often() -> None:
    async def work() -> tuple[float, float, float]:
        dispatcher = Dispatcher(Lists(lambda _: httpx.Response(200)))
        backlog = 5
        dispatcher.backlog = lambda: backlog
        busy = dispatcher.schedule.forecast().lag_s
        with dispatcher.listing.one_more():
            still_busy = dispatcher.schedule.forecast().lag_s
            backlog = 0
            with dispatcher.listing.one_more():
                ending = dispatcher.schedule.forecast().lag_s
        await dispatcher.close()
        return busy, still_busy, ending

    busy, still_busy, ending = asyncio.run(work())
    assert still_busy == busy
    assert ending < busy / 2
