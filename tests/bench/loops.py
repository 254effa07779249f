"""The loops that people write today, against the same server: `python -m tests.bench.loops`.

Ten workers, each: create, ask until it is done, fetch the picture, next. None knows the windows;
one that is refused tries again a second later. All times are in the sandbox's seconds.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import httpx

from tests.bench.ours import Shot, wanted
from tests.bench.server import KEY

Kind = Literal["each second", "growing"]
AGAIN_AFTER_S = 1.0
WAITS: dict[Kind, Callable[[float], float]] = {
    "each second": lambda age_s: 1.0,
    "growing": lambda age_s: min(15.0, 1.0 + age_s / 2),
}
"""How long each waits before it asks again, by the age of the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """What one process is to do."""

    url: str
    kind: Kind
    speed: float
    takes: int
    at_once: int = 10


def started(loop: Loop) -> subprocess.Popen[str]:
    """A process with this loop, under way; `ours.ended` reads what it says."""
    command = [sys.executable, "-m", "tests.bench.loops", json.dumps(asdict(loop))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def create_body(number: int) -> dict[str, Any]:
    """The same order that an adapter sends for take `number`."""
    recipe = wanted(number).recipe
    return {
        "model": "seedream-v4-text-to-image",
        "version": "0.0.1",
        "input": {
            "prompt": recipe.prompt,
            "image_size": "square_hd",
            "num_images": 1,
            "seed": recipe.seed,
            "sync_mode": False,
        },
    }


async def _made(client: httpx.AsyncClient, loop: Loop, number: int) -> None:
    base = f"{loop.url}/eachlabs/v1/prediction"
    headers = {"X-API-Key": KEY}
    while True:
        answer = await client.post(base, json=create_body(number), headers=headers)
        if answer.is_success:
            break
        await asyncio.sleep(AGAIN_AFTER_S / loop.speed)
    job, born = answer.json()["predictionID"], time.monotonic()
    while True:
        age_s = (time.monotonic() - born) * loop.speed
        await asyncio.sleep(WAITS[loop.kind](age_s) / loop.speed)
        answer = await client.get(f"{base}/{job}", headers=headers)
        if answer.is_success and answer.json()["status"] in {"success", "succeeded"}:
            break
    output = answer.json()["output"]
    (await client.get(output[0] if isinstance(output, list) else output)).raise_for_status()


async def _all(loop: Loop) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        places = asyncio.Semaphore(loop.at_once)

        async def one(number: int) -> None:
            async with places:
                await _made(client, loop, number)

        await asyncio.gather(*(one(number) for number in range(loop.takes)))


if __name__ == "__main__":
    mine = Loop(**json.loads(sys.argv[1]))
    began = time.monotonic()
    asyncio.run(_all(mine))
    shot = Shot(time.time(), mine.takes, [], time.monotonic() - began, time.process_time())
    sys.stdout.write(json.dumps(asdict(shot)) + "\n")
