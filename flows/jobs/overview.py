"""Overview: what `status` tells of a ledger. Asks, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows import read
from flows.jobs.unsettled import Unsettled, at_work, unsettled
from flows.ledger import AtWork, Latency, Ledger, Refusal, Spending

MOST_REFUSALS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A ledger at this moment."""

    ledger: str
    """Its address without a password."""
    tally: Sequence[tuple[str, str, str, int, Decimal]]
    """Realm, host, state, takes that are so now, USD known to be spent on tries that ended so."""
    unsettled: Sequence[Unsettled]
    at_work: Sequence[AtWork]
    spending: Sequence[Spending]
    latencies: Sequence[Latency]
    refusals: Sequence[Refusal]
    runs: Sequence[Mapping[str, Any]]

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ledger": self.ledger,
            "takes": [
                {"realm": realm, "provider": host, "state": state, "takes": count, "usd": usd}
                for realm, host, state, count, usd in self.tally
            ],
            "unsettled": [_unsettled(one) for one in self.unsettled],
            "at_work": [_fields(one) for one in self.at_work],
            "spending": [_fields(one) for one in self.spending],
            "latencies": [_fields(one) for one in self.latencies],
            "refusals": [_fields(one) for one in self.refusals],
            "runs": [dict(run) for run in self.runs],
        }


NOTHING: Mapping[str, Any] = {
    "ledger": None,
    "takes": [],
    "unsettled": [],
    "at_work": [],
    "spending": [],
    "latencies": [],
    "refusals": [],
    "runs": [],
}
"""The document of a workspace where nothing was made yet."""


def overview(book: Ledger, spec: str | None = None) -> Overview:
    """Everything that a ledger knows; runs and spending of one campaign where a spec is given.

    Raises:
        BadInput: the spec has no id.

    """
    campaign = None if spec is None else read.campaign_id(Path(spec))
    return Overview(
        ledger=book.shown,
        tally=book.tally(),
        unsettled=unsettled(book),
        at_work=at_work(book),
        spending=book.survey.spending(
            month=datetime.now(UTC).strftime("%Y-%m-01"), campaign=campaign
        ),
        latencies=book.survey.latencies(),
        refusals=book.survey.refusals(MOST_REFUSALS),
        runs=book.runs(campaign),
    )


def _fields(one: AtWork | Spending | Latency | Refusal) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def _unsettled(one: Unsettled) -> dict[str, Any]:
    take = one.take
    return {
        "recipe": take.recipe,
        "realm": take.realm,
        "provider": take.provider,
        "account": take.account,
        "state": take.state,
        "reason": take.reason,
        "host_task_id": take.host_task_id,
        "shots": [{"campaign": campaign, "shot_id": shot_id} for campaign, shot_id in one.shots],
        "run": take.intended_by,
        "at_work": one.is_at_work,
        "sent_at": one.sent_at,
        "price_usd": take.price_usd,
        "remedy": one.remedy,
    }
