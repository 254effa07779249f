"""A request that is not served, in words that every host can put into its own error body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Reason = Literal[
    "validation", "authentication", "money", "limit", "unknown", "moderation", "injected", "defect"
]


class Refused(Exception):
    """Raised anywhere below a host's handler; the host's `refuse` shapes the answer.

    The bill counts it against the client, except `injected` (the faults file wanted it) and
    `defect` (the sandbox itself is wrong). Nothing was made or billed.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        reason: Reason = "validation",
        code: str = "",
        field: str = "",
        retry_after: float | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Say why.

        Args:
            status: the HTTP status.
            message: what is wrong, for the reader of the error body and of the report.
            reason: the class of the refusal, for the report.
            code: the host's own code, where it has one.
            field: the field that is wrong, where it is one.
            retry_after: sandbox seconds after which it may pass; None leaves the header out.
            extra: whatever else the host's body wants to carry.

        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.code = code
        self.field = field
        self.retry_after = retry_after
        self.extra = dict(extra or {})
