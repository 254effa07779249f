"""Studio: all accounts of a run on one event loop. Told to stop, it buys nothing more and settles
what was sent.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from flows.ledger import Ledger, TakeStore
from flows.nouns.campaign import Moderation
from flows.nouns.take import OnUnknown, Take, TakeState
from flows.providers import Provider
from flows.providers.base import RefusalKind, Refused
from flows.shoot.bell import Bell
from flows.shoot.books import Books
from flows.shoot.dispatcher import Dispatcher
from flows.shoot.ears import Ears
from flows.shoot.moderating import Moderating
from flows.shoot.outcome import Outcome, StoppedError, Wanted, held, untried
from flows.shoot.pool import Policy, in_order, opened
from flows.shoot.purse import Purse
from flows.shoot.references import Prepared
from flows.shoot.seeking import MOST_LOST, can_be_sought
from flows.shoot.taking import Taking
from flows.shoot.waiting import Waiting

LOOK_S = 0.1
"""How often a place of an account whose creates fail looks whether it may try one."""

_ON_THE_WAY = frozenset({TakeState.ACCEPTED, TakeState.SUCCEEDED})


class Studio:
    """Shoots `wanted` (see `shoot`), and puts what came of it into `outcomes`."""

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
        moderation: Moderation | None,
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
        self._moderating = Moderating(moderation, wanted, self._books, on_unknown)
        self._waiting = Waiting(self._moderating.may_go_to)
        self._unsent: set[asyncio.Task[Outcome]] = set()
        self._bringing: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._dispatchers: Sequence[Dispatcher] = ()
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
        for dispatcher in self._dispatchers:
            dispatcher.leaving.set()

    def _sending(self) -> None:
        """A take is about to be sent: from here on it must be settled."""
        if self._stopping:
            raise StoppedError
        task = asyncio.current_task()
        self._unsent = {one for one in self._unsent if one is not task}

    async def _all(self) -> None:
        self._loop = asyncio.get_running_loop()
        dispatchers = opened(
            self._hosts, self._book, self._run, is_called_back=self._callback is not None
        )
        self._dispatchers = dispatchers
        for dispatcher in dispatchers:
            dispatcher.backlog = lambda: len(self._waiting)
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
            for together in in_order(dispatchers, self._policy):
                await self._round(dispatchers, together)
            while any(self._has_work(one) for one in dispatchers):
                # what was put back or handed on after those that may take it had ended
                await self._round(dispatchers, dispatchers)
            self._leave(dispatchers)
        finally:
            for reader in readers:
                reader.cancel()
            for dispatcher in dispatchers:
                await dispatcher.close()
            self._books.close()

    async def _round(
        self, dispatchers: Sequence[Dispatcher], together: Sequence[Dispatcher]
    ) -> None:
        """Some accounts buy; what the others have under way goes on beside."""
        for one in together:
            others = [other for other in dispatchers if other not in together]
            one.circuit.may_hand_over = any(other.stopped is None for other in others)
        await asyncio.gather(
            *(
                self._work(one, may_buy=one in together)
                for one in dispatchers
                for _ in range(one.places)
            )
        )
        await asyncio.gather(*self._bringing)

    async def _sort(self, dispatchers: Sequence[Dispatcher]) -> None:
        """What is there, what is under way, what is to be bought."""
        for recipe, wanted in self._wanted.items():
            take = self._known.get(recipe)
            if take is None:
                self._waiting.add(wanted)
            elif take.state in _ON_THE_WAY or (
                take.state in MOST_LOST and self._may_seek(take, dispatchers)
            ):
                self._resume(take, dispatchers)
            elif take.may_be_bought(self._on_unknown) or await self._books.forget_if_broken(take):
                self._waiting.add(wanted)
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

    def _has_work(self, dispatcher: Dispatcher) -> bool:
        """Whether something waits that this account may buy."""
        if self._stopping or dispatcher.stopped is not None:
            return False
        return self._waiting.has_for(dispatcher.host)

    async def _work(self, dispatcher: Dispatcher, *, may_buy: bool) -> None:
        """One of an account's places: one take at a time, what is under way first."""
        circuit = dispatcher.circuit
        while not self._stopping:
            if dispatcher.under_way:
                take = dispatcher.under_way.popleft()
                taking = self._taking(dispatcher)
                await self._in_place(taking, self._bring(taking, take))
            elif not may_buy or not self._has_work(dispatcher):
                return
            elif not circuit.lets_through():
                # what waits is left where other accounts find it
                await asyncio.sleep(min(LOOK_S, max(circuit.wait_s, LOOK_S / 10)))
            else:
                await self._buy_next(dispatcher)

    async def _buy_next(self, dispatcher: Dispatcher) -> None:
        is_probe = dispatcher.circuit.is_open
        wanted = self._waiting.next_for(dispatcher.host)
        if self._purse.is_spent:
            take = dispatcher.fresh(wanted)
            self.outcomes.put(untried(take, "the budget is spent", "budget"))
        else:
            taking = self._taking(dispatcher, is_probe=is_probe)
            await self._in_place(taking, self._buy(taking, wanted))
        if is_probe:
            dispatcher.circuit.released()

    def _taking(self, dispatcher: Dispatcher, *, is_probe: bool = False) -> Taking:
        return Taking(
            dispatcher,
            self._books,
            purse=self._purse,
            prepared=self._prepared,
            callback=self._callback,
            sending=self._sending,
            is_probe=is_probe,
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
        wanted = self._wanted[take.recipe]
        outcome = await held(taking.followed(take), take)
        if isinstance(outcome, Refused):
            self._waiting.add(wanted)  # it was never bought
        elif outcome.refusal is RefusalKind.MODERATION:
            self._settle(
                wanted, await held(self._moderating.gone_on(taking, wanted, outcome), take)
            )
        else:
            self.outcomes.put(outcome)

    async def _buy(self, taking: Taking, wanted: Wanted) -> None:
        task = asyncio.create_task(self._moderating.bought(taking, wanted))
        self._unsent.add(task)
        try:
            outcome = await held(task, taking.dispatcher.fresh(wanted))
        finally:
            self._unsent.discard(task)
        self._settle(wanted, outcome)

    def _settle(self, wanted: Wanted, outcome: Outcome) -> None:
        """Hand on what came of a purchase, or see to it that another account makes it."""
        refused = self._moderating.refusal_of(wanted)
        if outcome.stopped == "account" and outcome.take.state is TakeState.REFUSED:
            if refused is None:
                self._waiting.put_back(wanted)
            else:
                self._waiting.hand_on(wanted, refused)
        elif outcome.refusal is RefusalKind.MODERATION and self._is_wanted_elsewhere(wanted):
            self._waiting.hand_on(wanted, outcome)
        elif outcome.stopped != "interrupted":
            self.outcomes.put(outcome)

    def _is_wanted_elsewhere(self, wanted: Wanted) -> bool:
        return any(self._moderating.may_go_to(wanted, host.name) for host in self._hosts)

    def _leave(self, dispatchers: Sequence[Dispatcher]) -> None:
        """What no account could make."""
        if self._stopping:
            return
        reasons = [f"{one.name}: {one.stopped}" for one in dispatchers if one.stopped]
        reason = "; ".join(dict.fromkeys(reasons)) or "no account could be used"
        for left in self._waiting.left():
            if isinstance(left, Wanted):
                self.outcomes.put(untried(dispatchers[0].fresh(left), reason, "account"))
            else:
                self.outcomes.put(left)
