"""BytePlus's error codes, which its own interface and Replicate's failed predictions both carry
(https://docs.byteplus.com/en/docs/ModelArk/1299023).
"""

from __future__ import annotations

import json

from flows.providers.base.replies import RefusalKind

_CODES = {
    RefusalKind.INPUT: (
        "MissingParameter",
        "InvalidParameter",
        "InvalidImageURL",
        "OutofContextError",
    ),
    RefusalKind.MODERATION: (
        "InputTextSensitiveContentDetected",
        "InputImageSensitiveContentDetected",
        "OutputImageSensitiveContentDetected",
        "SensitiveContentDetected",
        "InputImageRiskDetection",
        "OutputImageRiskDetection",
        "ContentSecurityDetectionError",
    ),
    RefusalKind.ACCOUNT: (
        "AuthenticationError",
        "InvalidAccountStatus",
        "AccountOverdueError",
        "AccessDenied",
        "OperationDenied",
        # the model or endpoint is fixed, so one that cannot be used is the account's trouble
        "InvalidEndpoint",
        "InvalidEndpointOrModel",
        "ModelNotOpen",
        # both come as 429, and no waiting mends them
        "SetLimitExceeded",
        "QuotaExceeded",
    ),
    RefusalKind.AGAIN: (
        "ModelAccountIpmRateLimitExceeded",
        "ModelAccountRpmRateLimitExceeded",
        "ModelAccountTpmRateLimitExceeded",
        "APIAccountRpmRateLimitExceeded",
        "AccountRateLimitExceeded",
        "RateLimitExceeded",
        "RequestBurstTooFast",
        "ServerOverloaded",
        "InflightBatchsizeExceeded",
    ),
}
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}


def ark_kind(code: str) -> RefusalKind | None:
    """What a code means, such as `InvalidParameter.size`: its family stands before the first dot.

    None of those known is billed. None: not known, or it says nothing of the next step.
    """
    return _KINDS.get(code.partition(".")[0])


def ark_code_in(words: str) -> str:
    """The code of a BytePlus answer that stands as JSON inside another host's words; else empty."""
    start = words.find("{")
    try:
        answer = json.JSONDecoder().raw_decode(words, start)[0] if start >= 0 else {}
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error")
    code = (error if isinstance(error, dict) else answer).get("code")
    return code.strip() if isinstance(code, str) else ""
