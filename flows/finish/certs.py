"""A certificate chain for trials: readers say that its files are unchanged and signed by nobody
they know, unless they are given its root.

The profile of a signer's certificate (key usage, extended key usages, at most 366 days) is that of
the conformance programme, https://github.com/c2pa-org/conformance-public
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, Name

_CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"
_ORGANISATION = "Trial chain of Shotlist, worth nothing"
_LEAF_DAYS, _UPPER_DAYS = 365, 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialChain:
    """PEM of a new root, of what it issued, and their keys."""

    root: str
    chain: str
    """The signer's own certificate and the intermediate that issued it."""
    key: str = field(repr=False)
    root_key: str = field(repr=False)
    intermediate_key: str = field(repr=False)
    expires: dt.date


def trial_chain(now: dt.datetime, *, leaf_days: int = _LEAF_DAYS) -> TrialChain:
    """A root, an intermediate and a signer's certificate (ES256), all new, valid from `now` on."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    top, middle, own = (
        _name(f"{which} for trials only") for which in ("Root", "Intermediate", "Signer")
    )
    upper = now + dt.timedelta(days=_UPPER_DAYS)
    until = now + dt.timedelta(days=leaf_days)
    root = _certificate(top, keys[0], top, keys[0], now, upper, below=1)
    intermediate = _certificate(middle, keys[1], top, keys[0], now, upper, below=0)
    leaf = _certificate(own, keys[2], middle, keys[1], now, until, below=None)
    root_pem, intermediate_pem, leaf_pem = (
        one.public_bytes(Encoding.PEM).decode() for one in (root, intermediate, leaf)
    )
    key_pems = [
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for key in keys
    ]
    return TrialChain(
        root=root_pem,
        chain=leaf_pem + intermediate_pem,
        key=key_pems[2],
        root_key=key_pems[0],
        intermediate_key=key_pems[1],
        expires=until.date(),
    )


def _name(common_name: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _certificate(
    subject: Name,
    key: EllipticCurvePrivateKey,
    issuer: Name,
    issuer_key: EllipticCurvePrivateKey,
    since: dt.datetime,
    until: dt.datetime,
    *,
    below: int | None,
) -> Certificate:
    """`below`: how many authorities may stand under this one; None: it is no authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    is_authority = below is not None
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # clocks of two machines differ
        .not_valid_before(since - dt.timedelta(minutes=5))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(is_authority, below), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                content_commitment=not is_authority,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if not is_authority:
        usages = [x509.ObjectIdentifier(_CLAIM_SIGNING), ExtendedKeyUsageOID.EMAIL_PROTECTION]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
