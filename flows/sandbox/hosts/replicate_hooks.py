"""Replicate's webhooks: the prediction itself, signed by HMAC; only the last one is repeated.

Sources: https://replicate.com/docs/topics/webhooks/receive-webhook and /verify-webhook
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.sandbox.webhooks import Delivery, is_on_this_machine

if TYPE_CHECKING:
    from flows.sandbox.clock import Clock
    from flows.sandbox.hosts.replicate_prediction import Predictions
    from flows.sandbox.jobs import Job
    from flows.sandbox.world import World

_KEY = hashlib.sha256(b"replicate in the sandbox").digest()
SECRET = f"whsec_{base64.b64encode(_KEY).decode()}"
LAST_WAITS = (2.0, 4.0, 8.0, 16.0, 30.0)  # about a minute in all
TIMEOUT_S = 10.0


def address_fault(value: object) -> str | None:
    """Webhooks go to HTTPS; this machine alone may do without."""
    if not isinstance(value, str):
        return "must be a string"
    try:
        parts = urlsplit(value)
        is_named = bool(parts.hostname)
    except ValueError:
        return "must be an HTTPS address"
    plain = parts.scheme == "http" and is_on_this_machine(value)
    return None if is_named and (parts.scheme == "https" or plain) else "must be an HTTPS address"


def signed(clock: Clock, message: str, body: bytes) -> Mapping[str, str]:
    """The headers of one attempt."""
    moment = str(int(clock.wall()))
    text = f"{message}.{moment}.".encode() + body
    signature = base64.b64encode(hmac.new(_KEY, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }


class Hooks:
    """Tells of changes: output and end, or what the filter wants."""

    def __init__(self, world: World, predictions: Predictions) -> None:
        self._world = world
        self._predictions = predictions

    async def told(self, job: Job) -> None:
        """A job has changed its state."""
        wanted = job.more.get("webhook_events_filter") or ("output", "completed")
        if job.state == "running" and "start" in wanted:
            self._send(job, "start")
        if job.state == "done" and job.links and "output" in wanted:
            self._send(job, "output")
        # whether a deadline before the start is told is not documented: it is not
        if job.is_over and "completed" in wanted and not job.more.get("aborted"):
            self._send(job, "completed")

    def _send(self, job: Job, event: str) -> None:
        message = f"{job.more['hook']}{event}"
        body = json.dumps(self._predictions.shown(job)).encode()
        self._world.webhooks.send(
            Delivery(
                host="replicate",
                task=job.id,
                url=str(job.more["webhook"]),
                body=body,
                sign=lambda raw: signed(self._world.clock, message, raw),
                waits=LAST_WAITS if event == "completed" else (),
                timeout_s=TIMEOUT_S,
                redirects_are_final=True,
            )
        )
