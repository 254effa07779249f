"""Lookups: was a create bought whose answer never came? A host's list of tasks or log of calls
tells, where it has one.

A wrong yes shows one product's picture as another's, a wrong no buys twice: whatever is not shown
to be either is `Unclear`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import httpx

from flows.providers.base.answers import document, retry_after_s
from flows.providers.base.fields import job_in, text_in
from flows.providers.base.replies import Job, Listed, RefusalKind, Refused, Reply

if TYPE_CHECKING:
    from flows.providers.base.provider import Provider

MARGIN = timedelta(minutes=5)
"""How far the host's clock may be from ours: older tasks are not looked at."""
MOST_PAGES = 20
LEAST_GRACE_S = 2.0
_MOST_SKEW_S = MARGIN.total_seconds() / 2
_SOON_S = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A create that was sent and not answered."""

    signature: str
    """`Provider.signature` of its order, kept from before it was sent."""
    mark: str
    """`Order.mark`; no other create of ours, and no other try of this one, has the same."""
    sent_at: datetime
    """By this machine's clock, with its zone; before the first byte left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(Sent):
    """What is left of the create that is looked up. `now` is this machine's clock at the start."""

    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The host took it: go on with `job`. `reply` is what the host says of it, None: ask.

    Where there is a log and no task, `reply` is a Refused: GONE for a picture that was bought and
    cannot be had. `billed` and `cost_usd` are None where the host does not say (yet).
    """

    job: Job
    reply: Reply | None
    billed: bool | None = None
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NotThere:
    """The list is whole and holds no such create: nothing was bought."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Neither is shown. Asking again helps after `again_s` seconds; None: time alone will not."""

    words: str
    again_s: float | None = None


Finding = Generator[httpx.Request, httpx.Response, Found | NotThere | Unclear]
"""Looks for a create: requests out, answers in, at its end what was found."""

Known = Callable[[str], bool]
"""Whether a create of ours was answered with that id, in any run, earlier tries included."""
Rivals = Callable[[], Sequence[Sent]]
"""The creates of the same account that have no answer now, of all runs. Asked after the list came
and before `Known`: what is in the list is then in one of the two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quest:
    """One lookup: what is looked for, and what our own books know.

    `is_complete_s`: seconds after sending from which on a create that is not listed never came.
    """

    trace: Trace
    known: Known
    rivals: Rivals | None
    timeout_s: float
    latency_s: float
    is_complete_s: float

    @property
    def again_s(self) -> float:
        """When it is worth while to look again: another generation has ended by then."""
        return max(_SOON_S, self.latency_s)

    def absent(self) -> NotThere | Unclear:
        """No such create is listed: proof once the host has had its time."""
        passed_s = (self.trace.now - self.trace.sent_at).total_seconds()
        left_s = max(self.is_complete_s, LEAST_GRACE_S) - passed_s
        if left_s <= 0:
            return NotThere()
        return Unclear("not listed yet", min(left_s, self.again_s))

    def may_be(self, at: datetime | None) -> bool:
        """Whether a task of that time can be the one, whatever the clocks."""
        sent = self.trace.sent_at
        return at is None or -MARGIN <= at - sent <= MARGIN + timedelta(seconds=self.timeout_s)


@dataclass(slots=True)
class Walk:
    """A list, page by page. `skew_s`: how far the host's clock is before ours, where it says."""

    quest: Quest
    rows: str
    ids: tuple[str, ...]
    skew_s: float | None = None
    _began: float = field(default_factory=monotonic)

    def all_of(
        self,
        first: httpx.Request,
        read: Callable[[httpx.Response], Sequence[T]],
        following: Callable[[httpx.Response], httpx.Request | None],
    ) -> Generator[httpx.Request, httpx.Response, list[T] | Unclear]:
        """What `read` finds on the pages, or why they are not the whole list."""
        found: list[T] = []
        request = first
        for _ in range(MOST_PAGES):
            response = yield request
            response.request = request  # pages are told apart by what was asked
            if flaw := self._flaw(response):
                return flaw
            found += read(response)
            onward = following(response)
            if onward is None:
                return found
            request = onward
        return Unclear(f"more than {MOST_PAGES} pages are listed")

    def _flaw(self, response: httpx.Response) -> Unclear | None:
        """Why this page proves nothing."""
        answer = document(response) or {}
        rows = answer.get(self.rows)
        if not response.is_success or not isinstance(rows, list):
            status = response.status_code
            is_final = status in (400, 401, 402, 403, 404, 405, 422)
            wait_s = None if is_final else retry_after_s(response) or self.quest.again_s
            return Unclear(f"the list could not be read (HTTP {status})", wait_s)
        if any(not isinstance(row, dict) or job_in(row, *self.ids) is None for row in rows):
            return Unclear("the list holds what cannot be read")
        if answer.get("has_more") is True and not text_in(answer.get("next_cursor")):
            return Unclear("the list goes on and does not say where")
        self.skew_s = _skew_s(response, self.quest.trace.now, monotonic() - self._began)
        if self.skew_s is not None and abs(self.skew_s) > _MOST_SKEW_S:
            return Unclear(f"the clocks of host and machine differ by {abs(self.skew_s):.0f} s")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """How a host's log of calls is read: its rows, their ids, and the state of a call that made a
    picture. The log tells fate and cost; the picture is gone.
    """

    rows: str
    ids: tuple[str, ...]
    made: str


def logged(host: Provider, log: Log, quest: Quest, first: httpx.Request, mark: str) -> Finding:
    """The lookup at a host that logs its calls with our mark, from the log's first page on."""
    walk = Walk(quest=quest, rows=log.rows, ids=log.ids)
    rows = yield from walk.all_of(
        first, lambda page: _marked(host, log, page, mark), lambda page: host.listed(page)[1]
    )
    if isinstance(rows, Unclear):
        return rows
    new = {
        row.job.id: (row, state)
        for row, state in rows
        if quest.may_be(row.created_at) and not quest.known(row.job.id)
    }
    if not new:
        return quest.absent()
    if len(new) > 1:
        return Unclear(f"{len(new)} calls bear the mark of this one")
    ((row, state),) = new.values()
    if isinstance(row.reply, Refused):
        return Found(job=row.job, reply=row.reply, billed=row.reply.billed, cost_usd=row.cost_usd)
    if state != log.made:
        return Unclear("the call is logged and has not ended", quest.again_s)
    words = f"{host.name} made it and the answer was lost; its log holds no picture"
    gone = Refused(kind=RefusalKind.GONE, words=words, code=state, billed=True)
    return Found(job=row.job, reply=gone, billed=True, cost_usd=row.cost_usd)


def _marked(host: Provider, log: Log, page: httpx.Response, mark: str) -> list[tuple[Listed, str]]:
    """The rows that bear the mark, each with its state."""
    rows = (document(page) or {}).get(log.rows) or ()
    states = {job.id: row.get("status") for row in rows if (job := job_in(row, *log.ids))}
    return [
        (one, text_in(states.get(one.job.id))) for one in host.listed(page)[0] if one.mark == mark
    ]


def _skew_s(response: httpx.Response, now: datetime, passed_s: float) -> float | None:
    """How far the host's clock (header `Date`, whole seconds) is before this machine's."""
    try:
        said = parsedate_to_datetime(response.headers.get("date", ""))
        return (said - now).total_seconds() - passed_s
    except (ValueError, TypeError, OverflowError):  # none, no date, or one without a zone
        return None
