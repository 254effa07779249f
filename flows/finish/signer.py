"""Who signs: a certificate chain, and a key or a function that signs for it. No key is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flows.errors import EnvironmentFault
from flows.finish.certificates import (
    CERTIFICATE,
    TRIALS,
    Algorithm,
    algorithm_of,
    chain_of,
    pem_of,
)
from flows.finish.signatures import CALLBACK, KEY, checked, private_key, with_key

TIME_STAMPS = "SHOTLIST_C2PA_TSA"
"""What the place is called in the environment, as the others; errors name them."""

_PEM = "-----BEGIN "


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs claims. Safe to share between threads where its function is."""

    chain: str = field(repr=False)
    """The certificates in PEM, the signer's own first."""
    algorithm: Algorithm
    expires: dt.datetime
    sign: Callable[[bytes], bytes] = field(repr=False)
    """Bytes to a signature as COSE wants it (r and s side by side, not DER)."""
    signature_bytes: int
    time_stamps: str | None = None
    """Address of an RFC 3161 authority. With it, no two signatures are alike."""
    is_reproducible: bool = True
    """Whether the same file is signed into the same bytes again."""


def signer(
    certificate: str | None,
    key: str | None,
    *,
    callback: str | None = None,
    time_stamps: str | None = None,
    now: dt.datetime | None = None,
) -> Signer | None:
    """A signer from what the environment says, or None where it says nothing.

    `certificate` and `key` are paths or PEM text, `callback` is `module:function` of a function
    that gets bytes and returns a signature, raw or DER.

    Raises:
        EnvironmentFault: one of them is missing, cannot be read, has expired, does not fit the
            others. What it says never holds key material.

    """
    if not (certificate or key or callback):
        return None
    if not certificate:
        raise EnvironmentFault(f"{CERTIFICATE} is not set, and a signer is; {TRIALS}")
    if not (key or callback):
        raise EnvironmentFault(
            f"{CERTIFICATE} is set, and neither {KEY} nor {CALLBACK} is: nobody can sign for it"
        )
    if key and callback:
        raise EnvironmentFault(f"{KEY} and {CALLBACK} are both set: keep the one that signs")
    chain = chain_of(_text(CERTIFICATE, certificate), now or dt.datetime.now(dt.UTC))
    algorithm, length = algorithm_of(chain[0])
    if callback:
        asked = _function(callback)
    else:
        asked = with_key(private_key(_text(KEY, key or "")), chain[0])
    return Signer(
        chain="".join(pem_of(one) for one in chain),
        algorithm=algorithm,
        expires=chain[0].not_valid_after_utc,
        signature_bytes=length,
        sign=checked(asked, chain[0], length, CALLBACK if callback else KEY),
        time_stamps=_address(time_stamps),
        is_reproducible=not callback and not time_stamps and algorithm != "ps256",
    )


def missing_note() -> str:
    """What is said once a run where nothing is set: files go out, and without credentials."""
    return (
        "files are not signed: Content Credentials need a certificate "
        f"({CERTIFICATE} and {KEY}; {TRIALS}), or say `tagging: {{credentials: off}}`"
    )


def _text(name: str, said: str) -> str:
    """PEM as it stands in the environment, or of the file that is named there."""
    if _PEM in said:
        return said.replace("\\n", "\n")  # many a place that holds secrets has room for one line
    # what is set is never told: it may be a key that has lost its first line
    try:
        text = Path(said).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise EnvironmentFault(
            f"{name}: is neither PEM (which begins with -----BEGIN) nor the path of a file that "
            f"can be read: {why}"
        ) from None
    if _PEM not in text:
        raise EnvironmentFault(f"{name}: the file that it names is not PEM (-----BEGIN ...)")
    return text


def _function(place: str) -> Callable[[bytes], bytes]:
    from importlib import import_module

    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise EnvironmentFault(f"{CALLBACK}: '{place}' is not of the form module:function")
    try:
        found = getattr(import_module(module), name, None)
    except Exception as error:  # noqa: BLE001 - whatever a module does as it is imported
        raise EnvironmentFault(
            f"{CALLBACK}: {module} cannot be imported: {type(error).__name__}; "
            "is it installed here, or its folder in PYTHONPATH?"
        ) from None
    if not callable(found):
        raise EnvironmentFault(f"{CALLBACK}: {module} has no function {name}")
    function: Callable[[bytes], bytes] = found
    return function


def _address(said: str | None) -> str | None:
    if said and not said.startswith(("http://", "https://")):
        raise EnvironmentFault(f"{TIME_STAMPS}: '{said}' does not begin with http:// or https://")
    return said or None
