"""All hosts on one port, and the report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from flows.sandbox import files, hosts
from flows.sandbox.call import Call
from flows.sandbox.desk import Desk
from flows.sandbox.refused import Refused
from flows.sandbox.world import World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def application(world: World, speaking: Iterable[hosts.HostModule] | None = None) -> Starlette:
    """The server as an ASGI application.

    Args:
        world: what it lives in; closed when the application's lifespan ends.
        speaking: the host modules; None: all there are.

    """
    routes: list[BaseRoute] = []
    for module in hosts.modules() if speaking is None else speaking:
        desk = world.desk(module.HOST)
        routes += module.routes(world)
        routes += files.routes(world, desk)
        for prefix in module.HOST.all_prefixes:
            routes += _nowhere(desk, prefix)

    async def report(_: Request) -> Response:
        return JSONResponse(world.bill.report())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await world.close()

    application = Starlette(
        routes=[Route("/report", report), *routes, Route("/{rest:path}", _nobody, methods=METHODS)],
        lifespan=lifespan,
    )
    # a redirect of a create would lose its body; the hosts' pages warn of it
    application.router.redirect_slashes = False
    return application


def _nowhere(desk: Desk, prefix: str) -> list[BaseRoute]:
    async def unknown(call: Call) -> Response:
        path = call.request.url.path
        raise Refused(404, f"no such path: {call.request.method} {path}", reason="unknown")

    return [
        desk.route(
            method,
            f"/{prefix}/{{rest:path}}",
            unknown,
            at="other",
            is_open=True,
            is_counted=False,
        )
        for method in METHODS
    ]


async def _nobody(request: Request) -> Response:
    return JSONResponse({"error": f"no host here: {request.url.path}"}, 404)
