"""The whole line as one Prefect flow. Start reading here.

A campaign is read and planned (`jobs.prepare`), its takes are bought at the hosts' pace
(`jobs.taken`), each product is finished as soon as its takes are there (`make_product`, one task
run each, while others are still being shot), and everything is published with the manifest last
(`jobs.close`). Take the decorators away and the code still works.
"""

from __future__ import annotations

import os
from contextlib import chdir, closing, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, cast

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows import jobs
from flows.campaign import elsewhere, report
from flows.campaign.runners import started
from flows.errors import BadInput, EnvironmentFault, Fault, ShotlistError
from flows.jobs import Bench, Job, Made, Progress, Request, Summary, Taken
from flows.nouns.address import shown

T = TypeVar("T")

_meant: dict[str, str] = {}
"""A destination as it was said in this process, by how it is shown: Prefect keeps what a flow is
called with, and a password is not for its records.
"""


def campaign(
    spec: str,
    providers: list[str] | None = None,
    max_cost: float | None = None,
    only: list[str] | None = None,
    to: str | None = None,
    defaults: str | None = None,
) -> Summary:
    """Make what a campaign asks for and does not have yet, as a flow run of this process.

    Whoever calls it has asked whether the plan may cost what it costs.

    Raises:
        BadInput: spec, catalogue, templates, references or options cannot be used.
        EnvironmentFault: no host can be used, or ledger, destination or task runner.

    """
    destination = None if to is None else shown(to)
    if to is not None and destination is not None:
        _meant[destination] = to
    state = shotlist(
        spec=spec,
        only=only,
        max_cost=max_cost,
        provider=providers,
        to=destination,
        yes=True,
        defaults=defaults,
        return_state=True,
    )
    ended = cast("Summary | BaseException", state.result(raise_on_failure=False))
    if isinstance(ended, report.NotAllPublished):
        return ended.summary
    if isinstance(ended, BaseException):
        raise ended
    return ended


@flow(
    name="shotlist",
    flow_run_name="{spec}",
    task_runner=ThreadPoolTaskRunner(max_workers=jobs.WORKERS),  # type: ignore[arg-type]
    validate_parameters=False,
    persist_result=False,
)
def shotlist(
    spec: str,
    only: list[str] | None = None,
    max_cost: float | None = None,
    provider: list[str] | None = None,
    to: str | None = None,
    yes: bool = False,  # noqa: FBT001, FBT002 - a box to tick on Prefect's page
    defaults: str | None = None,
    workspace: str | None = None,
) -> State[Summary]:
    """Make what the campaign asks for and does not have yet.

    The run is Completed when every wanted shot is published, else Failed: its message and its
    artifact say what failed or is parked.

    Args:
        spec: The campaign file, beginning at the workspace.
        only: Shots to make, as globs over shot ids such as MUG-*; empty: all.
        max_cost: Stop buying at so many USD.
        provider: Hosts that may make the images, first choice first; empty: as the campaign says.
        to: Another destination than the campaign's.
        yes: Buy even where the plan may cost more than the campaign's ask_above_usd.
        defaults: A YAML that gives a CSV of briefs what it does not say.
        workspace: The folder with campaigns/ and templates/ on the machine that runs it.
    """
    try:
        job = _planned(spec, only, max_cost, provider, to, defaults, workspace)
        report.show_plan(job)
        if not yes:
            _refuse_unasked(job)
        summary = jobs.nothing_to_do(job) if job.is_done else _made(job)
    except ShotlistError as error:
        return report.refused(spec, error)
    return report.ended(summary)


def _planned(
    spec: str,
    only: list[str] | None,
    max_cost: float | None,
    provider: list[str] | None,
    to: str | None,
    defaults: str | None,
    workspace: str | None,
) -> Job:
    folder = _folder(workspace)
    request = Request(
        spec=str(folder / spec) if folder else spec,
        providers=tuple(provider or ()),
        max_cost=None if max_cost is None else Decimal(str(max_cost)),
        only=tuple(only or ()),
        to=None if to is None else _meant.get(to, to),
        defaults=str(folder / defaults) if folder and defaults else defaults,
    )
    # a workspace that is named stands for the current folder; what is planned is absolute
    with chdir(folder) if folder else nullcontext():
        job = jobs.planned(request)
    if job.work:
        jobs.require_keys(job.accounts)
    jobs.ready(job)
    return job


