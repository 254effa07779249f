"""The life of one take: intent, request, answer, bytes, each written down before the next.

Nothing paid is sent a second time but what the host refused before billing. A take whose answer
did not come stays `unknown`; one that was taken is asked for until it ends, by this run or the
next.
"""

from __future__ import annotations

import asyncio
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
    Found,
    Image,
    Job,
    NotThere,
    Order,
    Ready,
    RefusalKind,
    Refused,
    Reply,
    Running,
    Unclear,
)
from flows.shoot.books import Books
from flows.shoot.dispatcher import MOST_TRIES, NOT_SENT, Dispatcher
from flows.shoot.fetch import Fetched, Unfetched, fetched, whole_image
from flows.shoot.following import Following
from flows.shoot.order import UnusableReferenceError, order_for
from flows.shoot.outcome import Outcome, Wanted
from flows.shoot.purse import Purse
from flows.shoot.references import Prepared
from flows.shoot.seeking import MOST_LOST, notes_of, sought

LONGEST_JOB_S = 1800.0
"""Beyond this a job is left to the next run (Replicate ends its own after 30 minutes)."""
LONGEST_FETCH_S = 600.0
LEAST_SIDE = 512
"""Where a host does not say which pixels it makes."""
GRACE = 3
"""How often a host may say that it does not know a job that it has just taken."""
LINKS = "result"
"""The note of a take that holds the addresses of what was made, one a line."""


class StoppedError(Exception):
    """The run was told to buy nothing more before this take was sent."""


