"""fal: a queue that takes anything and judges later, a direct call, uploads, a request history.

Sources: https://fal.ai/docs/documentation/model-apis/inference/queue,
https://fal.ai/docs/api-reference/inference-api, https://fal.ai/docs/inference-api/queue/status,
https://fal.ai/docs/documentation/model-apis/errors,
https://fal.ai/docs/documentation/model-apis/concurrency-limits.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.host import Host
from flows.sandbox.hosts import fal_files, fal_hooks, fal_input, fal_platform, fal_result
from flows.sandbox.jobs import Job, Order
from flows.sandbox.limits import Limits, Window
from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.world import World

JUDGED_AFTER_S = 0.5
FOR_EVER_S = 10 * 365 * 86_400.0
LOCKED = (
    "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
)
_STRANGER = "Cannot access application 'fal-ai/bytedance'. Authentication is required to access it."


def _refuse(_: Call, refused: Refused) -> Response:
    headers = {}
    body: dict[str, Any] = {"detail": refused.message}
    if refused.status == 404 and refused.code == fal_result.NOT_FOUND:
        body = {"status": fal_result.NOT_FOUND}
    elif refused.code:
        headers["x-fal-error-type"] = refused.code
        body = {**body, "error_type": refused.code}
    if refused.status == 429:
        headers["x-fal-needs-retry"] = "1"
    return JSONResponse({**body, **refused.extra}, refused.status, headers=headers)


HOST = Host(
    name="fal",
    usd=0.03,
    refuse=_refuse,
    keys=(("authorization", "Key "),),
    limits=Limits(windows=(Window(10, 1.0),), running=2),
    queues=True,
    prefixes=("fal-queue", "fal-run", "fal-rest", "fal-cdn", "fal-api"),
    files="fal-cdn",
    latency_s=10.0,
    links_live_s=FOR_EVER_S,
    dead_link_status=404,
    no_key=(_STRANGER, ""),
    bad_key=(_STRANGER, ""),
    broke=(403, LOCKED, ""),
    too_many_requests=("Too many requests", "rate_limit"),
    says_retry_after=False,
)


def routes(world: World) -> list[BaseRoute]:
    """Queue, direct call, uploads, keys of the webhooks, history."""
    desk = world.desk(HOST)
    results = fal_result.Results(desk)
    hooks = fal_hooks.Hooks(world, results)
    api = _Api(world, desk, results, hooks)
    one = "/fal-queue/fal-ai/bytedance/requests/{id}"
    created = [
        desk.route("POST", f"/{prefix}/{model}", handler(model), at="create")
        for model in fal_input.MODELS
        for prefix, handler in (("fal-queue", api.submit), ("fal-run", api.run))
    ]
    return [
        *created,
        desk.route("GET", one, api.result, at="result"),
        desk.route("GET", f"{one}/status", api.status, at="poll"),
        desk.route("PUT", f"{one}/cancel", api.cancel, at="cancel"),
        desk.route(
            "GET",
            "/fal-rest/.well-known/jwks.json",
            hooks.keys,
            at="other",
            is_open=True,
            is_counted=False,
        ),
        *fal_files.routes(world, desk),
        *fal_platform.routes(desk, results),
    ]


def environment(base: str) -> dict[str, str]:
    """Five addresses and a key."""
    return {
        "FAL_QUEUE_URL": f"{base}/fal-queue",
        "FAL_RUN_URL": f"{base}/fal-run",
        "FAL_REST_URL": f"{base}/fal-rest",
        "FAL_CDN_URL": f"{base}/fal-cdn",
        "FAL_API_URL": f"{base}/fal-api/v1",
        "FAL_KEY": "sandbox-fal",
    }


class _Api:
    def __init__(
        self, world: World, desk: Desk, results: fal_result.Results, hooks: fal_hooks.Hooks
    ) -> None:
        self._world = world
        self._desk = desk
        self._results = results
        self._hooks = hooks

    def submit(self, model: str) -> Callable[[Call], Awaitable[Response]]:
        """`POST <queue>/<model>`: an id comes back whatever the input holds."""

        async def submit(call: Call) -> Response:
            _check_unlocked(call)
            body = call.json()
            for_webhook = call.query("fal_webhook")
            if for_webhook and (wrong := fal_hooks.address_fault(for_webhook)):
                raise Refused(422, f"fal_webhook {wrong}", field="fal_webhook")
            start_s = _start_s(call)
            wanted, problem = await fal_input.read(self._world, call, model, body)
            order = _order(model, body, wanted, self._hooks.told if for_webhook else None)
            job = self._begin(call, order, problem)
            job.more["webhook"] = for_webhook
            job.more["keeps_io"] = call.request.headers.get("x-fal-store-io") != "0"
            if start_s is not None:
                self._world.spawn(self._give_up(job, start_s))
            return JSONResponse(self._results.queued(job, "IN_QUEUE"))

        return submit

    def run(self, model: str) -> Callable[[Call], Awaitable[Response]]:
        """`POST <run>/<model>`: the bare output, or the error, at once."""

        async def run(call: Call) -> Response:
            _check_unlocked(call)
            body = call.json()
            wanted, problem = await fal_input.read(self._world, call, model, body)
            if problem is not None:
                raise Refused(
                    problem.status,
                    problem.message,
                    field=problem.field,
                    extra={"detail": problem.detail},
                )
            most = self._desk.gate.limits.running
            if most is not None and self._desk.gate.running(call.key) >= most:
                message = "Too many concurrent requests"
                raise Refused(429, message, reason="limit", code="concurrent_requests_limit")
            job = self._begin(call, _order(model, body, wanted, None), None)
            await job.ended.wait()
            return await self._results.answer(job)

        return run

    async def status(self, call: Call) -> Response:
        job = self._results.find(call)
        word = {"queued": "IN_QUEUE", "running": "IN_PROGRESS"}.get(job.state, "COMPLETED")
        if call.hit("unknown_state"):
            return JSONResponse(self._results.queued(job, "SUSPENDED"), 202)
        body = self._results.queued(job, word)
        if call.query("logs").lower() in {"1", "true"}:
            body["logs"] = []
        return JSONResponse(body, 200 if job.is_over else 202)

    async def result(self, call: Call) -> Response:
        job = self._results.find(call)
        if not job.is_over:
            raise Refused(400, "Request is still in progress", reason="unknown")
        return await self._results.answer(job)

    async def cancel(self, call: Call) -> Response:
        job = self._results.find(call)
        if job.is_over:
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        if job.state == "running":
            # a signal only: this model runs on, and is paid
            return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)
        job.more["gave_up"] = "client_cancelled"
        await self._desk.jobs.cancel(job)
        if job.form == "seed":
            return JSONResponse({"status": "OK"})
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def _begin(self, call: Call, order: Order, problem: fal_input.Problem | None) -> Job:
        job = self._desk.start(call, order)
        job.more["base"] = call.url("")
        if problem is not None:
            # the worker looks at the input, long after the submit was answered
            job.fate, job.more["problem"] = "failure", problem
            refused = Refused(problem.status, problem.message, field=problem.field)
            path = call.request.url.path
            self._desk.bill.refused(HOST.name, "POST", path, refused, self._desk.clock.iso())
        return job

    async def _give_up(self, job: Job, after_s: float) -> None:
        """End what has not begun by the client's own deadline; what runs is left alone."""
        await self._desk.clock.sleep(after_s)
        if job.state == "queued":
            job.more["gave_up"] = "request_timeout"
            await self._desk.jobs.cancel(job)


def _order(
    model: str,
    body: dict[str, Any],
    wanted: fal_input.Wanted | None,
    told: Callable[[Job], Awaitable[None]] | None,
) -> Order:
    return Order(
        prompt=wanted.prompt if wanted else str(body.get("prompt", "")),
        width=wanted.width if wanted else 2048,
        height=wanted.height if wanted else 2048,
        n=wanted.n if wanted else 1,
        format="png",
        model=model,
        task=str(uuid.uuid4()),
        latency_s=None if wanted else JUDGED_AFTER_S,
        document=body,
        changed=told,
    )


def _check_unlocked(call: Call) -> None:
    if call.is_locked:
        raise Refused(403, LOCKED, reason="money")


def _start_s(call: Call) -> float | None:
    said = call.request.headers.get("x-fal-request-timeout")
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise Refused(422, f"X-Fal-Request-Timeout must be seconds, got {said}")
    return seconds
