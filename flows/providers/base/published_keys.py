"""Published keys: callbacks that one of a host's ED25519 keys has signed."""

from __future__ import annotations

import base64
from datetime import datetime

import httpx

from flows.providers.base.answers import document
from flows.providers.base.fields import text_in
from flows.providers.base.replies import UnverifiedError
from flows.providers.base.signatures import MOST_AGE_S

_MOST_DIGITS = 12


def verify(keys: bytes, signature: str, message: str, *, stamp: str, now: datetime) -> None:
    """Nothing, where the hexadecimal `signature` is of `message` by any key of a JSON Web Key Set
    (RFC 8037: `kty` OKP, `crv` Ed25519) and `stamp`, in seconds, is not far from `now`.

    Raises:
        UnverifiedError: no key fits, or the message is older or newer than five minutes.

    """
    if not _has_signed(keys, signature, message.encode(errors="replace")):
        raise UnverifiedError("no published key has signed the callback")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _MOST_DIGITS):
        raise UnverifiedError("the callback's timestamp is not a time in seconds")
    if abs(now.timestamp() - int(stamp)) > MOST_AGE_S:
        raise UnverifiedError(f"the callback's time is more than {MOST_AGE_S} s away from now")


def _has_signed(keys: bytes, signature: str, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    published = (document(httpx.Response(200, content=keys)) or {}).get("keys")
    for one in published if isinstance(published, list) else ():
        if not isinstance(one, dict) or (one.get("kty"), one.get("crv")) != ("OKP", "Ed25519"):
            continue
        coded = text_in(one.get("x"))
        try:
            raw = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
            Ed25519PublicKey.from_public_bytes(raw).verify(bytes.fromhex(signature), message)
        except (ValueError, InvalidSignature):
            continue  # not a key, not a signature, or another of several keys
        return True
    return False
