"""Pruning: what lies at a destination and no manifest names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows import feeds, plan, publish, read
from flows.errors import EnvironmentFault
from flows.jobs.handing import ASSIGNMENTS
from flows.jobs.handing import FOLDER as VARIANTS
from flows.jobs.job import Request
from flows.jobs.putting import AT_ONCE
from flows.ledger import open_ledger
from flows.nouns.campaign import Campaign
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading
from flows.nouns.workspace import Workspace
from flows.settings import Settings
from flows.storage import Lying, Place
from flows.storage.place import INCOMING

DAY_S = 24 * 3600.0
SKEW_S = 300.0
"""The store's clock may be so far from ours."""

_LEFT = re.compile(r"(?:.*/)?(?:\.[0-9a-f]{16}\.part|\.probe-[0-9a-f]{8})")
"""What a killed run leaves of a file that it was writing."""
_THUMBNAIL = re.compile(r"gallery/[0-9a-f]{16}\.webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnamed:
    """A file that no manifest names."""

    path: str
    bytes: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What is at a destination beside what its manifest names; `removed`: it is gone."""

    campaign: str
    destination: str
    files: tuple[Unnamed, ...]
    removed: bool
    notes: tuple[str, ...]

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.files)


def prune(request: Request, *, remove: bool) -> Pruned:
    """Find what no manifest names, and take it away where `remove` says so.

    Only what runs write is looked at: images/, feeds/, variants/, adcp.json, thumbnails of the
    gallery, and what killed runs left half written. What a run that may be at work wrote is left
    alone.

    Raises:
        BadInput: the spec cannot be used.
        EnvironmentFault: no manifest lies there, another campaign's does, the destination cannot
            be used, or a run published while files were listed.

    """
    spec = Path(request.spec)
    workspace = Workspace.of(spec, Path.cwd())
    settings = Settings.load(workspace)
    reading = read.campaign(spec, defaults=Path(request.defaults) if request.defaults else None)
    campaign = reading.campaign
    place = Place(workspace.destination(request.to or campaign.publish.to, campaign.campaign))
    manifest = _manifest(place, campaign)
    since = _at_work_since(settings, manifest)
    lying = place.lying()
    found = list(_unnamed(lying, manifest, reading))
    files = tuple(one for one in found if not _is_young(lying[one.path], since))
    notes = []
    if len(files) < len(found):
        notes.append(
            f"{len(found) - len(files)} younger files are left alone: the latest run has not "
            "ended, or was killed less than a day ago"
        )
    if remove and files:
        now = publish.former(place)
        if now is None or now["run"] != manifest["run"]:
            raise EnvironmentFault(
                f"{place.shown}: a run published there while its files were listed; nothing is "
                f"removed: prune again"
            )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(place.remove, [one.path for one in files]))
    return Pruned(
        campaign=campaign.campaign,
        destination=place.shown,
        files=files,
        removed=remove,
        notes=tuple(notes),
    )


def _manifest(place: Place, campaign: Campaign) -> Manifest:
    manifest = publish.former(place, campaign=campaign.campaign)
    if manifest is None:
        raise EnvironmentFault(
            f"{place.full('manifest.json')}: there is none, so nothing says which files are "
            f"wanted; nothing is removed: publish there first"
        )
    return manifest


def _unnamed(lying: Mapping[str, Lying], manifest: Manifest, reading: Reading) -> Iterator[Unnamed]:
    named = {row["path"] for row in manifest["renditions"]}
    digests = {row["sha256"][:16] for row in manifest["renditions"]}
    digests |= {one["sha256"][:16] for take in manifest["takes"] for one in take["references"]}
    wanted = _beside(reading)
    for path, file in sorted(lying.items()):
        why = ""
        if path in named:
            continue
        if _LEFT.fullmatch(path) or path.startswith(INCOMING):
            why = "left by a run that did not end"
        elif path.startswith("images/"):
            why = "no manifest names it"
        elif path.startswith("feeds/") and path not in wanted:
            why = "the campaign asks for no such feed"
        elif path.startswith(f"{VARIANTS}/") and path not in wanted:
            why = "the campaign asks for no such table"
        elif path == publish.ADCP_JSON and path not in wanted:
            why = "the campaign asks for no such export"
        elif _THUMBNAIL.fullmatch(path) and path[8:24] not in digests:
            why = "of a picture that is not there any more"
        if why:
            yield Unnamed(path=path, bytes=file.bytes, why=why)


def _beside(reading: Reading) -> set[str]:
    """What the campaign hands over beside its pictures."""
    campaign = reading.campaign
    wanted = set(feeds.paths(campaign.publish.feeds))
    if plan.variants(reading) or any(row.variant for row in reading.rows or ()):
        wanted.add(f"{VARIANTS}/{ASSIGNMENTS}")
    if campaign.publish.adcp_wish is not None:
        wanted.add(publish.ADCP_JSON)
    return wanted


def _at_work_since(settings: Settings, manifest: Manifest) -> float | None:
    """When the latest run began, where it has not ended and may still be at work. The one that
    wrote the manifest has nothing left to write.
    """
    if not settings.ledger_is_there():
        return None
    with open_ledger(settings.ledger_url) as book:
        latest = book.runs(manifest["campaign"], limit=1)
    if not latest or latest[0]["ended_at"] or latest[0]["id"] == manifest["run"]["id"]:
        return None
    began = datetime.fromisoformat(latest[0]["started_at"])
    is_old = (datetime.now(UTC) - began).total_seconds() > DAY_S
    return None if is_old else began.timestamp()


def _is_young(file: Lying, since: float | None) -> bool:
    if since is None:
        return False
    return file.written_at is None or file.written_at > since - SKEW_S
