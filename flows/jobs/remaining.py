"""Remaining: which shots of a plan have all their files, and which are left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.jobs import lineage
from flows.jobs.job import Work
from flows.jobs.looks import Looks
from flows.jobs.otherwise import Otherwise
from flows.nouns.campaign import Campaign
from flows.nouns.hashed_path import filled, shown
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
    otherwise = Otherwise(reading, former, shots.realm)
    held = _Held(campaign, shots.realm, takes, rows, lying, looks, otherwise)
    kept: dict[str, list[RenditionRow]] = {}
    work: list[Work] = []
    for shot, files in zip(shots.shots, paths, strict=True):
        if former is None or not takes:
            if chosen is None or shot.shot_id in chosen:
                work.append(Work(shot=shot, paths=files))
            continue
        good, why = held(shot, files)
        if good:
            kept[shot.shot_id] = good
        elif chosen is None or shot.shot_id in chosen:
            work.append(Work(shot=shot, paths=files, why=why))
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
        otherwise: Otherwise,
    ) -> None:
        self._realm = realm
        self._takes = takes
        self._rows = rows
        self._lying = lying
        self._looks = looks
        self._otherwise = otherwise
        self._every_take = campaign.publish.takes == "all"
        self._digests = lineage.Digests(campaign)

    def __call__(self, shot: Shot, files: tuple[str, ...]) -> tuple[list[RenditionRow], str]:
        """The rows of the shot's files, where all of them are as they should be; else nothing, and
        why the first of them is not, unless a take is missing.
        """
        for recipe in shot.recipes:
            if not _is_done(self._takes.get(recipe.sha256)):
                return [], ""
        good: list[RenditionRow] = []
        said = self._digests.words_of(shot, self._realm)
        source = lineage.source_type(shot, self._realm)
        for out in lineage.published(shot, files, self._takes, every_take=self._every_take):
            for output, form, path in out.files:
                row = self._rows.get((shot.shot_id, output.name, form, out.recipe.take))
                if row is None:
                    return [], f"its {output.name} as {form} is new"
                if self._lying.get(row["path"]) != row["bytes"]:
                    there = row["path"] in self._lying
                    return [], f"{row['path']} is {'not whole' if there else 'gone'}"
                if row["path"] != filled(path, row["sha256"]):
                    return [], f"its path changed: {row['path']} -> {shown(path)}"
                look = self._looks.digest(shot, output)
                digest = self._digests.of(out.take, output, form, path, said, source, look)
                if row["made_from"] != digest:
                    in_words = self._otherwise.in_words(shot, row)
                    former = self._digests.words_of(in_words.shot, self._realm)
                    was = self._digests.of(out.take, output, form, path, former, source, look)
                    is_all = row["made_from"] == was
                    return [], self._otherwise.why(shot, row, output, out, in_words, is_all=is_all)
                good.append(row)
        return good, ""


def _key_of(row: RenditionRow) -> _Key:
    return row["shot_id"], row["name"], row["format"], row["take"]


def _is_done(take: Take | None) -> bool:
    return take is not None and take.state is TakeState.DONE
