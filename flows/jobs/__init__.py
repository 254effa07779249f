"""In: what a person asked for. Out: a job: the plan, where everything lies, and what is left to do.

No Prefect here: `validate`, `plan` and a run with nothing to do need none. `campaign` takes a
job and makes it.
"""

from flows.jobs.close import Summary, close, nothing_to_do
from flows.jobs.hosts import require_keys
from flows.jobs.job import Batch, Bench, Job, Progress, Request, Work
from flows.jobs.leaving import Leaving, leaving
from flows.jobs.make import Made, make
from flows.jobs.prepare import check, prepare
from flows.jobs.running import WORKERS, begun, desk, entrust, planned, ready, tell
from flows.jobs.shooting import Taken, taken

__all__ = [
    "WORKERS",
    "Batch",
    "Bench",
    "Job",
    "Leaving",
    "Made",
    "Progress",
    "Request",
    "Summary",
    "Taken",
    "Work",
    "begun",
    "check",
    "close",
    "desk",
    "entrust",
    "leaving",
    "make",
    "nothing_to_do",
    "planned",
    "prepare",
    "ready",
    "require_keys",
    "taken",
    "tell",
]
