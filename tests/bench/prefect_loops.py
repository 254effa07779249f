"""Prefect's own means, in a process of its own: `task.map` under a global concurrency limit.

`python -m tests.bench.prefect_loops '{"what": ...}'` starts a Prefect server for itself in a
temporary folder. `paced` makes takes under a global concurrency limit of ten, asking every five
sandbox seconds; `calls` maps a task over plain requests, one each.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Literal

from tests.bench.loops import create_body
from tests.bench.ours import Shot
from tests.bench.server import KEY

ASK_EVERY_S = 5.0
LIMIT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What one process is to map."""

    what: Literal["paced", "calls"]
    url: str
    speed: float
    takes: int
    at_once: int = 10


def started(mapped: Mapped) -> subprocess.Popen[str]:
    """A process with this work, under way; `ours.ended` reads what it says."""
    command = [sys.executable, "-m", "tests.bench.prefect_loops", json.dumps(asdict(mapped))]
    # as it goes, its server complains of what it had not written yet
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _run(mapped: Mapped) -> Shot:
    # read by Prefect as it is imported
    os.environ.update(
        PREFECT_LOGGING_LEVEL="ERROR",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
    )
    import httpx
    from prefect import flow, get_client, task
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.concurrency.sync import concurrency
    from prefect.task_runners import ThreadPoolTaskRunner
    from prefect.testing.utilities import prefect_test_harness

    base, headers = f"{mapped.url}/eachlabs/v1/prediction", {"X-API-Key": KEY}
    client = httpx.Client(trust_env=False, timeout=60)

    @task(log_prints=False)
    def paced(number: int) -> None:
        with concurrency(LIMIT, occupy=1):
            while not (
                answer := client.post(base, json=create_body(number), headers=headers)
            ).is_success:
                time.sleep(1.0 / mapped.speed)
            job = answer.json()["predictionID"]
            while True:
                time.sleep(ASK_EVERY_S / mapped.speed)
                answer = client.get(f"{base}/{job}", headers=headers)
                if answer.is_success and answer.json()["status"] in {"success", "succeeded"}:
                    break
        client.get(answer.json()["output"][0]).raise_for_status()

    @task(log_prints=False)
    def calls(number: int) -> None:
        client.post(base, json=create_body(number), headers=headers).raise_for_status()

    work = paced if mapped.what == "paced" else calls

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2 * mapped.at_once))
    def all_of_them() -> None:
        work.map(range(mapped.takes)).wait()

    with prefect_test_harness(server_startup_timeout=180):
        with get_client(sync_client=True) as prefect:
            prefect.create_global_concurrency_limit(
                GlobalConcurrencyLimitCreate(name=LIMIT, limit=mapped.at_once)
            )
        began = time.monotonic()
        all_of_them()
        ended, wall_s = time.time(), time.monotonic() - began
    return Shot(ended, mapped.takes, [], wall_s, time.process_time())


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    shot = _run(Mapped(**json.loads(sys.argv[1])))
    sys.stdout.write("\n" + json.dumps(asdict(shot)) + "\n")
