"""The life of one take: intent, request, answer, bytes, each written down before the next.

Nothing paid is sent a second time but what the host refused before billing. A take whose answer
did not come stays `unknown`; one that was taken is asked for until it ends, by this run or the
next.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from flows.ledger import IllegalStepError
from flows.network import NotAskedError
from flows.nouns.take import Take, TakeState
from flows.providers.base import (
    Accepted,
    Done,
    Image,
    Job,
    Order,
    Ready,
    RefusalKind,
    Refused,
    Reply,
    Running,
)
from flows.shoot.books import Books
from flows.shoot.dispatcher import LEAST_POLL_S, MOST_TRIES, NOT_SENT, Dispatcher
from flows.shoot.fetch import Fetched, Unfetched, fetched, whole_image
from flows.shoot.order import UnusableReferenceError, order_for
from flows.shoot.outcome import Outcome, Wanted
from flows.shoot.purse import Purse
from flows.shoot.references import Prepared

LONGEST_JOB_S = 1800.0
"""Beyond this a job is left to the next run (Replicate ends its own after 30 minutes)."""
LONGEST_FETCH_S = 600.0
LONGEST_WAIT_S = 60.0
GRACE = 3
"""How often a host may say that it does not know a job that it has just taken."""
_ENDS = {
    RefusalKind.UNKNOWN: TakeState.UNKNOWN,
    RefusalKind.GONE: TakeState.UNKNOWN,
    RefusalKind.FAILED: TakeState.FAILED,
}
"""What a refused create becomes where it is not simply refused."""
LINKS = "result"
"""The note of a take that holds the addresses of what was made, one a line."""


class StoppedError(Exception):
    """The run was told to buy nothing more before this take was sent."""


class Taking:
    """Makes takes with one account. `sending` is called at the moment from which on a take must be
    settled; it raises StoppedError where nothing more shall be bought.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        books: Books,
        *,
        purse: Purse,
        prepared: Prepared,
        callback: str | None,
        sending: Callable[[], None],
    ) -> None:
        self.dispatcher = dispatcher
        self._books = books
        self._purse = purse
        self._prepared = prepared
        self._callback = callback
        self._sending = sending
        self._price = dispatcher.provider.account.usd_per_image

    async def bought(self, wanted: Wanted) -> Outcome:
        """Buy a take and bring its bytes; sent again only where the host refused before billing.

        Raises:
            StoppedError: nothing was sent.

        """
        said = Refused(kind=RefusalKind.AGAIN, words="not tried")
        for attempt in range(MOST_TRIES):
            tried = await self._once(wanted)
            if isinstance(tried, Outcome):
                return tried
            said = tried
            wait = said.retry_after_s or min(
                LONGEST_WAIT_S, self.dispatcher.latency_s * 2**attempt / 4
            )
            # all takes of the account wait; jitter keeps them from coming back as one
            self.dispatcher.pace.pause(wait)
            await asyncio.sleep(wait * random.uniform(1.0, 1.3))  # noqa: S311
        return Outcome(take=_refused(self.dispatcher.fresh(wanted), self.dispatcher.told(said)))

    async def followed(self, take: Take) -> Outcome:
        """Bring a take that an earlier run bought, or that is still being made."""
        links = take.host_notes.get(LINKS, "").split()
        if take.state is TakeState.SUCCEEDED and links:
            brought = await self._fetch(take, [Image(url=link) for link in links], is_last=False)
            if brought.take.state is TakeState.DONE or self.dispatcher.provider.is_synchronous:
                return brought
        notes = {name: text for name, text in take.host_notes.items() if name != LINKS}
        return await self._follow(take, Job(id=take.host_task_id or "", notes=notes))

    async def _once(self, wanted: Wanted) -> Outcome | Refused:
        """One try. A Refused of kind AGAIN says that nothing was bought and may be tried again."""
        take = self.dispatcher.fresh(wanted)
        try:
            order = await order_for(wanted, self.dispatcher, self._prepared, self._callback)
        except UnusableReferenceError as error:
            return Outcome(take=_refused(take, str(error)))
        if isinstance(order, Refused):  # a picture could not be brought there; nothing is paid
            return self._not_sent(take, order)
        if not self._purse.hold(self._price):
            why = "the next take would pass the budget"
            return Outcome(take=_refused(take, why), stopped="budget")
        if not await self._books.intend(take, self._price):
            self._purse.give_back(self._price)
            return Outcome(take=await self._books.take(take.recipe) or take)
        began = time.monotonic()
        try:
            return await self._after(take, await self._send(take, order), began)
        except IllegalStepError:
            # another run drew or bought the same meanwhile and was first: theirs is as good
            now = await self._books.take(take.recipe)
            if now is None or now.state is not TakeState.DONE:
                raise
            return Outcome(take=now)

    def _not_sent(self, take: Take, said: Refused) -> Outcome:
        if said.kind is RefusalKind.ACCOUNT:
            self.dispatcher.stop(said)
            return Outcome(take=_refused(take, self.dispatcher.told(said)), stopped="account")
        return Outcome(take=_refused(take, self.dispatcher.told(said)))

    async def _send(self, take: Take, order: Order) -> Reply:
        """Send the request that buys, once."""
        provider = self.dispatcher.provider
        request = provider.submit(order)
        async with self.dispatcher.pace.request(creates=True, images=1):
            try:
                self._sending()
            except StoppedError:
                self._purse.give_back(self._price)
                raise
            await self._books.step(take, TakeState.SENT)
            try:
                response = await self.dispatcher.create(request)
            except NotAskedError as error:
                return Refused(kind=RefusalKind.ACCOUNT, words=str(error))
            except NOT_SENT as error:
                words = f"{self.dispatcher.host} could not be reached ({type(error).__name__})"
                return Refused(kind=RefusalKind.AGAIN, words=words)
            except httpx.HTTPError as error:
                words = f"no answer: {type(error).__name__}"
                return Refused(kind=RefusalKind.UNKNOWN, words=words, billed=None)
        return provider.submitted(response, order)

    async def _after(self, take: Take, reply: Reply, began: float) -> Outcome | Refused:
        """Write down what the answer to the paid request means, and go on from there."""
        match reply:
            case Done():
                return await self._made(take, reply, began)
            case Accepted(job=job):
                accepted = await self._books.step(
                    take, TakeState.ACCEPTED, host_task_id=job.id, host_notes=job.notes
                )
                return await self._follow(accepted, job, began)
            case Running() | Ready():
                words = "the host named no task"
                reply = Refused(kind=RefusalKind.UNKNOWN, words=words, billed=None)
        ended = await self._ended(take, _ENDS.get(reply.kind, TakeState.REFUSED), reply)
        if reply.kind is RefusalKind.ACCOUNT:
            self.dispatcher.stop(reply)
            return replace(ended, stopped="account")
        return reply if reply.kind is RefusalKind.AGAIN else ended

    async def _ended(self, take: Take, state: TakeState, said: Refused) -> Outcome:
        if state is TakeState.REFUSED or (state is TakeState.FAILED and said.billed is False):
            self._purse.give_back(self._price)
        now = await self._books.step(
            take, state, reason=self.dispatcher.told(said), billed=said.billed
        )
        return Outcome(take=now)

    async def _follow(self, take: Take, job: Job, began: float | None = None) -> Outcome:
        """Ask for a job until it has ended. A question that fails is not a job that failed."""
        deadline = time.monotonic() + LONGEST_JOB_S
        missing = 0
        wait = self.dispatcher.first_poll_s() if began is not None else LEAST_POLL_S
        while time.monotonic() < deadline:
            await asyncio.sleep(wait)
            wait = self.dispatcher.next_poll_s()
            match await self._asked(job):
                case Done() as done:
                    return await self._made(take, done, began)
                case Refused(kind=RefusalKind.AGAIN) as said:
                    if said.retry_after_s:
                        self.dispatcher.pace.pause(said.retry_after_s)
                        wait = max(wait, said.retry_after_s)
                case Refused(kind=RefusalKind.ACCOUNT) as said:
                    self.dispatcher.stop(said)
                    return Outcome(
                        take=replace(take, reason=self.dispatcher.told(said)), stopped="account"
                    )
                case Refused(kind=RefusalKind.GONE) as said:
                    missing += 1
                    if missing >= GRACE:
                        return await self._ended(take, TakeState.LOST, said)
                case Refused() as said:
                    return await self._ended(take, TakeState.FAILED, said)
                case _:
                    pass
        reason = f"still being made at {self.dispatcher.host}; the next run asks for it again"
        return Outcome(take=replace(take, reason=reason))

    async def _asked(self, job: Job) -> Reply:
        provider = self.dispatcher.provider
        try:
            reply = provider.asked(await self.dispatcher.ask(provider.ask(job)), job)
            if isinstance(reply, Ready):
                reply = provider.collected(await self.dispatcher.ask(provider.collect(job)), job)
        except httpx.HTTPError as error:
            return Refused(kind=RefusalKind.AGAIN, words=type(error).__name__)
        return reply

    async def _made(self, take: Take, done: Done, began: float | None) -> Outcome:
        """The host made it: cost and links are written down first, then the bytes are brought."""
        if began is not None:
            self.dispatcher.learn(time.monotonic() - began)
        cost = self._price if done.cost_usd is None else done.cost_usd
        self._purse.correct(self._price, cost)
        links = [image.url for image in done.images if image.url]
        if links and take.state is not TakeState.SUCCEEDED:
            take = await self._books.step(
                take,
                TakeState.SUCCEEDED,
                seed=take.seed if done.seed is None else done.seed,
                cost_usd=cost,
                cost_from="price" if done.cost_usd is None else "answer",
                billed=True,
                host_task_id=take.host_task_id or done.id,
                host_notes={**take.host_notes, LINKS: "\n".join(links)},
            )
            return await self._fetch(take, done.images)
        facts = {
            "seed": take.seed if done.seed is None else done.seed,
            "cost_usd": cost,
            "cost_from": "price" if done.cost_usd is None else "answer",
            "billed": True,
            "host_task_id": take.host_task_id or done.id,
        }
        return await self._fetch(take, done.images, facts=facts)

    async def _fetch(
        self,
        take: Take,
        images: Sequence[Image],
        *,
        facts: Mapping[str, Any] | None = None,
        is_last: bool = True,
    ) -> Outcome:
        """Bring the first picture that can be had into the store."""
        found = await self._bytes_of(images[0])
        if isinstance(found, Unfetched):
            if found.kind == "unreachable" or not is_last:
                return Outcome(take=replace(take, reason=found.words))
            state = TakeState.LOST if take.state is TakeState.SUCCEEDED else TakeState.FAILED
            now = await self._books.step(take, state, reason=found.words, billed=True)
            return Outcome(take=now)
        now = await self._books.step(
            take,
            TakeState.DONE,
            sha256=await self._books.keep(found.data),
            bytes=len(found.data),
            width=found.whole.width,
            height=found.whole.height,
            format=found.whole.format,
            **(facts or {}),
        )
        return Outcome(take=now, bought=True)

    async def _bytes_of(self, image: Image) -> Fetched | Unfetched:
        if image.data is None:
            return await fetched(
                image.url or "",
                self.dispatcher.reading,
                deadline_s=LONGEST_FETCH_S,
                tries=MOST_TRIES,
            )
        whole = await asyncio.to_thread(whole_image, image.data)
        if isinstance(whole, str):
            return Unfetched(kind="broken", words=whole)
        return Fetched(data=image.data, whole=whole)


def _refused(take: Take, reason: str) -> Take:
    """A take of which the ledger knows nothing: it was not even intended."""
    return replace(take, state=TakeState.REFUSED, reason=reason, billed=False)
