"""What may be asked of Eachlabs' list of executions.

Source: https://github.com/eachlabs/mintlify-docs, openapi_specs/models.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flows.sandbox.call import Call
from flows.sandbox.hosts import eachlabs_failures
from flows.sandbox.jobs import Job
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.world import World

LIST = ("limit", "offset", "model", "status", "error_classification", "from", "to")
LISTED = {
    "queued": "created",
    "running": "starting",
    "done": "success",
    "failed": "error",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class Query:
    """The filters. `since` and `until` by the machine's clock."""

    limit: int
    offset: int
    model: str
    words: tuple[str, ...]
    classification: str
    since: float | None
    until: float | None

    @classmethod
    def of(cls, call: Call) -> Query:
        """Read the query.

        Raises:
            Refused: 400, an unknown parameter or a value that cannot be.

        """
        for name in call.request.query_params:
            if name not in LIST:
                raise Refused(400, f"unknown query parameter {name}", field=name)
        return cls(
            limit=_number(call, "limit", 20, 1, 100),
            offset=_number(call, "offset", 0, 0, 10**9),
            model=call.query("model"),
            words=tuple(word for word in call.query("status").split(",") if word),
            classification=call.query("error_classification"),
            since=_moment(call, "from"),
            until=_moment(call, "to"),
        )

    def takes(self, job: Job, world: World) -> bool:
        """Whether the job is in the list."""
        at = world.clock.wall(job.created_at)
        return (
            (not self.words or LISTED[job.state] in self.words)
            and self.model in {"", job.order.model}
            and (self.since is None or at >= self.since)
            and (self.until is None or at <= self.until)
            and self.classification in {"", eachlabs_failures.classification(job)}
        )


def _number(call: Call, name: str, otherwise: int, least: int, most: int) -> int:
    text = call.query(name, str(otherwise))
    if not text.isdecimal() or len(text) > 10 or not least <= int(text) <= most:
        raise Refused(400, f"{name} must be {least} to {most}", field=name)
    return int(text)


def _moment(call: Call, name: str) -> float | None:
    text = call.query(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, f"{name} must be RFC 3339", field=name) from error
    if moment.tzinfo is None:
        raise Refused(400, f"{name} must have a time zone", field=name)
    return moment.timestamp()
