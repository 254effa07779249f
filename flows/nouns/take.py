"""Take: one generated candidate of a shot, bought once; its states and which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class Realm(StrEnum):
    """Takes of one realm never count in another."""

    LIVE = "live"
    PROOF = "proof"
    SANDBOX = "sandbox"


class TakeState(StrEnum):
    """Where a take is on its way; a row says what is true, its events say what happened."""

    INTENDED = "intended"  # the row is committed; nothing has left this machine
    SENT = "sent"  # the request may have reached the host
    ACCEPTED = "accepted"  # the host's id is known
    SUCCEEDED = "succeeded"  # the host made it; its addresses are known, its bytes are not here
    DONE = "done"  # the bytes are in the store
    REFUSED = "refused"  # the host said no before billing
    FAILED = "failed"  # the host said no afterwards
    UNKNOWN = "unknown"  # sent, and no answer came: may have been bought
    CANCELLED = "cancelled"  # taken back before it was made
    LOST = "lost"  # paid, but the bytes can no longer be had


FOLLOWS: dict[TakeState, frozenset[TakeState]] = {
    TakeState.INTENDED: frozenset({TakeState.SENT, TakeState.CANCELLED}),
    TakeState.SENT: frozenset(
        {
            TakeState.ACCEPTED,
            TakeState.SUCCEEDED,
            TakeState.DONE,
            TakeState.REFUSED,
            TakeState.FAILED,
            TakeState.UNKNOWN,
            TakeState.LOST,  # the host's log names the purchase, and nothing gives its picture
        }
    ),
    TakeState.ACCEPTED: frozenset(
        {
            TakeState.SUCCEEDED,
            TakeState.DONE,
            TakeState.FAILED,
            TakeState.UNKNOWN,
            TakeState.CANCELLED,
            TakeState.LOST,
        }
    ),
    TakeState.SUCCEEDED: frozenset({TakeState.DONE, TakeState.LOST, TakeState.FAILED}),
    TakeState.UNKNOWN: frozenset(
        {
            TakeState.ACCEPTED,
            TakeState.SUCCEEDED,
            TakeState.DONE,
            TakeState.LOST,
            TakeState.FAILED,
            TakeState.REFUSED,  # a lookup proved that nothing was bought
            TakeState.INTENDED,
        }
    ),
    # a refusal or a failure may be tried again: the same recipe, a new intent
    TakeState.REFUSED: frozenset({TakeState.INTENDED}),
    TakeState.FAILED: frozenset({TakeState.INTENDED}),
    TakeState.CANCELLED: frozenset({TakeState.INTENDED}),
    TakeState.LOST: frozenset({TakeState.INTENDED}),
    TakeState.DONE: frozenset(),
}


UNSETTLED = frozenset({TakeState.SENT, TakeState.ACCEPTED, TakeState.SUCCEEDED, TakeState.UNKNOWN})
"""May have been bought, and its bytes are not here: it counts as spent."""

OnUnknown = Literal["park", "rebuy"]
"""What happens to a purchase that may have been paid for and brought nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """What the ledger knows of one recipe in one realm."""

    recipe: str
    realm: Realm
    state: TakeState
    provider: str
    model: str
    account: str = ""
    host_task_id: str | None = None
    host_notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What asking for the task needs besides, and `result`: the addresses of what was made, one a
    line. They may be signed: never shown."""
    seed: int | None = None
    cost_usd: Decimal | None = None
    cost_from: str | None = None
    """`answer` where the host said it, `price` where the table did; None while not bought."""
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    reason: str | None = None
    billed: bool | None = None
    created_at: str = ""
    """When its bytes were made, ISO 8601 in UTC."""
    price_usd: Decimal | None = None
    """What the price table said when it was intended; None: not known."""
    intended_by: str = ""
    """The run that wrote the last intent."""

    def may_be_bought(self, on_unknown: OnUnknown) -> bool:
        """Whether a run may buy it (again) by itself. What may have been paid for and brought
        nothing is bought again only where the campaign says so.
        """
        match self.state:
            case TakeState.DONE | TakeState.ACCEPTED | TakeState.SUCCEEDED | TakeState.SENT:
                return False
            case TakeState.UNKNOWN | TakeState.LOST:
                return on_unknown == "rebuy"
            case TakeState.FAILED:
                return self.billed is False or on_unknown == "rebuy"
            case _:
                return True
