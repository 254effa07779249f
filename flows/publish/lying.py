"""The manifest that lies at a destination: whose it is, and what it says."""

from __future__ import annotations

import json
import re
from contextlib import suppress

from flows.errors import EnvironmentFault
from flows.nouns.rendition import MANIFEST_SCHEMA, Manifest
from flows.publish.manifest import MANIFEST_JSON, admit, from_json
from flows.storage import Place

_HEAD = re.compile(
    rb'\{\n "schema": "%b",\n(?: "[a-z_0-9]+": "[^\n]*",\n)* "run": (\{[^\n]*\}),\n "renditions": '
    % MANIFEST_SCHEMA.encode()
)
"""How a manifest of ours begins (see `as_json`)."""


def former(place: Place, *, campaign: str = "", realm: str = "") -> Manifest | None:
    """The manifest that lies at a destination, or None where there is none.

    With `campaign` and `realm` it also asks whether that run may publish there at all: call it
    before anything is bought.

    Raises:
        EnvironmentFault: a file that is not our manifest lies there, or one that this run may not
            replace: another campaign's, or a live one and this run is not live.

    """
    data = place.read(MANIFEST_JSON)
    if data is None:
        return None
    manifest = _read(place, data)
    where = place.full(MANIFEST_JSON)
    admit(manifest, campaign=campaign or manifest["campaign"], realm=realm, where=where)
    return manifest


def _read(place: Place, data: bytes) -> Manifest:
    try:
        return from_json(data)
    except ValueError as error:
        raise EnvironmentFault(
            f"{place.full(MANIFEST_JSON)}: {error}; it is not overwritten: move it away or publish "
            f"elsewhere with --to"
        ) from error


def lying_run(place: Place) -> str | None:
    """The id of the run whose manifest lies at a destination, read off its head where it is as we
    write it: a hundred thousand rows take seconds to parse. None: no manifest lies there.

    Raises:
        EnvironmentFault: a file that is not our manifest lies there.

    """
    data = place.read(MANIFEST_JSON)
    if data is None:
        return None
    head = _HEAD.match(data)
    if head is not None:
        with suppress(ValueError, KeyError, TypeError):
            return str(json.loads(head[1])["id"])
    return _read(place, data)["run"]["id"]
