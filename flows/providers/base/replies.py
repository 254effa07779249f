"""Replies: what a host's answer means for the next step, in the classes of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture in a host's answer: its bytes, or the address to fetch them from."""

    data: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)  # it may be signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task at a host. `id` is the host's own word for it; `notes` is what `ask` needs besides
    (plain text, kept in the ledger, so that another process can go on).
    """

    id: str
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The host made it: at least one image. `cost_usd` only where the answer says it, for all
    images together. `id` where a synchronous host names the call.
    """

    images: tuple[Image, ...]
    seed: int | None = None
    cost_usd: Decimal | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The host took the order; ask for `job` later."""

    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Not yet, or a state that this version does not know: ask again. `ahead`: jobs before it."""

    ahead: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The job has ended; what came of it lies behind another request (`Provider.collect`)."""


class RefusalKind(StrEnum):
    """What a refusal means for the next step."""

    INPUT = "input"  # refused before billing; the same request is refused again
    MODERATION = "moderation"  # the prompt or a picture was turned down
    AGAIN = "again"  # nothing was bought; the same request may be sent again later
    ACCOUNT = "account"  # nothing on this account will work: key, money, lock
    FAILED = "failed"  # taken, and failed while it was made
    UNKNOWN = "unknown"  # the answer to a create that leaves open whether it was bought
    GONE = "gone"  # the host no longer knows the job, or has deleted what it made


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The host said no, in its own words. `billed` None: the host does not say."""

    kind: RefusalKind
    words: str
    code: str = ""
    """The host's code, where it has one, such as `content_policy_violation` or the HTTP status."""
    billed: bool | None = False
    retry_after_s: float | None = None


Reply = Done | Accepted | Running | Ready | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One task in a host's list. `reply` is None where the list says only that it exists."""

    job: Job
    reply: Reply | None
    created_at: datetime | None = None
    mark: str = ""
    prompt: str | None = None
    cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A verified callback. `reply` is None where the host's word is not proof enough (no signature
    over the body): ask for the job then.
    """

    job: Job
    reply: Reply | None
    message_id: str
    """The same message again has the same id."""


class UnverifiedError(Exception):
    """A callback that is not shown to come from the host."""
