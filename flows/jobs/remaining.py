"""Remaining: which shots of a plan have all their files, and which are left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.jobs import lineage
from flows.jobs.job import Work
from flows.jobs.looks import Looks
from flows.nouns.campaign import Campaign
from flows.nouns.hashed_path import filled
from flows.nouns.rendition import Manifest, RenditionRow
from flows.nouns.shot import Reading, Shot, ShotList
from flows.nouns.take import Realm, Take, TakeState

_Key = tuple[str, str, str, int]
"""Of a file: its shot, output, format and take. Its path may hold what is not known yet."""


def left_to_do(
    reading: Reading,
    shots: ShotList,
    paths: Sequence[tuple[str, ...]],
    takes: Mapping[str, Take],
    former: Manifest | None,
    lying: Mapping[str, int],
    chosen: frozenset[str] | None,
    looks: Looks,
) -> tuple[dict[str, list[RenditionRow]], list[Work]]:
    """Hold each shot's files against the manifest and the destination's listing."""
    campaign = reading.campaign
    rows = {_key_of(row): row for row in former["renditions"]} if former is not None else {}
    held = _Held(campaign, shots.realm, takes, rows, lying, looks)
    kept: dict[str, list[RenditionRow]] = {}
    work: list[Work] = []
    for shot, files in zip(shots.shots, paths, strict=True):
        if former is None or not takes:
            if chosen is None or shot.shot_id in chosen:
                work.append(Work(shot=shot, paths=files))
            continue
        good = held(shot, files)
        if good:
            kept[shot.shot_id] = good
        elif chosen is None or shot.shot_id in chosen:
            work.append(Work(shot=shot, paths=files))
    return kept, work


class _Held:
    """Holds a shot's files against the manifest's rows and the destination's listing."""

    def __init__(
        self,
        campaign: Campaign,
        realm: Realm,
        takes: Mapping[str, Take],
        rows: Mapping[_Key, RenditionRow],
        lying: Mapping[str, int],
        looks: Looks,
    ) -> None:
        self._realm = realm
        self._takes = takes
        self._rows = rows
        self._lying = lying
        self._looks = looks
        self._every_take = campaign.publish.takes == "all"
        self._digests = lineage.Digests(campaign)

    def __call__(self, shot: Shot, files: tuple[str, ...]) -> list[RenditionRow]:
        """The rows of the shot's files, where all of them are as they should be; else nothing."""
        for recipe in shot.recipes:
            if not _is_done(self._takes.get(recipe.sha256)):
                return []
        good: list[RenditionRow] = []
        said = self._digests.words_of(shot, self._realm)
        source = lineage.source_type(shot, self._realm)
        for out in lineage.published(shot, files, self._takes, every_take=self._every_take):
            for output, form, path in out.files:
                row = self._rows.get((shot.shot_id, output.name, form, out.recipe.take))
                if row is None or self._lying.get(row["path"]) != row["bytes"]:
                    return []
                if row["path"] != filled(path, row["sha256"]):
                    return []
                look = self._looks.digest(shot, output)
                digest = self._digests.of(out.take, output, form, path, said, source, look)
                if row["made_from"] != digest:
                    return []
                good.append(row)
        return good


def _key_of(row: RenditionRow) -> _Key:
    return row["shot_id"], row["name"], row["format"], row["take"]


def _is_done(take: Take | None) -> bool:
    return take is not None and take.state is TakeState.DONE
