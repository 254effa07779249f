"""How a failed Eachlabs prediction looks: the envelope of the newer engines, and its class.

Source: https://github.com/eachlabs/mintlify-docs, video/billing-limits.mdx and
openapi_specs/models.json.
"""

from __future__ import annotations

from typing import Any

from flows.sandbox.jobs import Job


def failure(job: Job) -> dict[str, Any]:
    """The `output` of a failed prediction."""
    refused = job.fate == "moderation"
    return {
        "error_code": "PROVIDER_REJECTED" if refused else "PROVIDER_SERVER_ERROR",
        "error_message": (
            "the request was refused by the content policy" if refused else "the provider failed"
        ),
        "classification": {"category": "PROVIDER"},
        "retryable": not refused,
        "error": "Execution failed",
        "error_step": "poll",
        "success": False,
        "status": "ERROR",
        "execution_id": job.id,
        "model_slug": job.order.model,
        "provider": "sandbox",
        "provider_error_code": "failed",
    }


def classification(job: Job) -> str:
    """The word by which the list filters failures; empty for what did not fail."""
    if job.state != "failed":
        return ""
    return "content_moderation" if job.fate == "moderation" else "provider_error"
