"""A file in, the same file with Content Credentials out: the last write of all.

What is written into a signed file afterwards, were it one byte, makes its credentials invalid.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from flows.errors import EnvironmentFault
from flows.finish import seal
from flows.finish.certificates import CERTIFICATE, throwaway_key
from flows.finish.credentials import (
    TAKE,
    Definition,
    Ingredient,
    Json,
    Master,
    Origin,
    Story,
    mime_of,
    of_file,
    of_take,
    take_ingredient,
)
from flows.finish.encode import Tags, encoded
from flows.finish.signer import TIME_STAMPS, Signer
from flows.finish.verify import USAGES, library, verify
from flows.nouns.address import shown
from flows.nouns.campaign import Format
from flows.pictures import form_of

if TYPE_CHECKING:
    from c2pa import Builder, Context

SIGNABLE: tuple[Format, ...] = ("jpeg", "png", "webp", "avif", "tiff")

_SPARE_BYTES = 64
"""Of a predicted size: numbers that stand in a manifest (places, lengths) grow with the file."""
_SPARE_TIFF_BYTES = 1024
"""A TIFF's directory is written anew, so its tags count once more."""


def master(origin: Origin, signer: Signer) -> Master:
    """A take that files can be derived from; once a take, for all of them.

    Raises:
        EnvironmentFault: the library is not installed, the signer fails, its certificate is not
            one that C2PA takes.

    """
    data = signed_take(origin, signer)
    if data is None:
        return Master(origin=origin, account=None)
    c2pa = library()
    one = take_ingredient(data)
    out = io.BytesIO()
    try:
        builder = c2pa.Builder("{}", _context(signer.chain, signer.algorithm))
        builder.add_ingredient(json.dumps(one.says), one.mime, io.BytesIO(one.data))
        builder.write_ingredient_archive(TAKE, out)
    except c2pa.C2paError as error:
        raise EnvironmentFault(f"the take's Content Credentials cannot be used: {error}") from None
    digest = hashlib.sha256(data).hexdigest()
    return Master(origin=origin, account=out.getvalue(), sha256=digest)


def signed_take(origin: Origin, signer: Signer) -> bytes | None:
    """The take with an account of how it was made, or None where its format cannot hold one.

    A take that came with a valid account keeps it, and gets no other where it tells of the same
    source type. One that is broken already is replaced.

    Raises:
        EnvironmentFault: as `master` does.

    """
    form = form_of(origin.take)
    if form not in SIGNABLE:
        return None
    verdict = verify(origin.take, form)
    is_host_signed = verdict.state in {"trusted", "valid"}
    if is_host_signed and origin.source_type in verdict.source_types:
        return origin.take
    definition = of_take(origin, is_host_signed=is_host_signed)
    return _signed(origin.take, form, definition, signer)


def signed(data: bytes, form: Format, *, story: Story, signer: Signer) -> bytes:
    """The file with its story, signed; pixels, profile and tags are as they were.

    The same bytes for the same arguments where `signer.is_reproducible`.

    Raises:
        EnvironmentFault: as `master` does.

    """
    return _signed(data, form, of_file(story, form), signer)


def reserve_bytes(form: Format, *, story: Story, signer: Signer) -> int:
    """Bytes by which signing makes a file of this story larger, at most.

    A picture of a few pixels is signed for show, so no key is asked (a time stamp is). All files of
    one format, master and steps need the same but for their titles.
    """
    from PIL import Image

    if signer.time_stamps is None:
        blank = bytes(signer.signature_bytes)
        signer = replace(signer, sign=lambda _claim: blank)

    small = encoded(Image.new("RGB", (16, 16)), form, Tags(b"<x/>", {}), quality=50)
    grown = len(signed(small, form, story=story, signer=signer)) - len(small)
    return grown + (_SPARE_TIFF_BYTES if form == "tiff" else _SPARE_BYTES)


def check_signer(signer: Signer) -> None:
    """Sign a few pixels, so that what is wrong with a certificate is said before any work is done.

    Raises:
        EnvironmentFault: as `master` does.

    """
    from PIL import Image

    from flows.nouns.rendition import AI_GENERATED

    take = encoded(Image.new("RGB", (16, 16)), "png", Tags(b"<x/>", {}), quality=50)
    origin = Origin(
        take=take,
        source_type=AI_GENERATED,
        software="Shotlist",
        system="none",
        system_version="none",
    )
    verdict = verify(signed_take(origin, signer) or b"", "png")
    if verdict.state == "invalid":
        raise EnvironmentFault(
            f"{CERTIFICATE}: what is signed with it does not hold: {verdict.reason}"
        )


