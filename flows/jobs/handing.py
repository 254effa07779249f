"""Handing: feeds, the table of variants and the export that go out beside the pictures."""

from __future__ import annotations

from collections.abc import Sequence

from flows import feeds, plan, publish, results
from flows.errors import BadInput
from flows.jobs.job import Job
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading, ShotList

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


def hand_over(job: Job, manifest: Manifest) -> list[str]:
    """Write the feeds that are new or changed, which file is which variant, and the export; what
    could not be put into the feeds.

    Titles, prices and ids change without any picture changing, so this is asked of a run with
    nothing to make as well.
    """
    arms = results.arms_of(
        job.campaign,
        plan.variants(job.reading),
        [row.variant for row in job.reading.rows or () if row.variant],
    )
    _write_assignments(job, manifest, arms)
    if (wish := job.campaign.publish.adcp_wish) is not None:
        names = results.ad_names(manifest, arms)
        data = publish.as_adcp(manifest, shots=job.shot_list.shots, wish=wish, names=names)
        _write(job, publish.ADCP_JSON, data)
    wishes = job.campaign.publish.feeds
    if not wishes:
        return []
    notes: list[str] = []
    products = {one.key: one for one in job.reading.products}
    for file in feeds.feeds(manifest, products, wishes):
        _write(job, file.path, file.data)
        notes += file.notes
    return notes


def _write(job: Job, path: str, data: bytes) -> None:
    if job.place.read(path) != data:
        job.place.write(path, data)


def _write_assignments(job: Job, manifest: Manifest, arms: Sequence[results.Arm]) -> None:
    """The table of variants, as the manifest says; none where the campaign has none any more."""
    place = job.place.below(FOLDER)
    if arms:
        # it follows from spec and manifest: where both are as before, it is at most gone
        if manifest is not job.former or ASSIGNMENTS not in place.sizes():
            place.write(ASSIGNMENTS, results.assignments(manifest, arms))
    elif job.former is not None and any(row["variant"] for row in job.former["renditions"]):
        place.remove(ASSIGNMENTS)
