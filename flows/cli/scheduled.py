"""Scheduled: what `serve` and `deploy` share: options become a run's parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault
from flows.nouns.address import shown

if TYPE_CHECKING:
    from flows.jobs import Request
    from flows.nouns.campaign import Campaign
    from flows.nouns.outline import Outline

    Parameters = Mapping[str, object]

_PASSWORD = re.compile(r"://[^/@:]*:(?!:|\d+/)[^@]*@")
"""User information with a password, whatever signs it has; no port, no link of a chain."""


def requested(
    spec: str,
    *,
    provider: list[str] | None = None,
    max_cost: float | None = None,
    only: list[str] | None = None,
    to: str | None = None,
    defaults: str | None = None,
) -> Request:
    """What the options ask for.

    Raises:
        BadInput: an option that no campaign can be run with, or a password: Prefect's records keep
            what a run is started with, for everybody who sees its page.

    """
    from decimal import Decimal

    from flows import jobs, providers

    if max_cost is not None and math.isnan(max_cost):
        raise BadInput("nothing was registered", [Fault("--max-cost", "nan is no amount")])
    if to is not None and _PASSWORD.search(to):
        fault = Fault(
            "--to",
            f"{shown(to)} with a password, which Prefect's server would keep and show",
            "an address without one",
            "leave it out: let a key of ~/.ssh, or the store's own variables in the environment or "
            ".env where it runs, open it",
        )
        raise BadInput("nothing was registered", [fault])
    for name in provider or ():
        providers.host(name)
    return jobs.Request(
        spec=spec,
        providers=tuple(provider or ()),
        max_cost=None if max_cost is None else Decimal(str(max_cost)),
        only=tuple(only or ()),
        to=to,
        defaults=defaults,
    )


def parameters_of(
    request: Request, *, yes: bool, workspace: str | None = None
) -> dict[str, object]:
    """What the runs of a deployment are started with: the flow's parameters by name."""
    from flows.nouns.workspace import Workspace

    root = Workspace.of(Path(request.spec), Path.cwd()).root
    return {
        "spec": _below(root, request.spec),
        "only": list(request.only),
        "max_cost": None if request.max_cost is None else float(request.max_cost),
        "provider": list(request.providers),
        "to": request.to,
        "yes": yes,
        "defaults": _below(root, request.defaults) if request.defaults else None,
        "workspace": workspace or str(root),
    }


def keyless(request: Request, outline: Outline) -> str:
    """What keeps the hosts that are named, by the command or the campaign, from being used here:
    their keys for one. Empty: nothing does.

    Raises:
        BadInput: a name that no host has.

    """
    from flows import jobs, providers
    from flows.jobs.accounts import accounts
    from flows.jobs.hosts import named_by
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    settings = Settings.load(Workspace.of(Path(request.spec), Path.cwd()))
    named = [providers.host(name) for name in request.providers] or named_by(outline)
    try:
        jobs.require_keys([one for host in named for one in accounts(host, settings)])
    except EnvironmentFault as error:
        return str(error)
    return ""


def _below(root: Path, file: str) -> str:
    """Where a file is, told from the workspace; absolute where it lies outside."""
    place = Path(file).resolve()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def due(campaign: Campaign) -> str:
    """A campaign's schedule, for people."""
    said = campaign.schedule
    return f"{said.cron} ({said.timezone})" if said is not None else "none"


def needs_yes(campaign: Campaign, parameters: Parameters) -> None:
    """Say what stops a run that nobody can be asked about."""
    if not parameters["yes"] and parameters["provider"] != ["proof"]:
        terminal.note(
            f"{campaign.campaign}: a run whose plan may cost more than "
            f"{terminal.money(campaign.ask_above_usd)} (ask_above_usd) stops before it buys; "
            f"--yes lets it buy"
        )
