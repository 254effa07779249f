"""Watching: what becomes of the runs of deployments, in words, as Prefect's server knows it.

Runs are processes of their own, and some end before a line of ours is run: the server alone knows
of all of them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort

from flows.nouns.campaign import Campaign

LOOK_S = 2.0
MOST_LINES = 8
MOST_LETTERS = 300
OVERLAP = timedelta(minutes=1)
"""An end may be written down a little later than one that came after it."""
ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]

CUT_OFF = frozenset({StateType.CRASHED, StateType.CANCELLED})
STOPPED = "stopped in the middle; the next run goes on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that became of a campaign."""

    campaign: str
    said: str
    """One line or, of a fault, several."""
    is_end: bool = False
    """A run has ended."""
    is_bad: bool = False


Tell = Callable[[Happened], None]


class Watch:
    """Tells what becomes of the runs of some deployments, from a thread of its own."""

    def __init__(self, deployments: Mapping[UUID, Campaign], tell: Tell) -> None:
        self._of = dict(deployments)
        self._tell = tell
        self._others: set[UUID] = set()
        self._begun: set[UUID] = set()
        self._ended: set[UUID] = set()
        self._since: datetime | None = None
        self._next_is_told: set[UUID] = set()
        self._is_answered = True
        self._told_faults: set[type[Exception]] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> Self:
        with get_client(sync_client=True) as client:
            # what is there already is nobody's news
            self._others = {one.id for one in self._running(client)}
            self._ended = {one.id for one in self._just_ended(client)}
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell the last, once everything has ended."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with get_client(sync_client=True) as client:
            while not self._stop.wait(LOOK_S):
                self._look(client)
            self._look(client, is_last=True)

    def _look(self, client: SyncPrefectClient, *, is_last: bool = False) -> None:
        """A fault of one look, of telling above all (the disk of a log is full), ends no other."""
        try:
            self._tell_all(client, is_last=is_last)
        except Exception as error:  # noqa: BLE001 - whatever it is: this thread is the only voice
            if type(error) in self._told_faults:
                return
            self._told_faults.add(type(error))
            said = " ".join(f"{type(error).__name__}: {error}".split())[:MOST_LETTERS]
            with suppress(OSError):
                sys.stderr.write(f"shotlist: what becomes of runs could not be told ({said})\n")
                sys.stderr.flush()

    def _tell_all(self, client: SyncPrefectClient, *, is_last: bool) -> None:
        try:
            for run in self._running(client):
                if run.id in self._others:
                    continue
                self._tell_begin(run)
                if is_last:  # it was killed before it could say so
                    self._say(run, STOPPED, is_end=True, is_bad=True)
            found = self._just_ended(client)
            for run in found:
                if run.id not in self._ended | self._others:
                    self._ended.add(run.id)
                    self._tell_begin(run)
                    self._tell_end(client, run)
            self._ended = {run.id for run in found}
            self._begun -= self._ended
            for each in () if is_last else self._of.keys() - self._next_is_told:
                self._tell_next(client, each)
            self._is_answered = True
        except httpx.HTTPError as error:
            if self._is_answered and not is_last:
                said = f"Prefect's server does not answer ({type(error).__name__})"
                for one in self._of.values():
                    self._tell(Happened(campaign=one.campaign, said=said, is_bad=True))
            self._is_answered = False

    def _running(self, client: SyncPrefectClient) -> Sequence[FlowRun]:
        state = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING]))
        return client.read_flow_runs(
            deployment_filter=self._mine(self._of),
            flow_run_filter=FlowRunFilter(state=state),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=200,
        )

    def _just_ended(self, client: SyncPrefectClient) -> Sequence[FlowRun]:
        """The oldest first. By the server's times alone: this machine's clock may be another."""
        since = self._since
        found = client.read_flow_runs(
            deployment_filter=self._mine(self._of),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=ENDED)),
                end_time=FlowRunFilterEndTime(after_=since - OVERLAP) if since else None,
            ),
            sort=FlowRunSort.END_TIME_DESC,
            limit=200,
        )
        if found and found[0].end_time is not None:
            self._since = found[0].end_time
        return found[::-1]

    def _mine(self, deployments: Iterable[UUID]) -> DeploymentFilter:
        return DeploymentFilter(id=DeploymentFilterId(any_=list(deployments)))

    def _tell_begin(self, run: FlowRun) -> None:
        if run.id not in self._begun:
            self._begun.add(run.id)
            why = "by its schedule" if run.auto_scheduled else "by hand"
            self._say(run, f"a run begins, {why}")

    def _tell_end(self, client: SyncPrefectClient, run: FlowRun) -> None:
        if self._stop.is_set() and run.state is not None and run.state.type in CUT_OFF:
            self._say(run, STOPPED, is_end=True, is_bad=True)
            return
        state = run.state
        message = (state.message if state is not None else None) or "no reason was given"
        is_bad = state is None or state.type is not StateType.COMPLETED
        lines = message.splitlines()
        if len(lines) > MOST_LINES:
            left = len(lines) - MOST_LINES
            lines = [*lines[:MOST_LINES], f"  … and {left} more lines on Prefect's page of the run"]
        if is_bad:
            name = (state.name if state is not None else None) or "Failed"
            lines[0] = f"{name.lower()}: {lines[0]}"
        # once it is stopped, no run follows
        of = None if self._stop.is_set() else run.deployment_id
        if of is not None and (due := self._next(client, of)) is not None:
            self._next_is_told.add(of)
            lines[-1] += f"; next run {due}"
        self._say(run, "\n".join(lines), is_end=True, is_bad=is_bad)

    def _tell_next(self, client: SyncPrefectClient, deployment: UUID) -> None:
        due = self._next(client, deployment)
        if due is not None:
            self._next_is_told.add(deployment)
            name = self._of[deployment].campaign
            self._tell(Happened(campaign=name, said=f"next run {due}"))

    def _next(self, client: SyncPrefectClient, deployment: UUID) -> str | None:
        """When the server has planned the next run, in the schedule's time zone."""
        state = FlowRunFilterState(name=FlowRunFilterStateName(any_=["Scheduled"]))
        found = client.read_flow_runs(
            deployment_filter=self._mine([deployment]),
            flow_run_filter=FlowRunFilter(state=state),
            sort=FlowRunSort.EXPECTED_START_TIME_ASC,
            limit=1,
        )
        schedule = self._of[deployment].schedule
        if not found or found[0].expected_start_time is None or schedule is None:
            return None
        at = found[0].expected_start_time.astimezone(ZoneInfo(schedule.timezone))
        return f"{at:%Y-%m-%d %H:%M} {schedule.timezone}"

    def _say(self, run: FlowRun, said: str, *, is_end: bool = False, is_bad: bool = False) -> None:
        if run.deployment_id in self._of:
            name = self._of[run.deployment_id].campaign
            self._tell(Happened(campaign=name, said=said, is_end=is_end, is_bad=is_bad))
