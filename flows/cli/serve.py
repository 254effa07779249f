from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flows.cli import terminal
from flows.cli.scheduled import due, keyless, needs_yes, parameters_of, requested
from flows.errors import BadInput, EnvironmentFault, Fault, ShotlistError

if TYPE_CHECKING:
    from flows.campaign import Happened
    from flows.cli.scheduled import Parameters
    from flows.jobs import Request
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
    asked = [
        requested(spec, provider=provider, max_cost=max_cost, to=to, defaults=defaults)
        for spec in specs
    ]
    campaigns = those_to_serve(asked, yes=yes)
    first = campaigns[0][0]
    said = _api_url(first.spec)
    api_url = said or f"http://127.0.0.1:{_free_port()}/api"
    quiet_prefect(api_url, verbose=terminal.is_verbose())
    # after Prefect's settings: it reads them as it is imported
    from flows import campaign as line

    with nullcontext() if said else _server(api_url):
        for request, campaign, parameters in campaigns:
            terminal.result(f"serving {request.spec}: {due(campaign)}")
            needs_yes(campaign, parameters)
        terminal.say(
            f"serving: runs begin by their schedule, or by hand on the page at "
            f"{api_url.removesuffix('/api')}; stop with Ctrl-C"
        )
        line.serve([(campaign, parameters) for _, campaign, parameters in campaigns], _tell)
    terminal.say("stopped: the schedules rest until the campaigns are served again")
    return 0


def _tell(happened: Happened) -> None:
    at = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
    say = terminal.result if happened.is_end else terminal.say
    line = f"{at} {happened.campaign}: {happened.said}"
    try:
        (terminal.error if happened.is_bad else say)(line)
    except OSError as error:
        # the log file's disk may be full: people read on all the same
        print(f"{line} (it could not be logged: {error.strerror})", file=sys.stderr, flush=True)


def those_to_serve(
    asked: Sequence[Request], *, yes: bool
) -> list[tuple[Request, Campaign, Parameters]]:
    """Those that can be served. What keeps the others from it is told.

    Raises:
        BadInput: none can be served.
        EnvironmentFault: none can be served, and one of them for the want of a key.

    """
    served: list[tuple[Request, Campaign, Parameters]] = []
    left_out: list[ShotlistError] = []
    names: dict[str, str] = {}
    for request in asked:
        try:
            campaign = _servable(request)
            if (other := names.setdefault(campaign.campaign, request.spec)) != request.spec:
                found = f"its campaign {campaign.campaign!r} is that of {other}"
                raise _no(request, [Fault(request.spec, found, remedy="give it an id of its own")])
        except ShotlistError as error:
            left_out.append(error)
            continue
        served.append((request, campaign, parameters_of(request, yes=yes)))
    if not served and len(left_out) == 1:
        raise left_out[0]
    for fault in left_out:
        terminal.error(str(fault))
    if not served:
        worst = max(left_out, key=lambda fault: fault.exit_code)
        raise type(worst)("nothing is served")
    for request, _, _ in served:
        _tell_faults(request)
    return served


def _servable(request: Request) -> Campaign:
    """The campaign of a file that has a schedule, and whose hosts have keys."""
    from flows import read

    defaults = Path(request.defaults) if request.defaults else None
    outline = read.outline(Path(request.spec), defaults=defaults)
    if outline.campaign.schedule is None:
        remedy = 'add: schedule: {cron: "0 6 * * 1", timezone: UTC}'
        raise _no(request, [Fault(request.spec, "no schedule", remedy=remedy)])
    if missing := keyless(request, outline):
        raise EnvironmentFault(f"{request.spec} is not served: {missing}")
    return outline.campaign


def _no(request: Request, faults: Sequence[Fault]) -> BadInput:
    return BadInput(f"{request.spec} is not served", faults)


def _tell_faults(request: Request) -> None:
    """What would stop a run now may be mended until it is due: a catalogue above all."""
    from flows import jobs

    try:
        jobs.check(request)
    except ShotlistError as error:
        terminal.error(str(error))
        terminal.note(f"{request.spec} is served all the same: its runs fail until that is mended")


def _api_url(spec: str) -> str | None:
    """The server that the environment names, where it answers."""
    from flows.cli.checkup.prefect_server import unreachable
    from flows.nouns.workspace import Workspace
    from flows.settings import Settings

    api_url = Settings.load(Workspace.of(Path(spec), Path.cwd())).prefect_api_url
    if api_url is not None and (fault := unreachable(api_url)):
        raise EnvironmentFault(fault)
    return api_url


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
                os.killpg(server.pid, signal.SIGKILL)  # the server and what it has started
                server.wait()
