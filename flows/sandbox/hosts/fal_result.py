"""A request at fal as it is shown: its state, and in the end the worker's own answer.

Sources: https://fal.ai/docs/inference-api/queue/result,
https://fal.ai/docs/documentation/model-apis/media-expiration (how long a result is kept),
https://fal.ai/docs/documentation/model-apis/errors.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from flows.sandbox.refused import Refused

if TYPE_CHECKING:
    from flows.sandbox.call import Call
    from flows.sandbox.desk import Desk
    from flows.sandbox.jobs import Job
    from flows.sandbox.links import Link

NOT_FOUND = "NOT_FOUND"
KEPT_S = 3600.0
LARGE_BYTES = 10_000
LARGE_KEPT_S = 360.0


class Results:
    """The requests of all accounts; each sees its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find(self, call: Call) -> Job:
        """The request of the path.

        Raises:
            Refused: 404, no such request, or its result is kept no longer.

        """
        job = self._desk.jobs.find(call.path("id"), call.key)
        if job is None or self._is_forgotten(job):
            raise Refused(404, "no such request", reason="unknown", code=NOT_FOUND)
        return job

    def queued(self, job: Job, status: str) -> dict[str, Any]:
        """The answer to a submit and to a poll."""
        address = f"{job.more['base']}/fal-queue/fal-ai/bytedance/requests/{job.id}"
        body: dict[str, Any] = {"status": status, "request_id": job.id}
        if status == "IN_QUEUE":
            body["queue_position"] = self._desk.jobs.ahead_of(job)
        body |= {
            "response_url": address,
            "status_url": f"{address}/status",
            "cancel_url": f"{address}/cancel",
            "logs": None,
            "metrics": {"inference_time": job.run_s} if job.state == "done" else {},
        }
        if status == "COMPLETED" and job.state != "done" and job.form == "present":
            # seen in newer answers alone: the error shows before the result is asked for
            code, _, kind = self.failure(job)
            body |= {"error": f"Invalid status code: {code}", "error_type": kind}
        return body

    async def answer(self, job: Job) -> Response:
        """The worker's own answer: bare output, or its error."""
        headers = {"x-fal-request-id": job.id}
        if job.state == "done":
            headers["x-fal-billable-units"] = str(job.n)
            return JSONResponse(await self.output(job), headers=headers)
        status, detail, kind = self.failure(job)
        body: dict[str, Any] = {"detail": detail}
        if not isinstance(detail, list):
            body["error_type"] = kind
        headers["x-fal-error-type"] = kind
        if kind == "request_timeout":
            headers["x-fal-request-timeout-type"] = "user"
        return JSONResponse(body, status, headers=headers)

    async def output(self, job: Job) -> dict[str, Any]:
        """What the model gave."""
        images = [await self._image(job, link) for link in job.links]
        if is_inline(job):
            self._desk.deliver_inline(job)
        seed = job.order.document.get("seed")
        return {"images": images, "seed": job.seed if seed is None else seed}

    def failure(self, job: Job) -> tuple[int, object, str]:
        """Status, detail and type of an error: a list from the model, words from the platform."""
        if job.state == "cancelled":
            kind = str(job.more["gave_up"])
            status = 504 if kind == "request_timeout" else 499
            return status, f"The request ended: {kind}", kind
        if (problem := job.more.get("problem")) is not None:
            return problem.status, problem.detail, str(problem.detail[0]["type"])
        status, kind = 500, "downstream_service_unavailable"
        message, place = "The model's provider is not available", ["body"]
        if job.fate == "moderation":
            status, kind = 422, "content_policy_violation"
            message, place = (
                "The content could not be processed: it was flagged",
                ["body", "prompt"],
            )
        line = {
            "loc": place,
            "msg": message,
            "type": kind,
            "url": f"https://docs.fal.ai/errors#{kind}",
        }
        return status, [line], kind

    async def _image(self, job: Job, link: Link) -> dict[str, Any]:
        if is_inline(job):
            data = base64.b64encode(await link.read()).decode()
            return {"url": f"data:{link.media_type};base64,{data}", "content_type": link.media_type}
        image: dict[str, Any] = {"url": f"{job.more['base']}{link.path}"}
        if job.form == "present":  # all but the address may be absent
            image |= {
                "content_type": link.media_type,
                "file_name": link.path.rpartition("/")[2],
                "file_size": len(await link.read()),
                "width": job.order.width,
                "height": job.order.height,
            }
        return image

    def _is_forgotten(self, job: Job) -> bool:
        kept = LARGE_KEPT_S if is_inline(job) else KEPT_S
        return job.ended_at is not None and self._desk.clock.now() >= job.ended_at + kept


def is_inline(job: Job) -> bool:
    """Whether the images come as data URIs, in an answer that counts as a large one."""
    return job.order.document.get("sync_mode") is True
