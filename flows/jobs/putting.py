"""Putting: a run's files to their destination, many at a time, so that the manifest there stays
true until the new one is written.

A file where nothing lies yet goes straight to its name. One that takes the place of another waits
at the destination under a name of its own, and is put in place, at the store, just before the
manifest is written: a kill between the first of these and the manifest is all that can tear, and
the next run mends it. No store can do better at names that stay; `{{ hash }}` in `publish.path`
gives changed files new names, and then nothing can tear.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from flows.jobs.job import Bench, Job
from flows.jobs.make import Made
from flows.nouns.rendition import RenditionRow
from flows.storage import Lying, OvertakenError, Place
from flows.storage.place import INCOMING, staged

T = TypeVar("T")

AT_ONCE = 12
"""Uploads under way: they wait more than they work. Each holds one file in memory."""

OLD_S = 24 * 3600.0
"""No run is at work for so long between a file's sending and its manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What came of it: files that were sent, and what is to be done before the manifest goes."""

    sent: int
    waiting: tuple[tuple[str, str], ...]
    """Path and sha256 of files that wait to take the place of others."""
    left: tuple[str, ...]
    """What killed runs left waiting that nobody will take any more."""
    notes: tuple[str, ...]


def put(job: Job, bench: Bench, made: Sequence[Made]) -> Put:
    """Send what is not there yet. What lies there with the same contents is left alone, also what a
    killed run sent.

    Raises:
        EnvironmentFault: the destination cannot be written; the manifest there and its files are
            as they were.

    """
    rows = {row["path"]: row for one in made for row in one.rows}
    if not rows:
        return Put(sent=0, waiting=(), left=(), notes=())
    place = job.place
    lying = place.lying()
    named = {row["path"]: row["sha256"] for row in (job.former["renditions"] if job.former else ())}
    new: list[RenditionRow] = []
    over: list[RenditionRow] = []
    for path, row in rows.items():
        file = lying.get(path)
        if _is_same(row, file, named.get(path), bench.staging):
            continue
        (new if file is None else over).append(row)
    to_send = [row for row in over if staged(row["path"], row["sha256"]) not in lying]

    def send(row: RenditionRow) -> None:
        try:
            place.create(row["path"], _bytes(bench, row), _about(job, row))
        except OvertakenError:
            # by another run, which perhaps publishes first and then names it
            stage(row)
            over.append(row)

    def stage(row: RenditionRow) -> None:
        place.stage(row["path"], _bytes(bench, row), _about(job, row))

    if new:
        place.keeps_conditions()  # tried once, not by each thread
    _each(send, new)
    _each(stage, to_send)
    return Put(
        sent=len(new) + len(to_send),
        waiting=tuple((row["path"], row["sha256"]) for row in over),
        left=_left(lying, rows.values()),
        notes=_notes(place),
    )


def settle(place: Place, done: Put) -> None:
    """Let the files that wait take the place of the others.

    Raises:
        EnvironmentFault: the destination cannot be written.

    """
    _each(lambda one: place.settle(*one), done.waiting)


def clear(place: Place, done: Put) -> None:
    """Take away what waited, once the manifest is written: what was put in place by a copy, and
    what killed runs left. What other runs may have waiting is not touched.

    Raises:
        EnvironmentFault: the destination cannot be written.

    """
    names = {staged(path, sha256) for path, sha256 in done.waiting} | set(done.left)
    if names:
        there = place.below(INCOMING.rstrip("/")).sizes()
        _each(place.remove, sorted(names & {INCOMING + path for path in there}))


def _left(lying: Mapping[str, Lying], rows: Collection[RenditionRow]) -> tuple[str, ...]:
    """Of what lay waiting before this run sent anything: its own files, sent by a killed run, and
    what is so old that no run can be about to take it. The rest is for `prune`.
    """
    there = [path for path in lying if path.startswith(INCOMING)]
    if not there:
        return ()
    ours = {staged(row["path"], row["sha256"]) for row in rows}
    before = time.time() - OLD_S
    return tuple(
        path
        for path in there
        if path in ours or ((at := lying[path].written_at) is not None and at < before)
    )


def _about(job: Job, row: RenditionRow) -> Mapping[str, str]:
    """What a store is told of a picture: only what its bytes or its name change with, for objects
    that are unchanged are not sent again.
    """
    return {
        "campaign": job.campaign.campaign,
        "product": row["product"],
        "digital-source-type": row["digital_source_type"] or "",
    }


def _bytes(bench: Bench, row: RenditionRow) -> bytes:
    return (bench.staging / row["sha256"]).read_bytes()


def _is_same(row: RenditionRow, file: Lying | None, named: str | None, staging: Path) -> bool:
    """By the checksum of the store where it tells one, else by what the manifest says of it."""
    if file is None or file.bytes != row["bytes"]:
        return False
    if file.md5 is None:
        return named == row["sha256"]
    data = (staging / row["sha256"]).read_bytes()
    return hashlib.md5(data, usedforsecurity=False).hexdigest() == file.md5


def _notes(place: Place) -> tuple[str, ...]:
    if place.keeps_conditions():
        return ()
    said = "this store cannot refuse a write to a file that has changed"
    return (f"{place.shown}: {said}; publish there from one place at a time",)


def _each(call: Callable[[T], None], values: Sequence[T]) -> None:
    """Call with each, several at a time; after a failure nothing more is begun."""
    left: Iterator[T] = iter(values)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        going: set[Future[None]] = {pool.submit(call, one) for one in islice(left, AT_ONCE)}
        while going:
            done, going = wait(going, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()
            going |= {pool.submit(call, one) for one in islice(left, len(done))}
