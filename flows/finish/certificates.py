"""Certificates of signers: read, judged in words, and what their keys sign with.

Profile and algorithms: https://github.com/contentauth/c2pa-rs/blob/main/cli/docs/signing.md
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from flows.errors import EnvironmentFault

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

CERTIFICATE = "SHOTLIST_C2PA_CERT"
TRIALS = "`shotlist certs DIR` makes one for trials"

Algorithm = Literal["es256", "es384", "es512", "ps256", "ed25519"]

_CURVES: dict[str, tuple[Algorithm, int]] = {
    "secp256r1": ("es256", 64),
    "secp384r1": ("es384", 96),
    "secp521r1": ("es512", 132),
}
"""A curve's algorithm and the bytes of its signature."""
_LEAST_RSA_BITS = 2048


def chain_of(text: str, now: dt.datetime) -> list[Certificate]:
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509 import load_pem_x509_certificates

    try:
        chain = load_pem_x509_certificates(text.encode())
    except ValueError:
        raise EnvironmentFault(f"{CERTIFICATE}: holds no certificate that can be read") from None
    leaf = chain[0]
    name = leaf.subject.rfc4514_string()
    if now > leaf.not_valid_after_utc:
        raise EnvironmentFault(
            f"{CERTIFICATE}: the certificate of {name} has expired on "
            f"{leaf.not_valid_after_utc:%Y-%m-%d}; renew it"
        )
    if now < leaf.not_valid_before_utc:
        raise EnvironmentFault(
            f"{CERTIFICATE}: the certificate of {name} is valid from "
            f"{leaf.not_valid_before_utc:%Y-%m-%d} on; check this machine's clock"
        )
    if leaf.issuer == leaf.subject:
        raise EnvironmentFault(
            f"{CERTIFICATE}: {name} has signed its own certificate, which C2PA does not allow; "
            f"put the signer's own first, then those above it; {TRIALS}"
        )
    for lower, upper in pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature):
            raise EnvironmentFault(
                f"{CERTIFICATE}: {upper.subject.rfc4514_string()} did not issue the certificate "
                "before it; put the signer's own first, then the one that issued it, and so on"
            ) from None
    return chain


def pem_of(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def algorithm_of(leaf: Certificate) -> tuple[Algorithm, int]:
    """The algorithm that a certificate's key signs with, and the length of a signature."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    public = leaf.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES:
        return _CURVES[public.curve.name]
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= _LEAST_RSA_BITS:
        return "ps256", public.key_size // 8
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519", 64
    raise EnvironmentFault(
        f"{CERTIFICATE}: its key is of a kind that C2PA does not take "
        f"(allowed: P-256, P-384, P-521, Ed25519, RSA of {_LEAST_RSA_BITS} bits or more)"
    )


@lru_cache
def throwaway_key(chain: str) -> str:
    """PEM of a new key of the same kind as the first certificate's; it signs nothing that counts.

    The library wants one to lay out a manifest; the signature that counts replaces its own.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from cryptography.x509 import load_pem_x509_certificate

    public = load_pem_x509_certificate(chain.encode()).public_key()
    made: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if isinstance(public, ec.EllipticCurvePublicKey):
        made = ec.generate_private_key(public.curve)
    elif isinstance(public, rsa.RSAPublicKey):
        made = rsa.generate_private_key(65537, public.key_size)
    else:
        made = ed25519.Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
