"""The whole line as one Prefect flow. Start reading here.

A campaign is read and planned (`jobs.prepare`), its takes are bought at the hosts' pace
(`jobs.taken`), each product is finished as soon as its takes are there (`make_product`, one task
run each, while others are still being shot), and everything is published with the manifest last
(`jobs.close`). Take the decorators away and the code still works.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import TypeVar, cast
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows import jobs
from flows.jobs import Bench, Job, Made, Request, Summary, Taken

T = TypeVar("T")

TABLE_ROWS = 200
"""Rows of the plan that the artifact shows; the whole plan is `shotlist plan --json`."""


@flow(
    name="shotlist",
    flow_run_name="{spec}",
    task_runner=ThreadPoolTaskRunner(max_workers=jobs.WORKERS),  # type: ignore[arg-type]
    validate_parameters=False,
    persist_result=False,
)
def campaign(
    spec: str,
    providers: list[str] | None = None,
    max_cost: float | None = None,
    only: list[str] | None = None,
    to: str | None = None,
    defaults: str | None = None,
) -> Summary:
    """Make what the campaign asks for and does not have yet."""
    request = Request(
        spec=spec,
        providers=tuple(providers or ()),
        max_cost=None if max_cost is None else Decimal(str(max_cost)),
        only=tuple(only or ()),
        to=to,
        defaults=defaults,
    )
    job = jobs.planned(request)
    jobs.ready(job)
    _show_plan(job)
    with jobs.begun(job) as bench:
        with closing(jobs.taken(job, bench, jobs.desk(bench.run).tell)) as ready:
            products = [
                make_product.with_options(
                    task_run_name=taken.batch.name.replace("{", "{{").replace("}", "}}")
                ).submit(_as_it_is(taken), _as_it_is(bench))
                for taken in ready
            ]
        watch = _progress(len(products))
        made = [watch(done.result()) for done in as_completed(products)]
        summary = publish_all.submit(_as_it_is(job), _as_it_is(bench), _as_it_is(made)).result()
    _show_links(summary)
    return summary


@task(name="make product", cache_policy=NO_CACHE, persist_result=False)
def make_product(taken: Taken, bench: Bench) -> Made:
    """Cut the files of one product."""
    with jobs.desk(bench.run).seat() as desk:
        return jobs.make(taken, bench, tell=desk.tell, is_stopped=desk.is_stopped)


@task(name="publish", cache_policy=NO_CACHE, persist_result=False)
def publish_all(job: Job, bench: Bench, made: list[Made]) -> Summary:
    """Put the files where they belong, and the manifest last."""
    return jobs.close(job, bench, made)


def _as_it_is(value: T) -> T:
    """Prefect looks through arguments for futures; through a plan that would take minutes."""
    return cast("T", quote(value))


def _show_plan(job: Job) -> None:
    create_table_artifact(
        key="shot-list",
        table=[
            {
                "shot": work.shot.shot_id,
                "state": work.shot.state.value,
                "why": work.shot.why,
                "prompt": work.shot.prompt[:200],
            }
            for work in job.work[:TABLE_ROWS]
        ],
        description=f"{len(job.shot_list.shots)} shots, {len(job.work)} to make; {job.realm}",
    )


def _progress(products: int) -> Callable[[Made], Made]:
    artifact = cast(
        "UUID",
        create_progress_artifact(0.0, key="products", description=f"{products} products"),
    )
    done = 0

    def watch(made: Made) -> Made:
        nonlocal done
        done += 1
        # a hundred updates tell a person as much as a thousand and cost the server less
        if done == products or done % max(1, products // 100) == 0:
            update_progress_artifact(artifact, 100.0 * done / products)
        return made

    return watch


def _show_links(summary: Summary) -> None:
    for key, link in (("gallery", summary.gallery), ("manifest", summary.manifest)):
        create_link_artifact(
            key=key, link=link if "://" in link else f"file://{link}", link_text=key
        )
