"""A host's front desk: every request passes here before and after the host's own handler."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from flows.sandbox.bill import Bill
from flows.sandbox.call import Call
from flows.sandbox.clock import Clock
from flows.sandbox.faults import SLOW_S
from flows.sandbox.host import Host
from flows.sandbox.jobs import Fate, Job, Jobs, Order
from flows.sandbox.limits import Gate, Limits, whole_seconds
from flows.sandbox.links import Link
from flows.sandbox.pictures import Picture
from flows.sandbox.refused import Refused
from flows.sandbox.times import At

if TYPE_CHECKING:
    from flows.sandbox.world import World

Handler = Callable[[Call], Awaitable[Response]]
HTML = (
    "<!doctype html><html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"
)
CLIENT_LEFT = 499
_log = logging.getLogger("shotlist.sandbox")


class Desk:
    """One host at work: what its module builds on."""

    def __init__(self, world: World, host: Host, limits: Limits) -> None:
        self.world = world
        self.host = host
        self.clock: Clock = world.clock
        self.bill: Bill = world.bill
        self.gate = Gate(host.name, limits, world.clock, world.bill)
        self.jobs = Jobs(self, world.seed)
        world.bill.open(host.name)

    def route(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        at: At,
        is_open: bool = False,
        is_counted: bool = True,
    ) -> Route:
        """A path of the host.

        Before `handler` the desk acts out faults, reads the body, finds the key and admits the
        request to the limits; after it, it words refusals by `host.refuse` and writes them down.
        No exception leaves it.

        Args:
            method: GET, POST, PUT or DELETE.
            path: with the prefix, as Starlette writes it: "/eachlabs/v1/prediction/{id}".
            handler: gets a `Call`, answers or raises Refused.
            at: when in the talk this is; `create` counts as a create for the limits.
            is_open: no key is asked for.
            is_counted: it counts in the windows.

        """

        async def endpoint(request: Request) -> Response:
            call = Call(request, at, self.world.faults.strike(self.host.name, at))
            self.bill.asked(self.host.name, at)
            return await self._serve(call, handler, is_open=is_open, is_counted=is_counted)

        return Route(path, endpoint, methods=[method])

    def start(self, call: Call, order: Order) -> Job:
        """Take an order that runs by itself (poll it). The create is written on the bill.

        Raises:
            Refused: no money, or too many running where the host does not queue.

        """
        job = self._accept(call, order)
        self.jobs.begin(job)
        return job

    async def make(self, call: Call, order: Order) -> Job:
        """Take an order and wait until it is over. A client that leaves does not end it.

        The job comes back `done`, or `failed` with its `fate`, which the host words.

        Raises:
            Refused: as `start`.

        """
        job = self.start(call, order)
        await job.ended.wait()
        return job

    def admit_images(self, call: Call, n: int) -> None:
        """Count `n` images in the windows that count images.

        Raises:
            Refused: 429, over the limit.

        """
        if wait := self.gate.admit(call.key, "image", n):
            raise self._over(self.host.too_many_requests, wait)

    def publish(self, job: Job, picture: Picture, image: int) -> Link:
        """Give image number `image` of a job its address."""
        return self.world.links.publish(
            self.host.files_prefix,
            picture,
            host=self.host.name,
            task=job.id,
            image=image,
            lives_s=self.host.links_live_s,
        )

    def deliver_inline(self, job: Job) -> None:
        """Say that all of a job's images went out in the answer itself."""
        for image in range(job.n):
            self.bill.delivered(self.host.name, job.id, image)

    def _accept(self, call: Call, order: Order) -> Job:
        if call.is_broke:
            status, message, code = self.host.broke
            raise Refused(status, message, reason="money", code=code)
        if not self.host.queues and not self.gate.begin(call.key):
            raise self._over(self.host.too_many_running, None)
        fate: Fate = "good"
        if call.hit("moderation"):
            fate = "moderation"
        elif call.hit("failure"):
            fate = "failure"
        n = 0 if call.hit("empty") else max(1, order.n // 2) if call.hit("partial") else order.n
        self.bill.created(self.host.name, call.key, call.body)
        return self.jobs.add(order, call.key, fate, n)

    def _over(self, words: tuple[str, str], wait: float | None) -> Refused:
        said = wait if self.host.says_retry_after else None
        return Refused(429, words[0], reason="limit", code=words[1], retry_after=said)

    async def _serve(
        self, call: Call, handler: Handler, *, is_open: bool, is_counted: bool
    ) -> Response:
        for kind in call.hits:
            self.bill.injected(self.host.name, kind)
        try:
            if call.hit("drop"):
                return await self._drop(call)
            await self._read_body(call)
            if (rule := call.hits.get("html")) is not None and call.at != "link":
                return HTMLResponse(HTML, rule.status or 502)
            self._admit(call, is_open=is_open, is_counted=is_counted)
            response = await handler(call)
        except Refused as refused:
            response = self._refuse(call, refused)
        except ClientDisconnect:
            return Response(status_code=CLIENT_LEFT)
        except Exception:  # noqa: BLE001 - whatever a client sends, it gets an answer
            _log.exception("%s %s", call.request.method, call.request.url.path)
            response = self._refuse(call, Refused(500, "internal error", reason="defect"))
        return await self._after(call, response)

    def _admit(self, call: Call, *, is_open: bool, is_counted: bool) -> None:
        if (rule := call.hits.get("status")) is not None:
            raise Refused(
                rule.status or 503,
                "injected by the faults file",
                reason="injected",
                retry_after=rule.retry_after,
            )
        if not is_open:
            call.key = self._key(call)
        if is_counted:
            wait = self.gate.admit(call.key, "create" if call.at == "create" else "other")
            if wait:
                raise self._over(self.host.too_many_requests, wait)

    async def _after(self, call: Call, response: Response) -> Response:
        if self.host.headers is not None:
            response.headers.update(self.host.headers(call))
        if (rule := call.hits.get("slow")) is not None:
            await self.clock.sleep(SLOW_S if rule.s is None else rule.s)
        if call.hit("accept_then_drop") and response.status_code < 400:
            return await self._drop(call)
        if call.hit("malformed") and response.status_code < 400:
            broken = bytes(response.body)[: max(1, len(response.body) * 2 // 3)]
            return Response(broken, response.status_code, media_type="application/json")
        return response

    async def _drop(self, call: Call) -> Response:
        # the answer goes to a connection that is no more
        self.world.connections.abort(call.request)
        return Response(status_code=CLIENT_LEFT)

    async def _read_body(self, call: Call) -> None:
        # read to its end even when the request will be refused: a client that is still writing
        # would see a reset in place of the answer
        most = max(self.host.body_most_bytes, self.host.uploads_most_bytes)
        kept, size = [], 0
        async for chunk in call.request.stream():
            size += len(chunk)
            if size <= most:
                kept.append(chunk)
        allowed = self.host.uploads_most_bytes if call.at == "upload" else self.host.body_most_bytes
        if size > allowed:
            raise Refused(413, f"the body has {size} bytes; at most {allowed} are taken")
        call.body = b"".join(kept)

    def _key(self, call: Call) -> str:
        for header, prefix in self.host.keys:
            value = call.request.headers.get(header, "")
            if value.lower().startswith(prefix.lower()) and value[len(prefix) :].strip():
                key = value[len(prefix) :].strip()
                if key.startswith("bad-"):
                    message, code = self.host.bad_key
                    raise Refused(401, message, reason="authentication", code=code)
                return key
        message, code = self.host.no_key
        raise Refused(401, message, reason="authentication", code=code)

    def _refuse(self, call: Call, refused: Refused) -> Response:
        request = call.request
        self.bill.refused(
            self.host.name, request.method, request.url.path, refused, self.clock.iso()
        )
        response = self.host.refuse(call, refused)
        if refused.retry_after is not None:
            response.headers["retry-after"] = whole_seconds(self.clock.real(refused.retry_after))
        return response
