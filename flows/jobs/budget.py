"""Budget: what a run may spend, and what of it is spent already."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from flows.jobs.job import Job
from flows.ledger import Ledger

MOST_RESUMED = 100


def cap(job: Job) -> Decimal | None:
    """The lower of `--max-cost` and the campaign's budget; None where neither is written."""
    written = job.campaign.budget.max_usd if job.campaign.budget is not None else None
    return min((one for one in (job.request.max_cost, written) if one is not None), default=None)


def spent(job: Job, book: Ledger) -> Decimal:
    """What counts from before: purchases of this campaign that are paid or may be, in its budget's
    span. A run that was cut off and the one that goes on are one run.
    """
    name, realm = job.campaign.campaign, job.realm
    span = job.campaign.budget.per if job.campaign.budget is not None else "run"
    if span == "total":
        return book.spent(realm, campaign=name)
    if span == "month":
        month = datetime.now(UTC).strftime("%Y-%m-01")
        return book.spent(realm, campaign=name, since=month)
    total = Decimal(0)
    for run in book.runs(name, MOST_RESUMED):
        if run["realm"] != realm:
            continue
        if run["outcome"] == "ended":
            break
        total += book.spent(realm, run=run["id"])
    return total
