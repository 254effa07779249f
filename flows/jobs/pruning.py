"""Pruning: what lies at a destination and no manifest names."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from flows.settings import Settings, hand_to_storages
from flows.storage import Lying, Place
from flows.storage.place import INCOMING, kind_of

LONGEST = timedelta(days=3)
"""No run takes so long: the slowest hosts' jobs are done within a day."""
SKEW = timedelta(minutes=5)
"""Another machine's clock may be so far from ours."""
MOST_RUNS = 10_000
REMOVED_AT_A_TIME = 500
"""After so many the ledger is asked again whether a run began."""

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
    gallery, and what killed runs left half written. While a run is, or may be, at work there,
    nothing goes: it uses what lies there as it should be, whoever wrote it and when.

    Raises:
        BadInput: the spec cannot be used.
        EnvironmentFault: no manifest lies there, another campaign's does, the destination cannot
            be used, or a run published while files were listed.

    """
    spec = Path(request.spec)
    workspace = Workspace.of(spec, Path.cwd())
    hand_to_storages(workspace)
    settings = Settings.load(workspace)
    reading = read.campaign(spec, defaults=Path(request.defaults) if request.defaults else None)
    campaign = reading.campaign
    place = Place(workspace.destination(request.to or campaign.publish.to, campaign.campaign))
    # before the manifest is read: who is not among them and comes later is seen by that
    runs = _runs_there(settings, place, campaign.campaign)
    manifest = _manifest(place, campaign)
    files = tuple(_unnamed(place.lying(), manifest, reading))
    notes = []
    is_one_clock = settings.ledger_url.startswith("sqlite")
    at_work = _may_publish(runs, manifest, is_one_clock=is_one_clock)
    if at_work and files:
        run = at_work[0]
        notes.append(
            f"{_left_alone(len(files))}: run {run['id']}, begun at {run['started_at']}, has not "
            f"ended or was killed, and may use them; prune again once a run has published there, "
            f"or after {LONGEST.days} days"
        )
        files = ()
    if remove and files:
        now = publish.former(place)
        if now is None or now["run"] != manifest["run"]:
            raise EnvironmentFault(
                f"{place.shown}: a run published there while its files were listed; nothing is "
                f"removed: prune again"
            )
        known = {run["id"] for run in runs}

        def begun() -> bool:
            there = _runs_there(settings, place, campaign.campaign)
            return any(run["id"] not in known for run in there)

        gone = _taken_away(place, files, begun)
        if gone < len(files):
            notes.append(f"{_left_alone(len(files) - gone)}: a run has begun there")
        files = files[:gone]
    return Pruned(
        campaign=campaign.campaign,
        destination=place.shown,
        files=files,
        removed=remove,
        notes=tuple(notes),
    )


def _taken_away(place: Place, files: Sequence[Unnamed], begun: Callable[[], bool]) -> int:
    """How many went, from the first, until a run had begun."""
    gone = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while gone < len(files) and not begun():
            some = files[gone : gone + REMOVED_AT_A_TIME]
            list(pool.map(place.remove, [one.path for one in some]))
            gone += len(some)
    return gone


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


def _runs_there(settings: Settings, place: Place, campaign: str) -> Sequence[Mapping[str, Any]]:
    """What the ledger knows of runs that had this place as their destination, newest first."""
    if not settings.ledger_is_there():
        return ()
    with open_ledger(settings.ledger_url) as book:
        runs = book.runs(campaign, MOST_RUNS)
    here = _same(place.shown)
    return [
        run
        for run in runs
        if _moment(run["started_at"]) > datetime.now(UTC) - LONGEST
        and _same(run["destination"]) == here
    ]


def _may_publish(
    runs: Sequence[Mapping[str, Any]], manifest: Manifest, *, is_one_clock: bool
) -> Sequence[Mapping[str, Any]]:
    """Those that may yet write a manifest, which names what lies there now under no name.

    One that began before the manifest was written replaces nothing any more (`publish.claim`):
    that, not an end, is what a killed run comes to.
    """
    ours = manifest["run"]
    is_one_clock = is_one_clock and any(run["id"] == ours["id"] for run in runs)
    since = _moment(ours["ended_at"]) - (timedelta(0) if is_one_clock else SKEW)
    return [
        run
        for run in runs
        if not run["ended_at"] and run["id"] != ours["id"] and _moment(run["started_at"]) >= since
    ]


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _same(destination: str) -> str:
    """One text for the addresses of a place that differ by links, dots or a short scheme."""
    scheme, there, rest = destination.partition("://")
    if not there:
        return os.path.normcase(os.path.realpath(destination))
    return f"{kind_of(destination).extra or scheme.lower()}://{rest.rstrip('/')}"


def _left_alone(count: int) -> str:
    return "1 file is left alone" if count == 1 else f"{count:,} files are left alone"
