from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.cli import terminal
from flows.cli.scheduled import keyless, needs_yes, parameters_of, requested
from flows.errors import EnvironmentFault

if TYPE_CHECKING:
    from flows.campaign import Registered


def deploy(
    spec: str,
    /,
    *,
    pool: str,
    create_pool: Annotated[bool, Parameter(negative="")] = False,
    provider: Annotated[list[str] | None, Parameter(negative="")] = None,
    max_cost: Annotated[float | None, Parameter(validator=Number(gte=0))] = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    only: Annotated[list[str] | None, Parameter(negative="")] = None,
    to: str | None = None,
    defaults: str | None = None,
    workspace: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Register a campaign on the Prefect server at PREFECT_API_URL: its schedule, its parameters.

    Workers of the pool run it, one run at a time. Doing it again brings it up to date.

    Args:
        spec: a campaign file, YAML or CSV.
        pool: the work pool whose workers run it.
        create_pool: make the pool, of type process, where it is not there.
        provider: a host that may make the images; may be given several times.
        max_cost: stop each run's buying at so many USD.
        yes: buy even where a plan costs more than ask_above_usd: nobody can be asked.
        only: shots to make, as a glob over shot ids such as 'MUG-*'; may be given several times.
        to: another destination than the campaign's.
        defaults: a YAML that gives a CSV of briefs what it does not say.
        workspace: the workspace on the workers' machines, where it is another folder than here;
            '~' and '$NAME' are theirs.
        json: print what was registered as one JSON document.
    """
    from dataclasses import asdict

    from flows import jobs, read
    from flows.cli.checkup.prefect_server import unreachable
    from flows.nouns.address import shown
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings, quiet_prefect

    request = requested(
        spec, provider=provider, max_cost=max_cost, only=only, to=to, defaults=defaults
    )
    jobs.check(request)
    outline = read.outline(Path(spec), defaults=Path(defaults) if defaults else None)
    campaign = outline.campaign
    parameters = parameters_of(request, yes=yes, workspace=workspace)
    api_url = Settings.load(Workspace.of(Path(spec), Path.cwd())).prefect_api_url
    if api_url is None:
        raise EnvironmentFault(
            "PREFECT_API_URL is not set: a campaign is deployed on a Prefect server; start one "
            "with `prefect server start` and set PREFECT_API_URL=http://127.0.0.1:4200/api, or "
            "use `shotlist serve`, which needs none"
        )
    if fault := unreachable(api_url):
        raise EnvironmentFault(fault)
    quiet_prefect(api_url, verbose=terminal.is_verbose())
    # after Prefect's settings: it reads them as it is imported
    from flows.campaign import register

    found = register(campaign, parameters, pool=pool, create_pool=create_pool)
    if json:
        terminal.document(asdict(found))
        return 0
    _tell(found, shown(api_url))
    if campaign.schedule is None:
        terminal.note(f"{spec} has no schedule: it runs when somebody starts it")
    needs_yes(campaign, parameters)
    if missing := keyless(request, outline):
        terminal.note(f"here: {missing}; each worker needs it, where it runs")
    return 0


def _tell(found: Registered, api_url: str) -> None:
    made = "brought up to date" if found.was_there else "registered"
    terminal.result(f"{made}: {found.name} on {api_url}")
    terminal.result(
        f"pool:       {found.pool} ({found.pool_type}{', made now' if found.made_pool else ''})"
    )
    terminal.result(f"schedule:   {f'{found.cron} ({found.timezone})' if found.cron else 'none'}")
    for name, value in found.parameters.items():
        if value not in (None, [], False):
            said = ", ".join(value) if isinstance(value, list) else value
            terminal.result(f"{f'{name}:':<12}{said}")
    api = shlex.quote(f"PREFECT_API_URL={api_url}")
    terminal.result(
        f"a worker:   {api} prefect worker start --pool {shlex.quote(found.pool)}\n"
        f"            on each machine that shall run it, where shotlist is installed and the "
        f"workspace lies\n"
        f"by hand:    prefect deployment run {shlex.quote(found.name)}"
    )
