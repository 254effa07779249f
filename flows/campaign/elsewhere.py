"""Makers in other processes or on other machines: what they are sent, where they lay files, how
those come back.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import EnvironmentFault
from flows.jobs import Bench, Made, Taken
from flows.nouns.reference import Reference
from flows.storage import Place, read_bytes

PHOTOS = "references"
"""The folder beside the takes where makers on other machines find the references of this one."""


class Order:
    """A batch and the bench it is made at; plain values, so that it travels.

    No dataclass and no tuple: Prefect would look through it for futures, which takes minutes with a
    large plan, and Dask would take it apart.
    """

    __slots__ = ("bench", "taken")

    def __init__(self, taken: Taken, bench: Bench) -> None:
        self.taken = taken
        self.bench = bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What was made of a batch; plain values, so that it travels."""

    made: Made
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Files by sha256, where the maker could not lay them into the run's own staging."""


class Forwarding:
    """Lays references that lie on this machine (files, and what was fetched from the web) beside
    the takes. Nothing is laid there where all makers are here (`is_far`: they may not be).
    """

    def __init__(self, bench: Bench, *, is_far: bool) -> None:
        is_shared = _is_shared(bench)
        self._place = Place(bench.takes_url).below(PHOTOS) if is_far and is_shared else None
        self._there: set[str] | None = None

    def lay(self, taken: Taken) -> None:
        """Lay there what a batch needs and what is not there yet.

        Raises:
            EnvironmentFault: the store of the takes cannot be written.

        """
        if self._place is None:
            return
        for one in (one for work in taken.batch.work for one in work.shot.references):
            if self._there is None:
                self._there = set(self._place.sizes())
            if "://" in one.location or one.sha256 in self._there:
                continue
            self._there.add(one.sha256)
            try:
                data = read_bytes(one.location)
            except EnvironmentFault:
                continue  # gone since it was planned: a maker here would do without it, too
            if hashlib.sha256(data).hexdigest() == one.sha256:
                self._place.write(one.sha256, data)


@contextmanager
def at_work(bench: Bench) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    """The bench as it is on this machine, and whether the run that wants the files has left.

    The run's staging is used where it is: in the same process, on the same machine, on a shared
    folder. Elsewhere files are laid into a folder of this machine's own, to be sent back.

    Raises:
        EnvironmentFault: the bought bytes cannot be had here.

    """
    if os.access(bench.staging, os.W_OK | os.X_OK):
        yield bench, lambda: not bench.staging.is_dir()
        return
    if not _is_shared(bench):
        raise EnvironmentFault(
            f"{bench.takes_url} is not on this machine: set SHOTLIST_TAKES_URL to a store that "
            f"all machines reach, or share the workspace's folder with those of the task runner"
        )
    with TemporaryDirectory(prefix="shotlist-") as folder:
        yield replace(bench, staging=Path(folder)), lambda: False


def supplied(taken: Taken, bench: Bench, here: Bench) -> Taken:
    """A batch whose references can be read on this machine; `here` is its bench.

    Raises:
        EnvironmentFault: the store of the takes cannot be read.

    """
    if here is bench:
        return taken
    place, folder = Place(bench.takes_url).below(PHOTOS), here.staging / PHOTOS
    folder.mkdir()

    def brought(one: Reference) -> Reference:
        file = folder / one.sha256
        if "://" in one.location:
            return one
        if not file.exists():
            data = place.read(one.sha256)
            if data is None:
                return one
            file.write_bytes(data)
        return replace(one, location=str(file))

    work = tuple(
        replace(one, shot=replace(one.shot, references=tuple(map(brought, one.shot.references))))
        for one in taken.batch.work
    )
    return replace(taken, batch=replace(taken.batch, work=work))


def packed(made: Made, bench: Bench, here: Bench) -> Parcel:
    """What goes back to the run: with the files, where they do not lie in its staging."""
    if here is bench:
        return Parcel(made=made)
    return Parcel(
        made=made,
        files={row["sha256"]: (here.staging / row["sha256"]).read_bytes() for row in made.rows},
    )


def unpack(parcel: Parcel, bench: Bench) -> None:
    """Lay files that came from elsewhere into the run's staging."""
    for sha256, data in parcel.files.items():
        (bench.staging / sha256).write_bytes(data)


def _is_shared(bench: Bench) -> bool:
    """Whether other machines can reach the takes."""
    return "://" in bench.takes_url
