"""Seeking: a create whose answer was lost is looked up where the host has a list or a log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from flows.ledger import Ledger
from flows.nouns.take import Realm, Take, TakeState
from flows.providers.base import (
    Found,
    Job,
    NotThere,
    Order,
    Ready,
    RefusalKind,
    Refused,
    Reply,
    Running,
    Sent,
    Trace,
    Unclear,
)
from flows.shoot.dispatcher import Dispatcher

SIGNATURE, SENT_AT, MARK = "signature", "sent_at", "mark"
"""Notes of a take that was sent: what the host would echo of it, when it left, its order's mark."""
LONGEST_S = 30.0
EXPECTED_TIMES = 15.0
"""Looked for so long at least, or so many times what a generation takes."""
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""What surely went wrong before a request left this machine."""
MOST_LOST = frozenset({TakeState.SENT, TakeState.UNKNOWN})


def notes_of(dispatcher: Dispatcher, order: Order) -> dict[str, str]:
    """What is kept of an order from before it is sent, so that it can be looked up."""
    return {
        **dispatcher.provider.job_notes(order),
        MARK: order.mark,
        SIGNATURE: dispatcher.provider.signature(order),
        SENT_AT: datetime.now(UTC).isoformat(),
    }


def lost(reply: Reply) -> Refused | None:
    """Whether the answer to a create leaves open what was bought, in a refusal's words."""
    match reply:
        case Refused(kind=RefusalKind.UNKNOWN | RefusalKind.GONE):
            return reply
        case Running() | Ready():
            words = "the host named no task"
            return Refused(kind=RefusalKind.UNKNOWN, words=words, billed=None)
        case _:
            return None


def can_be_sought(dispatcher: Dispatcher, take: Take) -> bool:
    """Whether this host can be asked for a create of ours."""
    sent = _sent(take)
    if sent is None:
        return False
    if sent.mark in dispatcher.jobs_by_mark:
        return True
    trace = _trace(sent)
    return dispatcher.provider.find(trace, lambda _: False, list) is not None


async def sought(take: Take, dispatcher: Dispatcher, book: Ledger) -> Found | NotThere | Unclear:
    """What became of a create, after asking as often as it takes, within a bound. A run that is
    told to stop leaves it to the next one.
    """
    sent = _sent(take)
    if sent is None:
        return Unclear("nothing is known of how it was sent")
    deadline = time.monotonic() + max(LONGEST_S, EXPECTED_TIMES * dispatcher.latency_s)
    while True:
        if job := dispatcher.jobs_by_mark.get(sent.mark):
            return Found(job=Job(id=job, notes=take.host_notes), reply=None)
        said = await _once(sent, take, dispatcher, book)
        if not isinstance(said, Unclear) or said.again_s is None:
            return said
        if dispatcher.leaving.is_set() or time.monotonic() + said.again_s > deadline:
            return replace(said, again_s=None)
        with suppress(TimeoutError):
            await asyncio.wait_for(dispatcher.leaving.wait(), said.again_s)


async def _once(
    sent: Sent, take: Take, dispatcher: Dispatcher, book: Ledger
) -> Found | NotThere | Unclear:
    def is_known(task: str) -> bool:
        return task in book.task_ids(dispatcher.host)

    def rivals() -> Sequence[Sent]:
        return _rivals(take, book)

    conversation = dispatcher.provider.find(_trace(sent), is_known, rivals)
    if conversation is None:
        # a callback may still come, where the host calls back
        again_s = dispatcher.latency_s / 4 if dispatcher.is_called_back else None
        return Unclear(f"{dispatcher.host} cannot be asked for it", again_s)
    try:
        request = next(conversation)
        while True:
            request = conversation.send(await dispatcher.ask(request))
    except StopIteration as ended:
        found: Found | NotThere | Unclear = ended.value
        return found
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Unclear(f"the list could not be read ({type(error).__name__})", dispatcher.latency_s)


def _rivals(take: Take, book: Ledger) -> list[Sent]:
    """The other creates of the account that have no answer now, of all runs."""
    if take.realm is Realm.PROOF:
        return []
    return [
        sent
        for other in book.unsettled(take.realm)
        if other.recipe != take.recipe
        and other.provider == take.provider
        and other.account == take.account
        and other.state in MOST_LOST
        and (sent := _sent(other)) is not None
    ]


def _sent(take: Take) -> Sent | None:
    notes = take.host_notes
    if SENT_AT not in notes:
        return None
    return Sent(
        signature=notes.get(SIGNATURE, ""),
        mark=notes.get(MARK, ""),
        sent_at=datetime.fromisoformat(notes[SENT_AT]),
    )


def _trace(sent: Sent) -> Trace:
    return Trace(
        signature=sent.signature, mark=sent.mark, sent_at=sent.sent_at, now=datetime.now(UTC)
    )
