"""Where the files are cut: threads, processes, or the machines of a Dask or Ray cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.exceptions import CrashedRun
from prefect.futures import PrefectFuture
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows import jobs
from flows.errors import EnvironmentFault

if TYPE_CHECKING:
    from flows.campaign.elsewhere import Parcel

ANSWER_S = 10
"""How long a cluster may take to answer; nothing was bought yet."""

_ASKS_WHO = (
    "; one that asks for a token wants RAY_AUTH_MODE=token, and the token in RAY_AUTH_TOKEN or in "
    "~/.ray/auth_token"
)
"""From Ray 2.59 on, step by step, each does (docs.ray.io/en/latest/ray-security/token-auth.html);
its client says no more than that nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """A task runner that is ready for work."""

    named: str
    runner: TaskRunner[Any]

    @property
    def shares_memory(self) -> bool:
        """Whether the makers sit in this process."""
        return self.named == "threads"

    @property
    def is_far(self) -> bool:
        """Whether makers may sit on other machines."""
        return ":" in self.named

    def result_of(self, future: PrefectFuture[Parcel]) -> Parcel:
        """What a maker sends back.

        Raises:
            EnvironmentFault: the process that made it was lost, again and again.

        """
        try:
            return future.result()
        except Exception as error:
            # a cluster tells of lost workers by errors of its own, which need not be installed here
            of_cluster = type(error).__module__.partition(".")[0] in {"distributed", "ray"}
            if self.shares_memory or not (of_cluster or isinstance(error, CrashedRun)):
                raise
            raise EnvironmentFault(
                f"SHOTLIST_TASK_RUNNER={self.named}: the process that cut files was lost "
                f"({_brief(error)}); see its log, mostly it lacks memory; what was bought is kept, "
                f"run again"
            ) from error


@contextmanager
def started(named: str) -> Iterator[Crew]:
    """The task runner that SHOTLIST_TASK_RUNNER names, asked before anything is bought.

    Raises:
        EnvironmentFault: its package is not installed, or its cluster does not answer.

    """
    kind, _, address = named.partition(":")
    try:
        runner = _RUNNERS[kind](address)
    except ImportError as error:
        raise EnvironmentFault(
            f"SHOTLIST_TASK_RUNNER={named}: {error.name} is not installed; "
            f"pip install 'shotlist[{kind}]'"
        ) from error
    with ExitStack() as at_work:
        try:
            at_work.enter_context(runner)
        except (OSError, RuntimeError, ValueError) as error:
            if not address:
                raise
            raise EnvironmentFault(
                f"SHOTLIST_TASK_RUNNER={named}: the cluster does not answer ({_brief(error)})"
                f"{_ASKS_WHO if kind == 'ray' else ''}"
            ) from error
        if kind == "dask":
            _ask(named, runner)
        yield Crew(named=named, runner=runner)


def _threads(_address: str) -> TaskRunner[Any]:
    return ThreadPoolTaskRunner(max_workers=jobs.WORKERS)


def _processes(_address: str) -> TaskRunner[Any]:
    return ProcessPoolTaskRunner(max_workers=jobs.WORKERS)


def _dask(address: str) -> TaskRunner[Any]:
    runner: Callable[..., TaskRunner[Any]] = import_module("prefect_dask").DaskTaskRunner
    if address:
        return runner(address=address, client_kwargs={"timeout": ANSWER_S})
    # one process a core, on this machine alone; its page would be open to every user of it
    alone = {"n_workers": jobs.WORKERS, "threads_per_worker": 1, "dashboard_address": None}
    return runner(cluster_kwargs=alone)


def _ray(address: str) -> TaskRunner[Any]:
    # else it reports to its makers how it is used
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    runner: Callable[..., TaskRunner[Any]] = import_module("prefect_ray").RayTaskRunner
    # sets up its log when it is first imported; what its makers say of themselves is kept there
    import_module("ray")
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet = {"log_to_driver": False, "configure_logging": False}
    if address:
        return runner(address=address, init_kwargs=quiet)
    # a cluster that happens to run on this machine is not meant
    alone = {**quiet, "num_cpus": jobs.WORKERS, "include_dashboard": False}
    return runner(address="local", init_kwargs=alone)


_RUNNERS = {"threads": _threads, "processes": _processes, "dask": _dask, "ray": _ray}


def _ask(named: str, runner: Any) -> None:
    """Dask connects at the first task: after the purchases, unless it is asked to before."""
    try:
        client = runner.client
    except (OSError, ValueError) as error:
        raise EnvironmentFault(
            f"SHOTLIST_TASK_RUNNER={named}: the scheduler does not answer ({_brief(error)})"
        ) from error
    if not client.scheduler_info()["workers"]:
        raise EnvironmentFault(
            f"SHOTLIST_TASK_RUNNER={named}: the scheduler has no worker; start one with "
            f"`dask worker {named.partition(':')[2]}`"
        )


def _brief(error: BaseException) -> str:
    """One line: of what a cluster's own traceback tells, the end."""
    told = str(error).strip().rpartition("\n")[2]
    return " ".join(f"{type(error).__name__}: {told}".split())[:200]