def _signed(data: bytes, form: Format, definition: Definition, signer: Signer) -> bytes:
    c2pa = library()
    mime = mime_of(form)
    assert mime is not None
    identity = hashlib.sha256(
        json.dumps(
            [definition.says, [one.says for one in definition.ingredients], mime, signer.chain]
        ).encode()
        + hashlib.sha256(data).digest()
    ).digest()
    # the library would throw dice for both, and insists on the form of a random UUID; it prefers
    # the instance id that the file's own tags have
    says = definition.says | {
        "format": mime,
        "label": f"urn:c2pa:{uuid.UUID(bytes=identity[:16], version=4)}",
        "instance_id": f"xmp.iid:{identity.hex()}",
    }
    out = io.BytesIO()
    try:
        builder = _builder(says, definition.ingredients, signer)
        if signer.time_stamps is not None:
            return _stamped(builder, mime, data, signer)
        store = builder.sign(mime, io.BytesIO(data), out)
    except c2pa.C2paError as error:
        # the library's words tell of certificates and formats; it never had the key that counts
        said, address = str(error), signer.time_stamps
        if "certificate" in said:
            said += f" ({CERTIFICATE}: it must be for signing claims, documents or e-mail)"
        if address is not None:  # it may carry a password, and a wrong one is told in full
            said = f"{said.replace(address, shown(address))} ({TIME_STAMPS}: {shown(address)})"
        raise EnvironmentFault(f"Content Credentials could not be signed: {said}") from None
    return seal.with_store(out.getvalue(), form, store, seal.sealed(store, signer.sign))


def _builder(says: dict[str, Json], ingredients: Sequence[Ingredient], signer: Signer) -> Builder:
    """A builder with its ingredients. One whose own account is past reading is only named."""
    c2pa = library()
    bare: list[Json] = [one.says for one in ingredients if one.mime is None and not one.is_account]
    context = _context(signer.chain, signer.algorithm)
    builder: Builder = c2pa.Builder(json.dumps(says | {"ingredients": bare}), context)
    for number, one in enumerate(ingredients):
        if one.is_account:
            builder.add_ingredient_from_archive(io.BytesIO(one.data))
        elif one.mime is not None:
            try:
                builder.add_ingredient(json.dumps(one.says), one.mime, io.BytesIO(one.data))
            except c2pa.C2paError:
                builder.close()
                unread = replace(one, mime=None)
                others = [*ingredients[:number], unread, *ingredients[number + 1 :]]
                return _builder(says, others, signer)
    return builder


@lru_cache(4)
def _context(chain: str, algorithm: str) -> Context:
    """How manifests are laid out: no thumbnails, no network, and a key that does not count."""
    c2pa = library()

    class Laying(c2pa.Context):  # type: ignore[name-defined, misc]
        # told of a signer in its settings, the library uses it, but its binding does not say so
        has_signer = True

    context: Context = Laying.from_dict(
        {
            "builder": {"thumbnail": {"enabled": False}},
            # what it signs for show is not to be verified; that it holds is seen to afterwards
            "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
            "trust": {"trust_config": "\n".join(USAGES)},
            "signer": {
                "local": {
                    "alg": algorithm,
                    "sign_cert": chain,
                    "private_key": throwaway_key(chain),
                }
            },
        }
    )
    return context


def _stamped(builder: Builder, mime: str, data: bytes, signer: Signer) -> bytes:
    """Signed by the library itself, which asks for the time stamp of the signature meanwhile."""
    c2pa = library()
    failures: list[EnvironmentFault] = []

    def sign(claim: bytes) -> bytes:
        try:
            return signer.sign(claim)
        except EnvironmentFault as error:
            failures.append(error)
            return b""  # the library says that there is none, and nothing of why

    algorithm = c2pa.C2paSigningAlg[signer.algorithm.upper()]
    out = io.BytesIO()
    try:
        with c2pa.Signer.from_callback(sign, algorithm, signer.chain, signer.time_stamps) as ours:
            builder.sign(ours, mime, io.BytesIO(data), out)
    except c2pa.C2paError:
        if failures:
            raise failures[0] from None
        raise
    return out.getvalue()
