"""fal's webhooks, signed with ED25519, and the public keys that prove them.

Source: https://fal.ai/docs/documentation/model-apis/inference/webhooks
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from flows.sandbox.bill import account
from flows.sandbox.webhooks import Delivery, is_on_this_machine

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from flows.sandbox.call import Call
    from flows.sandbox.hosts.fal_result import Results
    from flows.sandbox.jobs import Job
    from flows.sandbox.world import World

# ten more tries in growing steps, inside the hour for which a result is kept
WAITS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 900.0, 1200.0)
TIMEOUT_S = 15.0


def address_fault(url: str) -> str | None:
    """Webhooks go to HTTPS; this machine alone may do without."""
    try:
        parts = urlsplit(url)
        is_named = bool(parts.hostname)
    except ValueError:
        return "is not an address"
    plain = parts.scheme == "http" and is_on_this_machine(url)
    return None if is_named and (parts.scheme == "https" or plain) else "must be an HTTPS address"


class Hooks:
    """Calls back when a request is over."""

    def __init__(self, world: World, results: Results) -> None:
        self._world = world
        self._results = results

    async def keys(self, _: Call) -> Response:
        """`GET /.well-known/jwks.json`."""
        from cryptography.hazmat.primitives import serialization

        raw = self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return JSONResponse({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]})

    async def told(self, job: Job) -> None:
        """A job has changed its state; only its end is told."""
        if not job.is_over:
            return
        body: dict[str, Any] = {"request_id": job.id, "gateway_request_id": str(uuid.uuid4())}
        if job.state == "done":
            body |= {"status": "OK", "payload": await self._results.output(job)}
        else:
            status, detail, _ = self._results.failure(job)
            error = f"Invalid status code: {status}"
            body |= {"status": "ERROR", "error": error, "payload": {"detail": detail}}
        user = f"user_{account(job.key)}"
        self._world.webhooks.send(
            Delivery(
                host="fal",
                task=job.id,
                url=str(job.more["webhook"]),
                body=json.dumps(body).encode(),
                sign=lambda raw: self._signed(job.id, user, raw),
                waits=WAITS,
                timeout_s=TIMEOUT_S,
                redirects_are_final=True,
            )
        )

    def _signed(self, request: str, user: str, body: bytes) -> Mapping[str, str]:
        moment = str(int(self._world.clock.wall()))
        text = "\n".join([request, user, moment, hashlib.sha256(body).hexdigest()])
        return {
            "x-fal-webhook-request-id": request,
            "x-fal-webhook-user-id": user,
            "x-fal-webhook-timestamp": moment,
            "x-fal-webhook-signature": self._key.sign(text.encode()).hex(),
        }

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.generate()
