"""The life of one take: intent, request, answer, bytes, each written down before the next.

Nothing paid is sent a second time but what the host refused before billing. A take whose answer
did not come stays `unknown`; one that was taken is asked for until it ends, by this run or the
next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import httpx

from flows.ledger import IllegalStepError
from flows.network import NotAskedError
from flows.nouns.take import Take, TakeState
from flows.providers.base import (
    Accepted,
    Done,
    Found,
    Job,
    NotThere,
    Order,
    RefusalKind,
    Refused,
    Reply,
    Unclear,
)
from flows.shoot.books import Books
from flows.shoot.bringing import LINKS, Bringing
from flows.shoot.dispatcher import Dispatcher
from flows.shoot.following import Following
from flows.shoot.order import UnusableReferenceError, order_for
from flows.shoot.outcome import HeldBackError, Outcome, StoppedError, Wanted, untried
from flows.shoot.purse import Purse
from flows.shoot.references import Prepared
from flows.shoot.seeking import MOST_LOST, NOT_SENT, lost, notes_of, sought

LONGEST_JOB_S = 1800.0
"""Beyond this a job is left to the next run (Replicate ends its own after 30 minutes)."""
GRACE = 3
"""How often a host may say that it does not know a job that it has just taken."""


class Taking:
    """Makes one take with one account. `sending` is called at the moment from which on it must be
    settled; it raises StoppedError where nothing more shall be bought. `is_probe`: while the
    account's creates fail, this one shows whether they still do.
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
        is_probe: bool = False,
    ) -> None:
        self.dispatcher = dispatcher
        self._books = books
        self._purse = purse
        self._prepared = prepared
        self._callback = callback
        self._sending = sending
        self._is_probe = is_probe
        self._price = dispatcher.provider.account.usd_per_image
        self._bringing = Bringing(dispatcher, books, purse)
        self.made = self._bringing.made

    async def bought(self, wanted: Wanted) -> Outcome:
        """Buy a take and bring its bytes; sent again only where the host refused before billing.
        Stopped by its account, it may be bought with another, or later.

        Raises:
            StoppedError: nothing was sent.

        """
        while True:
            try:
                tried = await self._once(wanted)
            except HeldBackError:
                words = f"creates fail at {self.dispatcher.host}"
                return untried(self.dispatcher.fresh(wanted), words, "account")
            if isinstance(tried, Outcome):
                return tried
            if self.dispatcher.stopped is not None or self.dispatcher.circuit.is_open:
                words = self.dispatcher.stopped or self.dispatcher.told(tried)
                return untried(self.dispatcher.fresh(wanted), words, "account")

    async def followed(self, take: Take) -> Outcome | Refused:
        """Bring a take that an earlier run bought, or that is still being made, or of which only
        its sending is known. A Refused says that it was never bought.
        """
        if (brought := await self._bringing.from_links(take)) is not None:
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
            await self._bringing.rise(take)

    async def _once(self, wanted: Wanted) -> Outcome | Refused:
        """One try. A Refused of kind AGAIN says that nothing was bought and may be tried again."""
        take = self.dispatcher.fresh(wanted)
        try:
            order = await order_for(wanted, self.dispatcher, self._prepared, self._callback)
        except UnusableReferenceError as error:
            return untried(take, str(error))
        if isinstance(order, Refused):  # a picture could not be brought there; nothing is paid
            return self._not_sent(take, order)
        if not self._purse.hold(self._price):
            return untried(take, "the next take would pass the budget", "budget")
        if not await self._books.intend(take, self._price):
            self._purse.give_back(self._price)
            return Outcome(take=await self._books.take(take.recipe) or take)
        self._bringing.expect(order, wanted.recipe.tier)
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
            await self._bringing.rise(take)

    async def _sent_once(self, take: Take, order: Order) -> Outcome | Refused:
        """Send it, and look it up where its answer was lost."""
        async with self.dispatcher.alone():
            sent, reply, began = await self._send(take, order)
            unclear = lost(reply)
            if unclear is None:
                found = None
            else:
                sent = (await self._ended(sent, TakeState.UNKNOWN, unclear)).take
                found = await sought(sent, self.dispatcher, self._books.ledger)
        if isinstance(found, Found):
            self.dispatcher.circuit.passed()
        if found is not None:
            return await self._settled(sent, found)
        return await self._after(sent, reply, began)

    def _not_sent(self, take: Take, said: Refused) -> Outcome:
        if said.kind is RefusalKind.ACCOUNT:
            self.dispatcher.stop(said)
            return untried(take, self.dispatcher.told(said), "account")
        return untried(take, self.dispatcher.told(said))

    def _may_leave(self) -> None:
        """Asked at the last moment before a create leaves.

        Raises:
            HeldBackError: creates of the account fail, and this is not the one to try.
            StoppedError: nothing more shall be bought.

        """
        if self.dispatcher.circuit.is_open and not self._is_probe:
            raise HeldBackError
        self._sending()

    async def _send(self, take: Take, order: Order) -> tuple[Take, Reply, float]:
        """Send the request that buys, once; gives the answer and when the request left."""
        provider = self.dispatcher.provider
        request = provider.submit(order)
        pace = self.dispatcher.pace
        priority = self.dispatcher.schedule.create_priority()
        async with pace.request(creates=True, images=1, priority=priority) as admitted:
            try:
                self._may_leave()
            except (HeldBackError, StoppedError):
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
                return await self._bringing.bring(take, reply, began)
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
                is_final = state is TakeState.LOST
                return Outcome(take=now, refusal=None if is_final else said.kind)
            case Found(job=job, reply=Done() as done):
                return await self._bringing.bring(await self._accepted(take, job), done, None)
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
        return Outcome(take=now, refusal=said.kind)

    async def _follow(self, take: Take, job: Job, began: float | None = None) -> Outcome:
        """Ask for a job until it has ended. A question that fails is not a job that failed."""
        deadline = time.monotonic() + LONGEST_JOB_S
        follows = Following(self.dispatcher, job, self._bringing.kind, began)
        missing = 0
        with follows.listening():
            while time.monotonic() < deadline:
                match await follows.next():
                    case Done() as done:
                        return await self._bringing.bring(take, done, began)
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
