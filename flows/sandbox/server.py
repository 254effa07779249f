"""The sandbox on a port: in the foreground for people, in a thread for tests."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from flows.errors import BadInput, EnvironmentFault, Fault
from flows.sandbox import environment, hosts
from flows.sandbox.faults import Faults
from flows.sandbox.limits import Limits
from flows.sandbox.world import Form, World

if TYPE_CHECKING:
    import uvicorn

HERE = "127.0.0.1"
START_S = 20.0
FASTEST = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `shotlist sandbox` is told. Port 0: any free one."""

    port: int = 0
    speed: float = 1.0
    faults: Path | None = None
    report: Path | None = None
    form: Form = "alternate"


@dataclass(slots=True)
class Running:
    """A sandbox at work. `environment` holds what points a client at it."""

    url: str
    environment: dict[str, str] = field(repr=False)
    world: World = field(repr=False)

    def report(self) -> dict[str, Any]:
        """The bill as it is now."""
        return self.world.bill.report()


def serve(options: Options, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, then write the report. Must run in the main thread.

    Args:
        options: port, speed, files.
        announce: called once with the lines `NAME=value`, when the port answers.

    Raises:
        BadInput: the speed, the port or the faults file cannot be.
        EnvironmentFault: the port is taken, or the report cannot be written.

    """
    _check(options)
    speaking = list(hosts.modules())
    faults = Faults.read(options.faults, hosts.names()) if options.faults else Faults()
    world = World(speed=options.speed, faults=faults, form=options.form)
    # written before and after: a place that cannot be written is told before the work, not after it
    _write_report(options.report, world)
    listening = _listen(options.port)
    with listening, tempfile.TemporaryDirectory(prefix="shotlist-sandbox-") as folder:
        url = f"http://{HERE}:{listening.getsockname()[1]}"
        accounts = Path(folder) / "accounts.yaml"
        if options.report is not None:
            accounts = options.report.with_name(f"{options.report.stem}-accounts.yaml")
        server = _server(world, speaking, lambda: announce("\n".join(lines)))
        variables = _variables(world, speaking, url, accounts)
        lines = [f"{name}={value}" for name, value in variables.items()]
        with _stopped_by_signals(server):
            server.run([listening])
    _write_report(options.report, world)


@contextmanager
def started(
    *,
    speed: float = 1.0,
    faults: Faults | Sequence[Mapping[str, object]] | None = None,
    form: Form = "alternate",
    limits: Mapping[str, Limits] | None = None,
    speaking: Sequence[hosts.HostModule] | None = None,
    accounts: Path | None = None,
    latencies: Mapping[str, tuple[float, float]] | None = None,
    seed: int = 0,
) -> Iterator[Running]:
    """Run a sandbox on a free port in a thread, for tests.

    Args:
        speed: sandbox seconds in one real second.
        faults: rules as in a faults file.
        form: how hosts answer where their sources conflict.
        limits: by host, in place of the host's own.
        speaking: the host modules; None: all.
        accounts: where to write the accounts file; None: a folder that goes with the sandbox.
        latencies: by host, in place of its own: the mean in sandbox seconds and the coefficient of
            variation.
        seed: decides the latencies that are drawn.

    """
    modules = list(hosts.modules()) if speaking is None else list(speaking)
    if faults is not None and not isinstance(faults, Faults):
        faults = Faults.of([dict(rule) for rule in faults], hosts.names())
    world = World(
        speed=speed, faults=faults, form=form, limits=limits, seed=seed, latencies=latencies
    )
    with (
        _listen(0) as listening,
        tempfile.TemporaryDirectory(prefix="shotlist-sandbox-") as folder,
    ):
        url = f"http://{HERE}:{listening.getsockname()[1]}"
        ready = threading.Event()
        server = _server(world, modules, ready.set)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            if not ready.wait(START_S):
                raise EnvironmentFault(f"the sandbox did not start within {START_S:.0f} s")
            place = accounts or Path(folder) / "accounts.yaml"
            yield Running(url, _variables(world, modules, url, place), world)
        finally:
            server.should_exit = True
            thread.join(START_S)


def _server(
    world: World, speaking: Sequence[hosts.HostModule], is_ready: Callable[[], None]
) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from flows.sandbox.application import application

    class Protocol(H11Protocol):
        """Tells the world its connections, so that faults can cut them."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            world.connections.opened(transport)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            world.connections.closed(self.transport)
            super().connection_lost(exc)

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave signals to whoever called: a thread may not touch them."""
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                is_ready()

    config = uvicorn.Config(
        application(world, speaking),
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=1024,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    return Server(config)


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's waiting off only where the protocol is named; else 40 ms an answer
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HERE, port))
    except OSError as error:
        listening.close()
        raise EnvironmentFault(
            f"port {port} of this machine cannot be used: {error.strerror}; choose another by"
            " --port, or leave it out for a free one"
        ) from error
    return listening


def _variables(
    world: World, speaking: Sequence[hosts.HostModule], url: str, accounts: Path
) -> dict[str, str]:
    variables = environment.variables(url, speaking)
    if world.clock.speed != 1:
        environment.write_accounts(world, accounts)
        variables["SHOTLIST_ACCOUNTS"] = str(accounts.resolve())
    return variables


def _write_report(path: Path | None, world: World) -> None:
    if path is None:
        return
    text = json.dumps(world.bill.report(), indent=2, ensure_ascii=False)
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"the report {path} cannot be written: {error.strerror}") from error


def _check(options: Options) -> None:
    faults = []
    if not 0 < options.speed <= FASTEST:
        faults.append(Fault("--speed", f"{options.speed}", f"above 0, at most {FASTEST:,.0f}"))
    if not 0 <= options.port <= 65535:
        faults.append(Fault("--port", f"{options.port}", "0 to 65535"))
    if faults:
        raise BadInput("the sandbox was not started", faults)
