"""Handing: the feeds that go out beside the pictures."""

from __future__ import annotations

from flows import feeds
from flows.errors import BadInput
from flows.jobs.job import Job
from flows.nouns.rendition import Manifest
from flows.nouns.shot import Reading, ShotList


def refuse_feeds(reading: Reading, shots: ShotList) -> tuple[str, ...]:
    """What a person should know of the feeds that a campaign asks for.

    Raises:
        BadInput: one of them cannot be written.

    """
    found = feeds.sound(reading, shots)
    if found.faults:
        raise BadInput(f"{reading.spec_path} cannot be planned", found.faults)
    return tuple(found.notes)


def write_feeds(job: Job, manifest: Manifest) -> list[str]:
    """Write those that are new or changed; what could not be put into them.

    Titles, prices and ids change without any picture changing, so this is asked of a run with
    nothing to make as well.
    """
    wishes = job.campaign.publish.feeds
    if not wishes:
        return []
    notes: list[str] = []
    products = {one.key: one for one in job.reading.products}
    for file in feeds.feeds(manifest, products, wishes):
        if job.place.read(file.path) != file.data:
            job.place.write(file.path, file.data)
        notes += file.notes
    return notes
