"""Prefect's own means, in a process of its own: `task.map` under a global concurrency limit.

`python -m tests.bench.prefect_loops '{"what": ...}'` starts a Prefect server for itself in a
temporary folder. `paced` makes takes under a global concurrency limit of ten, asking every five
sandbox seconds. Against a host without latency, `shots` is a plain script's whole shot, saved to a
file, and `calls` one request each.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.bench import instant
from tests.bench.loops import create_body
from tests.bench.ours import Shot
from tests.bench.server import KEY

ASK_EVERY_S = 5.0
LIMIT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What one process is to map."""

    what: Literal["paced", "shots", "calls"]
    url: str
    speed: float
    takes: int
    at_once: int = 10
    folder: str = ""
    """Where `shots` are saved."""


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

    tasks, key = f"{mapped.url}{instant.PATH}", {"x-freepik-api-key": KEY}

    def created(number: int) -> str:
        wished = {"prompt": f"a mug, number {number}", "aspect_ratio": "square_1_1", "seed": number}
        answer = client.post(tasks, json=wished, headers=key)
        answer.raise_for_status()
        return str(answer.json()["data"]["task_id"])

    @task(log_prints=False)
    def shots(number: int) -> None:
        job = created(number)
        while True:
            answer = client.get(f"{tasks}/{job}", headers=key)
            answer.raise_for_status()
            made = answer.json()["data"]
            if made["status"] == "COMPLETED":
                break
            time.sleep(1.0)
        picture = client.get(made["generated"][0])
        picture.raise_for_status()
        Path(mapped.folder, f"{number}.jpg").write_bytes(picture.content)

    @task(log_prints=False)
    def calls(number: int) -> None:
        created(number)

    work = {"paced": paced, "shots": shots, "calls": calls}[mapped.what]

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2 * mapped.at_once))
    def all_of_them() -> None:
        work.map(range(mapped.takes)).wait()

    with prefect_test_harness(server_startup_timeout=180):
        with get_client(sync_client=True) as prefect:
            prefect.create_global_concurrency_limit(
                GlobalConcurrencyLimitCreate(name=LIMIT, limit=mapped.at_once)
            )
        began, before_s = time.monotonic(), time.process_time()
        all_of_them()
        ended, wall_s = time.time(), time.monotonic() - began
        cpu_s = time.process_time() - before_s
    return Shot(ended, mapped.takes, [], wall_s, cpu_s)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    shot = _run(Mapped(**json.loads(sys.argv[1])))
    sys.stdout.write("\n" + json.dumps(asdict(shot)) + "\n")
