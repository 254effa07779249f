"""Echoes: hosts that show again what they were sent, so that a lost create is known by its inputs.

Where a host keeps the inputs of a task to itself, the task can only be told by elimination: that
is done where our own books leave no other owner, and no other task, and never by likelihood.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx

from flows.providers.base.answers import document
from flows.providers.base.fields import job_in, text_in
from flows.providers.base.lookup import (
    MARGIN,
    Finding,
    Found,
    NotThere,
    Quest,
    Sent,
    Unclear,
    Walk,
)
from flows.providers.base.replies import Done, Job, Ready, RefusalKind, Refused, Reply

if TYPE_CHECKING:
    from flows.providers.base.provider import Provider

MOST_SHOWN = 40
"""Tasks that are asked for one by one."""
_SLACK_S = 5.0
"""What a measured difference of clocks may be wrong by."""
_MODEL, _PROMPT, _ALL = 8, 24, 64
"""Digits of a signature that tell the model, the model with the prompt, and all inputs."""
_UNREAD = (RefusalKind.AGAIN, RefusalKind.ACCOUNT, RefusalKind.GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """How a host shows tasks and what they were asked for.

    `rows`, `id`, `model` and `inputs` are its fields; `is_asked` where the inputs are in the answer
    to `Provider.ask` and not in the list. `defaults` are the inputs that are compared, each with
    what its absence means. `the_model` is meant where a row names none.
    """

    rows: str
    id: str
    model: str
    inputs: str
    defaults: Mapping[str, object] = field(repr=False)
    the_model: str = ""
    is_asked: bool = False

    def signature(self, model: str, wished: object) -> str:
        """64 digits of sha256: 8 of the model, 16 with the prompt, 40 with all inputs. The first 8
        alone where no inputs are shown.
        """
        start = _digest(model)[:_MODEL]
        if not isinstance(wished, dict) or not (prompt := text_in(wished.get("prompt"))):
            return start
        said = " ".join(prompt.split())  # a host may trim it
        compared = {
            name: default if (value := wished.get(name)) is None else _whole(value)
            for name, default in self.defaults.items()
        }
        try:
            every = _digest(json.dumps([model, said, compared], sort_keys=True))
        except (ValueError, RecursionError):
            return start
        middle = _digest(json.dumps([model, said]))
        return start + middle[: _PROMPT - _MODEL] + every[: _ALL - _PROMPT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A task that may be the one. A signature of 8 digits: its inputs are not shown."""

    job: Job
    model: str
    signature: str
    created_at: datetime | None = None
    reply: Reply | None = None
    cost_usd: Decimal | None = None

    @property
    def is_mute(self) -> bool:
        return len(self.signature) == _MODEL


def echoed(host: Provider, echo: Echo, quest: Quest, first: httpx.Request) -> Finding:
    """The lookup at a host that shows its tasks, from the first page of its list on."""
    walk = Walk(quest=quest, rows=echo.rows, ids=(echo.id,))
    tasks = yield from walk.all_of(
        first, lambda page: list(_candidates(host, echo, page)), lambda page: host.listed(page)[1]
    )
    if isinstance(tasks, Unclear):
        return tasks
    rivals = None if quest.rivals is None else list(quest.rivals())
    in_time = {task.job.id: task for task in tasks if quest.may_be(task.created_at)}
    candidates = [task for task in in_time.values() if not quest.known(task.job.id)]
    if echo.is_asked:
        shown = yield from _shown(host, echo, quest, candidates)
        if isinstance(shown, Unclear):
            return shown
        # some may have got their answer while these were asked for
        candidates = [task for task in shown if not quest.known(task.job.id)]
    one = chosen(quest, candidates, rivals, walk.skew_s)
    if not isinstance(one, Candidate):
        return one
    reply, cost = one.reply, None
    if isinstance(reply, Done | Refused):  # before its end a task has no cost that counts
        cost = one.cost_usd
    if isinstance(reply, Done):
        cost = cost if reply.cost_usd is None else reply.cost_usd
    billed = reply.billed if isinstance(reply, Refused) else isinstance(reply, Done) or None
    return Found(job=one.job, reply=reply, billed=billed, cost_usd=cost)


def chosen(
    quest: Quest,
    candidates: Sequence[Candidate],
    rivals: Sequence[Sent] | None,
    skew_s: float | None,
) -> Candidate | NotThere | Unclear:
    """Which of the tasks that no answer named is the one. All lie in the time of the lookup.

    By its inputs, where they are shown; else by elimination, see `_by_elimination`. `rivals` None:
    our books do not tell. `skew_s`: how far the host's clock is before ours; None: not known.
    """
    trace = quest.trace
    if not candidates:
        return quest.absent()
    again_s = None if rivals is None else quest.again_s
    if len(trace.signature) <= _MODEL:
        return Unclear("what was sent is not on record, and a task has no owner", again_s)
    # without a mark this create cannot be told from the others: then it stands in its own way
    others = [one for one in rivals or () if not one.mark or one.mark != trace.mark]
    by_inputs = _by_inputs(quest, candidates, others)
    if by_inputs is not None:
        return by_inputs
    ours = {one.signature for one in (*others, trace)}
    strange = [one for one in candidates if not one.is_mute and one.signature not in ours]
    mutes = [one for one in candidates if one.is_mute and trace.signature.startswith(one.signature)]
    if mutes:
        hidden = _hidden(others, candidates)
        # a task of a stranger shows that the account is not ours alone
        is_told = rivals is not None and not strange
        found = _by_elimination(quest, mutes, hidden, skew_s) if is_told else None
        words = f"{len(mutes)} tasks without an owner do not show what they make"
        return found or Unclear(words, again_s)
    if any(one.signature[:_PROMPT] == trace.signature[:_PROMPT] for one in strange):
        return Unclear("a task without an owner has the same prompt and other inputs", again_s)
    return quest.absent()


