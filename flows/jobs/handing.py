"""Handing: feeds, the table of variants and the export that go out beside the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flows import feeds, plan, publish, results
from flows.errors import BadInput
from flows.jobs.job import Job
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading, ShotList
from flows.storage import Place

FOLDER = "variants"
ASSIGNMENTS = "assignments.csv"


def refuse(reading: Reading, shots: ShotList) -> tuple[str, ...]:
    """What a person should know of what a campaign hands over beside its pictures.

    Raises:
        BadInput: one of them cannot be written.

    """
    found = feeds.sound(reading, shots)
    faults = [*found.faults, *publish.adcp_faults(reading, shots)]
    if faults:
        raise BadInput(f"{reading.spec_path} cannot be planned", faults)
    return tuple(found.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What goes out beside the pictures."""

    files: Mapping[str, bytes]
    """By their paths at the destination."""
    gone: tuple[str, ...]
    """Paths of what the campaign has no more."""
    notes: tuple[str, ...]
    """What could not be put into the feeds."""

    def unlike(self, place: Place) -> Handed:
        """The part that lies there otherwise, or not at all.

        Raises:
            EnvironmentFault: the destination cannot be read.

        """
        files = {path: data for path, data in self.files.items() if place.read(path) != data}
        gone = tuple(path for path in self.gone if place.read(path) is not None)
        return replace(self, files=files, gone=gone)

    def write(self, place: Place) -> None:
        """Write and take away.

        Raises:
            EnvironmentFault: the destination cannot be written.

        """
        for path, data in self.files.items():
            place.write(path, data)
        for path in self.gone:
            place.remove(path)


def handed(job: Job, manifest: Manifest) -> Handed:
    """The feeds, which file is which variant, and the export, as a manifest has them.

    Titles, prices and ids change without any picture changing, so this is asked of a run with
    nothing to make as well.
    """
    files: dict[str, bytes] = {}
    gone: list[str] = []
    arms = results.arms_of(
        job.campaign,
        plan.variants(job.reading),
        [row.variant for row in job.reading.rows or () if row.variant],
    )
    if arms:
        # it follows from spec and manifest: where both are as before, it is at most gone
        if manifest is not job.former or ASSIGNMENTS not in job.place.below(FOLDER).sizes():
            files[f"{FOLDER}/{ASSIGNMENTS}"] = results.assignments(manifest, arms)
    elif job.former is not None and any(row["variant"] for row in job.former["renditions"]):
        gone.append(f"{FOLDER}/{ASSIGNMENTS}")
    if (wish := job.campaign.publish.adcp_wish) is not None:
        names = results.ad_names(manifest, arms)
        data = publish.as_adcp(manifest, shots=job.shot_list.shots, wish=wish, names=names)
        files[publish.ADCP_JSON] = data
    notes: list[str] = []
    if wishes := job.campaign.publish.feeds:
        products = {one.key: one for one in job.reading.products}
        for file in feeds.feeds(manifest, products, wishes):
            files[file.path] = file.data
            notes += file.notes
    return Handed(files=files, gone=tuple(gone), notes=tuple(notes))
