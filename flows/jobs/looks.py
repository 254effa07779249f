"""Looks: how each shot is finished, and a digest of what of that its files depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache

from flows import finish, lettering
from flows.errors import EnvironmentFault
from flows.nouns.campaign import Campaign
from flows.nouns.output import Output
from flows.nouns.overlay import BrandKit, LaidOverlay
from flows.nouns.said_overlay import on_output
from flows.nouns.shot import Shot
from flows.nouns.take import Realm
from flows.settings import Signing

_PLAIN = BrandKit()


@lru_cache(maxsize=4)
def signer_of(signing: Signing) -> finish.Signer | None:
    """The signer that the environment names; read once a process.

    Raises:
        EnvironmentFault: it cannot be used.

    """
    return finish.signer(
        signing.certificate,
        signing.key,
        callback=signing.callback,
        time_stamps=signing.time_stamps,
    )


class Looks:
    """The looks of a campaign's shots. `read` gives the bytes at a reference's location.

    Raises:
        EnvironmentFault: Content Credentials are required, or asked for, and nobody can sign them.

    """

    def __init__(
        self,
        campaign: Campaign,
        realm: Realm,
        *,
        brand: BrandKit | None,
        signing: Signing | None,
        read: Callable[[str], bytes] | None = None,
    ) -> None:
        self._campaign = campaign
        self._brand = brand or _PLAIN
        wish = campaign.tagging.credentials
        is_signed = realm is not Realm.PROOF and wish != "off"
        self._signer = signer_of(signing) if is_signed and signing is not None else None
        if is_signed and self._signer is None and wish == "required":
            raise EnvironmentFault(finish.missing_note())
        self.notes = (finish.missing_note(),) if is_signed and self._signer is None else ()
        """What a person should know once a run."""
        self._read = read
        self._digests: dict[object, tuple[Output, str]] = {}

    def of(self, shot: Shot) -> finish.Look:
        """How a shot is finished."""
        return finish.Look(
            finish=self._campaign.finish,
            focus=shot.focus,
            references=self._references(shot),
            overlays=lambda output: self._overlays(shot, output),
            brand=self._brand,
            signer=self._signer,
        )

    def digest(self, shot: Shot, output: Output) -> str:
        """JSON of what a file depends on beside its take, its output's size and its words.

        A product's photo is not in it: another photo gives another take.
        """
        # outputs are shared by a plan's shots: told by identity, and kept so that none comes to
        # have the identity of another
        focus = tuple(shot.focus) if isinstance(shot.focus, list) else shot.focus
        key = (focus, shot.overlays, shot.locale if shot.overlays else "", id(output))
        known = self._digests.get(key)
        if known is None:
            known = self._digests[key] = (output, self._digest(shot, output))
        return known[1]

    def _digest(self, shot: Shot, output: Output) -> str:
        overlays = self._overlays(shot, output)
        laid = None
        if overlays:
            laid = lettering.fingerprint(overlays, brand=self._brand, locale=shot.locale)
        chain = self._signer.chain if self._signer is not None else None
        is_branded = self._campaign.finish.pad == "brand"
        parts = [
            shot.focus,
            output.clear_zone,
            list(self._brand.palette[:1]) if is_branded else None,
            laid,
            hashlib.sha256(chain.encode()).hexdigest()[:16] if chain is not None else None,
        ]
        return json.dumps(parts)

    def _overlays(self, shot: Shot, output: Output) -> tuple[LaidOverlay, ...]:
        if not shot.overlays:
            return ()
        return on_output(self._campaign.overlays, shot.overlays, output)

    def _references(self, shot: Shot) -> tuple[finish.Reference, ...]:
        """Those that finishing looks at. One that cannot be read any more is a hint less."""
        is_asked = shot.focus == "auto" and self._campaign.finish.fit == "crop"
        found = []
        for one in shot.references:
            if self._signer is None and not (is_asked and one.role == "product"):
                continue
            try:
                data = self._read(one.location) if self._read is not None else b""
            except EnvironmentFault:
                continue
            found.append(finish.Reference(role=one.role, data=data))
        return tuple(found)