def _by_inputs(
    quest: Quest, candidates: Sequence[Candidate], others: Sequence[Sent]
) -> Candidate | Unclear | None:
    """The task that shows what was sent; None where there is none for this create."""
    trace = quest.trace
    same = [one for one in candidates if one.signature == trace.signature]
    # creates of equal inputs (where no seed is sent) are as good as each other: in order
    equals = [one for one in others if one.signature == trace.signature]
    if len(same) > len(equals) + 1:
        return Unclear(f"{len(same)} tasks have the inputs that were sent")
    place = sum(_order(one) < _order(trace) for one in equals)
    if place < len(same):
        return sorted(same, key=lambda one: (str(one.created_at or ""), one.job.id))[place]
    # the earlier one may have found its own just now: what is left shows when that is written down
    words = "an earlier create has the same inputs and is not settled"
    return Unclear(words, quest.again_s) if same else None


def _by_elimination(
    quest: Quest, mutes: Sequence[Candidate], hidden: Sequence[Sent], skew_s: float | None
) -> Candidate | NotThere | Unclear | None:
    """The one task that can be of this create and of no other; None where that is not shown.

    `mutes` are the tasks of this model that do not show what they make, `hidden` the other creates
    without an answer whose tasks are not known by their inputs.
    """
    owners = [[one for one in hidden if _fits(mute, one, quest, skew_s)] for mute in mutes]
    mine = [place for place, mute in enumerate(mutes) if _fits(mute, quest.trace, quest, skew_s)]
    if any(not owner and place not in mine for place, owner in enumerate(owners)):
        return None  # somebody else's
    if not mine:
        return quest.absent()
    return mutes[mine[0]] if len(mine) == 1 and not owners[mine[0]] else None


def _hidden(sent: Sequence[Sent], candidates: Sequence[Candidate]) -> list[Sent]:
    """The creates whose own task is not among those that show their inputs."""
    seen = Counter(one.signature for one in candidates)
    hidden: list[Sent] = []
    for one in sorted(sent, key=_order):
        if seen[one.signature]:
            seen[one.signature] -= 1
        else:
            hidden.append(one)
    return hidden


def _candidates(host: Provider, echo: Echo, page: httpx.Response) -> Iterator[Candidate]:
    answer = document(page) or {}
    rows = {job.id: row for row in answer.get(echo.rows) or () if (job := job_in(row, echo.id))}
    asked = page.request.url.params
    for one in host.listed(page)[0]:
        row = rows[one.job.id]
        model = text_in(row.get(echo.model)) or asked.get(echo.model) or echo.the_model
        yield Candidate(
            job=one.job,
            model=model,
            signature=echo.signature(model, row.get(echo.inputs)),
            created_at=one.created_at,
            reply=one.reply,
            cost_usd=one.cost_usd,
        )


def _shown(
    host: Provider, echo: Echo, quest: Quest, candidates: Sequence[Candidate]
) -> Generator[httpx.Request, httpx.Response, list[Candidate] | Unclear]:
    """The tasks with their inputs, as far as the host shows them when it is asked."""
    if len(candidates) > MOST_SHOWN:
        return Unclear(f"{len(candidates)} tasks without an owner are too many to ask for")
    shown: list[Candidate] = []
    for one in candidates:
        response = yield host.ask(one.job)
        reply = host.asked(response, one.job)
        if isinstance(reply, Refused) and reply.kind in _UNREAD:
            wait_s = reply.retry_after_s or quest.again_s
            return Unclear(f"a task could not be asked for (HTTP {response.status_code})", wait_s)
        wished = (document(response) or {}).get(echo.inputs)
        signature = echo.signature(one.model, wished)
        # where its own answer leaves something to the list, the list has just said it
        ended = one.reply if isinstance(reply, Ready) else reply
        shown.append(replace(one, reply=ended, signature=signature))
    return shown


def _fits(task: Candidate, sent: Sent, quest: Quest, skew_s: float | None) -> bool:
    """Whether the task can be of that create, by its model and its time."""
    if sent.signature and not sent.signature.startswith(task.signature):
        return False
    if task.created_at is None:
        return True
    slack = MARGIN if skew_s is None else timedelta(seconds=_SLACK_S)
    late = task.created_at - sent.sent_at - timedelta(seconds=skew_s or 0.0)
    return -slack <= late <= slack + timedelta(seconds=quest.timeout_s)


def _order(sent: Sent) -> tuple[datetime, str]:
    return sent.sent_at, sent.mark


def _whole(value: object) -> object:
    """A value as JSON may also write it: 2048 for 2048.0, here and one level below."""
    if isinstance(value, dict):
        return {name: _whole(one) if isinstance(one, float) else one for name, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
