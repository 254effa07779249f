"""Makers in other processes or on other machines: where they lay files, how those come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import EnvironmentFault
from flows.jobs import Bench, Made, Taken


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


@contextmanager
def at_work(bench: Bench) -> Iterator[tuple[Bench, Callable[[], bool]]]:
    """The bench as it is on this machine, and whether the run that wants the files has left.

    The run's staging is used where it is: in the same process, on the same machine, on a shared
    folder. Elsewhere files are laid into a folder of this machine's own, to be sent back.

    Raises:
        EnvironmentFault: the bought bytes cannot be had here.

    """
    if bench.staging.is_dir():
        yield bench, lambda: not bench.staging.is_dir()
        return
    if "://" not in bench.takes_url:
        raise EnvironmentFault(
            f"{bench.takes_url} is not on this machine: set SHOTLIST_TAKES_URL to a store that "
            f"all machines reach, or share the workspace's folder with those of the task runner"
        )
    with TemporaryDirectory(prefix="shotlist-") as folder:
        yield replace(bench, staging=Path(folder)), lambda: False


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
