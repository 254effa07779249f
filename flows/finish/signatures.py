"""Signatures by a key or by a function of the user's, each held against the certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from flows.errors import EnvironmentFault
from flows.finish.certificates import CERTIFICATE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

KEY, CALLBACK = "SHOTLIST_C2PA_KEY", "SHOTLIST_C2PA_SIGNER"


def private_key(text: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(text.encode(), password=None)
    except TypeError:
        remedy = f"decrypt it, or sign by a function of yours: {CALLBACK}"
        raise EnvironmentFault(f"{KEY}: the key is encrypted; {remedy}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise EnvironmentFault(f"{KEY}: holds no private key that can be read") from None


def with_key(key: PrivateKeyTypes, leaf: Certificate) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    if key.public_key() != leaf.public_key():
        raise EnvironmentFault(
            f"{KEY}: this is not the key of the first certificate in {CERTIFICATE} "
            f"({leaf.subject.rfc4514_string()})"
        )
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = key
        # RFC 6979: no dice, so that the same file is signed into the same bytes
        way = ec.ECDSA(_hash_for(curve.curve.name), deterministic_signing=True)
        return lambda data: curve.sign(data, way)
    if isinstance(key, rsa.RSAPrivateKey):
        large = key
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return lambda data: large.sign(data, pss, hashes.SHA256())
    assert isinstance(key, ed25519.Ed25519PrivateKey)
    return key.sign


def _hash_for(curve: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return {
        "secp256r1": hashes.SHA256(),
        "secp384r1": hashes.SHA384(),
        "secp521r1": hashes.SHA512(),
    }[curve]


def checked(
    sign: Callable[[bytes], bytes], leaf: Certificate, length: int, place: str
) -> Callable[[bytes], bytes]:
    """`sign`, in COSE's form whichever it gives, and held against the certificate each time."""
    from cryptography.hazmat.primitives.asymmetric import ec

    is_curve = isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)

    def signed(data: bytes) -> bytes:
        try:
            given = bytes(sign(data))
        except Exception as error:  # noqa: BLE001 - a function of the user's, its words may be secret
            raise EnvironmentFault(f"{place}: signing failed: {type(error).__name__}") from None
        forms = _both_forms(given, length) if is_curve else iter([(given, given)])
        for raw, der in forms:
            if len(raw) == length and _verifies(der, data, leaf):
                return raw
        raise EnvironmentFault(
            f"{place}: gave a signature of {len(given)} bytes that the certificate does not "
            f"verify; it must be by the certificate's key, over the bytes themselves"
        )

    return signed


def _both_forms(given: bytes, length: int) -> Iterator[tuple[bytes, bytes]]:
    """What a signature may mean: itself raw, or itself DER; each as raw and as DER."""
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )

    half = length // 2
    if len(given) == length:
        r, s = (int.from_bytes(part, "big") for part in (given[:half], given[half:]))
        yield given, encode_dss_signature(r, s)
    try:
        r, s = decode_dss_signature(given)
        raw = r.to_bytes(half, "big") + s.to_bytes(half, "big")
    except (ValueError, OverflowError):
        return  # it is no DER, or of another curve
    yield raw, given


def _verifies(signature: bytes, data: bytes, leaf: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    public = leaf.public_key()
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, data, ec.ECDSA(_hash_for(public.curve.name)))
        elif isinstance(public, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            public.verify(signature, data, pss, hashes.SHA256())
        else:
            assert isinstance(public, ed25519.Ed25519PublicKey)
            public.verify(signature, data)
    except InvalidSignature:
        return False
    return True