class Taking:
    """Makes one take with one account. `sending` is called at the moment from which on it must be
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
        self.made = asyncio.Event()
        """Set when the host's work is over: its place is free while the bytes are brought."""
        self._expected: tuple[int, int] | None = None
        self._kind: tuple[str, str] | None = None

    async def bought(self, wanted: Wanted) -> Outcome:
        """Buy a take and bring its bytes; sent again only where the host refused before billing.

        Raises:
            StoppedError: nothing was sent.

        """
        while True:
            tried = await self._once(wanted)
            if isinstance(tried, Outcome):
                return tried
            if self.dispatcher.stopped is not None:
                take = self.dispatcher.fresh(wanted)
                return Outcome(take=_refused(take, self.dispatcher.stopped), stopped="account")
            if not self.dispatcher.is_patient():
                take = self.dispatcher.fresh(wanted)
                return Outcome(take=_refused(take, self.dispatcher.told(tried)))

    async def followed(self, take: Take) -> Outcome | Refused:
        """Bring a take that an earlier run bought, or that is still being made, or of which only
        its sending is known. A Refused says that it was never bought.
        """
        self._expected = None
        links = take.host_notes.get(LINKS, "").split()
        if take.state is TakeState.SUCCEEDED and links:
            brought = await self._fetch(take, [Image(url=link) for link in links], is_last=False)
            is_asked = take.host_task_id and not self.dispatcher.provider.is_synchronous
            if brought.take.state is TakeState.DONE or not is_asked:
                return brought
        notes = {name: text for name, text in take.host_notes.items() if name != LINKS}
        job = Job(id=take.host_task_id or "", notes=notes)
        if self.dispatcher.sharing is not None:
            await self.dispatcher.sharing.sit_again(take.recipe)
        try:
            if take.state in MOST_LOST:
                async with self.dispatcher.alone():
                    found = await sought(take, self.dispatcher, self._books.ledger)
                return await self._settled(take, found)
            return await self._follow(take, job)
        finally:
            await self._rise(take)

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
        size = order.size
        self._expected = (size.width, size.height) if size.width and size.height else None
        self._kind = ("edit" if order.is_edit else "text", wanted.recipe.tier)
        if self.dispatcher.sharing is not None:
            await self.dispatcher.sharing.sit(take.recipe)
        try:
            return await self._sent_once(take, order)
        except IllegalStepError:
            # another run drew or bought the same meanwhile and was first: theirs is as good
            now = await self._books.take(take.recipe)
            if now is None or now.state is not TakeState.DONE:
                raise
            return Outcome(take=now)
        finally:
            await self._rise(take)

    async def _sent_once(self, take: Take, order: Order) -> Outcome | Refused:
        """Send it, and look it up where its answer was lost."""
        async with self.dispatcher.alone():
            sent, reply, began = await self._send(take, order)
            lost = _lost(reply)
            if lost is None:
                found = None
            else:
                sent = (await self._ended(sent, TakeState.UNKNOWN, lost)).take
                found = await sought(sent, self.dispatcher, self._books.ledger)
        if found is not None:
            return await self._settled(sent, found)
        return await self._after(sent, reply, began)

    def _not_sent(self, take: Take, said: Refused) -> Outcome:
        if said.kind is RefusalKind.ACCOUNT:
            self.dispatcher.stop(said)
            return Outcome(take=_refused(take, self.dispatcher.told(said)), stopped="account")
        return Outcome(take=_refused(take, self.dispatcher.told(said)))

    async def _send(self, take: Take, order: Order) -> tuple[Take, Reply, float]:
        """Send the request that buys, once; gives the answer and when the request left."""
        provider = self.dispatcher.provider
        request = provider.submit(order)
        pace = self.dispatcher.pace
        priority = self.dispatcher.schedule.create_priority()
        async with pace.request(creates=True, images=1, priority=priority) as admitted:
            try:
                self._sending()
            except StoppedError:
                self._purse.give_back(self._price)
                raise
            take = await self._books.step(
                take, TakeState.SENT, host_notes=notes_of(self.dispatcher, order)
            )
            await pace.unpaused()
            left = time.monotonic()
            try:
                reply = provider.submitted(await self.dispatcher.create(request), order)
            except NotAskedError as error:
                reply = Refused(kind=RefusalKind.ACCOUNT, words=str(error))
            except NOT_SENT as error:
                reply = self.dispatcher.unreached(type(error).__name__)
            except httpx.HTTPError as error:
                words = f"no answer: {type(error).__name__}"
                reply = Refused(kind=RefusalKind.UNKNOWN, words=words, billed=None)
            # before anything else is awaited: nobody else may leave in between
            self.dispatcher.heard(reply, admitted)
        return take, reply, left

    async def _after(self, take: Take, reply: Reply, began: float) -> Outcome | Refused:
        """Write down what the answer to the paid request means, and go on from there."""
        match reply:
            case Done():
                return await self._made(take, reply, began)
            case Accepted(job=job):
                return await self._follow(await self._accepted(take, job), job, began)
            case Refused():
                state = TakeState.REFUSED
                if reply.kind is RefusalKind.FAILED:
                    state = TakeState.FAILED
                ended = await self._ended(take, state, reply)
                if reply.kind is RefusalKind.ACCOUNT:
                    self.dispatcher.stop(reply)
                    return replace(ended, stopped="account")
                return reply if reply.kind is RefusalKind.AGAIN else ended
            case _:
                msg = f"an answer that says nothing of a purchase was not taken for lost: {reply}"
                raise TypeError(msg)

    async def _accepted(self, take: Take, job: Job) -> Take:
        return await self._books.step(
            take,
            TakeState.ACCEPTED,
            detail=job.id,
            host_task_id=job.id,
            host_notes={**take.host_notes, **job.notes},
        )

    async def _settled(self, take: Take, found: Found | NotThere | Unclear) -> Outcome | Refused:
        """What a lookup found of a create whose answer was lost. A Refused says that it was never
        bought.
        """
        match found:
            case NotThere():
                words = f"{self.dispatcher.host} never had it"
                never = Refused(kind=RefusalKind.AGAIN, words=words, billed=False)
                await self._ended(take, TakeState.REFUSED, never)
                return never
            case Found(reply=Refused() as said):
                state = TakeState.LOST if found.billed else TakeState.FAILED
                self._purse.correct(self._price, found.cost_usd)
                now = await self._books.step(
                    take,
                    state,
                    reason=self.dispatcher.told(said),
                    billed=found.billed,
                    cost_usd=found.cost_usd if found.cost_usd is not None else self._price,
                    cost_from="price" if found.cost_usd is None else "answer",
                )
                return Outcome(take=now)
            case Found(job=job, reply=Done() as done):
                return await self._made(await self._accepted(take, job), done, None)
            case Found(job=job):
                return await self._follow(await self._accepted(take, job), job)
            case Unclear(words=words):
                return Outcome(take=replace(take, reason=f"{take.reason or 'no answer'}; {words}"))

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
        follows = Following(self.dispatcher, job, self._kind, began)
        missing = 0
        with follows.listening():
            while time.monotonic() < deadline:
                match await follows.next():
                    case Done() as done:
                        return await self._made(take, done, began)
                    case Refused(kind=RefusalKind.AGAIN) as said:
                        if said.retry_after_s:
                            self.dispatcher.pace.pause(said.retry_after_s)
                    case Refused(kind=RefusalKind.ACCOUNT) as said:
                        self.dispatcher.stop(said)
                        words = self.dispatcher.told(said)
                        return Outcome(take=replace(take, reason=words), stopped="account")
                    case Refused(kind=RefusalKind.GONE) as said:
                        missing += 1
                        if missing >= GRACE or said.billed:
                            return await self._ended(take, TakeState.LOST, said)
                    case Refused() as said:
                        return await self._ended(take, TakeState.FAILED, said)
                    case _:
                        missing = 0
        reason = f"still being made at {self.dispatcher.host}; the next run asks for it again"
        return Outcome(take=replace(take, reason=reason))

    async def _made(self, take: Take, done: Done, began: float | None) -> Outcome:
        """The host made it: cost and links are written down first, then the bytes are brought."""
        if began is not None and self.dispatcher.provider.is_synchronous:
            self.dispatcher.latencies.took(time.monotonic() - began, kind=self._kind)
        if began is not None and self._kind is not None:
            seconds = time.monotonic() - began
            is_exact = self.dispatcher.is_called_back or self.dispatcher.provider.is_synchronous
            await self._books.learn(self.dispatcher.host, *self._kind, seconds, exact=is_exact)
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
            await self._rise(take)
            self.made.set()
            return await self._fetch(take, done.images)
        facts = {
            "seed": take.seed if done.seed is None else done.seed,
            "cost_usd": cost,
            "cost_from": "price" if done.cost_usd is None else "answer",
            "billed": True,
            "host_task_id": take.host_task_id or done.id,
        }
        return await self._fetch(take, done.images, facts=facts)

    async def _rise(self, take: Take) -> None:
        """The host works on it no more."""
        if self.dispatcher.sharing is not None and not self.made.is_set():
            await self.dispatcher.sharing.rise(take.recipe)

    async def _fetch(
        self,
        take: Take,
        images: Sequence[Image],
        *,
        facts: Mapping[str, Any] | None = None,
        is_last: bool = True,
    ) -> Outcome:
        """Bring the first picture that can be had into the store."""
        found = await self._first_of(images)
        if isinstance(found, Unfetched):
            if found.kind == "unreachable" or not is_last:
                return Outcome(take=replace(take, reason=found.words))
            is_lost = take.state is TakeState.SUCCEEDED and found.kind != "blank"
            state = TakeState.LOST if is_lost else TakeState.FAILED
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
            detail=found.whole.note or None,
            **(facts or {}),
        )
        return Outcome(take=now, bought=True, note=found.whole.note)

    async def _first_of(self, images: Sequence[Image]) -> Fetched | Unfetched:
        found: Fetched | Unfetched = Unfetched(kind="gone", words="the host named no picture")
        for image in images:
            found = await self._bytes_of(image)
            if isinstance(found, Fetched):
                return self._of_size(found)
        return found

    def _of_size(self, found: Fetched) -> Fetched | Unfetched:
        """A picture far below what was asked for is not what was bought."""
        width, height = self._expected or (LEAST_SIDE, LEAST_SIDE)
        if found.whole.width * 2 >= width and found.whole.height * 2 >= height:
            return found
        words = f"only {found.whole.width}x{found.whole.height} came where {width}x{height} was due"
        return Unfetched(kind="broken", words=words)

    async def _bytes_of(self, image: Image) -> Fetched | Unfetched:
        if image.data is None:
            return await fetched(
                image.url or "",
                self.dispatcher.reading,
                deadline_s=LONGEST_FETCH_S,
                tries=MOST_TRIES,
                expected=self._expected,
            )
        whole = await asyncio.to_thread(whole_image, image.data, self._expected)
        if isinstance(whole, str):
            return Unfetched(kind="broken", words=whole)
        return Fetched(data=image.data, whole=whole)


def _refused(take: Take, reason: str) -> Take:
    """A take of which the ledger knows nothing: it was not even intended."""
    return replace(take, state=TakeState.REFUSED, reason=reason, billed=False)


def _lost(reply: Reply) -> Refused | None:
    """Whether the answer to a create leaves open what was bought, in a refusal's words."""
    match reply:
        case Refused(kind=RefusalKind.UNKNOWN | RefusalKind.GONE):
            return reply
        case Running() | Ready():
            words = "the host named no task"
            return Refused(kind=RefusalKind.UNKNOWN, words=words, billed=None)
        case _:
            return None
