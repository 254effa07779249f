"""Deployments: campaigns that Prefect starts, by their schedule or by hand from its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.types.entrypoint import EntrypointType

from flows.campaign.flow import shotlist
from flows.errors import BadInput, EnvironmentFault, Fault, did_you_mean
from flows.nouns.campaign import Campaign

Parameters = Mapping[str, Any]
"""What a run is started with unless somebody says otherwise: the flow's parameters by name."""

# one at a time, the next one waits: a campaign never overlaps itself
ALONE = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A deployment as the server keeps it."""

    name: str
    """`shotlist/<campaign>`, as `prefect deployment run` takes it."""
    pool: str
    pool_type: str
    made_pool: bool
    was_there: bool
    cron: str | None
    timezone: str | None
    parameters: Mapping[str, Any]


def register(
    campaign: Campaign, parameters: Parameters, *, pool: str, create_pool: bool = False
) -> Registered:
    """Register a deployment for the workers of a pool, or bring the one that is there up to date.

    `parameters` are those of the flow `shotlist`, by name.

    Raises:
        BadInput: there is no such pool.
        EnvironmentFault: the server does not take it.

    """
    made = deployment(campaign, parameters, campaign.campaign, pool=pool)
    with told(), get_client(sync_client=True) as client:
        made_pool, pool_type = _pool(client, pool, create_pool=create_pool)
        was_there = _is_there(client, made.full_name)
        made.apply()
        kept = client.read_deployment_by_name(made.full_name)
    schedule = next((one.schedule for one in kept.schedules), None)
    return Registered(
        name=made.full_name,
        pool=kept.work_pool_name or "",
        pool_type=pool_type,
        made_pool=made_pool,
        was_there=was_there,
        cron=getattr(schedule, "cron", None),
        timezone=getattr(schedule, "timezone", None),
        parameters=kept.parameters,
    )


def deployment(
    campaign: Campaign, parameters: Parameters, name: str, *, pool: str | None = None
) -> RunnerDeployment:
    """A campaign as a deployment of that name, which is not registered yet."""
    said = campaign.schedule
    schedule = None if said is None else CronSchedule(cron=said.cron, timezone=said.timezone)
    found = shotlist.to_deployment(
        name=name,
        # an empty list takes away the schedule of a campaign that has none any more
        schedules=[] if schedule is None else [schedule],
        paused=False,
        concurrency_limit=ALONE,
        parameters=dict(parameters),
        description=_described(campaign),
        tags=["shotlist", campaign.campaign],
        work_pool_name=pool,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", found)  # the other half of its type is for async callers


def _described(campaign: Campaign) -> str:
    said = campaign.schedule
    due = f"Runs at `{said.cron}`, {said.timezone}." if said else "Runs when it is started."
    return (
        f"**{campaign.title or campaign.campaign}**\n\n{due} Makes what the campaign asks for and "
        f"does not have yet; one run at a time, the next one waits. Failed means that not every "
        f"shot is published: the run's message and its artifact `result` say why."
    )


def _pool(client: SyncPrefectClient, pool: str, *, create_pool: bool) -> tuple[bool, str]:
    """Whether it was made now, and its type."""
    try:
        return False, client.read_work_pool(pool).type
    except ObjectNotFound as error:
        if not create_pool:
            there = sorted(one.name for one in client.read_work_pools())
            remedy = (
                did_you_mean(pool, there)
                or f"add --create-pool, or `prefect work-pool create {pool} --type process`"
            )
            fault = Fault(
                "--pool", f"no work pool {pool!r}", ", ".join(there) or "none yet", remedy
            )
            raise BadInput("the campaign was not deployed", [fault]) from error
    return True, client.create_work_pool(WorkPoolCreate(name=pool, type="process")).type


def _is_there(client: SyncPrefectClient, name: str) -> bool:
    try:
        client.read_deployment_by_name(name)
    except ObjectNotFound:
        return False
    return True


@contextmanager
def told() -> Iterator[None]:
    """What the server refuses, in words."""
    import httpx

    try:
        yield
    except (DeploymentApplyError, PrefectHTTPStatusError, httpx.HTTPError) as error:
        said = " ".join(str(error).split())[:300]
        if "401 Unauthorized" in said:
            raise EnvironmentFault(
                "the Prefect server asks who this is: set PREFECT_API_AUTH_STRING as it is there"
            ) from error
        raise EnvironmentFault(
            f"the Prefect server did not take it ({said}); look at its log, and that its version "
            f"is that of this machine's Prefect (`prefect version`)"
        ) from error