def _folder(workspace: str | None) -> Path | None:
    """The workspace on this machine: `~` and `$VARIABLES` are this machine's."""
    if not workspace:
        return None
    folder = Path(os.path.expandvars(workspace)).expanduser()
    if not folder.is_dir():
        shown = workspace if str(folder) == workspace else f"{workspace} ({folder})"
        raise EnvironmentFault(
            f"the workspace {shown} is not on this machine; copy or mount it there, or deploy "
            f"again with --workspace and the folder that the workers have"
        )
    return folder.resolve()


def _refuse_unasked(job: Job) -> None:
    """There is nobody to ask: what costs more than `ask_above_usd` needs a yes beforehand."""
    cost, limit = job.shot_list.estimate.cost_usd_high, job.campaign.ask_above_usd
    if job.work and (cost is None or cost > limit):
        said = "not known" if cost is None else f"${cost:,.2f}"
        raise BadInput(
            "the run was not started",
            [
                Fault(
                    "parameter yes",
                    f"the plan's highest cost is {said}, ask_above_usd is ${limit:,.2f}, and "
                    f"nobody can be asked here",
                    remedy="run it with yes, or deploy it with --yes",
                )
            ],
        )


def _made(job: Job) -> Summary:
    with started(job.settings.task_runner) as crew, jobs.begun(job) as bench:
        bench.staging.mkdir(parents=True, exist_ok=True)
        named = {}
        forwarding = elsewhere.Forwarding(bench, is_far=crew.is_far)
        with closing(jobs.taken(job, bench, jobs.desk(bench.run).tell)) as ready:
            for taken in ready:
                forwarding.lay(taken)
                name = taken.batch.name.replace("{", "{{").replace("}", "}}")
                future = crew.runner.submit(
                    make_product.with_options(task_run_name=name),
                    {"order": elsewhere.Order(taken, bench)},
                )
                named[future] = taken
        watch = report.progress(len(named))
        made = []
        for done in as_completed(list(named)):
            parcel = crew.result_of(done)
            elsewhere.unpack(parcel, bench)
            if not crew.shares_memory:
                _tell(named[done], parcel.made, bench)
            made.append(watch(parcel.made))
        # here, where the files lie: a task of this process whatever the runner
        summary = publish_all(_as_it_is(job), _as_it_is(bench), _as_it_is(made))
        jobs.tell(bench, report.said(summary))
        return summary


def _tell(taken: Taken, made: Made, bench: Bench) -> None:
    """The maker sat in another process: told once, when its parcel is here."""
    products = {work.shot.product.key for work in taken.batch.work}
    jobs.desk(bench.run).tell(
        Progress(products=len(products), shots=len(taken.batch.work), files=len(made.rows))
    )


@task(name="make product", cache_policy=NO_CACHE, persist_result=False)
def make_product(order: elsewhere.Order) -> elsewhere.Parcel:
    """Cut the files of one product, wherever the task runner has room."""
    taken, bench = order.taken, order.bench
    with elsewhere.at_work(bench) as (here, is_gone), jobs.desk(bench.run).seat() as desk:
        made = jobs.make(
            elsewhere.supplied(taken, bench, here),
            here,
            tell=desk.tell,
            is_stopped=lambda: desk.is_stopped() or is_gone(),
        )
        return elsewhere.packed(made, bench, here)


@task(name="publish", cache_policy=NO_CACHE, persist_result=False)
def publish_all(job: Job, bench: Bench, made: list[Made]) -> Summary:
    """Put the files where they belong, and the manifest last."""
    return jobs.close(job, bench, made)


def _as_it_is(value: T) -> T:
    """Prefect looks through arguments for futures; through a plan that would take minutes."""
    return cast("T", quote(value))
