"""Studio: all accounts of a run on one event loop, in a thread of its own.

Outcomes are handed on as they come, so that finishing overlaps with shooting. Told to stop, it
buys nothing more and settles what was sent.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
from collections import deque
from collections.abc import Awaitable, Coroutine, Generator, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, TypeVar

from flows.errors import ShotlistError
from flows.ledger import Ledger, TakeStore
from flows.nouns.take import OnUnknown, Realm, Take, TakeState
from flows.providers import Provider
from flows.providers.base import Refused
from flows.shoot.bell import Bell
from flows.shoot.books import Books
from flows.shoot.dispatcher import Dispatcher
from flows.shoot.ears import Ears
from flows.shoot.outcome import Outcome, Stop, Wanted
from flows.shoot.purse import Purse
from flows.shoot.references import Prepared
from flows.shoot.seeking import MOST_LOST, can_be_sought
from flows.shoot.sharing import Sharing
from flows.shoot.taking import StoppedError, Taking

T = TypeVar("T")
Policy = Literal["failover", "cheapest", "fastest"]

_ON_THE_WAY = frozenset({TakeState.ACCEPTED, TakeState.SUCCEEDED})


def shoot(
    wanted: Sequence[Wanted],
    *,
    hosts: Sequence[Provider],
    policy: Policy = "failover",
    on_unknown: OnUnknown = "park",
    book: Ledger,
    store: TakeStore,
    run: str,
    cap_usd: Decimal | None = None,
    spent_usd: Decimal = Decimal(0),
    callback: str | None = None,
    bell: Bell | None = None,
) -> Generator[Outcome]:
    """Make the takes that are missing; those that are there come back as they are. Each recipe
    once, in the order in which they are settled.

    `hosts` are the accounts, all of one realm, first choice first. `spent_usd` counts towards
    `cap_usd` from the start. `callback` is the address at which a receiver writes what hosts call
    back with into the ledger; it rings `bell`. Closing the iterator stops buying and waits until
    what was sent is settled.
    """
    studio = _Studio(
        wanted,
        hosts,
        policy,
        on_unknown,
        book,
        store,
        run=run,
        purse=Purse(cap_usd, spent_usd),
        callback=callback,
        bell=bell,
    )
    thread = threading.Thread(target=studio.run, name="studio", daemon=True)
    thread.start()
    try:
        while (item := studio.outcomes.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        studio.stop()
        thread.join()


class _Studio:
    def __init__(
        self,
        wanted: Sequence[Wanted],
        hosts: Sequence[Provider],
        policy: Policy,
        on_unknown: OnUnknown,
        book: Ledger,
        store: TakeStore,
        *,
        run: str,
        purse: Purse,
        callback: str | None,
        bell: Bell | None,
    ) -> None:
        self.outcomes: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
        """None: the end."""
        self._wanted = {one.recipe.sha256: one for one in wanted}
        self._hosts = hosts
        self._policy = policy
        self._on_unknown = on_unknown
        self._known = book.takes(hosts[0].realm(), self._wanted.keys())
        self._book = book
        self._run = run
        self._books = Books(
            book, store, run=run, realm=hosts[0].realm(), rebuys=on_unknown == "rebuy"
        )
        self._purse = purse
        self._prepared = Prepared()
        self._callback = callback
        self._bell = bell or Bell()
        self._to_buy: deque[Wanted] = deque()
        self._unsent: set[asyncio.Task[Outcome]] = set()
        self._bringing: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """The thread's work: shoot everything, then say that it is the end."""
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001 - raised again where outcomes are read
            self.outcomes.put(error)
        self.outcomes.put(None)

    def stop(self) -> None:
        """From any thread: buy nothing more."""
        self._stopping = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel_unsent)

    def _cancel_unsent(self) -> None:
        for task in self._unsent:
            task.cancel()

    def _sending(self) -> None:
        """A take is about to be sent: from here on it must be settled."""
        if self._stopping:
            raise StoppedError
        task = asyncio.current_task()
        self._unsent = {one for one in self._unsent if one is not task}

    async def _all(self) -> None:
        self._loop = asyncio.get_running_loop()
        dispatchers = [
            Dispatcher(
                host,
                self._sharing(host),
                is_called_back=self._callback is not None,
                expected_s=self._expected_s(host),
            )
            for host in self._hosts
        ]
        for dispatcher in dispatchers:
            dispatcher.backlog = lambda: len(self._to_buy)
        readers: list[asyncio.Task[None]] = []
        try:
            for dispatcher in dispatchers:
                await dispatcher.begin()
            ears = Ears(dispatchers, self._book, self._bell)
            await ears.catch_up()
            if self._callback is not None:
                readers.append(asyncio.create_task(ears.listen()))
            await self._sort(dispatchers)
            readers += [
                asyncio.create_task(one.read_list())
                for one in dispatchers
                if one.provider.lists_results
            ]
            for together in self._in_order(dispatchers):
                # what the others have under way goes on beside
                await asyncio.gather(
                    *(
                        self._work(one, may_buy=one in together)
                        for one in dispatchers
                        for _ in range(one.places)
                    )
                )
                await asyncio.gather(*self._bringing)
            self._leave(dispatchers)
        finally:
            for reader in readers:
                reader.cancel()
            for dispatcher in dispatchers:
                await dispatcher.close()
            self._books.close()

    def _expected_s(self, host: Provider) -> float:
        """What earlier runs saw generations take, or what the host declares."""
        if host.realm() is not Realm.LIVE:
            return host.account.latency_s  # the next sandbox may run on another clock
        seen = [
            seconds
            for name, mode, tier in self._book.latency_keys()
            if name == host.name
            for seconds, _ in self._book.latencies(name, mode=mode, tier=tier)
        ]
        return sum(seen) / len(seen) if seen else host.account.latency_s

    def _sharing(self, host: Provider) -> Sharing | None:
        """Proofs are drawn here: there is nothing to share."""
        if host.realm() is Realm.PROOF:
            return None
        return Sharing(self._book, host.account, self._run)

    async def _sort(self, dispatchers: Sequence[Dispatcher]) -> None:
        """What is there, what is under way, what is to be bought."""
        for recipe, wanted in self._wanted.items():
            take = self._known.get(recipe)
            if take is None:
                self._to_buy.append(wanted)
            elif take.state in _ON_THE_WAY or (
                take.state in MOST_LOST and self._may_seek(take, dispatchers)
            ):
                self._resume(take, dispatchers)
            elif take.may_be_bought(self._on_unknown) or await self._books.forget_if_broken(take):
                self._to_buy.append(wanted)
            else:
                self.outcomes.put(Outcome(take=take))

    def _may_seek(self, take: Take, dispatchers: Sequence[Dispatcher]) -> bool:
        """Whether a host that we use can be asked for it, and nobody else is at it."""
        if take.intended_by and self._book.alive(run=take.intended_by):
            return False
        return any(can_be_sought(one, take) for one in dispatchers if one.host == take.provider)

    def _resume(self, take: Take, dispatchers: Sequence[Dispatcher]) -> None:
        of_host = [one for one in dispatchers if one.host == take.provider]
        of_account = [one for one in of_host if one.name == take.account] or of_host
        if of_account:
            of_account[0].under_way.append(take)
        else:
            reason = f"bought at {take.provider} before; name it as a provider to have it brought"
            self.outcomes.put(Outcome(take=replace(take, reason=reason)))

    def _in_order(self, dispatchers: Sequence[Dispatcher]) -> Iterator[Sequence[Dispatcher]]:
        """The accounts that buy together; the next ones only where these cannot go on."""
        if self._policy == "fastest":
            yield dispatchers
            return
        ordered = list(dispatchers)
        if self._policy == "cheapest":
            ordered.sort(key=lambda one: _price(one.provider))
        for _host, together in itertools.groupby(ordered, key=lambda one: one.host):
            yield list(together)

    async def _work(self, dispatcher: Dispatcher, *, may_buy: bool) -> None:
        """One of an account's places: one take at a time, what is under way first."""
        while not self._stopping:
            if dispatcher.under_way:
                take = dispatcher.under_way.popleft()
                taking = self._taking(dispatcher)
                await self._in_place(taking, self._bring(taking, take))
            elif may_buy and self._to_buy and dispatcher.stopped is None:
                wanted = self._to_buy.popleft()
                if self._purse.is_spent:
                    take = dispatcher.fresh(wanted)
                    self.outcomes.put(_untried(take, "the budget is spent", "budget"))
                    continue
                taking = self._taking(dispatcher)
                await self._in_place(taking, self._buy(taking, wanted))
            else:
                return

    def _taking(self, dispatcher: Dispatcher) -> Taking:
        return Taking(
            dispatcher,
            self._books,
            purse=self._purse,
            prepared=self._prepared,
            callback=self._callback,
            sending=self._sending,
        )

    async def _in_place(self, taking: Taking, work: Coroutine[Any, Any, None]) -> None:
        """Return as soon as the host works on it no more; its bytes are brought beside."""
        task = asyncio.create_task(work)
        self._bringing.add(task)
        task.add_done_callback(self._bringing.discard)
        made = asyncio.create_task(taking.made.wait())
        await asyncio.wait({task, made}, return_when=asyncio.FIRST_COMPLETED)
        made.cancel()

    async def _bring(self, taking: Taking, take: Take) -> None:
        outcome = await _held(taking.followed(take), take)
        if isinstance(outcome, Refused):
            self._to_buy.append(self._wanted[take.recipe])  # it was never bought
        else:
            self.outcomes.put(outcome)

    async def _buy(self, taking: Taking, wanted: Wanted) -> None:
        task = asyncio.create_task(taking.bought(wanted))
        self._unsent.add(task)
        try:
            outcome = await _held(task, taking.dispatcher.fresh(wanted))
        finally:
            self._unsent.discard(task)
        if outcome.stopped == "account" and outcome.take.state is TakeState.REFUSED:
            self._to_buy.appendleft(wanted)
        elif outcome.stopped != "interrupted":
            self.outcomes.put(outcome)

    def _leave(self, dispatchers: Sequence[Dispatcher]) -> None:
        """What no account could make."""
        if self._stopping:
            return
        reasons = [f"{one.name}: {one.stopped}" for one in dispatchers if one.stopped]
        reason = "; ".join(dict.fromkeys(reasons)) or "no account could be used"
        for wanted in self._to_buy:
            self.outcomes.put(_untried(dispatchers[0].fresh(wanted), reason, "account"))


async def _held(work: Awaitable[T], take: Take) -> T | Outcome:
    """What came of one take; a fault of one stays its own."""
    try:
        return await work
    except (StoppedError, asyncio.CancelledError):
        return _untried(take, "the run was stopped before it was bought", "interrupted")
    except Exception as error:  # noqa: BLE001 - around one take
        said = str(error) if isinstance(error, ShotlistError) else repr(error)
        return Outcome(take=replace(take, reason=said, billed=None))


def _untried(take: Take, reason: str, why: Stop) -> Outcome:
    untried = replace(take, state=TakeState.REFUSED, reason=reason, billed=False)
    return Outcome(take=untried, stopped=why)


def _price(provider: Provider) -> Decimal:
    price = provider.account.usd_per_image
    return Decimal("Infinity") if price is None else price
