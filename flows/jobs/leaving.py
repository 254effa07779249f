"""Leaving: published shots whose products a catalogue took away, and how many may go unasked.

A catalogue that was cut off on its way looks like one from which most products were taken. A run
would retire their pictures and empty the feeds, and say that all is well. So beyond
`publish.retire_at_most` it stops before anything is bought, unless a person at a terminal says
yes. `--yes` is about money and is no answer here: it stands in every timetable. What the campaign
file itself takes away (an axis, an output, products written inline, a `where` that was changed) is
meant, and is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.errors import BadInput, Fault
from flows.jobs.job import Job
from flows.nouns.address import shown

LEAST_PRODUCTS = 5
"""Fewer may always go: a small catalogue's share is soon passed, by one product with many shots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """More published shots than may go unasked."""

    catalogue: str
    found: str
    at_most: float

    @property
    def fault(self) -> Fault:
        return Fault(
            self.catalogue,
            f"{self.found}: their shots would be retired and leave the feeds",
            allowed=f"publish.retire_at_most: {self.at_most:g}",
            remedy=(
                "look at the catalogue; if that is meant, run it at a terminal, where it asks, "
                "or raise publish.retire_at_most"
            ),
        )

    @property
    def told(self) -> str:
        """For a plan, which stops nothing."""
        return (
            f"{self.catalogue}: {self.found}; `run` asks before it retires more than "
            f"{self.at_most:g} of what is published (publish.retire_at_most), and stops where "
            f"nobody can be asked"
        )


def leaving(job: Job) -> Leaving | None:
    """What a run of this job would retire beyond `publish.retire_at_most`; None: no more than that.

    A run with `--only` retires as a whole one does, and so does publishing again.
    """
    reading, former = job.reading, job.former
    if former is None or former["realm"] != job.realm.value or not job.retires:
        return None
    products = reading.campaign.products
    if reading.rows is None and (products is None or products.from_ is None):
        return None
    published = {row["shot_id"]: row["product"] for row in former["renditions"]}
    gone = _gone(job, published)
    at_most = reading.campaign.publish.retire_at_most
    if len(set(gone.values())) < LEAST_PRODUCTS or len(gone) <= at_most * len(published):
        return None
    place = reading.spec_path
    if reading.rows is None and products is not None and products.from_ is not None:
        place = shown(products.from_)
    return Leaving(catalogue=place, found=_found(job, gone, published), at_most=at_most)


def refuse_emptying(job: Job) -> None:
    """Stop where nobody can be asked.

    Raises:
        BadInput: the catalogue would take away more than `publish.retire_at_most`.

    """
    if (found := leaving(job)) is not None:
        raise BadInput("nothing was begun", [found.fault])


def _gone(job: Job, published: Mapping[str, str]) -> dict[str, str]:
    """Published shots that the catalogue took away, with their products."""
    reading = job.reading
    there = {product.key for product in reading.products}
    there |= {row.product.key for row in reading.rows or ()}
    there |= {shot.product.key for shot in job.shot_list.shots}
    there |= {row.product for row in job.shot_list.skipped}
    if job.former is not None and job.former["spec_sha256"] != reading.spec_sha256:
        there |= reading.left_out.keys()  # the campaign file was changed: that is meant
    return {shot_id: product for shot_id, product in published.items() if product not in there}


def _found(job: Job, gone: Mapping[str, str], published: Mapping[str, str]) -> str:
    products = set(gone.values())
    left_out = products & job.reading.left_out.keys()
    of = f"of {len(set(published.values())):,} published products"
    missing = len(products) - len(left_out)
    words = []
    if missing:
        words.append(f"{missing:,} {of} are not in it any more")
    if left_out:
        by = sorted({f"`{job.reading.left_out[key]}`" for key in left_out})
        told = f"{' and '.join(by)} {'leaves' if len(by) == 1 else 'leave'} {len(left_out):,}"
        words.append(f"{told} more out" if missing else f"{told} {of} out")
    return " and ".join(words)
