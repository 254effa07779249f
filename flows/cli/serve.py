from __future__ import annotations

import math
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.cli import terminal
from flows.errors import BadInput, EnvironmentFault, Fault

if TYPE_CHECKING:
    from flows.nouns.campaign import Campaign

START_S = 120.0


def serve(
    *specs: str,
    provider: Annotated[list[str] | None, Parameter(negative="")] = None,
    max_cost: Annotated[float | None, Parameter(validator=Number(gte=0))] = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    to: str | None = None,
    defaults: str | None = None,
) -> int:
    """Run campaigns on this machine when their schedule says so, until Ctrl-C.

    Uses the Prefect server at PREFECT_API_URL; where that is not set it starts one of its own and
    says where its page is.

    Args:
        specs: campaign files, YAML or CSV, each with a schedule.
        provider: a host that may make the images; may be given several times.
        max_cost: stop each run's buying at so many USD.
        yes: buy even where a plan costs more than ask_above_usd: nobody can be asked.
        to: another destination than the campaigns'.
        defaults: a YAML that gives a CSV of briefs what it does not say.
    """
    from flows.settings import quiet_prefect

    if not specs:
        raise BadInput("nothing is served", [Fault("SPEC", "no campaign file is named")])
    campaigns = [
        checked(spec, provider=provider, max_cost=max_cost, yes=yes, to=to, defaults=defaults)
        for spec in specs
    ]
    _refuse(specs, [campaign for campaign, _ in campaigns])
    said = _api_url(specs[0])
    api_url = said or f"http://127.0.0.1:{_free_port()}/api"
    quiet_prefect(api_url, verbose=terminal.is_verbose())
    # after Prefect's settings: it reads them as it is imported
    from flows import campaign as line

    with nullcontext() if said else _server(api_url):
        for spec, (campaign, parameters) in zip(specs, campaigns, strict=True):
            terminal.result(f"serving {spec}: {due(campaign)}")
            needs_yes(campaign, parameters)
        terminal.say(
            f"serving: runs begin by their schedule, or by hand on the page at "
            f"{api_url.removesuffix('/api')}; stop with Ctrl-C"
        )
        line.serve(campaigns)
    terminal.say("stopped: the schedules rest until the campaigns are served again")
    return 0


def _api_url(spec: str) -> str | None:
    """The server that the environment names, where it answers."""
    from flows.cli.checkup.prefect_server import unreachable
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    api_url = Settings.load(Workspace.of(Path(spec), Path.cwd())).prefect_api_url
    if api_url is not None and (fault := unreachable(api_url)):
        raise EnvironmentFault(fault)
    return api_url


def _refuse(specs: Sequence[str], campaigns: Sequence[Campaign]) -> None:
    faults = [
        Fault(spec, "no schedule", remedy='add: schedule: {cron: "0 6 * * 1", timezone: UTC}')
        for spec, campaign in zip(specs, campaigns, strict=True)
        if campaign.schedule is None
    ]
    seen: dict[str, str] = {}
    for spec, campaign in zip(specs, campaigns, strict=True):
        if (other := seen.setdefault(campaign.campaign, spec)) != spec:
            found = f"its campaign {campaign.campaign!r} is that of {other}"
            faults.append(Fault(spec, found, remedy="each campaign has an id of its own"))
    if faults:
        raise BadInput("nothing is served", faults)


def checked(
    spec: str,
    *,
    provider: list[str] | None = None,
    max_cost: float | None = None,
    yes: bool = False,
    only: list[str] | None = None,
    to: str | None = None,
    defaults: str | None = None,
    workspace: str | None = None,
) -> tuple[Campaign, dict[str, object]]:
    """A campaign that is sound, and the parameters that its runs are started with.

    Raises:
        BadInput: with all faults of the campaign.

    """
    from decimal import Decimal

    from flows import jobs, read
    from flows.nouns.workspace import Workspace

    if max_cost is not None and math.isnan(max_cost):
        raise BadInput("nothing was registered", [Fault("--max-cost", "nan is no amount")])
    request = jobs.Request(
        spec=spec,
        providers=tuple(provider or ()),
        max_cost=None if max_cost is None else Decimal(str(max_cost)),
        only=tuple(only or ()),
        to=to,
        defaults=defaults,
    )
    jobs.check(request)
    reading = read.campaign(Path(spec), defaults=Path(defaults) if defaults else None)
    root = Workspace.of(Path(spec), Path.cwd()).root
    return reading.campaign, {
        "spec": _below(root, spec),
        "only": only or [],
        "max_cost": max_cost,
        "provider": provider or [],
        "to": to,
        "yes": yes,
        "defaults": _below(root, defaults) if defaults else None,
        "workspace": workspace or str(root),
    }


def _below(root: Path, file: str) -> str:
    """Where a file is, told from the workspace; absolute where it lies outside."""
    place = Path(file).resolve()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def due(campaign: Campaign) -> str:
    """A campaign's schedule, for people."""
    said = campaign.schedule
    return f"{said.cron} ({said.timezone})" if said is not None else "none"


def needs_yes(campaign: Campaign, parameters: Mapping[str, object]) -> None:
    """Say what stops a run that nobody can be asked about."""
    if not parameters["yes"]:
        terminal.note(
            f"{campaign.campaign}: a run whose plan may cost more than "
            f"{terminal.money(campaign.ask_above_usd)} (ask_above_usd) stops before it buys; "
            f"--yes lets it buy"
        )


def _free_port() -> int:
    """Prefect's usual port where it is free, else any."""
    for port in (4200, 0):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return int(listener.getsockname()[1])
    raise EnvironmentFault("no port of this machine is free for Prefect's server")


@contextmanager
def _server(api_url: str) -> Iterator[None]:
    """A Prefect server of our own; its records lie in PREFECT_HOME, and stay."""
    from urllib.parse import urlsplit

    from flows.cli.checkup.prefect_server import unreachable

    terminal.say("starting a Prefect server on this machine (PREFECT_API_URL is not set)")
    address = urlsplit(api_url)
    command = ["server", "start", "--host", str(address.hostname), "--port", str(address.port)]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter, no words of others
            [sys.executable, "-m", "prefect", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours: runs are told first, the server last
        )
        try:
            deadline = time.monotonic() + START_S
            while unreachable(api_url):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    lines = log.read().decode(errors="replace").strip().splitlines()
                    raise EnvironmentFault(
                        f"Prefect's server did not start: {lines[-1] if lines else 'no word'}; "
                        f"try `prefect server start`, and set PREFECT_API_URL"
                    )
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
