"""Signatures: whether a callback comes from the host that it names.

The form that several hosts share: `v1,` and the base64 of an HMAC-SHA256 over the message's id,
its timestamp and its raw body, joined by dots (https://docs.freepik.com/webhooks,
https://replicate.com/docs/topics/webhooks/verify-webhook).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from flows.providers.base.replies import UnverifiedError

MOST_AGE_S = 300
"""How far a timestamp may lie from now, before or after. No host states it; customary."""

_MOST_DIGITS = 18


def standard_webhook(
    headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime
) -> str:
    """The id of a message that one of `keys` has signed (header names in small letters).

    The header may hold several signatures, parted by spaces: one that fits is enough. An empty key
    signs nothing. `now` is aware of its zone.

    Raises:
        UnverifiedError: a header is missing, no key fits, or the message is older or newer than
            five minutes.

    """
    message, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()
    if not message or not given:
        raise UnverifiedError("the callback carries no webhook-id or no webhook-signature")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _MOST_DIGITS):
        raise UnverifiedError("the callback's webhook-timestamp is not a time in seconds")
    if not any(keys):
        raise UnverifiedError("there is no secret to verify the callback with")
    signed = b".".join((message.encode(errors="replace"), stamp.encode(), body))
    fits = False
    for key in filter(None, keys):
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        expected = b"v1," + base64.b64encode(digest)
        for one in given:
            # no early end: the time taken must not tell which key or signature came close
            fits |= hmac.compare_digest(expected, one.encode(errors="replace"))
    if not fits:
        raise UnverifiedError("the callback's signature does not fit its contents")
    if abs(now.timestamp() - int(stamp)) > MOST_AGE_S:
        raise UnverifiedError(f"the callback's time is more than {MOST_AGE_S} s away from now")
    return message
